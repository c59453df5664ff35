"""The scorecard: how closely the examples follow their targets, and how good the models are.

``timbrelib scorecard`` prints it, and ``docs/scorecard.md`` keeps it.

Notebook: 10_evaluation.
"""

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from timbrelib.control.melody import extract_melody
from timbrelib.control.scores import rank_correlation
from timbrelib.control.timbre import Timbre, load
from timbrelib.evaluation.example_scores import example_paths, example_table
from timbrelib.evaluation.markdown import markdown_table
from timbrelib.evaluation.methods import compare_methods
from timbrelib.evaluation.metrics import reconstruction_distance
from timbrelib.evaluation.published import PUBLISHED_LSD
from timbrelib.model.checkpoint import load_card
from timbrelib.model.vqvae import PREFIXES
from timbrelib.recordings.corpus import data_folder, load_recordings

SONGS = 5  # of the test split of singing
Row = tuple[str, str, str]  # measure, value here, published value
HEAD = """# Scorecard

Written by `make figures`; `docs/measures.md` defines the measures. Each sound in `Audio_Exemple/` is measured from its
WAV file (*this library*) and compared with what the *paper's method* makes of the same target and model (the nearest
code of each frame, excited by noise) and with the *published* sound. Sines over the codebook's inner range that have no
example are *rendered now*.

*Target range* gives the lowest and the highest value of the target. It differs between published sounds and ours: the
published violin's sine of pitch ends near 700 Hz, ours near 2,100 Hz. The published targets are unknown: each published
sound is scored against the target of its shape that fits it best, which flatters it; a pitch against two, one linear
and one logarithmic in frequency.

*Error* is a mean in % of the target's range, for a fundamental a median in cents; *RPA* is the raw pitch accuracy.
*jumps/s* counts pitch jumps of more than a semitone per second of voiced sound. *HNR* and *flux* are medians, to be
compared with those of the real test recordings of the timbre. *Heard as* is the share of half-second windows in which
a classifier trained on real recordings recognises the timbre.
"Recorded" values need the recordings and come from the model card and the classifier.
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
        A heading and two tables in Markdown: the sounds, and the model.

    Raises
    ------
    FileNotFoundError
        The model does not exist, or `data` has no recordings of its timbre.
    """
    timbre, card = load(name_or_path), load_card(name_or_path)
    rows = sorted_rows(timbre)
    if data and "fundamental" in timbre.codebook.descriptors and (data_folder(data) / "singing").is_dir():
        rows.append(sung_row(timbre, data))
    rows += model_rows(timbre, card, data)
    tables = example_table(timbre, card, examples), markdown_table(("measure", "here", "published"), rows)
    return "\n\n".join([f"## {timbre.name}", *tables])


def scorecards(names: Sequence[str | Path], examples: str | Path, data: str | Path | None = None) -> str:
    """Measure several models, two at a time and those with most examples first; see `scorecard`.

    Raises
    ------
    FileNotFoundError
        See `scorecard`; or none of the models has an example.
    """

    def count(name: str | Path) -> int:
        last = Path(name).name
        return len(example_paths(PREFIXES.get(last, last), Path(examples)))

    if not any(map(count, names)):
        chosen = f" MODEL={names[0]}" if len(names) == 1 else ""
        raise FileNotFoundError(
            f"{examples} has no example of {', '.join(map(str, names))}: run 'make figures{chosen}' first"
        )
    measure = partial(scorecard, examples=examples, data=data)
    if len(names) == 1:
        return measure(names[0])
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:  # a fork of torch's threads may hang
        cards = {name: pool.submit(measure, name) for name in sorted(names, key=count, reverse=True)}
        return "\n\n".join(cards[name].result() for name in names)


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
    domain = load_card(name_or_path)["domain"]
    corpus = load_recordings(domain, "train", data) if data else None
    timbre = load(name_or_path)
    targets = [timbre.target(name, shape) for name in timbre.codebook.descriptors for shape in ("sin", "exp")]
    return compare_methods(timbre, targets, corpus, domain).to_markdown()


def sorted_rows(timbre: Timbre) -> list[Row]:
    """Score how steadily each traversal of the codebook rises, by the name of the file that `make figures` writes."""
    rows = []
    for name in timbre.codebook.descriptors:
        measured = timbre.traverse(name).measured[name]
        correlation = rank_correlation(measured, np.arange(len(measured)))
        rows.append((f"{timbre.prefix}_{name}_sorted", f"Spearman {correlation:.4f} of rank and measured value", "-"))
    return rows


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

    usage = f"{100 * scores['codebook_use']:.1f} % of {len(timbre.codebook)} codes"
    return [
        ("LSD, test split, weighted by length", lsd, PUBLISHED_LSD.get(timbre.name, "-")),
        ("codebook usage, training split", f"{usage}, perplexity {scores['perplexity']:.0f} (recorded)", "-"),
        ("training", f"{training_cost(training)} (recorded)", "-"),
    ]


def training_cost(training: dict) -> str:
    """Format what a training cost, from its card."""
    machine = training.get("machine", f"{training['threads']} CPU cores")
    return f"{training['minutes']:.1f} minutes, {machine}"


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
            training_cost(training),
            card["licence"],
        ))  # fmt: skip
    headers = ("model", "LSD, test split", "codebook usage, perplexity", "training data", "training cost", "licence")
    return markdown_table(headers, rows)
