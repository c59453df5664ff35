"""Model cards: the scores of a model, what its training cost, and the sources of its recordings.

Notebook: 01_train.
"""

import logging
import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from timbrelib.evaluation.metrics import hnr_and_flux, reconstruction_distance
from timbrelib.files import write_text
from timbrelib.model.checkpoint import CARD, load_model, read_json, write_json
from timbrelib.model.network import VQVAEConfig
from timbrelib.model.registry import model_folder, shipped_models
from timbrelib.model.vqvae import VQVAE
from timbrelib.recordings.corpus import Recording, data_folder, load_excerpts
from timbrelib.recordings.manifest import OWN_RECORDINGS, manifest_splits
from timbrelib.recordings.scan import Scan, scan_recordings
from timbrelib.recordings.splits import SPLITS, Excerpt, held_back, kept_splits
from timbrelib.training import distributed
from timbrelib.training.code_use import perplexity
from timbrelib.training.config import TrainingConfig, current_names
from timbrelib.training.resume import Run

log = logging.getLogger(__name__)

PERCENTILES = (10, 50, 90)
FEW_MINUTES = 2.0  # of sound, below which a card warns
LICENCE = "CC BY-SA 4.0"  # of the weights, since many recordings of the manifest are share-alike
OWN_LICENCE = "yours to choose, as far as the licences of your recordings allow"


def score_model(model: VQVAE, test: Sequence[Recording]) -> dict[str, Any]:
    """Score the reconstructions of recordings on which the model was not trained.

    Parameters
    ----------
    model : VQVAE
    test : sequence of Recording

    Returns
    -------
    dict
        Log-spectral distance; codebook usage and perplexity; and the 10th, 50th and 90th
        percentile over frames of harmonic-to-noise ratio and spectral flux, of the recordings
        and of their reconstructions.
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
        measured = [hnr_and_flux(transform(recording.audio)) for recording in test]
        for name, values in zip(("hnr_db", "flux"), zip(*measured, strict=True), strict=True):
            percentiles = np.percentile(np.concatenate(values), PERCENTILES)
            scores[f"{name}_{kind}"] = [round(float(value), 3) for value in percentiles]
    return scores


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
    scores = score_model(model, list(load_excerpts(held_back_excerpts(card, scan_recordings(root)))))
    if write:
        card |= {"scores": scores, "training": current_names(card["training"]), **model.noise_settings}
        write_card_text(model_folder(name_or_path), card)
        write_json(model_folder(name_or_path) / CARD, card)
    return scores


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
        "data": {"recordings": run.recordings, "minutes": run.minutes, "semitone_shifts": list(run.shifts)},
        "training": {**asdict(run.config), **cost, "processes": run.processes},
        "sizes": asdict(run.sizes),
        **model.noise_settings,
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


def cpu_threads(count: int) -> str:
    """Format a number of threads."""
    return f"{count} CPU thread{'' if count == 1 else 's'}"


def write_card_text(folder: Path, card: dict[str, Any]) -> None:
    """Write a card as Markdown into the folder of its model, atomically."""
    write_text(folder / "README.md", card_text(card))


def train_command(card: dict[str, Any]) -> str:
    """Command that repeats a training, with all settings that are not the default."""
    training, shifts = card["training"], card["data"]["semitone_shifts"]
    name = f"my_{card['name']}" if card["name"] in shipped_models() else card["name"]
    processes = training.get("processes", 1)
    program = f"torchrun --nproc-per-node {processes} -m timbrelib" if processes > 1 else "timbrelib"
    command = f"{program} train {shlex.quote('FOLDER/' + card['domain'])} --name {shlex.quote(name)}"
    if shifts != [0]:
        command += f" --shifts {' '.join(f'{shift:g}' for shift in shifts)}"
    for settings, given in ((TrainingConfig, training), (VQVAEConfig, card.get("sizes", {}))):
        for setting in fields(settings):
            value = given.get(setting.name, setting.default)
            if value != setting.default and setting.name != "outputs":
                command += f" --{setting.name.replace('_', '-')} {value}"
    return command


def card_text(card: dict[str, Any]) -> str:
    """Format a card as Markdown."""
    scores, training, data = card["scores"], card["training"], card["data"]
    machine = training.get("machine", cpu_threads(training["threads"]))
    sources = "\n".join(f"- {source}" for source in card["sources"])
    memory = f" and {training['memory_gb']} GB of memory" if training["memory_gb"] else ""
    below = "" if card.get("noise_below_fundamental", True) else ", little below the fundamental"
    noise = f"{card.get('noise', 0):g}{below}"
    few = " So little sound holds few notes and colours." if data["minutes"] < FEW_MINUTES else ""

    def percentiles(name: str, digits: int) -> str:
        return ", ".join(f"{value:.{digits}f}" for value in scores[name])

    return f"""# {card["name"]}

A VQ-VAE of the timbre "{card["domain"]}", trained on {data["recordings"]} recordings with {data["minutes"]} minutes of
sound, for {training["steps"]} steps of {training["batch"]} frames with seed {training["seed"]}. The training took
{training["minutes"]} minutes{memory} on {machine}.{few}

| measure | value |
|---|---|
| log-spectral distance (LSD), mean over test recordings weighted by duration | {scores["lsd_db"]:.2f} dB |
| LSD, unweighted mean over {scores["test_recordings"]} test recordings | {scores["lsd_plain_db"]:.2f} dB |
| codes assigned to at least one training frame | {100 * scores["codebook_use"]:.1f} % |
| perplexity of the codes on the training split | {scores["perplexity"]:.0f} |
| harmonic-to-noise ratio of the test recordings (10th, 50th, 90th percentile) | {percentiles("hnr_db_real", 1)} dB |
| harmonic-to-noise ratio of their reconstructions | {percentiles("hnr_db_decoded", 1)} dB |
| spectral flux of the test recordings (10th, 50th, 90th percentile) | {percentiles("flux_real", 3)} |
| spectral flux of their reconstructions | {percentiles("flux_decoded", 3)} |
| amount of noise of the mixed excitation (0: partials alone, 1: as in the recordings) | {noise} |

To repeat the training: `{train_command(card)}`

Licence of the weights and of audio made with them: {card["licence"]}. Sources of the training recordings:

{sources}
"""
