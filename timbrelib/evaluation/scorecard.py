"""The scorecard: how closely the examples follow their targets, and how good the models are.

``timbrelib scorecard`` prints it, and ``docs/scorecard.md`` keeps it.

Notebook: 06_scorecard.
"""

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from timbrelib.audio.sound_files import load_audio
from timbrelib.control.melody import extract_melody
from timbrelib.control.rendering import measure_frames
from timbrelib.control.saved_rendering import load_rendering
from timbrelib.control.scores import rank_correlation, score_tracking
from timbrelib.control.timbre import Timbre, load
from timbrelib.descriptors.pitch import track_pyin
from timbrelib.evaluation.markdown import markdown_table
from timbrelib.evaluation.methods import compare_methods
from timbrelib.evaluation.metrics import hnr_and_flux, reconstruction_distance
from timbrelib.model.checkpoint import load_card
from timbrelib.recordings.corpus import data_folder, load_recordings

PUBLISHED = {  # the published sounds by the same measures, against the target that fits each best
    "violin_centroid_sin": "error 3.3 %, Spearman 0.987",
    "violin_centroid_exp": "error 3.3 %, Spearman 0.988",
    "violin_fundamental_sin": "raw pitch accuracy 40-65 % (50 cents)",
    "violin_fundamental_exp": "raw pitch accuracy 55 % (50 cents)",
    "sing_centroid_sin": "error 4.5 %, Spearman 0.977",
    "sing_fundamental_sin": "raw pitch accuracy 39-45 % (50 cents)",
    "trumpet_bandwidth_exp": "error 4.5 %, Spearman 0.981",
    "horn_bandwidth_sin": "error 6.2 %, Spearman 0.963",
    "violin LSD": "5.8 dB on the authors' own clip",
}
NOTES = (208.0, 208.0 * 2**2.5)  # Hz: two and a half octaves from a low note of the violin
SONGS = 5  # of the test split of singing
Row = tuple[str, str, str]  # measure, value here, published value
HEAD = """# Scorecard

Written by `make figures`; `docs/measures.md` defines the measures. The sounds in `Audio_Exemple/` are measured from
their WAV files, and the published sounds in the same way, against the target that fits each best. Traversals of all
codes ("sorted") and targets over the codebook's inner range that have no example ("rendered now") are rendered for the
scorecard. "Recorded" values need the recordings and come from the model card.
"""


def scorecard(name_or_path: str | Path, examples: str | Path, data: str | Path | None = None) -> str:
    """Measure a model and its examples.

    Parameters
    ----------
    name_or_path : str or Path
        The model.
    examples : str or Path
        Folder with ``PREFIX_*.wav`` and ``.json``; the WAV files are measured.
    data : str or Path, optional
        Folder of recordings.  Without it, values that need recordings are taken from the
        model card and marked as recorded, or left out.

    Returns
    -------
    str
        A heading and a table in Markdown.

    Raises
    ------
    FileNotFoundError
        The model does not exist, has no examples, or `data` has no recordings of its timbre.
    """
    timbre, card = load(name_or_path), load_card(name_or_path)
    rows = [*example_rows(timbre, Path(examples)), *sorted_rows(timbre)]
    rows += rendered_rows(timbre, {measure for measure, _, _ in rows})
    if data and (data_folder(data) / "singing").is_dir():
        rows.append(sung_row(timbre, data))
    rows += model_rows(timbre, card, data)
    return f"## {timbre.name}\n\n{markdown_table(('measure', 'here', 'published'), rows)}"


def scorecards(names: Sequence[str | Path], examples: str | Path, data: str | Path | None = None) -> str:
    """Measure several models, two at a time; see `scorecard`."""
    measure = partial(scorecard, examples=examples, data=data)
    if len(names) == 1:
        return measure(names[0])
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:  # a fork of torch's threads may hang
        return "\n\n".join(pool.map(measure, names))


def full_scorecard(name_or_path: str | Path, data: str | Path | None = None) -> str:
    """Compare all methods on every descriptor and two shapes, as a table in Markdown.

    Parameters
    ----------
    name_or_path : str or Path
        The model.
    data : str or Path, optional
        Folder of recordings, whose grains are then one of the methods.

    Returns
    -------
    str

    Raises
    ------
    FileNotFoundError
        The model does not exist, or `data` has no recordings of its timbre.
    """
    corpus = load_recordings(load_card(name_or_path)["domain"], "train", data) if data else None
    timbre = load(name_or_path)
    targets = [timbre.target(name, shape) for name in timbre.codebook.descriptors for shape in ("sin", "exp")]
    return compare_methods(timbre, targets, corpus).to_markdown()


def example_rows(timbre: Timbre, folder: Path) -> list[Row]:
    """Score the WAV file of every example of a model in a folder against its targets."""
    rows = []
    for path in sorted(folder.glob(f"{timbre.prefix}_*.json")):
        if path.stem.endswith("_sorted"):
            continue  # a traversal, which has rows of its own
        saved, texts = load_rendering(path), []
        audio = load_audio(path.with_suffix(".wav"))
        measured = measure_frames(audio, saved.targets, len(saved.codes), track_pyin)
        for name, curve in saved.targets.items():
            score = score_tracking(name, curve, measured[name], saved.selected[name])
            if score.unit == "cents":
                text = f"{score}, {score.voiced:.1f} % voiced"
            else:
                text = f"{score} (selection {score.selection:.2f} {score.unit}, "
                text += f"synthesis {score.synthesis:.2f} {score.unit})"
            texts.append(f"{name} {text}" if len(saved.targets) > 1 else text)
        rows.append((path.stem, "; ".join(texts), PUBLISHED.get(path.stem, "-")))
    if not rows:
        raise FileNotFoundError(
            f"{folder} has no example of the model {timbre.name}: run 'make figures MODEL={timbre.name}' first"
        )
    return rows


def sorted_rows(timbre: Timbre) -> list[Row]:
    """Score how steadily each traversal of the codebook rises, by the name of the file that `make figures` writes."""
    rows = []
    for name in timbre.codebook.descriptors:
        measured = timbre.traverse(name).measured[name]
        correlation = rank_correlation(measured, np.arange(len(measured)))
        rows.append((f"{timbre.prefix}_{name}_sorted", f"Spearman {correlation:.4f} of rank and measured value", "-"))
    return rows


def rendered_rows(timbre: Timbre, examples: set[str]) -> list[Row]:
    """Render and score targets that are not among the examples: other descriptors, and a narrower range of notes."""
    ranges: dict[tuple[str, str], tuple[float, float]] = {}
    for name in ("centroid", "bandwidth", "rolloff", "fundamental"):
        if name in timbre.codebook.descriptors:
            ranges[name, name] = timbre.codebook.percentile_range(name)
    low, high = ranges.get(("fundamental", "fundamental"), (np.inf, 0))
    if low <= NOTES[0] and NOTES[1] <= high:
        ranges["fundamental", f"fundamental, {NOTES[0]:.0f}-{NOTES[1]:.0f} Hz,"] = NOTES
    rows = []
    for (name, words), ends in ranges.items():
        for shape in ("sin", "exp"):
            if f"{timbre.prefix}_{words}_{shape}" not in examples:
                score = timbre.render(timbre.target(name, shape, *ends)).score
                rows.append((f"{words} {shape}, rendered now", str(score), "-"))
    hnr, flux = hnr_and_flux(timbre.render(timbre.target("centroid", "sin")).audio)
    quality = f"{np.median(hnr):.1f} dB, {np.median(flux):.3f}"
    return [*rows, ("centroid sin, rendered now: harmonic-to-noise ratio, spectral flux", quality, "-")]


def sung_row(timbre: Timbre, data: str | Path) -> Row:
    """Follow sung melodies, transposed by octaves, and score the frames that are voiced in the song."""
    accuracies, voiced = [], []
    for song in load_recordings("singing", "test", data)[:SONGS]:
        melody = extract_melody(song.audio).transpose_into(timbre.codebook)
        target = timbre.target("fundamental", melody.curves["fundamental"], fit="clip")
        score = timbre.render(target, gain=melody.gain).score_frames(melody.voiced)["fundamental"]
        accuracies.append(score.rpa_50)
        voiced.append(melody.voiced.sum())
    accuracy = np.average(accuracies, weights=voiced)
    return f"{SONGS} sung melodies, transposed by octaves", f"raw pitch accuracy {accuracy:.1f} % (50 cents)", "-"


def model_rows(timbre: Timbre, card: dict, data: str | Path | None) -> list[Row]:
    """Score the reconstruction of recordings, or quote the card; quote the card on codebook and training."""
    scores, training = card["scores"], card["training"]
    if data:
        distance, _ = reconstruction_distance(timbre.model, load_recordings(card["domain"], "test", data))
        lsd = f"{distance:.2f} dB"
    else:
        lsd = f"{scores['lsd_db']:.2f} dB (recorded)"

    def quality(kind: str) -> str:
        return f"{scores[f'hnr_db_{kind}'][1]:.1f} dB, {scores[f'flux_{kind}'][1]:.3f} (recorded)"

    usage = f"{100 * scores['codebook_use']:.1f} % of {len(timbre.codebook)} codes"
    cost = f"{training['minutes']:.1f} minutes, {training['memory_gb']:.1f} GB, {training['threads']} CPU cores"
    return [
        ("LSD, test split, weighted by length", lsd, PUBLISHED.get(f"{timbre.name} LSD", "-")),
        ("harmonic-to-noise ratio, spectral flux of real test recordings (medians)", quality("real"), "-"),
        ("harmonic-to-noise ratio, spectral flux of their reconstructions (medians)", quality("decoded"), "-"),
        ("codebook usage, training split", f"{usage}, perplexity {scores['perplexity']:.0f} (recorded)", "-"),
        ("training", f"{cost} (recorded)", "-"),
    ]


def model_table(names: Iterable[str | Path]) -> str:
    """Write what the cards of models say as a table in Markdown."""
    rows = []
    for card in map(load_card, names):
        scores, training = card["scores"], card["training"]
        rows.append((
            card["name"],
            f"{scores['lsd_db']:.2f} dB",
            f"{100 * scores['codebook_use']:.0f} %, {scores['perplexity']:.0f}",
            f"{card['data']['minutes']:.1f} minutes of sound",
            f"{training['minutes']:.1f} minutes, {training['memory_gb']:.1f} GB",
            card["licence"],
        ))  # fmt: skip
    headers = ("model", "LSD, test split", "codebook usage, perplexity", "training data", "training cost", "licence")
    return markdown_table(headers, rows)
