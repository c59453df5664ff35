"""From recordings to a model in a folder: train, score, write the card.

Notebook: 01_train runs its first half, `timbrelib.training.train`, on a small scale.
"""

import logging
import resource
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from timbrelib.audio import SAMPLE_RATE
from timbrelib.checkpoint import save_model
from timbrelib.datasets import OWN, credit, frames, recordings
from timbrelib.evaluation import reconstruction_distance
from timbrelib.files import writable_folder, written_whole
from timbrelib.model import VQVAE, VQVAEConfig
from timbrelib.training import TrainingConfig, perplexity, train

log = logging.getLogger(__name__)

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
    weighted, plain = reconstruction_distance(model, test)
    use = model.use.numpy()
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
        "scores": {
            "lsd_db": round(weighted, 3),
            "lsd_plain_db": round(plain, 3),
            "test_recordings": len(test),
            "codebook_use": round(float(np.mean(use > 0)), 4),
            "perplexity": round(perplexity(use), 1),
        },
    }
    save_model(out, model, history, card)
    with written_whole(out / "README.md") as part:
        part.write_text(card_text(card), encoding="utf-8")
    return model


def card_text(card: dict) -> str:
    """Write a model card for people, in Markdown."""
    scores, training, data = card["scores"], card["training"], card["data"]
    credits = "\n".join(f"- {source}" for source in card["sources"])
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

Repeat it with `python -m timbrelib train --domain {card["domain"]}`.

Licence of the weights and of sound made with them: {card["licence"]}. Trained on:

{credits}
"""
