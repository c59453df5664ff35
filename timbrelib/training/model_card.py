"""Model cards: the scores of a model, what its training cost, and the sources of its recordings.

Notebook: 01_train.
"""

import logging
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from timbrelib.codebook.analysis import analyse_codebook
from timbrelib.evaluation.metrics import hnr_and_flux, pitch_jumps, reconstruction_distance
from timbrelib.evaluation.recognition import heard_as, known_timbre
from timbrelib.model.checkpoint import CARD, load_card, load_model, read_json, write_json
from timbrelib.model.registry import model_folder
from timbrelib.model.vqvae import VQVAE
from timbrelib.recordings.corpus import Recording, data_folder, load_excerpts
from timbrelib.recordings.manifest import OWN_RECORDINGS, manifest_splits
from timbrelib.recordings.scan import Scan, scan_recordings
from timbrelib.recordings.splits import SPLITS, Excerpt, held_back, kept_splits
from timbrelib.training import distributed
from timbrelib.training.card_text import cpu_threads, write_card_text
from timbrelib.training.code_use import perplexity
from timbrelib.training.config import current_names
from timbrelib.training.resume import Run

log = logging.getLogger(__name__)

PERCENTILES = (10, 50, 90)
RANGES = ("fundamental", "centroid")  # descriptors whose range is on a card
LICENCE = "CC BY-SA 4.0"  # of the weights, since many recordings of the manifest are share-alike
OWN_LICENCE = "yours to choose, as far as the licences of your recordings allow"


def score_model(model: VQVAE, test: Sequence[Recording], domain: str) -> dict[str, Any]:
    """Score the reconstructions of recordings on which the model was not trained.

    Parameters
    ----------
    model : VQVAE
    test : sequence of Recording
    domain : str
        Their timbre.

    Returns
    -------
    dict
        Log-spectral distance; codebook usage and perplexity; and, of the recordings (``_real``)
        and of their reconstructions (``_decoded``), what `measure_sounds` returns.
    """
    weighted, plain = reconstruction_distance(model, test)
    count = model.use.numpy(force=True)
    scores: dict[str, Any] = {
        "lsd_db": round(weighted, 3),
        "lsd_plain_db": round(plain, 3),
        "test_recordings": len(test),
        "codebook_use": round(float(np.mean(count > 0)), 4),
        "perplexity": round(perplexity(count), 1),
    }
    for kind, transform in (("real", lambda audio: audio), ("decoded", model.reconstruct)):
        measured = measure_sounds((transform(recording.audio) for recording in test), known_timbre(domain))
        scores |= {f"{name}_{kind}": value for name, value in measured.items()}
    return scores


def measure_sounds(sounds: Iterable[np.ndarray], timbre: str | None) -> dict[str, Any]:
    """Measure the quality of several sounds of a timbre together.

    Parameters
    ----------
    sounds : iterable of ndarray, float, (n,)
        Mono at 22,050 Hz.
    timbre : str or None
        One that the shipped classifier knows, or None.

    Returns
    -------
    dict
        ``hnr_db`` and ``flux``: 10th, 50th and 90th percentile, over all frames, of
        harmonic-to-noise ratio and spectral flux.  ``jumps``: pitch jumps per second of voiced
        sound, mean weighted by duration, unless nothing is voiced.  ``heard_as``: mean share of
        the half-second windows that are recognised as `timbre`, 0..1, if there is one.
    """
    frames, jumps, voiced, heard = [], [], [], []
    for audio in sounds:
        frames.append(hnr_and_flux(audio))
        if np.isfinite(rate := pitch_jumps(audio)):
            jumps.append(rate)
            voiced.append(len(audio))
        if timbre:
            heard.append(heard_as(audio, timbre))
    found: dict[str, Any] = {}
    for name, values in zip(("hnr_db", "flux"), zip(*frames, strict=True), strict=True):
        found[name] = [round(float(value), 3) for value in np.percentile(np.concatenate(values), PERCENTILES)]
    if jumps:
        found["jumps"] = round(float(np.average(jumps, weights=voiced)), 2)
    if heard:
        found["heard_as"] = round(float(np.mean(heard)), 4)
    return found


def evaluate(name_or_path: str | Path, folder: str | Path | None = None, write: bool = False) -> dict[str, Any]:
    """Score a saved model with the present version of the library, on recordings that it has not heard.

    Parameters
    ----------
    name_or_path : str or Path
    folder : str or Path, optional
        The recordings of its timbre, by default those of its domain in `data_folder`.  Only
        those are scored that were held back when the model was trained, by their content,
        whatever has been added or renamed since.
    write : bool
        Update the card with the scores.

    Returns
    -------
    dict
        See `score_model`.

    Raises
    ------
    FileNotFoundError
        The model or the recordings of its timbre do not exist.
    ValueError
        The card does not name the domain, or no recording of the folder is known to have been held back.
    """
    card = read_json(model_folder(name_or_path), CARD)  # not load_card, which refuses a card without scores
    if not isinstance(card, dict) or not isinstance(card.get("domain"), str):
        raise ValueError(f"the card of {name_or_path} does not name its domain: copy the model again or train it again")
    root = Path(folder).resolve() if folder else data_folder() / card["domain"]
    if not root.is_dir():
        raise FileNotFoundError(f"there are no recordings of {card['domain']} in {root}: give the folder that has them")
    model = load_model(name_or_path)
    test = list(load_excerpts(held_back_excerpts(card, scan_recordings(root))))
    scores = score_model(model, test, card["domain"])
    if write:
        write_card(model_folder(name_or_path), card | {"scores": scores}, model)
    return scores


def update_card(name_or_path: str | Path) -> None:
    """Write the card of a saved model again from its stored scores, which needs no recordings.

    Parameters
    ----------
    name_or_path : str or Path

    Raises
    ------
    FileNotFoundError
        The model does not exist or has no card.
    ValueError
        The model or its card is damaged, or the card lacks scores that this release prints.
    """
    write_card(model_folder(name_or_path), load_card(name_or_path), load_model(name_or_path))


def write_card(folder: Path, card: dict[str, Any], model: VQVAE) -> None:
    """Write a card, with what it says of the model itself renewed, as JSON and as Markdown into its folder."""
    card = card | {"training": current_names(card["training"]), **describe_model(model)}
    write_card_text(folder, card)
    write_json(folder / CARD, card)


def describe_model(model: VQVAE) -> dict[str, Any]:
    """Describe a model on its card: sizes, amount of noise, and the ranges in Hz that its codes cover well."""
    codebook = analyse_codebook(model)
    stored = sum(tensor.numel() * (2 if tensor.is_floating_point() else 4) for tensor in model.state_dict().values())
    ranges = {name: codebook.percentile_range(name) for name in RANGES if name in codebook.descriptors}
    return {
        "sizes": asdict(model.config),
        "size_mb": round(stored / 1e6, 1),
        **model.noise_settings,
        "ranges": {name: [round(low), round(high)] for name, (low, high) in ranges.items()},
    }


def held_back_excerpts(card: dict[str, Any], scan: Scan) -> list[Excerpt]:
    """Find the recordings of a scan that were held back when the model of a card was trained.

    Raises
    ------
    ValueError
        There is none, as far as is known.
    """
    kept = card.get("splits")
    if kept is None:  # a model of the manifest's recordings, or of an earlier release
        known = manifest_splits()
        kept = kept_splits(replace(e, split=known.get(e.name) or known.get(e.digest) or "") for e in scan.excerpts)
    if not isinstance(kept, dict) or not all(isinstance(kept.get(split), list) for split in SPLITS):
        raise ValueError(f"the card of {card.get('name')} has damaged splits: copy the model again or train it again")
    scan.warn()
    test, unknown = held_back(scan.excerpts, kept)
    if not test:
        raise ValueError(
            f"it is not known that any recording in {scan.folder} was held back when {card.get('name')} was trained: "
            "give the folder that it was trained on"
        )
    if unknown:
        log.warning("not scored, since the training did not know them: %s", ", ".join(unknown))
    return test


def make_card(model: VQVAE, run: Run, cost: dict[str, Any], scores: dict[str, Any]) -> dict[str, Any]:
    """Make the card of a trained model.

    Parameters
    ----------
    model : VQVAE
    run : Run
        What the training was started with.
    cost : dict
        From `measure_cost`.
    scores : dict
        From `score_model`.

    Returns
    -------
    dict
        As `timbrelib.load_card` returns it.
    """
    own = all(source.startswith(OWN_RECORDINGS) for source in run.credits)
    return {
        "name": model.name,
        "domain": run.domain,
        "licence": OWN_LICENCE if own else LICENCE,
        "sources": run.credits,
        "data": {
            "recordings": run.recordings,
            "minutes": run.minutes,
            "valid_minutes": run.valid_minutes,
            "test_minutes": run.test_minutes,
            "semitone_shifts": list(run.shifts),
        },
        "training": {**asdict(run.config), **cost, "processes": run.processes},
        **describe_model(model),
        "splits": run.splits,
        "scores": scores,
    }


def measure_cost(seconds: float, device: torch.device) -> dict[str, Any]:
    """Measure what a training of some seconds on a device cost this process: time, peak memory, hardware."""
    memory = peak_memory()
    return {
        "minutes": round(seconds / 60, 1),
        "memory_gb": None if memory is None else round(memory, 1),
        "threads": torch.get_num_threads(),
        "machine": describe_machine(device),
    }


def peak_memory() -> float | None:
    """Peak resident memory of this process in GB, None on Windows, which has neither source of it."""
    with suppress(OSError):  # only Linux has the file
        status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
        if peak := re.search(r"VmHWM:\s+(\d+) kB", status):  # getrusage may report that of a larger parent process
            return int(peak[1]) / 2**20
    try:
        import resource
    except ModuleNotFoundError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes; macOS counts bytes, other systems kB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def describe_machine(device: torch.device) -> str:
    """Device or number of threads of a training, and the number of processes if there are several."""
    each = torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_threads(torch.get_num_threads())
    return each if distributed.world_size() == 1 else f"{distributed.world_size()} processes, each on {each}"
