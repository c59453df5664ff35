"""Model cards: what a model scores, what it cost, whose recordings it learned from.

Notebook: 01_train.
"""

import shlex
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from timbrelib.evaluation.metrics import hnr_and_flux, reconstruction_distance
from timbrelib.files import atomic_write
from timbrelib.model.checkpoint import CARD, load_model, read_json, write_json
from timbrelib.model.registry import model_folder, shipped_models
from timbrelib.model.vqvae import VQVAE
from timbrelib.recordings.corpus import Recording, data_folder, recordings
from timbrelib.training.config import TrainingConfig
from timbrelib.training.trainer import perplexity

SPREAD = (10, 50, 90)  # percentiles


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
    scores: dict[str, Any] = {
        "lsd_db": round(weighted, 3),
        "lsd_plain_db": round(plain, 3),
        "test_recordings": len(test),
        "codebook_use": round(float(np.mean(use > 0)), 4),
        "perplexity": round(perplexity(use), 1),
    }
    for kind, change in (("real", lambda audio: audio), ("decoded", model.reconstruct)):
        measured = [hnr_and_flux(change(recording.audio)) for recording in test]
        for what, frames_of_all in zip(("hnr_db", "flux"), zip(*measured, strict=True), strict=True):
            spread = np.percentile(np.concatenate(frames_of_all), SPREAD)
            scores[f"{what}_{kind}"] = [round(float(value), 3) for value in spread]
    return scores


def evaluate(name_or_path: str | Path, folder: str | Path | None = None, writing: bool = False) -> dict:
    """Score a saved model with the library as it is now.

    Parameters
    ----------
    name_or_path : str or Path
    folder : str or Path, optional
        The recordings of its timbre, dealt out as for training as long as the folder has the
        same name and files; by default that of its domain in $TIMBRE_DATA, or ``recordings``.
    writing : bool
        Rewrite its card.

    Returns
    -------
    dict
        The scores, see `score`.

    Raises
    ------
    FileNotFoundError
        There is no such model, or there are no recordings of its timbre.
    """
    card = read_json(model_folder(name_or_path), CARD)  # which may lack scores
    if not isinstance(card, dict) or not isinstance(card.get("domain"), str):
        raise ValueError(f"the card of {name_or_path} does not say of what: copy the model again or train it again")
    home = Path(folder).resolve() if folder else data_folder() / card["domain"]
    if not home.is_dir():
        raise FileNotFoundError(f"there are no recordings of {card['domain']} in {home}: give the folder that has them")
    scores = score(load_model(name_or_path), recordings(home.name, "test", home.parent))
    if writing:
        card["scores"] = scores
        write_card_text(model_folder(name_or_path), card)
        write_json(model_folder(name_or_path) / CARD, card)
    return scores


def write_card_text(folder: Path, card: dict) -> None:
    """Write the card for people beside the model."""
    with atomic_write(folder / "README.md") as part:
        part.write_text(card_text(card), encoding="utf-8")


def card_text(card: dict) -> str:
    """Write a model card for people, in Markdown."""
    scores, training, data = card["scores"], card["training"], card["data"]
    credits = "\n".join(f"- {source}" for source in card["sources"])

    def spread(name: str, digits: int) -> str:
        return ", ".join(f"{value:.{digits}f}" for value in scores[name])

    shifts = data["semitone_shifts"]
    options = "" if shifts == [0] else f" --shifts {' '.join(f'{shift:g}' for shift in shifts)}"
    for field in fields(TrainingConfig):
        if training[field.name] != field.default:
            options += f" --{field.name.replace('_', '-')} {training[field.name]}"
    name = f"my_{card['name']}" if card["name"] in shipped_models() else card["name"]
    many = training.get("processes", 1)
    command = f"torchrun --nproc-per-node {many} -m timbrelib" if many > 1 else "timbrelib"
    folder = shlex.quote(f"FOLDER/{card['domain']}")
    machine = training.get("machine", f"{training['threads']} CPU threads")
    return f"""# {card["name"]}

A VQ-VAE of the timbre "{card["domain"]}": one code a frame, {training["minutes"]} minutes of training
({training["steps"]} steps of {training["batch"]} frames, seed {training["seed"]}, {machine},
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

Repeat it with `{command} train {folder} --name {name}{options}`.

Licence of the weights and of sound made with them: {card["licence"]}. Trained on:

{credits}
"""
