"""A training that is not finished: its frames, its checkpoint and a lock, in a folder beside the model's.

Whatever ends the training, what lies here is whole, and the training goes on from it.

Notebook: 01_train.
"""

import fcntl
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
from torch import Tensor

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.audio.sound_files import check_audio
from timbrelib.files import check_size, one_line, load_json, writable_folder, atomic_write
from timbrelib.model.checkpoint import write_json
from timbrelib.model.vqvae import VQVAEConfig
from timbrelib.recordings.corpus import SCORED_PART, Recording
from timbrelib.training.config import TrainingConfig

STATE, RUN, LOCK = "state.safetensors", "run.json", "lock"
SUFFIX = ".unfinished"  # of the folder's name
LARGEST_RUN, LARGEST_STATE = 2**24, 2**30  # bytes
ANEW = "start the training anew with --replace"


def checkpoint_folder(model_folder: Path) -> Path:
    """Name the folder in which a model is in the making."""
    return model_folder.with_name(model_folder.name + SUFFIX)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep another training out of a folder; the lock goes with the process, however that ends.

    Raises
    ------
    BlockingIOError
        Another training is in it.
    PermissionError
        It cannot be written to.
    """
    with (writable_folder(folder) / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BlockingIOError(
                f"another training is at work in {folder}: wait for it, or choose another --name"
            ) from error
        try:
            yield
        finally:
            if not (folder / RUN).exists():  # nothing is left to resume
                with suppress(OSError):  # but perhaps another training has come in
                    (folder / LOCK).unlink()
                    folder.rmdir()


def empty(folder: Path) -> None:
    """Remove what is left of a training, but for its lock; first what makes it one."""
    (folder / RUN).unlink(missing_ok=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        elif path.name != LOCK:
            path.unlink()


def save_state(folder: Path, tensors: Mapping[str, Tensor], progress: Mapping[str, object]) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    folder : Path
    tensors : mapping of str to Tensor
    progress : mapping of str to object
        All else, as JSON can hold it.
    """
    content = safetensors.torch.save(dict(tensors), {"progress": json.dumps(progress)})
    with atomic_write(folder / STATE) as part:
        part.write_bytes(content)


def load_state(folder: Path) -> tuple[dict[str, Tensor], dict]:
    """Read the checkpoint.

    Raises
    ------
    ValueError
        It is damaged.
    """
    try:
        check_size(folder / STATE, LARGEST_STATE)
        with safetensors.safe_open(folder / STATE, "pt") as file:
            progress = json.loads(file.metadata()["progress"])
            return {name: file.get_tensor(name).clone() for name in file.keys()}, progress  # noqa: SIM118, a handle is no dict
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{folder / STATE} is damaged ({one_line(error)}): {ANEW}") from error


def store_recordings(folder: Path, corpus: Iterable[Recording]) -> list[str]:
    """Write recordings one to a file, for `StoredRecordings`, and give their names."""
    names = []
    for number, recording in enumerate(corpus):
        (folder / f"{number:05}.f32").write_bytes(recording.audio.tobytes())
        names.append(recording.name)
    return names


class StoredRecordings(Sequence[Recording]):
    """Recordings that `store_recordings` wrote, read one at a time.

    Raises
    ------
    ValueError
        When a recording is taken: its file is not what was written.
    """

    def __init__(self, folder: Path, names: Sequence[str]):
        self.folder, self.names = folder, names

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, number: int) -> Recording:  # type: ignore[override]  # nobody takes a slice
        if number >= len(self):
            raise IndexError(number)
        path = self.folder / f"{number:05}.f32"
        check_size(path, int(SCORED_PART * SAMPLE_RATE) * 4)
        return Recording(self.names[number], check_audio(np.fromfile(path, np.float32), path.name))


@dataclass(frozen=True)
class Run:
    """What a training was started with, and what became of its recordings.

    Attributes
    ----------
    domain : str
        Name of their folder.
    config : TrainingConfig
    sizes : VQVAEConfig
    shifts : tuple of float
        Semitones by which they were resampled.
    credits : list of str
        Their makers.
    recordings : int
        How many of them train the model.
    minutes : float
        Of these.
    test : list of str
        Names of the parts that test it.
    processes : int
        That train it together.
    """

    domain: str
    config: TrainingConfig
    sizes: VQVAEConfig
    shifts: tuple[float, ...]
    credits: list[str]
    recordings: int
    minutes: float
    test: list[str]
    processes: int


def save_run(folder: Path, run: Run) -> None:
    """Write what a training was started with; from then on it can be resumed."""
    write_json(folder / RUN, asdict(run))


def load_run(folder: Path) -> Run:
    """Read what a training was started with.

    Raises
    ------
    FileNotFoundError
        There is none in the folder.
    ValueError
        The file is damaged.
    """
    try:
        content = load_json(folder / RUN, LARGEST_RUN)
        settings: dict[str, Any] = {
            "config": TrainingConfig(**content["config"]),
            "sizes": VQVAEConfig(**content["sizes"]),
        }
        numbers = {"minutes": float(content["minutes"]), "shifts": tuple(map(float, content["shifts"]))}
        run = Run(**content | settings | numbers)
        names = [run.domain, *run.credits, *run.test]
        if not (
            all(isinstance(name, str) for name in names)
            and run.test
            and run.recordings + run.minutes + run.processes > 0
        ):
            raise ValueError("it names no recordings")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{folder / RUN} is damaged ({one_line(error)}): {ANEW}") from error
    return run
