"""Transpose a sound into the pitch range of a model, and its brightness into the range that it has there.

Notebook: 08_timbre_transfer.
"""

import logging
from dataclasses import dataclass

import numpy as np

from timbrelib.audio.frames import HOP, SAMPLE_RATE, frame_count, frame_gain, spectrum_blocks
from timbrelib.audio.levels import SILENCE, audible_frames
from timbrelib.audio.sound_files import clean_audio
from timbrelib.audio.sound_output import round_to_16_bits
from timbrelib.codebook.table import INNER, Codebook
from timbrelib.control.melody import hold, octave_shift, track_voiced
from timbrelib.descriptors import measure

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Transposed:
    """A sound and its transposition into the range of a model.

    Attributes
    ----------
    original : ndarray, float32, (n,)
    spectrum : ndarray, float32, (frames, N_BINS)
        Magnitudes of the transposed sound.
    semitones : float
    gain : ndarray, float32, (frames,)
        The original's.
    f0 : ndarray, float64, (frames,)
        The original's fundamental in Hz.
    voiced : ndarray, bool, (frames,)
        Where it has one.
    """

    original: np.ndarray
    spectrum: np.ndarray
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
    audio = round_to_16_bits(clean_audio(audio))  # as the original is saved, which the score is true of
    gain = frame_gain(audio)
    if gain.max() <= SILENCE:
        raise ValueError("the sound is silent: give another")
    f0, voiced = track_voiced(audio)
    if semitones is None:
        pitched = voiced.any() and np.isfinite(codebook["fundamental"]).any()
        semitones = 12 * octave_shift(f0[voiced], *codebook.percentile_range("fundamental")) if pitched else 0
    return Transposed(audio, transposed_spectra(audio, semitones), semitones, gain, f0, voiced)


def transposed_spectra(audio: np.ndarray, semitones: float) -> np.ndarray:
    """Magnitude spectra of a sound, float32 (n,), played faster or slower, at its own times: (frames, N_BINS)."""
    import soxr

    ratio = 2 ** (semitones / 12)
    faster = soxr.resample(audio, SAMPLE_RATE * ratio, SAMPLE_RATE)
    centres = np.rint(np.arange(frame_count(len(audio))) * HOP / ratio).astype(int)  # (frames,)
    return np.concatenate(list(spectrum_blocks(faster, centres.clip(max=len(faster)))))


def reachable_centroid(codebook: Codebook, audio: np.ndarray, gain: np.ndarray, notes: np.ndarray) -> np.ndarray:
    """Shift the centroid of a sound into the range that the codebook has at all pitches of the sound.

    Parameters
    ----------
    codebook : Codebook
    audio : ndarray, float32, (n,)
    gain : ndarray, float, (frames,)
        The sound's; inaudible frames hold the centroid of the nearest audible one.
    notes : ndarray, float, (n,)
        Fundamentals in Hz.

    Returns
    -------
    ndarray, float64, (frames,)
        In Hz; narrowed only if it is wider than the range.
    """
    centroid = measure(audio, ["centroid"])["centroid"]
    known = np.isfinite(centroid) & audible_frames(gain)
    low, high = np.percentile(centroid[known], INNER)
    dark, bright = centroid_range(codebook, notes)
    width = min(1, (bright - dark) / max(high - low, 1e-9))
    shift = max(dark - low, 0) + min(bright - (low + width * (high - low)), 0)
    return low + width * (hold(centroid, known).clip(low, high) - low) + shift


def centroid_range(codebook: Codebook, notes: np.ndarray) -> tuple[float, float]:
    """Range of centroids, in Hz, that the codebook has at all pitches; if there is none, that of all codes."""
    if len(notes):
        try:
            return codebook.joint_range("centroid", "fundamental", *np.percentile(notes, INNER))
        except ValueError:
            log.warning("no centroid is common to all pitches of the sound: some notes will be darker or brighter")
    return codebook.percentile_range("centroid")
