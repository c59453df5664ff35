"""Score the examples of a model: the sound of this library, that of the paper's method, and the published one.

Notebook: 10_evaluation.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from timbrelib.audio.sound_files import read_samples
from timbrelib.control.rendering import Rendering, measure_frames
from timbrelib.control.saved_rendering import SavedRendering, load_rendering
from timbrelib.control.scores import score_targets
from timbrelib.control.targets import Target, eligible_codes
from timbrelib.control.timbre import Timbre
from timbrelib.descriptors import descriptor
from timbrelib.descriptors.pitch import track_pyin
from timbrelib.evaluation.markdown import markdown_table
from timbrelib.evaluation.published import PUBLISHED
from timbrelib.evaluation.recognition import known_timbre
from timbrelib.evaluation.sound_quality import SoundQuality, judge_sound

TRACKING = ("error", "Spearman", "RPA 50 cents", "RPA 20 cents")
COLUMNS = ("target range", *TRACKING, "jumps/s", "HNR", "flux", "heard as")
FOLLOWED = ("centroid", "bandwidth", "rolloff", "fundamental")  # a flatness depends on what lies between partials
NOTES = (208.0, 208.0 * 2**2.5)  # Hz: two and a half octaves from a low note of the violin
ExampleRow = tuple[str, str, Mapping[str, str]]  # name of the sound, how it was made, cells by column


def example_table(timbre: Timbre, card: Mapping, folder: str | Path) -> str:
    """Score the examples of a model in a folder, and other targets that it renders now.

    Parameters
    ----------
    timbre : Timbre
    card : mapping
        Its model card, with the quality of real recordings and of their reconstructions.
    folder : str or Path
        Folder with ``PREFIX_*.wav`` and ``.json``.

    Returns
    -------
    str
        A table in Markdown, one row per sound.
    """
    heard = known_timbre(card["domain"])
    examples = example_rows(timbre, heard, Path(folder))
    rows = [*examples, *rendered_rows(timbre, heard, {name for name, *_ in examples}), *recording_rows(card)]
    headers = ("sound", "made by", *COLUMNS[:-1], f"heard as {heard}" if heard else COLUMNS[-1])
    table = [[name, made_by, *(cells.get(column, "-") for column in COLUMNS)] for name, made_by, cells in rows]
    return markdown_table(headers, table)


def example_rows(timbre: Timbre, heard: str | None, folder: Path) -> list[ExampleRow]:
    """Score every example of a model by its WAV file, after the published sound and the paper's method.

    An example with noise excitation is a variant of another with the same target, for which the
    paper's method has a row already.
    """
    rows: list[ExampleRow] = []
    for stem, saved, audio in saved_examples(timbre, folder):
        if stem in PUBLISHED:
            rows.append((stem, "published", PUBLISHED[stem]))
        if saved.excitation != "noise":
            literal = literal_rendering(timbre, saved)
            rows.append((stem, "paper's method", rendering_cells(literal, saved.targets, heard) if literal else {}))
        measured = measure_frames(audio, saved.targets, len(saved.codes), track_pyin)
        cells = tracking_cells(audio, saved.targets, measured) | judge_sound(audio, heard).cells()
        rows.append((stem, "this library", cells))
    return rows


def saved_examples(timbre: Timbre, folder: Path) -> Iterator[tuple[str, SavedRendering, np.ndarray]]:
    """Read the examples of a model: name, rendering and sound, float32 (n,), without traversals of the codebook."""
    for path in example_paths(timbre.prefix, folder):
        saved = load_rendering(path)
        if saved.model == timbre.name:  # the prefix of another model may begin with this one's
            yield path.stem, saved, read_samples(path.with_suffix(".wav"))


def example_paths(prefix: str, folder: Path) -> list[Path]:
    """JSON files of the examples whose names begin with a prefix, without traversals of the codebook."""
    return sorted(path for path in folder.glob(f"{prefix}_*.json") if not path.stem.endswith("_sorted"))


def literal_rendering(timbre: Timbre, saved: SavedRendering) -> Rendering | None:
    """Follow the targets of an example by the paper's method: the nearest code of each frame, excited by noise.

    Algorithm 2 of Bitton, Esling and Harada, "Vector-Quantized Timbre Representation", 2020
    (arXiv 2007.06349).  M = 10 can only mean the M of Algorithm 1, the number of frames for
    which a code sounds while its descriptors are measured: in Algorithm 2, M is the length of
    the target, and each of its frames has its own code.  The codes are measured as everywhere
    in this library, over `timbrelib.codebook.analysis.REPEATS` frames.

    Parameters
    ----------
    timbre : Timbre
    saved : SavedRendering

    Returns
    -------
    Rendering or None
        None if no code has all descriptors of the targets when it is excited by noise.
    """
    noisy = timbre.with_excitation("noise")
    if len(eligible_codes(noisy.codebook, saved.targets)) == 0:
        return None
    weights = saved.search.weights if saved.search else {}
    targets = []
    for name, curve in saved.targets.items():
        # with noise the codes have other values, whose range may be narrower
        within = np.clip(curve, *noisy.codebook.full_range(name))
        targets.append(Target(name, within, weights.get(name, 1.0)))
    return noisy.render(*targets, gain=saved.gain, method="nearest")


def rendered_rows(timbre: Timbre, heard: str | None, examples: set[str]) -> list[ExampleRow]:
    """Render and score sines that are not among the examples: other descriptors, and a narrower range of notes."""
    names = [name for name in FOLLOWED if name in timbre.codebook.descriptors]
    targets = {f"{name} sin": timbre.target(name, "sin") for name in names}
    if "fundamental" in names:
        low, high = timbre.codebook.percentile_range("fundamental")
        if low <= NOTES[0] and NOTES[1] <= high:
            words = f"fundamental sin, {NOTES[0]:.0f}-{NOTES[1]:.0f} Hz"
            targets[words] = timbre.target("fundamental", "sin", *NOTES)
    rows: list[ExampleRow] = []
    for words, target in targets.items():
        if f"{timbre.prefix}_{words.replace(' ', '_')}" not in examples:
            rendering = timbre.render(target)
            cells = rendering_cells(rendering, rendering.targets, heard)
            rows.append((words, "this library, rendered now", cells))
    return rows


def recording_rows(card: Mapping) -> list[ExampleRow]:
    """Quote the card on the quality of real recordings and of their reconstructions."""
    scores = card["scores"]
    rows: list[ExampleRow] = []
    for words, kind in (("real test recordings", "real"), ("their reconstructions", "decoded")):
        known = scores.get(f"jumps_{kind}", np.nan), scores.get(f"heard_as_{kind}", np.nan)  # not on older cards
        quality = SoundQuality(known[0], scores[f"hnr_db_{kind}"][1], scores[f"flux_{kind}"][1], known[1])
        rows.append((words, "recorded", quality.cells()))
    return rows


def rendering_cells(rendering: Rendering, targets: Mapping[str, np.ndarray], heard: str | None) -> dict[str, str]:
    """Score a rendering against targets, float (frames,) by descriptor: cells by column."""
    return tracking_cells(rendering.audio, targets, rendering.measured) | judge_sound(rendering.audio, heard).cells()


def tracking_cells(
    audio: np.ndarray, targets: Mapping[str, np.ndarray], measured: Mapping[str, np.ndarray]
) -> dict[str, str]:
    """Score the measured curves of a sound against targets, float (frames,) by descriptor: cells by column.

    Of several targets they are separated by ``;``.
    """
    every = np.ones(len(next(iter(targets.values()))), dtype=bool)
    each = [score.cells() for score in score_targets(audio, targets, measured, every).values()]
    ranges = {"target range": "; ".join(target_range(name, curve) for name, curve in targets.items())}
    return ranges | {column: "; ".join(c[column] for c in each if c[column] != "-") or "-" for column in TRACKING}


def target_range(name: str, curve: np.ndarray) -> str:
    """Format the lowest and the highest value of a target, float (frames,): ``198-2105 Hz``."""
    ends = [f"{end:.0f}" if end >= 100 else f"{end:.3g}" for end in (curve.min(), curve.max())]
    return f"{'-'.join(dict.fromkeys(ends))} {descriptor(name).unit}".rstrip()
