"""Checkpoints and resuming: the folder of an unfinished training, next to the folder of its model.

The folder contains the lock, the frames, the test recordings, what the training was started
with, and the last checkpoint.  Each file is complete whenever the training stops, so that it
can be resumed without the original recordings.

Notebook: 01_train.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import safetensors
import safetensors.torch
from torch import Tensor

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.audio.sound_files import check_audio
from timbrelib.files import atomic_write, check_size, load_json, one_line, writable_folder
from timbrelib.model.checkpoint import write_json
from timbrelib.model.network import VQVAEConfig
from timbrelib.recordings.corpus import TEST_BLOCK_SECONDS, Recording
from timbrelib.recordings.splits import SPLITS
from timbrelib.training.config import TrainingConfig, current_names

SUFFIX = ".unfinished"  # of the name of the folder
STATE, RUN, LOCK = "state.safetensors", "run.json", "lock"
MAX_RUN_BYTES, MAX_STATE_BYTES = 2**24, 2**30
RESTART = "restart the training with --replace"  # advice in error messages


def checkpoint_folder(model_folder: Path) -> Path:
    """Folder of the unfinished training of a model."""
    return model_folder.with_name(model_folder.name + SUFFIX)


@contextmanager
def training_lock(folder: Path) -> Iterator[None]:
    """Lock the folder of a training for the duration of a block; the lock ends with the process at the latest.

    The folder is created if necessary, and removed afterwards if it holds nothing to resume.

    Raises
    ------
    BlockingIOError
        Another training has locked the folder.
    PermissionError
        The folder is not writable.
    """
    lock = filelock.FileLock(writable_folder(folder) / LOCK)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout as error:
        raise BlockingIOError(
            f"another training is running in {folder}: wait until it ends, or choose another --name"
        ) from error
    try:
        yield
    finally:
        finished = not (folder / RUN).exists()
        if finished:
            with suppress(OSError):  # on Windows, where the lock removes its file itself on release
                (folder / LOCK).unlink()
        lock.release()
        if finished:
            with suppress(OSError):  # another training may have created files in it
                folder.rmdir()


def clear(folder: Path) -> None:
    """Remove everything but the lock from the folder of a training, first what makes it one."""
    (folder / RUN).unlink(missing_ok=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        elif path.name != LOCK:
            path.unlink()


def save_checkpoint(folder: Path, tensors: Mapping[str, Tensor], progress: Mapping[str, object]) -> None:
    """Write a checkpoint, atomically.

    Parameters
    ----------
    folder : Path
    tensors : mapping of str to Tensor
    progress : mapping of str to object
        Everything else, as JSON can hold it.
    """
    content = safetensors.torch.save(dict(tensors), {"progress": json.dumps(progress)})
    with atomic_write(folder / STATE) as part:
        part.write_bytes(content)


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict]:
    """Read tensors and progress from the last checkpoint, see `save_checkpoint`.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    try:
        check_size(folder / STATE, MAX_STATE_BYTES)
        with safetensors.safe_open(folder / STATE, "pt") as file:
            progress = json.loads(file.metadata()["progress"])
            return {name: file.get_tensor(name).clone() for name in file.keys()}, progress  # noqa: SIM118
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{folder / STATE} is damaged ({one_line(error)}): {RESTART}") from error


def store_recordings(folder: Path, recordings: Iterable[Recording]) -> list[str]:
    """Write recordings, one file each, for `StoredRecordings`, and return their names."""
    names = []
    for number, recording in enumerate(recordings):
        (folder / f"{number:05}.f32").write_bytes(recording.audio.tobytes())
        names.append(recording.name)
    return names


class StoredRecordings(Sequence[Recording]):
    """Recordings that `store_recordings` wrote, read one at a time.

    Parameters
    ----------
    folder : Path
    names : sequence of str
        From `store_recordings`.

    Raises
    ------
    ValueError
        On access: the file is damaged.
    """

    def __init__(self, folder: Path, names: Sequence[str]):
        self.folder, self.names = folder, names

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, number: int) -> Recording:  # type: ignore[override]  # no slices
        if number >= len(self):
            raise IndexError(number)
        path = self.folder / f"{number:05}.f32"
        check_size(path, int(TEST_BLOCK_SECONDS * SAMPLE_RATE) * 4)
        return Recording(self.names[number], check_audio(np.fromfile(path, np.float32), path.name))


@dataclass(frozen=True)
class Run:
    """What a training was started with: its settings and a summary of its recordings.

    Attributes
    ----------
    domain : str
        Name of the folder of recordings.
    config : TrainingConfig
    sizes : VQVAEConfig
    shifts : tuple of float
        Semitones by which the training recordings are resampled.
    credits : list of str
        Sources of the training recordings.
    recordings : int
        Number of training recordings.
    minutes : float
        Their duration.
    test : list of str
        Names of the test recordings.
    splits : dict of str to list of str
        Which recordings belong to which split, see `timbrelib.recordings.splits.kept_splits`.
    processes : int
        Number of processes that train together.
    valid_minutes, test_minutes : float
        Duration of the recordings that were held back.
    """

    domain: str
    config: TrainingConfig
    sizes: VQVAEConfig
    shifts: tuple[float, ...]
    credits: list[str]
    recordings: int
    minutes: float
    test: list[str]
    splits: dict[str, list[str]]
    processes: int
    valid_minutes: float
    test_minutes: float


def save_run(folder: Path, run: Run) -> None:
    """Write what a training was started with, atomically; from then on it can be resumed."""
    write_json(folder / RUN, asdict(run))


def load_run(folder: Path) -> Run:
    """Read what a training was started with.

    Raises
    ------
    FileNotFoundError
        The folder has no training to resume.
    ValueError
        The file is damaged.
    """
    try:
        content = load_json(folder / RUN, MAX_RUN_BYTES)
        settings: dict[str, Any] = {
            "config": TrainingConfig(**current_names(content["config"])),
            "sizes": VQVAEConfig(**content["sizes"]),
        }
        minutes = {name: float(content[name]) for name in ("minutes", "valid_minutes", "test_minutes")}
        run = Run(**content | settings | minutes | {"shifts": tuple(map(float, content["shifts"]))})
        names = [run.domain, *run.credits, *run.test, *(digest for split in SPLITS for digest in run.splits[split])]
        if not (
            all(isinstance(name, str) for name in names)
            and run.test
            and run.recordings + run.minutes + run.processes > 0
        ):
            raise ValueError("it names no recordings")
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{folder / RUN} is damaged ({one_line(error)}): {RESTART}") from error
    return run
