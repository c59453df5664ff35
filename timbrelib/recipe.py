"""From recordings to a model in a folder: train, score, write the card.

Notebook: 01_train runs its first half, `timbrelib.training.train`, on a small scale.
"""

import logging
import resource
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from timbrelib.audio import SAMPLE_RATE
from timbrelib.checkpoint import CARD, load_model, model_folder, read_json, save_model, write_json
from timbrelib.datasets import OWN, Recording, credit, frames, recordings
from timbrelib.evaluation import cleanness, reconstruction_distance
from timbrelib.files import writable_folder, written_whole
from timbrelib.model import VQVAE, VQVAEConfig
from timbrelib.training import TrainingConfig, perplexity, train

log = logging.getLogger(__name__)

SPREAD = (10, 50, 90)  # percentiles
LICENCE = "CC BY-SA 4.0"  # of weights, since much of the manifest's material is share-alike
OWN_LICENCE = "yours to choose, as far as the licences of your recordings allow"


def train_timbre(
    domain: str,
    data: str | Path | None,
    out: str | Path,
    config: TrainingConfig | None = None,
    shifts: tuple[float, ...] = (0.0,),
) -> VQVAE:
    """Train a model on a timbre's training split, score it on its test split and save both.

    Parameters
    ----------
    domain : str
        Folder of recordings in `data`.
    data : str or Path, optional
        By default $TIMBRE_DATA, or ``recordings``.
    out : str or Path
        Folder of the model to write.
    config : TrainingConfig, optional
    shifts : tuple of float
        Semitones by which the training recordings are resampled, see `timbrelib.datasets.frames`.

    Returns
    -------
    VQVAE

    Raises
    ------
    FileNotFoundError
        There are no recordings.
    ValueError
        There are too few.
    PermissionError
        `out` cannot be written to; said before the training.
    """
    config, out = config or TrainingConfig(), writable_folder(out)
    test = recordings(domain, "test", data)
    corpus = recordings(domain, "train", data)
    minutes = sum(len(recording.audio) for recording in corpus) / SAMPLE_RATE / 60
    log.info("training on %d recordings, %.1f minutes; testing on %d", len(corpus), minutes, len(test))
    start = time.perf_counter()
    model, history = train(frames(corpus, shifts), config, VQVAEConfig())
    spent = (time.perf_counter() - start) / 60
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # kB on Linux -> GB
    log.info("trained in %.1f minutes with %.1f GB; scoring the test split", spent, memory)
    model.name = out.name
    credits = credit(recording.name for recording in corpus)
    card = {
        "name": model.name,
        "domain": domain,
        "licence": OWN_LICENCE if all(maker.startswith(OWN) for maker in credits) else LICENCE,
        "sources": credits,
        "data": {"recordings": len(corpus), "minutes": round(minutes, 1), "semitone_shifts": list(shifts)},
        "training": {
            **asdict(config),
            "minutes": round(spent, 1),
            "memory_gb": round(memory, 1),
            "threads": torch.get_num_threads(),
        },
        "scores": score(model, test),
    }
    save_model(out, model, history, card)
    write_card_text(out, card)
    return model


def score(model: VQVAE, test: Sequence[Recording]) -> dict:
    """Score a model's reconstructions of recordings that it was not trained on.

    Parameters
    ----------
    model : VQVAE
    test : sequence of Recording

    Returns
    -------
    dict
        Log-spectral distance, codebook use, and 10th, 50th and 90th percentile over frames of
        harmonic-to-noise ratio and spectral flux, of the recordings and of their
        reconstructions.
    """
    weighted, plain = reconstruction_distance(model, test)
    use = model.use.numpy()
    scores = {
        "lsd_db": round(weighted, 3),
        "lsd_plain_db": round(plain, 3),
        "test_recordings": len(test),
        "codebook_use": round(float(np.mean(use > 0)), 4),
        "perplexity": round(perplexity(use), 1),
    }
    for kind, change in (("real", lambda audio: audio), ("decoded", model.reconstruct)):
        measured = [cleanness(change(recording.audio)) for recording in test]
        for what, frames_of_all in zip(("hnr_db", "flux"), zip(*measured, strict=True), strict=True):
            spread = np.percentile(np.concatenate(frames_of_all), SPREAD)
            scores[f"{what}_{kind}"] = [round(float(value), 3) for value in spread]
    return scores


def score_again(name_or_path: str | Path, data: str | Path | None = None) -> dict:
    """Score a saved model with the library as it is now, and rewrite its card.

    Parameters
    ----------
    name_or_path : str or Path
    data : str or Path, optional
        Folder of recordings; by default $TIMBRE_DATA, or ``recordings``.

    Returns
    -------
    dict
        The scores.

    Raises
    ------
    FileNotFoundError
        There is no such model, or there are no recordings of its timbre.
    """
    folder = model_folder(name_or_path)
    card = read_json(folder, CARD)
    card["scores"] = score(load_model(name_or_path), recordings(card["domain"], "test", data))
    write_json(folder / CARD, card)
    write_card_text(folder, card)
    return card["scores"]


def write_card_text(folder: Path, card: dict) -> None:
    """Write the card for people beside the model."""
    with written_whole(folder / "README.md") as part:
        part.write_text(card_text(card), encoding="utf-8")


def card_text(card: dict) -> str:
    """Write a model card for people, in Markdown."""
    scores, training, data = card["scores"], card["training"], card["data"]
    credits = "\n".join(f"- {source}" for source in card["sources"])

    def spread(name: str, digits: int) -> str:
        return ", ".join(f"{value:.{digits}f}" for value in scores[name])

    shifts = data["semitone_shifts"]
    shifted = "" if shifts == [0] else f" --shifts {' '.join(f'{shift:g}' for shift in shifts)}"
    return f"""# {card["name"]}

A VQ-VAE of the timbre "{card["domain"]}": one code a frame, {training["minutes"]} minutes of training
({training["steps"]} steps of {training["batch"]} frames, seed {training["seed"]}, {training["threads"]} CPU threads,
{training["memory_gb"]} GB) on {data["recordings"]} recordings, {data["minutes"]} minutes of sound.

| score | |
|---|---|
| LSD on {scores["test_recordings"]} test recordings, weighted by length | {scores["lsd_db"]:.2f} dB |
| LSD, plain mean | {scores["lsd_plain_db"]:.2f} dB |
| codes that stand for some training frame | {100 * scores["codebook_use"]:.1f} % |
| perplexity of the codes on the training split | {scores["perplexity"]:.0f} |
| harmonic-to-noise ratio of the test recordings, 10th, 50th, 90th percentile | {spread("hnr_db_real", 1)} dB |
| the same of their reconstructions | {spread("hnr_db_decoded", 1)} dB |
| spectral flux of the test recordings | {spread("flux_real", 3)} |
| the same of their reconstructions | {spread("flux_decoded", 3)} |

Repeat it with `python -m timbrelib train --domain {card["domain"]}{shifted}`.

Licence of the weights and of sound made with them: {card["licence"]}. Trained on:

{credits}
"""
