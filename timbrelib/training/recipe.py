"""From a folder of recordings to a named model: scan, cut into frames, train, score, save.

Notebook: 01_train.
"""

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from timbrelib.files import checked_name, printable
from timbrelib.model.checkpoint import load_model, save_model
from timbrelib.model.network import VQVAEConfig
from timbrelib.model.registry import CONFIG, WEIGHTS, models_folder, shipped_folder, shipped_models
from timbrelib.model.vqvae import VQVAE
from timbrelib.recordings.corpus import load_excerpts
from timbrelib.recordings.manifest import credit
from timbrelib.recordings.scan import Scan, scan_recordings
from timbrelib.recordings.splits import kept_splits
from timbrelib.recordings.training_frames import load_frames, sample_frames, save_frames
from timbrelib.training import distributed
from timbrelib.training.card_text import write_card_text
from timbrelib.training.config import CHECKPOINT_EVERY, TrainingConfig
from timbrelib.training.examples import NO_SPACE, save_examples
from timbrelib.training.model_card import make_card, measure_cost, score_model
from timbrelib.training.resume import (
    RUN,
    SUFFIX,
    Run,
    StoredRecordings,
    checkpoint_folder,
    clear,
    load_checkpoint,
    load_run,
    save_run,
    store_recordings,
    training_lock,
)
from timbrelib.training.trainer import check_sizes, train

log = logging.getLogger(__name__)

MAX_SHIFT = 24  # semitones
VALID_SPLIT = "valid"  # folder of the frames that are held back, in that of a training
CONFIG_NAMES, SIZE_NAMES = ({field.name for field in fields(kind)} for kind in (TrainingConfig, VQVAEConfig))


@dataclass(frozen=True)
class Settings:
    """Settings that the caller gave; all others keep the default, or the value of the resumed training."""

    given: Mapping[str, Any]
    shifts: tuple[float, ...] | None

    def __post_init__(self) -> None:
        if unknown := set(self.given) - CONFIG_NAMES - SIZE_NAMES:
            known = ", ".join(sorted(CONFIG_NAMES | SIZE_NAMES))
            raise ValueError(f"there is no setting {', '.join(sorted(unknown))}: choose from {known}")
        if not all(abs(shift) <= MAX_SHIFT for shift in self.shifts or ()):  # False for NaN
            raise ValueError(f"the shifts cannot be {self.shifts}: give semitones from {-MAX_SHIFT} to {MAX_SHIFT}")

    def apply(self, run: Run) -> Run:
        """Return a copy of `run` with these settings."""
        config = {name: value for name, value in self.given.items() if name in CONFIG_NAMES}
        sizes = {name: value for name, value in self.given.items() if name in SIZE_NAMES}
        return replace(
            run,
            config=replace(run.config, **config),
            sizes=replace(run.sizes, **sizes),
            shifts=self.shifts or run.shifts,
        )


def train_timbre(
    folder: str | Path | None,
    name: str | Path,
    settings: Mapping[str, Any] | None = None,
    shifts: tuple[float, ...] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    device: str | None = None,
    checkpoint_every: float = CHECKPOINT_EVERY,
    progress: bool = True,
) -> VQVAE:
    """Train a model on a folder of recordings, score it on the test split, and save it under a name.

    Parameters
    ----------
    folder : str or Path, optional
        Sound files at any depth, see `timbrelib.scan_recordings`.  Not needed to
        resume a training.
    name : str or Path
        Name of the model, by which notebooks, pad and commands find it, or the path of the
        folder to save it in.
    settings : mapping of str to number, optional
        Settings of the training (`timbrelib.TrainingConfig`) and sizes of the model
        (`timbrelib.VQVAEConfig`) by name; the others keep their default, or the value of the
        training that is resumed.
    shifts : tuple of float, optional
        Semitones by which the training recordings are resampled, one copy per shift, by
        default only 0.
    resume : bool
        Resume an interrupted training, or start one if there is none and `folder` is given.
        Only the learning rate may differ from the settings it was started with.
    overwrite : bool
        Replace an existing model, or an unfinished training, of that name.
    device : str, optional
        By default a GPU if there is one.
    checkpoint_every : float
        Seconds between checkpoints.
    progress : bool
        Show progress bars.

    Returns
    -------
    VQVAE

    Raises
    ------
    FileNotFoundError
        The folder does not exist, or there is nothing to resume.
    FileExistsError
        A model, or an unfinished training, of that name exists.
    ValueError
        The name is invalid, the recordings are unusable or too few, or the settings differ from
        those of the training to be resumed.
    FloatingPointError
        The loss is no longer finite.
    OSError
        Another training of that name is running, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> import timbrelib
    >>> settings = {"steps": 2, "n_codes": 16, "width": 32, "batch": 32}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     strings = timbrelib.write_strings(f"{folder}/strings", minutes=0.2)
    ...     model = timbrelib.train_timbre(strings, f"{folder}/short", settings, progress=False)
    >>> model.name
    'short'
    """
    path = Path(name)
    out = (path.parent if len(path.parts) > 1 else models_folder()) / checked_name(path.name)
    if out.name in shipped_models() and out.parent.resolve() != shipped_folder().resolve():
        raise ValueError(f"{out.name} is the name of a shipped model: choose another one, my_{out.name} for example")
    if out.name.endswith(SUFFIX):
        raise ValueError(f"a name that ends in {SUFFIX} denotes an unfinished training: choose another one")
    given, checkpoints = Settings(settings or {}, shifts), checkpoint_folder(out)
    torch_device = distributed.resolve_device(device)
    try:
        with distributed.process_group(torch_device), ExitStack() as stack:
            if distributed.rank() == 0:
                stack.enter_context(training_lock(checkpoints))
                if resume and (checkpoints / RUN).exists():
                    update_run(checkpoints, given)
                else:
                    check_target(out, checkpoints, overwrite)
                    prepare(scan_folder(folder, out.name, progress), checkpoints, given)
            distributed.barrier()
            run = load_run(checkpoints)
            with load_frames(checkpoints) as frames:
                how = (progress, checkpoints, checkpoint_every, torch_device, sample_frames(checkpoints / VALID_SPLIT))
                model, history = train(frames, run.config, run.sizes, *how)
            distributed.barrier()  # until no process has the frames open, which the first then removes
            if distributed.rank() == 0:
                save_trained(model, history, run, checkpoints, out, torch_device)
            distributed.barrier()
    except OSError as error:
        if error.errno in NO_SPACE:
            raise OSError(f"there is no space left in {checkpoints}: free some and continue with --resume") from error
        raise
    return load_model(out)


def update_run(checkpoints: Path, settings: Settings) -> None:
    """Check that settings are those of the training to be resumed, and adopt a new learning rate.

    Raises
    ------
    ValueError
        Other settings, or the number of processes, differ.
    """
    run = load_run(checkpoints)
    if run.processes != distributed.world_size():
        raise ValueError(f"the unfinished training has {run.processes} processes: resume it with as many")
    asked = settings.apply(run)
    old_rate, new_rate = run.config.learning_rate, asked.config.learning_rate
    if replace(asked, config=replace(asked.config, learning_rate=old_rate)) != run:
        raise ValueError(
            "the unfinished training has other settings: give those it was started with, or none; "
            "only the learning rate may change"
        )
    if new_rate != old_rate:
        log.info("resuming with a learning rate of %g instead of %g", new_rate, old_rate)
        save_run(checkpoints, asked)


def check_target(out: Path, checkpoints: Path, overwrite: bool) -> None:
    """Check that a new training overwrites nothing but what it may.

    Raises
    ------
    FileExistsError
        It would.
    """
    unfinished, finished = (checkpoints / RUN).exists(), (out / CONFIG).exists()
    if unfinished and not overwrite:
        raise FileExistsError(
            f"the training of {out.name} is unfinished: continue it with --resume, or restart it with --replace"
        )
    if finished and not overwrite:
        clear(checkpoints)  # left by a training that was stopped after its model was saved
        raise FileExistsError(f"the model {out} exists: choose another --name, or replace it with --replace")
    if out.is_dir() and any(out.iterdir()) and not (unfinished or finished):
        raise FileExistsError(f"{out} contains something other than a model: choose another --name")


def scan_folder(folder: str | Path | None, name: str, progress: bool) -> Scan:
    """Scan the recordings of a training and log the report.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    ValueError
        The training or the test split is empty.
    """
    if folder is None:
        raise FileNotFoundError(f"there is no unfinished training of {name}: give the folder of recordings")
    scan = scan_recordings(folder, progress)
    log.info("%s", scan)
    for split in ("train", "test"):
        if not scan.split(split):
            raise ValueError(f"the {split} split of {folder} is empty: add recordings")
    return scan


def prepare(scan: Scan, checkpoints: Path, settings: Settings) -> None:
    """Write everything that a training needs into its folder, last the run, which makes it resumable."""
    train_split, test_split = scan.split("train"), scan.split("test")
    run = settings.apply(
        Run(
            domain=printable(scan.folder.resolve().name),
            config=TrainingConfig(),
            sizes=VQVAEConfig(),
            shifts=(0.0,),
            credits=credit(excerpt.name for excerpt in train_split),
            recordings=len(train_split),
            minutes=round(scan.minutes("train"), 1),
            test=[],
            splits=kept_splits(scan.excerpts),
            processes=distributed.world_size(),
            valid_minutes=round(scan.minutes("valid"), 2),
            test_minutes=round(scan.minutes("test"), 2),
        )
    )
    clear(checkpoints)
    try:
        check_sizes(save_frames(checkpoints, load_excerpts(train_split), run.shifts), run.config, run.sizes)
        (checkpoints / VALID_SPLIT).mkdir()
        save_frames(checkpoints / VALID_SPLIT, load_excerpts(scan.split("valid")))
        test = store_recordings(checkpoints, load_excerpts(test_split))
        if not test:
            raise ValueError(f"the test split of {scan.folder} has no audible sound: add recordings")
        save_run(checkpoints, replace(run, test=test))
    except BaseException:
        clear(checkpoints)
        raise


def save_trained(
    model: VQVAE, history: dict[str, np.ndarray], run: Run, checkpoints: Path, out: Path, device: torch.device
) -> None:
    """Score a trained model, and move it with its card and examples to the folder of its name."""
    _, progress = load_checkpoint(checkpoints)
    model.name = out.name
    cost = measure_cost(progress["seconds"], device)
    log.info("trained in %.1f minutes; scoring on the test split", cost["minutes"])
    test = StoredRecordings(checkpoints, run.test)
    scores = score_model(model, test, run.domain)
    card = make_card(model, run, cost, scores)
    built = checkpoints / "model"
    save_model(built, model, history, card)
    write_card_text(built, card)
    save_examples(built, model, history, test[0].audio)
    out.mkdir(parents=True, exist_ok=True)
    files = [path for path in built.iterdir() if not path.name.startswith(".")]  # no partial writes
    for path in sorted(files, key=lambda path: (path.name == CONFIG, path.name != WEIGHTS)):
        path.replace(out / path.name)  # the weights first, and last the config, which makes the folder a model
    clear(checkpoints)
    log.info(
        "log-spectral distance %.2f dB on %d test recordings, %.0f %% of the codes used, perplexity %.0f",
        scores["lsd_db"], len(test), 100 * scores["codebook_use"], scores["perplexity"],
    )  # fmt: skip
