"""The melody of a recording: its pitch, brightness and level as curves for another timbre to follow.

Notebook: 07_follow_a_line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from timbrelib.audio.frames import frame_gain, spectrum_blocks
from timbrelib.audio.sound_files import clean_audio
from timbrelib.codebook.table import Codebook
from timbrelib.descriptors import measure
from timbrelib.descriptors.pitch import MAX_F0, MIN_F0, estimate_pitch, track_pyin

MIN_PERIODICITY = 0.3  # below it a frame is noise, in which pYIN finds low notes
OCTAVES = range(-5, 6)  # by which a melody may be transposed


@dataclass(frozen=True)
class Melody:
    """Curves of a recording of a single voice.

    Attributes
    ----------
    curves : dict of str to ndarray, float64, (frames,)
        By descriptor, in its unit.  Unvoiced frames hold the value of the nearest voiced one.
    gain : ndarray, float64, (frames,)
        Of the recording; 0 where it is unvoiced.
    voiced : ndarray, bool, (frames,)
        Where pYIN finds a pitch and the frame is not noise.
    octaves : int
        By which the melody was transposed.

    Examples
    --------
    >>> import timbrelib
    >>> melody = timbrelib.extract_melody(timbrelib.string_melody())
    >>> higher = melody.transpose_into(timbrelib.load("viola").codebook)
    >>> print(len(melody.gain) == len(higher.voiced), higher.octaves)
    True 0
    """

    curves: dict[str, np.ndarray]
    gain: np.ndarray
    voiced: np.ndarray
    octaves: int = 0

    def transpose_into(self, codebook: Codebook) -> "Melody":
        """Transpose by whole octaves into the range that a codebook covers well."""
        f0 = self.curves["fundamental"]
        octaves = octave_shift(f0[self.voiced], *codebook.percentile_range("fundamental"))
        return replace(self, curves=self.curves | {"fundamental": f0 * 2.0**octaves}, octaves=self.octaves + octaves)


def extract_melody(audio: np.ndarray, names: Sequence[str] = ("fundamental",)) -> Melody:
    """Extract the curves of a recording.

    Parameters
    ----------
    audio : ndarray, float, (n,)
        A single voice.
    names : sequence of str
        Descriptors; the fundamental is always added, since it decides which frames are voiced.

    Returns
    -------
    Melody

    Raises
    ------
    ValueError
        No frame of the recording has a pitch, or a descriptor does not exist.

    Examples
    --------
    >>> import timbrelib
    >>> melody = timbrelib.extract_melody(timbrelib.string_melody()[:44100], ["fundamental", "centroid"])
    >>> list(melody.curves)
    ['fundamental', 'centroid']
    >>> print(melody.voiced.mean() > 0.8)
    True
    """
    audio = clean_audio(audio)
    f0, voiced = track_voiced(audio)
    others = measure(audio, [name for name in names if name != "fundamental"])
    voiced = voiced & np.all([np.isfinite(curve) for curve in others.values()], axis=0)  # (frames,)
    if not voiced.any():
        raise ValueError(
            f"the recording has no pitch to follow between {MIN_F0:.0f} and {MAX_F0:.0f} Hz: "
            "give one of a single voice or instrument"
        )
    curves = {name: hold(curve, voiced) for name, curve in {"fundamental": f0, **others}.items()}
    return Melody(curves, np.where(voiced, frame_gain(audio), 0.0), voiced)


def track_voiced(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Track the pitch of a sound, float32 (n,), and decide where it has one.

    Returns
    -------
    f0 : ndarray, float64, (frames,)
        In Hz; NaN where pYIN finds none.
    voiced : ndarray, bool, (frames,)
        Where pYIN finds a pitch and the frame is not noise.
    """
    f0 = track_pyin(audio)
    periodicity = np.concatenate([estimate_pitch(spectrum)[1] for spectrum in spectrum_blocks(audio)])  # (frames,)
    return f0, np.isfinite(f0) & (periodicity >= MIN_PERIODICITY)


def hold(curve: np.ndarray, defined: np.ndarray) -> np.ndarray:
    """Fill the frames of a curve, (frames,), that are not `defined` with the nearest one that is."""
    known = np.flatnonzero(defined)
    middle = (known[1:] + known[:-1]) / 2  # between consecutive known frames
    return curve[known[np.searchsorted(middle, np.arange(len(curve)))]]


def octave_shift(f0: np.ndarray, low: float, high: float) -> int:
    """Find the number of octaves, as few as possible, that moves most of a melody between two pitches.

    Parameters
    ----------
    f0 : ndarray, float, (frames,)
        In Hz; multiply it by 2.0 ** octaves.
    low, high : float
        In Hz.

    Returns
    -------
    int
    """

    def inside(octaves: int) -> int:
        shifted = f0 * 2.0**octaves
        return int(np.sum((shifted >= low) & (shifted <= high)))

    return max(OCTAVES, key=lambda octaves: (inside(octaves), -abs(octaves)))
