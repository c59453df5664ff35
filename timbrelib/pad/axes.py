"""The axis of a lane to draw in: what it reaches, how it is labelled, where the codes are.

On the screen a curve is a series of heights from 0 (the bottom of its lane) to 1 (the top).

Notebook: 05_draw_target.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from timbrelib.codebook import values
from timbrelib.control.targets import SHAPES, reach, span
from timbrelib.descriptors import descriptor
from timbrelib.model.vqvae import DEFAULT_GAIN
from timbrelib.pad.messages import FLAT

GAIN = "gain"  # the lane that is no descriptor
LOUDEST = 2 * DEFAULT_GAIN  # the top of its axis
MARGIN = 0.06  # of the reach, drawn beyond either end of it
NARROWEST = 0.01  # share of a value by which the axis goes beyond it, should all codes have the same
BINS = 40  # of the histogram
TICKS = 6  # at most, on an axis


@dataclass(frozen=True)
class Axis:
    """The vertical axis of a lane.

    Attributes
    ----------
    name : str
        A descriptor, or ``gain``.
    low, high : float
        Its ends, in the descriptor's unit.
    reach : tuple of float
        The lowest and the highest value that any code has.
    histogram : ndarray, float64, (BINS,)
        Codes in equal parts of the axis from bottom to top; the fullest part is 1.
    """

    name: str
    low: float
    high: float
    reach: tuple[float, float]
    histogram: np.ndarray

    @property
    def log(self) -> bool:
        """Whether equal heights are equal ratios, as for a fundamental."""
        return self.name != GAIN and descriptor(self.name).log

    @property
    def unit(self) -> str:
        """The unit of its values; empty for a ratio."""
        return "" if self.name == GAIN else descriptor(self.name).unit

    def values(self, heights: ArrayLike) -> np.ndarray:
        """Read heights, one or (n,), as values in the descriptor's unit, float64 of the same shape."""
        heights = np.asarray(heights, dtype=np.float64)
        if self.log:
            return self.low * (self.high / self.low) ** heights
        return self.low + (self.high - self.low) * heights

    def heights(self, values: ArrayLike) -> np.ndarray:
        """Place values, one or (n,), on the axis, float64 alike; NaN stays NaN, what lies beyond an end is held."""
        values = np.asarray(values, dtype=np.float64)
        if self.log:
            place = np.log(values / self.low) / np.log(self.high / self.low)
        else:
            place = (values - self.low) / (self.high - self.low)
        return np.clip(place, 0, 1)

    def ticks(self) -> list[tuple[float, str]]:
        """Give heights and labels of its ticks: round numbers, or notes and their frequencies."""
        if self.log:
            return self._notes()
        from matplotlib.ticker import MaxNLocator

        marks = MaxNLocator(TICKS, steps=[1, 2, 5, 10]).tick_values(self.low, self.high)
        inside = [mark for mark in marks if self.low <= mark <= self.high]
        return [(float(self.heights(mark)), f"{mark:g}") for mark in inside]

    def _notes(self) -> list[tuple[float, str]]:
        import librosa

        first, last = librosa.hz_to_midi([self.low, self.high])
        notes = np.arange(np.ceil(first), last)
        in_octave = (0, 7) if last - first > 12 else range(12)  # C and G, or all
        chosen = [int(note) for note in notes if note % 12 in in_octave]
        return [
            (
                float(self.heights(librosa.midi_to_hz(note))),
                f"{librosa.midi_to_note(note)} {librosa.midi_to_hz(note):.0f}",
            )
            for note in chosen
        ]


def axis(table: np.ndarray, name: str) -> Axis:
    """Make the axis of a descriptor, or of the gain, for a codebook.

    Parameters
    ----------
    table : ndarray, structured, (n_codes,)
        From `timbrelib.analyse_codebook`.
    name : str
        A descriptor, or ``gain``.

    Returns
    -------
    Axis

    Raises
    ------
    ValueError
        The descriptor does not exist, or no code has it.
    """
    if name == GAIN:
        return Axis(GAIN, 0.0, LOUDEST, (0.0, LOUDEST), np.zeros(BINS))
    _, value = values(table, name)
    lowest, highest = reach(table, name)
    if descriptor(name).log:
        beyond = max((highest / lowest) ** MARGIN, 1 + NARROWEST)
        low, high = lowest / beyond, highest * beyond
    else:
        beyond = max(MARGIN * (highest - lowest), NARROWEST * highest)
        low, high = lowest - beyond, highest + beyond
    bare = Axis(name, low, high, (lowest, highest), np.zeros(BINS))
    count, _ = np.histogram(bare.heights(value), bins=BINS, range=(0, 1))
    return Axis(name, low, high, (lowest, highest), count / count.max())


def shape_heights(shape: str, axis: Axis, table: np.ndarray, n_frames: int) -> np.ndarray:
    """Draw a shape over the range that a codebook covers well, or a flat line through its middle.

    Parameters
    ----------
    shape : str
        One of `timbrelib.targets.SHAPES`, or ``clear``.
    axis : Axis
    table : ndarray, structured, (n_codes,)
    n_frames : int

    Returns
    -------
    ndarray, float64, (n_frames,)
        Heights.
    """
    if axis.name == GAIN:
        low, middle, high = 0.0, DEFAULT_GAIN, DEFAULT_GAIN
    else:
        (low, high), middle = span(table, axis.name), np.nanmedian(table[axis.name])
    if shape == FLAT:
        return np.full(n_frames, axis.heights(middle))
    bottom, top = axis.heights([low, high])
    return bottom + (top - bottom) * SHAPES[shape](n_frames)


def lane(axis: Axis, heights: np.ndarray) -> dict:
    """Put an axis and the curve on it, heights (frames,), into what the page draws."""
    return {
        "name": axis.name,
        "unit": axis.unit,
        "low": axis.low,
        "high": axis.high,
        "log": axis.log,
        "reach": axis.heights(axis.reach).tolist(),
        "ticks": axis.ticks(),
        "histogram": axis.histogram.tolist(),
        "heights": np.round(heights, 5).tolist(),
    }
