"""The scorecard: how closely the examples follow their targets, and what the model is worth.

``python -m timbrelib scorecard`` prints it; the README quotes it.
"""

import csv
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from timbrelib.audio import SAMPLE_RATE, load_audio
from timbrelib.checkpoint import load_card, load_model
from timbrelib.codebook import analyse_codebook
from timbrelib.control import measure_audio
from timbrelib.datasets import recordings
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.evaluation import reconstruction_distance, say_tracking, tracking_error
from timbrelib.model import VQVAE
from timbrelib.targets import FRAMES, SHAPES

# the published audio by the same measures, against its best-fitting target
PUBLISHED = {
    "violin_centroid_sin": "3.3 % error, Spearman 0.987",
    "violin_centroid_exp": "3.3 % error, Spearman 0.988",
    "violin_fundamental_sin": "40-65 % within 50 cents",
    "violin_fundamental_exp": "55 % within 50 cents",
    "violin LSD": "5.8 dB on their own clip",
}
Row = tuple[str, str, str]  # what, the figure here, the published one


def scorecard(name_or_path: str | Path, examples: str | Path, data: str | Path | None = None) -> str:
    """Measure a model and the examples that it made.

    Parameters
    ----------
    name_or_path : str or Path
        The model.
    examples : str or Path
        Folder with ``MODEL_DESCRIPTOR_SHAPE.wav`` and ``.csv``; the wavs are measured anew.
    data : str or Path, optional
        Folder of recordings.  Without it, figures that need recordings are taken from the
        model card and marked as recorded.

    Returns
    -------
    str
        A table in Markdown.

    Raises
    ------
    FileNotFoundError
        There is no such model, no example of it, or no recordings in `data`.
    """
    model = load_model(name_or_path)
    card = load_card(name_or_path)
    rows = [*example_rows(model.name, Path(examples)), *model_rows(model, card, data), *speed_rows(model)]
    lines = ["| measure | here | published |", "|---|---|---|"]
    return "\n".join(lines + [f"| {what} | {here} | {published} |" for what, here, published in rows])


def example_rows(model_name: str, folder: Path) -> list[Row]:
    """Score every example of a model in a folder."""
    rows = []
    for name in DESCRIPTORS:
        for shape in SHAPES:
            stem = f"{model_name}_{name}_{shape}"
            if (folder / f"{stem}.wav").is_file():
                rows.append((stem, score_example(folder, stem, name), PUBLISHED.get(stem, "-")))
    if not rows:
        raise FileNotFoundError(
            f"{folder} has no example of the model {model_name}: run 'make figures MODEL={model_name}' first"
        )
    return rows


def score_example(folder: Path, stem: str, name: str) -> str:
    """Measure an example's wav against the target in its CSV, and say it in a line."""
    with (folder / f"{stem}.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    target, selected = (np.array([float(row[key]) for row in table]) for key in ("target", "selected"))
    measured = measure_audio(load_audio(folder / f"{stem}.wav"), name)
    said = say_tracking(name, target, measured)
    if name == "fundamental":
        return f"{said}, {100 * np.isfinite(measured).mean():.1f} % voiced"
    gap = 100 * np.nanmean(np.abs(measured - selected)) / np.ptp(target)
    return f"{said} (floor {tracking_error(selected, target):.2f} %, gap {gap:.2f} %)"


def model_rows(model: VQVAE, card: dict, data: str | Path | None) -> list[Row]:
    """Score reconstruction and codebook use, or quote the card."""
    scores = card["scores"]
    if data:
        distance, _ = reconstruction_distance(model, recordings(card["domain"], "test", data))
        lsd = f"{distance:.2f} dB"
    else:
        lsd = f"{scores['lsd_db']:.2f} dB (recorded)"
    return [
        ("LSD, test split, weighted by length", lsd, PUBLISHED.get(f"{model.name} LSD", "-")),
        (
            "codebook use on the training split",
            f"{100 * scores['codebook_use']:.1f} % of {model.config.n_codes} codes, "
            f"perplexity {scores['perplexity']:.0f} (recorded)",
            "-",
        ),
        (
            "training",
            f"{card['training']['minutes']:.1f} minutes, {card['training']['memory_gb']:.1f} GB, "
            f"{card['training']['threads']} CPU cores (recorded)",
            "-",
        ),
    ]


def speed_rows(model: VQVAE) -> list[Row]:
    """Time the analysis of the codebook and the decoding of 23.8 s, on this machine, now."""
    first = best_time(lambda: analyse_codebook(model, cache=False), 1)
    analyse_codebook(model)
    cached = best_time(lambda: analyse_codebook(model), 3)
    codes = np.random.default_rng(0).integers(model.config.n_codes, size=FRAMES)
    seconds = len(model.decode(codes)) / SAMPLE_RATE
    rows = [("analysis of the codebook, all descriptors", f"{first:.1f} s, {cached:.3f} s from cache", "-")]
    for excitation in ("locked", "noise"):
        speed = seconds / best_time(lambda: model.decode(codes, excitation=excitation), 5)  # noqa: B023
        rows.append((f"decoding {seconds:.1f} s, {excitation}", f"{speed:.0f} x real time", "-"))
    return rows


def best_time(action: Callable[[], object], times: int) -> float:
    """Run `action` several times and give the shortest time in seconds."""
    best = np.inf
    for _ in range(times):
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best
