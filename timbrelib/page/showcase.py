"""The sounds that the page shows first: each with its curves, and with what the paper's method makes of its target."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import HOP, SAMPLE_RATE, frame_times
from timbrelib.audio.sound_files import read_samples
from timbrelib.control.saved_rendering import load_rendering
from timbrelib.control.timbre import load
from timbrelib.descriptors import descriptor
from timbrelib.evaluation.example_scores import literal_rendering
from timbrelib.evaluation.published import PUBLISHED, published_curve
from timbrelib.plots import label

# Title and text, by the name of an example.
SHOWCASES = {
    "violin_centroid_sin": (
        "A violin brightens and darkens",
        "The target is one slow cycle of brightness. The path keeps the pitch steady by itself.",
    ),
    "violin_fundamental_sin": (
        "Three octaves in one breath",
        "The target is a glide, and no two frames have the same pitch. Each chosen spectrum is retuned by a few cents.",
    ),
    "sing_fem_fundamental_exp": (
        "A voice rises and falls",
        "Under two minutes of one singer were enough to learn this voice.",
    ),
    "trumpet_bandwidth_exp": (
        "A trumpet opens",
        "The target is the bandwidth of the spectrum: how far its energy spreads around the centre.",
    ),
    "horn_bandwidth_sin": (
        "A horn opens and closes",
        "The same measure for a horn, over one cycle of a sine.",
    ),
}
DIGITS, STEP = 4, 2  # of the values of curves, and frames from one to the next: both finer than a pixel


@dataclass(frozen=True)
class Showcase:
    """An example, the sound that the paper's method makes of its target, and the curves of both.

    Attributes
    ----------
    name, title, text : str
    model : str
    audio, paper_audio : ndarray, float32, (n,)
    figure : dict
        For the page's script: ``name``, ``title``, ``description``, ``axis`` (its label),
        ``isLog``, ``seconds``, and ``curves`` with ``target``, ``ours``, ``paper`` and perhaps
        ``published``, lists of values with None where undefined.
    """

    name: str
    title: str
    text: str
    model: str
    audio: np.ndarray
    paper_audio: np.ndarray
    figure: dict


def make_showcases(folder: Path) -> Iterator[Showcase]:
    """Make the showcases whose examples are in a folder.

    Parameters
    ----------
    folder : Path
        Folder with ``NAME.wav`` and ``NAME.json`` of examples.

    Yields
    ------
    Showcase
        In order; none for an example that is not there.
    """
    for name, (title, text) in SHOWCASES.items():
        paths = folder / f"{name}.json", folder / f"{name}.wav"
        if not all(path.is_file() for path in paths):
            continue
        saved, audio = load_rendering(paths[0]), read_samples(paths[1])
        literal = literal_rendering(load(saved.model), saved)
        if literal is None:
            continue
        (followed, target), *_ = saved.targets.items()
        figure = {
            "name": name,
            "title": title,
            "description": f"{title}: target, and measured in the sound of this library and of the paper's method",
            "axis": "pitch" if descriptor(followed).log else label(followed),  # its ticks are notes
            "isLog": descriptor(followed).log,
            "seconds": (len(target[::STEP]) - 1) * STEP * HOP / SAMPLE_RATE,
            "curves": {
                "target": _values(target),
                "ours": _values(saved.measured[followed]),
                "paper": _values(literal.measured[followed]),
                **({"published": _published_values(name, len(target))} if name in PUBLISHED else {}),
            },
        }
        yield Showcase(name, title, text, saved.model, audio, literal.audio, figure)


def _values(curve: np.ndarray) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in curve[::STEP]]


def _published_values(name: str, n_frames: int) -> list[float | None]:
    """Curve of a published sound at the same times, from its nearest measured frames."""
    times, values = published_curve(name)
    return _values(values[np.searchsorted(times, frame_times(n_frames), side="right").clip(1) - 1])
