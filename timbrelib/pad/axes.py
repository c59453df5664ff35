"""The vertical axis of a lane: its range and ticks, and where the codes lie on it.

On the screen a curve is a row of heights from 0 (the bottom of its lane) to 1 (the top).

Notebook: 06_draw_target.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from timbrelib.codebook.table import Codebook
from timbrelib.control.targets import SHAPES
from timbrelib.descriptors import descriptor
from timbrelib.model.vqvae import DEFAULT_GAIN

GAIN = "gain"  # the one lane that is not a descriptor
MAX_GAIN = 2 * DEFAULT_GAIN  # top of its axis
MIN_LEVEL = -36.0  # dB relative to the default gain; the bottom of its axis is silence
FLAT = "flat"  # a constant line, in addition to the shapes of targets
MARGIN = 0.06  # of the codes' range, added at both ends
MIN_MARGIN = 0.01  # share of a value, added where all codes have the same one
BINS = 40  # of the histogram
MAX_TICKS = 6  # of an axis


@dataclass(frozen=True)
class Axis:
    """The vertical axis of a lane.

    Attributes
    ----------
    name : str
        A descriptor, or ``gain``.
    low, high : float
        Its ends, in the descriptor's unit, of the gain in dB relative to the default gain.
    code_range : tuple of float
        Lowest and highest value of any code.
    histogram : ndarray, float64, (BINS,)
        Number of codes in equal parts of the axis, from bottom to top, relative to the fullest.
    """

    name: str
    low: float
    high: float
    code_range: tuple[float, float]
    histogram: np.ndarray

    @property
    def log(self) -> bool:
        """Whether equal heights are equal ratios, as for a fundamental."""
        return self.name != GAIN and descriptor(self.name).log

    @property
    def unit(self) -> str:
        """Unit of the axis; empty for a ratio."""
        return "dB" if self.name == GAIN else descriptor(self.name).unit

    def values(self, heights: ArrayLike) -> np.ndarray:
        """Convert heights, one or (n,), to a descriptor's values in its unit or to gains, float64 of the same shape."""
        heights = np.asarray(heights, dtype=np.float64)
        if self.log:
            return self.low * (self.high / self.low) ** heights
        values = self.low + (self.high - self.low) * heights
        if self.name == GAIN:
            return np.where(heights > 0, DEFAULT_GAIN * 10 ** (values / 20), 0.0)
        return values

    def heights(self, values: ArrayLike) -> np.ndarray:
        """Convert values, one or (n,), to heights, float64 of the same shape, clipped to 0..1; NaN stays NaN."""
        values = np.asarray(values, dtype=np.float64)
        if self.name == GAIN:
            with np.errstate(divide="ignore"):  # silence is at the bottom
                values = 20 * np.log10(values / DEFAULT_GAIN)
        if self.log:
            height = np.log(values / self.low) / np.log(self.high / self.low)
        else:
            height = (values - self.low) / (self.high - self.low)
        return np.clip(height, 0, 1)

    def ticks(self) -> list[tuple[float, str]]:
        """Heights and labels of the ticks: round numbers, or notes with their frequencies."""
        if self.log:
            return self._note_ticks()
        from matplotlib.ticker import MaxNLocator

        ticks = MaxNLocator(MAX_TICKS, steps=[1, 2, 5, 10]).tick_values(self.low, self.high)
        inside = [tick for tick in ticks if self.low <= tick <= self.high]
        return [(float((tick - self.low) / (self.high - self.low)), f"{tick:g}") for tick in inside]

    def _note_ticks(self) -> list[tuple[float, str]]:
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


def make_axis(codebook: Codebook, name: str) -> Axis:
    """Make the axis of a descriptor, or of the gain, for a codebook.

    Parameters
    ----------
    codebook : Codebook
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
        top = 20 * np.log10(MAX_GAIN / DEFAULT_GAIN)
        return Axis(GAIN, MIN_LEVEL, float(top), (0.0, MAX_GAIN), np.zeros(BINS))
    _, value = codebook.values(name)
    lowest, highest = codebook.full_range(name)
    if descriptor(name).log:
        margin = max((highest / lowest) ** MARGIN, 1 + MIN_MARGIN)
        low, high = lowest / margin, highest * margin
    else:
        margin = max(MARGIN * (highest - lowest), MIN_MARGIN * highest)
        low, high = lowest - margin, highest + margin
    empty = Axis(name, low, high, (lowest, highest), np.zeros(BINS))
    count, _ = np.histogram(empty.heights(value), bins=BINS, range=(0, 1))
    return Axis(name, low, high, (lowest, highest), count / count.max())


def shape_heights(shape: str, axis: Axis, codebook: Codebook, n_frames: int) -> np.ndarray:
    """Draw a shape over the range that a codebook covers well, or a constant line at the median.

    Parameters
    ----------
    shape : {"sin", "exp", "ramp", "steps", "flat"}
    axis : Axis
    codebook : Codebook
    n_frames : int

    Returns
    -------
    ndarray, float64, (n_frames,)
        Heights.
    """
    if axis.name == GAIN:
        low, middle, high = 0.0, DEFAULT_GAIN, DEFAULT_GAIN
    else:
        (low, high), middle = codebook.percentile_range(axis.name), np.nanmedian(codebook[axis.name])
    if shape == FLAT:
        return np.full(n_frames, axis.heights(middle))
    bottom, top = axis.heights([low, high])
    return bottom + (top - bottom) * SHAPES[shape](n_frames)


def lane_state(axis: Axis, heights: np.ndarray) -> dict:
    """Describe a lane to the page: its axis and its curve, heights (frames,)."""
    return {
        "name": axis.name,
        "unit": axis.unit,
        "low": axis.low,
        "high": axis.high,
        "log": axis.log,
        "code_range": axis.heights(axis.code_range).tolist(),
        "ticks": axis.ticks(),
        "histogram": axis.histogram.tolist(),
        "heights": np.round(heights, 5).tolist(),
    }
