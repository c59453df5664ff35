"""Transpose a sound into the pitch range of a model.

Notebook: 08_timbre_transfer.
"""

from dataclasses import dataclass

import numpy as np

from timbrelib.audio.frames import SAMPLE_RATE, frame_gain
from timbrelib.audio.levels import SILENCE
from timbrelib.audio.sound_files import clean_audio, round_to_16_bits
from timbrelib.codebook.table import Codebook
from timbrelib.control.melody import octave_shift, track_voiced


@dataclass(frozen=True)
class Transposed:
    """A sound and its transposition into the range of a model.

    Attributes
    ----------
    original, transposed : ndarray, float32, (n,)
    semitones : float
    gain : ndarray, float32, (frames,)
        The original's.
    f0 : ndarray, float64, (frames,)
        The original's fundamental in Hz.
    voiced : ndarray, bool, (frames,)
        Where it has one.
    """

    original: np.ndarray
    transposed: np.ndarray
    semitones: float
    gain: np.ndarray
    f0: np.ndarray
    voiced: np.ndarray


def transpose(codebook: Codebook, audio: np.ndarray, semitones: float | None) -> Transposed:
    """Transpose a sound, float (n,), by semitones, or by the octaves that bring it into the range of a codebook.

    Raises
    ------
    ValueError
        `audio` is empty, silent, not mono, or contains NaN.
    """
    import librosa

    audio = round_to_16_bits(clean_audio(audio))  # as the original is saved, which the score is true of
    gain = frame_gain(audio)
    if gain.max() <= SILENCE:
        raise ValueError("the sound is silent: give another")
    f0, voiced = track_voiced(audio)
    if semitones is None:
        pitched = voiced.any() and np.isfinite(codebook["fundamental"]).any()
        semitones = 12 * octave_shift(f0[voiced], *codebook.percentile_range("fundamental")) if pitched else 0
    shifted = librosa.effects.pitch_shift(audio, sr=SAMPLE_RATE, n_steps=semitones) if semitones else audio
    return Transposed(audio, shifted, semitones, gain, f0, voiced)
