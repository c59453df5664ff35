"""The scorecard: how closely the examples follow their targets, and what the models are worth.

``timbrelib scorecard`` prints it; ``docs/scorecard.md`` keeps it, the README quotes it.

Notebook: 06_scorecard.
"""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import HOP
from timbrelib.audio.sound_files import load_audio
from timbrelib.codebook import analyse_codebook
from timbrelib.control.matching import match, render
from timbrelib.control.melody import follow, octave_shift
from timbrelib.control.scores import rank_correlation, say_tracking, within_cents
from timbrelib.control.serialization import load_rendering
from timbrelib.control.targets import bring_inside, span, target
from timbrelib.descriptors import DESCRIPTORS, measure_audio
from timbrelib.evaluation.methods import as_markdown, compare, distance
from timbrelib.evaluation.metrics import hnr_and_flux, reconstruction_distance
from timbrelib.model.checkpoint import load_card, load_model
from timbrelib.model.vqvae import VQVAE
from timbrelib.recordings.corpus import data_folder, recordings

# the published audio by the same measures, against its best-fitting target
PUBLISHED = {
    "violin_centroid_sin": "3.3 % error, Spearman 0.987",
    "violin_centroid_exp": "3.3 % error, Spearman 0.988",
    "violin_fundamental_sin": "40-65 % within 50 cents",
    "violin_fundamental_exp": "55 % within 50 cents",
    "sing_centroid_sin": "4.5 % error, Spearman 0.977",
    "sing_fundamental_sin": "39-45 % within 50 cents",
    "trumpet_bandwidth_exp": "4.5 % error, Spearman 0.981",
    "horn_bandwidth_sin": "6.2 % error, Spearman 0.963",
    "violin LSD": "5.8 dB on their own clip",
}
NOTES = (208.0, 208.0 * 2**2.5)  # Hz: two and a half octaves from a low note of the violin
SONGS = 5  # of the singing test split
Row = tuple[str, str, str]  # what, the figure here, the published one
HEAD = """# Scorecard

Written by `make figures`: the sounds in `Audio_Exemple/`, measured anew, beside the published ones measured in the same
way (against the target that fits each best). How the figures are defined is in the README. "Rendered now" are targets
over the codebook's inner range that have no example in files; "recorded" figures need the recordings and come from the
model's card.
"""


def scorecard(name_or_path: str | Path, examples: str | Path, data: str | Path | None = None) -> str:
    """Measure a model and the examples that it made.

    Parameters
    ----------
    name_or_path : str or Path
        The model.
    examples : str or Path
        Folder with ``PREFIX_*.wav``, ``.csv`` and ``.json``; the wavs are measured anew.
    data : str or Path, optional
        Folder of recordings.  Without it, figures that need recordings are taken from the
        model card and marked as recorded, or left out.

    Returns
    -------
    str
        A heading and a table in Markdown.

    Raises
    ------
    FileNotFoundError
        There is no such model, no example of it, or no recordings in `data`.
    """
    model = load_model(name_or_path)
    card, folder = load_card(name_or_path), Path(examples)
    rows = [*example_rows(model, folder), *sorted_rows(model, folder)]
    rows += live_rows(model, {what for what, _, _ in rows})
    if data and (data_folder(data) / "singing").is_dir():
        rows.append(sung_row(model, data))
    rows += model_rows(model, card, data)
    lines = [f"## {model.name}", "", "| measure | here | published |", "|---|---|---|"]
    return "\n".join(lines + [f"| {what} | {here} | {published} |" for what, here, published in rows])


def scorecards(names: Sequence[str | Path], examples: str | Path, data: str | Path | None = None) -> str:
    """Measure several models, two at a time; else as `scorecard`."""
    ask = partial(scorecard, examples=examples, data=data)
    if len(names) == 1:
        return "\n\n".join(map(ask, names))
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:  # a fork of torch's threads may hang
        return "\n\n".join(pool.map(ask, names))


def full_scorecard(name_or_path: str | Path, data: str | Path | None = None) -> str:
    """Follow every descriptor in every shape and way, and score each, as a table in Markdown.

    Parameters
    ----------
    name_or_path : str or Path
    data : str or Path, optional
        Folder of recordings, whose grains are then one of the ways.

    Raises
    ------
    FileNotFoundError
        There is no such model, or no recordings in `data`.
    """
    corpus = recordings(load_card(name_or_path)["domain"], "train", data) if data else None
    return as_markdown(compare(load_model(name_or_path), corpus=corpus))


def example_rows(model: VQVAE, folder: Path) -> list[Row]:
    """Score every example of a model in a folder: its wav measured anew against the targets beside it."""
    rows = []
    for path in sorted(folder.glob(f"{model.prefix}_*.json")):
        series = load_rendering(path)
        audio = load_audio(path.with_suffix(".wav"))
        heard, said = measure_audio(audio, series.targets), []
        for name, curve in series.targets.items():
            measured = heard[name][: len(curve)]
            words = say_tracking(name, curve, measured)
            if name == "fundamental":
                words += f", {100 * np.isfinite(measured).mean():.1f} % voiced"
            else:
                floor = distance(name, series.selected[name], curve, curve)
                gap = distance(name, measured, series.selected[name], curve)
                words += f" (floor {floor:.2f} %, gap {gap:.2f} %)"
            said.append(f"{name} {words}" if len(series.targets) > 1 else words)
        rows.append((path.stem, "; ".join(said), PUBLISHED.get(path.stem, "-")))
    if not rows:
        raise FileNotFoundError(
            f"{folder} has no example of the model {model.name}: run 'make figures MODEL={model.name}' first"
        )
    return rows


def sorted_rows(model: VQVAE, folder: Path) -> list[Row]:
    """Say of every traversal of a model in a folder how steadily its wav, measured anew, rises."""
    rows = []
    for name in DESCRIPTORS:
        path = folder / f"{model.prefix}_{name}_sorted.wav"
        if path.is_file():
            audio = load_audio(path)
            rank = np.arange(len(audio) // HOP + 1)
            measured = measure_audio(audio, [name])[name]
            rows.append((path.stem, f"Spearman {rank_correlation(measured, rank):.4f} of rank and measured value", "-"))
    return rows


def live_rows(model: VQVAE, stems: set[str]) -> list[Row]:
    """Follow what has no example among `stems`, now: other descriptors, and a narrower range of notes."""
    table, ranges = analyse_codebook(model), {}
    for name in ("centroid", "bandwidth", "rolloff", "fundamental"):
        if np.isfinite(table[name]).any():
            ranges[name, name] = span(table, name)
    low, high = ranges.get(("fundamental", "fundamental"), (np.inf, 0))
    if low <= NOTES[0] and NOTES[1] <= high:
        ranges["fundamental", f"fundamental, {NOTES[0]:.0f}-{NOTES[1]:.0f} Hz,"] = NOTES
    rows = []
    for (name, words), ends in ranges.items():
        for shape in ("sin", "exp"):
            if f"{model.prefix}_{words}_{shape}" in stems:
                continue
            curve = target(shape, name, *ends)
            said = say_tracking(name, curve, render(model, table, {name: curve}).measured[name])
            rows.append((f"{words} {shape}, rendered now", said, "-"))
    curve = target("sin", "centroid", *span(table, "centroid"))
    ratio, flux = hnr_and_flux(model.decode(match(model, table, {"centroid": curve})))
    rows.append(
        (
            "centroid sin: harmonic-to-noise ratio, spectral flux",
            f"{np.median(ratio):.1f} dB, {np.median(flux):.3f}",
            "-",
        )
    )
    return rows


def sung_row(model: VQVAE, data: str | Path) -> Row:
    """Let the model follow sung lines, moved by whole octaves, where the extractor calls them voiced."""
    table = analyse_codebook(model)
    low, high = span(table, "fundamental")
    close, voiced = [], []
    for song in recordings("singing", "test", data)[:SONGS]:
        line = follow(song.audio)
        sung = line.curves["fundamental"]
        moved = bring_inside(table, "fundamental", sung * 2.0 ** octave_shift(sung[line.voiced], low, high), "clip")
        measured = render(model, table, {"fundamental": moved}, line.gain).measured["fundamental"]
        close.append(within_cents(measured[line.voiced], moved[line.voiced], 50))
        voiced.append(line.voiced.sum())
    return (
        f"{SONGS} sung lines, moved by octaves",
        f"{np.average(close, weights=voiced):.1f} % of voiced frames within 50 cents",
        "-",
    )


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
            "harmonic-to-noise ratio, spectral flux of real test recordings (medians)",
            f"{scores['hnr_db_real'][1]:.1f} dB, {scores['flux_real'][1]:.3f} (recorded)",
            "-",
        ),
        (
            "the same of their reconstructions",
            f"{scores['hnr_db_decoded'][1]:.1f} dB, {scores['flux_decoded'][1]:.3f} (recorded)",
            "-",
        ),
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
