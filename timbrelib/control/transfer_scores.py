"""How much of a sound its transfer to another timbre preserves.

Notebook: 08_timbre_transfer.
"""

from dataclasses import dataclass

import numpy as np

from timbrelib.audio.frames import frame_gain
from timbrelib.audio.levels import SILENCE, audible_frames, measurable_frames
from timbrelib.control.scores import rank_correlation, raw_pitch_accuracy
from timbrelib.descriptors import measure
from timbrelib.descriptors.pitch import track_pyin


@dataclass(frozen=True, repr=False)
class TransferScore:
    """How much of a sound its transfer to another timbre preserves.

    Attributes
    ----------
    pitch : float
        Share of the frames voiced in both sounds whose pitches, after transposition of the
        original, agree within 50 cents, in %; NaN if there are none.  Frames too quiet to
        measure in 16 bits count as unvoiced.
    voiced : float
        Share of the voiced frames of the original that are voiced in the transfer, in %.
    level : float
        Mean distance of the levels of the audible frames, in dB.
    centroid : float
        Spearman's correlation of the centroids of the audible frames that are loud enough to
        measure; NaN if there are not two.

    Examples
    --------
    >>> import timbrelib
    >>> timbrelib.TransferScore(pitch=98.5, voiced=99.0, level=0.42, centroid=0.9)
    pitch 98.5 % within 50 cents, 99.0 % of the voiced frames voiced, level error 0.42 dB, centroid Spearman 0.900
    """

    pitch: float
    voiced: float
    level: float
    centroid: float

    def __repr__(self) -> str:
        return (
            f"pitch {self.pitch:.1f} % within 50 cents, {self.voiced:.1f} % of the voiced frames voiced, "
            f"level error {self.level:.2f} dB, centroid Spearman {self.centroid:.3f}"
        )


def score_transfer(
    original: np.ndarray,
    decoded: np.ndarray,
    semitones: float = 0,
    f0: np.ndarray | None = None,
    decoded_f0: np.ndarray | None = None,
) -> TransferScore:
    """Score how much of a sound its transfer preserves.

    Parameters
    ----------
    original, decoded : ndarray, float32, (n,)
    semitones : float
        Transposition of the transfer.
    f0, decoded_f0 : ndarray, float64, (frames,), optional
        Fundamentals of `original` and `decoded` by pYIN, if they were tracked before.

    Returns
    -------
    TransferScore

    Raises
    ------
    ValueError
        The lengths differ, or the original is silent.

    Examples
    --------
    >>> import timbrelib
    >>> sound = timbrelib.string_melody()[:44100]
    >>> timbrelib.score_transfer(sound, 0.5 * sound)  # half as loud
    pitch 100.0 % within 50 cents, 100.0 % of the voiced frames voiced, level error 6.02 dB, centroid Spearman 1.000
    """
    if len(original) != len(decoded):
        raise ValueError(f"the sounds have {len(original)} and {len(decoded)} samples: cut them to the same length")
    gains = frame_gain(original), frame_gain(decoded)
    if gains[0].max() <= SILENCE:
        raise ValueError("the original is silent: give a sound")
    before = track_pyin(original) if f0 is None else f0
    after = track_pyin(decoded) if decoded_f0 is None else decoded_f0
    loud = [measurable_frames(gain) for gain in gains]
    before, after = (np.where(*pair, np.nan) for pair in zip(loud, (before, after), strict=True))
    both = np.isfinite(before) & np.isfinite(after)
    audible = audible_frames(gains[0])
    levels = [20 * np.log10(np.maximum(gain[audible], 1e-9)) for gain in gains]
    compared = audible & loud[0] & loud[1]
    centroids = [measure(sound, ["centroid"])["centroid"][compared] for sound in (original, decoded)]
    return TransferScore(
        pitch=raw_pitch_accuracy(after[both], before[both] * 2 ** (semitones / 12), 50) if both.any() else np.nan,
        voiced=float(100 * both.sum() / max(np.isfinite(before).sum(), 1)),
        level=float(np.mean(np.abs(levels[0] - levels[1]))),
        centroid=rank_correlation(centroids[1], centroids[0]),
    )
