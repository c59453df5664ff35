"""From a folder of recordings to a model that works by its name: survey, train, score, show.

Notebook: 01_train.
"""

import errno
import logging
import re
import resource
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.audio.sound_files import save_audio
from timbrelib.codebook import analyse_codebook, project
from timbrelib.files import checked_name
from timbrelib.model.checkpoint import load_model, save_model
from timbrelib.model.registry import CONFIG, WEIGHTS, models_folder, shipped_folder, shipped_models
from timbrelib.model.vqvae import VQVAE, VQVAEConfig
from timbrelib.recordings import corpus
from timbrelib.recordings.corpus import scan_recordings
from timbrelib.recordings.manifest import OWN, credit
from timbrelib.recordings.scan import Scan
from timbrelib.training import distributed, resume
from timbrelib.training.config import CHECKPOINT_EVERY, TrainingConfig
from timbrelib.training.model_card import score, write_card_text
from timbrelib.training.trainer import check_enough, train

log = logging.getLogger(__name__)
LICENCE = "CC BY-SA 4.0"  # of weights, since much of the manifest's material is share-alike
OWN_LICENCE = "yours to choose, as far as the licences of your recordings allow"
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # disk, quota or limit of a file's size
MAX_ERROR = 24  # semitones by which recordings are resampled
EXAMPLE = 10.0  # s, at most, of the listening example


def train_timbre(
    folder: str | Path | None,
    name: str,
    models: str | Path | None = None,
    config: TrainingConfig | Mapping[str, Any] | None = None,
    sizes: VQVAEConfig | None = None,
    shifts: tuple[float, ...] | None = None,
    resume: bool = False,
    replacing: bool = False,
    device: str | None = None,
    checkpoint_every: float = CHECKPOINT_EVERY,
    progress: bool = True,
) -> VQVAE:
    """Train a model on a folder of recordings, score it on those held back, and save it under a name.

    Parameters
    ----------
    folder : str or Path, optional
        Sound files in any nesting, see `timbrelib.survey.survey`.  A training that is resumed
        needs them no more.
    name : str
        The model's, by which notebooks, pad and commands find it.
    models : str or Path, optional
        Where it is saved; by default `timbrelib.catalogue.models_folder`.
    config : TrainingConfig, or mapping of str to number, optional
        Or only some of its settings; the others are the default ones, or those of the training
        that is resumed.
    sizes : VQVAEConfig, optional
    shifts : tuple of float, optional
        Semitones by which the training recordings are resampled, by default 0 alone, see `timbrelib.datasets.frames`.
    resume : bool
        Go on with a training that was interrupted, or start where there is none yet and `folder`
        is given.  Its settings stay, but for the learning rate.
    replacing : bool
        Write over a model, or an unfinished training, of that name.
    device : str, optional
        As torch names it; by default a GPU if there is one.
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
        There is no such folder, or nothing to resume.
    FileExistsError
        There is a model of that name, or an unfinished training.
    ValueError
        The name is none, nothing in the folder can be used, there is too little of it, or the
        settings are not those of the training that is to be resumed.
    FloatingPointError
        The loss is not a number any more.
    OSError
        Another training is at work under that name, or there is no room left.
    """
    out = Path(models or models_folder()) / checked_name(name)
    if out.name in shipped_models() and out.parent.resolve() != shipped_folder().resolve():
        raise ValueError(f"{out.name} is the name of a shipped model: choose another one, my_{out.name} for example")
    if out.name.endswith(resume.SUFFIX):
        raise ValueError(f"a name that ends in {resume.SUFFIX} is that of a model in the making: choose another one")
    if not all(abs(shift) <= MAX_ERROR for shift in shifts or ()):  # NaN is not
        raise ValueError(f"the shifts {shifts} make no sense: give semitones from {-MAX_ERROR} to {MAX_ERROR}")
    making, on = resume.checkpoint_folder(out), distributed.resolve_device(device)
    settings = {"config": config, "sizes": sizes, "shifts": shifts}
    given = {what: setting for what, setting in settings.items() if setting is not None}
    try:
        with distributed.joined(on), ExitStack() as held:
            if distributed.rank() == 0:
                held.enter_context(resume.locked(making))
                begin(folder, out, making, given, resume, replacing, progress)
            distributed.wait()
            run = resume.load_run(making)
            frames = corpus.stored_frames(making)
            model, history = train(frames, run.config, run.sizes, progress, making, checkpoint_every, on)
            if distributed.rank() == 0:
                finish(model, history, run, making, out, on)
            distributed.wait()
    except OSError as error:
        if error.errno in NO_ROOM:
            raise OSError(f"there is no room to write into {making}: free some, and go on with --resume") from error
        raise
    return load_model(out)


def begin(
    folder: str | Path | None,
    out: Path,
    making: Path,
    given: dict[str, Any],
    resume: bool,
    replacing: bool,
    progress: bool,
) -> None:
    """Make ready to train, or to go on; `given` holds the settings that are not None, the rest is `train_timbre`'s."""
    started, finished = (making / resume.RUN).exists(), (out / CONFIG).exists()
    if started and resume:
        check_resumed(making, given)
        return
    if started and not replacing:
        raise FileExistsError(
            f"a training of {out.name} is unfinished: go on with --resume, or start anew with --replace"
        )
    if finished and not replacing:
        resume.empty(making)  # of what a training may have left that was stopped when all was done
        raise FileExistsError(f"there is a model {out} already: choose another --name, or --replace it")
    if out.is_dir() and any(out.iterdir()) and not (started or finished):
        raise FileExistsError(f"{out} holds something else than a model: choose another --name")
    if folder is None:
        raise FileNotFoundError(f"there is nothing of {out.name} to resume: give the folder of recordings")
    found = scan_recordings(folder, progress)
    log.info("%s", found.report())
    for split in ("train", "test"):
        if not found.of(split):
            raise ValueError(f"there is no sound in {folder} to {split} on: add recordings")
    resume.empty(making)
    try:
        resume.save_run(making, prepare(found, making, given))
    except BaseException:
        resume.empty(making)
        raise


def check_resumed(making: Path, given: dict[str, Any]) -> None:
    """Compare the settings with those of the training that is to be resumed, and take over a new learning rate."""
    run = resume.load_run(making)
    if run.processes != distributed.count():
        raise ValueError(f"the unfinished training has {run.processes} processes: resume it with as many")
    asked = replace(run, **given | {"config": configured(given.get("config", {}), run.config)})
    if replace(asked, config=replace(asked.config, learning_rate=run.config.learning_rate)) != run:
        raise ValueError(
            "the unfinished training has other settings: give those it was started with, or none at all; "
            "only the learning rate may change"
        )
    if asked != run:
        log.info("going on with a learning rate of %g, not %g", asked.config.learning_rate, run.config.learning_rate)
        resume.save_run(making, asked)


def prepare(found: Scan, making: Path, given: dict[str, Any]) -> resume.Run:
    """Keep all that the training needs of the recordings."""
    sizes, shifts = given.get("sizes", VQVAEConfig()), given.get("shifts", (0.0,))
    config = configured(given.get("config", {}), TrainingConfig())
    corpus, test = (corpus.load_excerpts(found.of(split)) for split in ("train", "test"))
    corpus.store_frames(making, corpus, shifts)
    check_enough(corpus.stored_frames(making), config, sizes)
    names = resume.store_recordings(making, test)
    if not names:
        raise ValueError(f"there is no sound in {found.folder} to test on: add recordings")
    return resume.Run(
        domain=found.folder.resolve().name,
        config=config,
        sizes=sizes,
        shifts=shifts,
        credits=credit(piece.name for piece in found.of("train")),
        recordings=len(found.of("train")),
        minutes=round(found.minutes("train"), 1),
        test=names,
        processes=distributed.count(),
    )


def configured(config: TrainingConfig | Mapping[str, Any], base: TrainingConfig) -> TrainingConfig:
    """Complete settings of which only some may be given."""
    return config if isinstance(config, TrainingConfig) else replace(base, **config)


def finish(
    model: VQVAE, history: dict[str, np.ndarray], run: resume.Run, making: Path, out: Path, device: torch.device
) -> None:
    """Score a model, write its card, show it, and put it all in its place."""
    _, progress = resume.load_state(making)
    spent = progress["seconds"] / 60
    memory = peak_memory()
    log.info("trained in %.1f minutes with %.1f GB; scoring what was held back", spent, memory)
    model.name = out.name
    test = resume.StoredRecordings(making, run.test)
    scores = score(model, test)
    card = {
        "name": model.name,
        "domain": run.domain,
        "licence": OWN_LICENCE if all(maker.startswith(OWN) for maker in run.credits) else LICENCE,
        "sources": run.credits,
        "data": {"recordings": run.recordings, "minutes": run.minutes, "semitone_shifts": list(run.shifts)},
        "training": {
            **asdict(run.config),
            "minutes": round(spent, 1),
            "memory_gb": round(memory, 1),
            "threads": torch.get_num_threads(),
            "machine": describe_machine(device),
            "processes": run.processes,
        },
        "scores": scores,
    }
    made = making / "model"
    save_model(made, model, history, card)
    write_card_text(made, card)
    show(model, history, test[0].audio, made)
    out.mkdir(parents=True, exist_ok=True)
    files = [path for path in made.iterdir() if not path.name.startswith(".")]  # not what was half written
    for path in sorted(files, key=lambda path: (path.name == CONFIG, path.name != WEIGHTS)):
        path.replace(out / path.name)  # weights first, and last what makes it a model
    resume.empty(making)
    log.info(
        "log-spectral distance %.2f dB on %d recordings held back, %.0f %% of the codes in use, perplexity %.0f",
        scores["lsd_db"], len(test), 100 * scores["codebook_use"], scores["perplexity"],
    )  # fmt: skip


def peak_memory() -> float:
    """Give the most memory that this process has had, in GB; getrusage's may be that of a larger one that began it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    most = re.search(r"VmHWM:\s+(\d+) kB", status)
    return (int(most[1]) if most else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 2**20


def describe_machine(device: torch.device) -> str:
    """Say on what a training runs, for the card."""
    each = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
    return each if distributed.count() == 1 else f"{distributed.count()} processes, each on {each}"


def show(model: VQVAE, history: dict[str, np.ndarray], audio: np.ndarray, folder: Path) -> None:
    """Draw the training and the codebook, and write a sound that was held back, before and after."""
    from timbrelib import plots

    points, explained = project(model)
    table = analyse_codebook(model)
    figure = plots.trained(history, points, table["centroid"], table["use"] > 0, explained, "centroid")
    plots.save_figure(folder / "training.png", figure)
    example = audio[: int(EXAMPLE * SAMPLE_RATE)]
    save_audio(folder / "original.wav", example)
    save_audio(folder / "decoded.wav", model.reconstruct(example))
