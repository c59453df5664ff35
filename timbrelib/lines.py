"""A recording as a target: its pitch, brightness and loudness as curves that another timbre follows.

Notebook: 08_follow_a_line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from timbrelib.audio import check_audio, frame_gain, spectrum_blocks
from timbrelib.descriptors import measure_all, pitch, track_fundamental

PERIODIC = 0.3  # periodicity under which a frame is noise, in which pYIN hears low notes
OCTAVES = range(-5, 6)  # by which a line may be moved


@dataclass(frozen=True)
class Line:
    """What a recording plays or sings.

    Attributes
    ----------
    curves : dict of str to ndarray, float64, (frames,)
        By descriptor, in its unit.  Where the line has no pitch each holds the value of the
        nearest frame that has.
    gain : ndarray, float64, (frames,)
        The recording's; 0 where the line has no pitch.
    voiced : ndarray, bool, (frames,)
        Where it has one: where pYIN calls it voiced, and it is not plain noise.
    """

    curves: dict[str, np.ndarray]
    gain: np.ndarray
    voiced: np.ndarray


def follow(audio: np.ndarray, names: Sequence[str] = ("fundamental",)) -> Line:
    """Take the curves of a recording.

    Parameters
    ----------
    audio : ndarray, float, (n,)
        One voice at a time.
    names : sequence of str
        Descriptors; the fundamental is always among them, since it tells where the line sounds.

    Returns
    -------
    Line

    Raises
    ------
    ValueError
        The recording has no pitch anywhere, or a descriptor does not exist.
    """
    audio = check_audio(audio)
    f0, voiced = voiced_fundamental(audio)
    others = measure_all(audio, [name for name in names if name != "fundamental"])
    voiced = voiced & np.all([np.isfinite(curve) for curve in others.values()], axis=0)  # (frames,)
    if not voiced.any():
        raise ValueError("the recording has no pitch that could be followed: give one of a single voice or instrument")
    curves = {name: hold(curve, voiced) for name, curve in {"fundamental": f0, **others}.items()}
    return Line(curves, np.where(voiced, frame_gain(audio), 0.0), voiced)


def voiced_fundamental(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Follow the pitch of a sound, float32 (n,), and tell where it has one.

    Returns
    -------
    f0 : ndarray, float64, (frames,)
        In Hz; NaN where pYIN hears none.
    voiced : ndarray, bool, (frames,)
        Where pYIN calls it voiced, and it is not plain noise.
    """
    f0 = track_fundamental(audio)
    periodicity = np.concatenate([pitch(spectrum)[1] for spectrum in spectrum_blocks(audio)])  # (frames,)
    return f0, np.isfinite(f0) & (periodicity >= PERIODIC)


def hold(curve: np.ndarray, defined: np.ndarray) -> np.ndarray:
    """Fill the frames of a curve, (frames,), that are not `defined`, each from the nearest that is."""
    known = np.flatnonzero(defined)
    middle = (known[1:] + known[:-1]) / 2  # between one known frame and the next
    return curve[known[np.searchsorted(middle, np.arange(len(curve)))]]


def whole_octaves(fundamental: np.ndarray, low: float, high: float) -> int:
    """Find the octaves, as few as possible, that bring most of a line between two pitches.

    Parameters
    ----------
    fundamental : ndarray, float, (frames,)
        In Hz; multiply it by 2.0 ** octaves.
    low, high : float
        In Hz, for example `timbrelib.targets.span` of the fundamental.

    Returns
    -------
    int
    """

    def inside(octaves: int) -> int:
        moved = fundamental * 2.0**octaves
        return int(np.sum((moved >= low) & (moved <= high)))

    return max(OCTAVES, key=lambda octaves: (inside(octaves), -abs(octaves)))
