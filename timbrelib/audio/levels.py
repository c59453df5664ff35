"""Spectra in decibels, what of them is audible, and how far apart two of them are.

Notebooks: 01_train, 07_timbre_transfer.
"""

import numpy as np

from timbrelib.audio.frames import N_FFT

MIN_LEVEL = -80.0  # dB relative to the energy of a frame; fainter bins are inaudible and clipped to it
SILENCE = 1e-4  # gain (-80 dB) below which a 16-bit file holds more of its own rounding than of any timbre
AUDIBLE_BIN = 60.0  # dB below the loudest bin; fainter bins are masked and not scored
AUDIBLE_FRAME = 40.0  # dB below the loudest frame of a sound; quieter frames are not scored by HNR and flux


def unit_level(spectrum: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Normalise magnitude spectra to unit gain, in dB relative to the energy of the frame.

    Parameters
    ----------
    spectrum : ndarray, float32, (frames, N_BINS)
    gain : ndarray, float32, (frames,)

    Returns
    -------
    ndarray, float32, (frames, N_BINS)
        At least `MIN_LEVEL`, which is also the flat spectrum of silence.
    """
    energy = N_FFT * gain[:, None]  # (frames, 1)
    share = np.divide(spectrum, energy, out=np.zeros_like(spectrum), where=energy > 0)
    return 20 * np.log10(np.maximum(share, 10 ** (MIN_LEVEL / 20), dtype=np.float32))


def audible_level(spectra: np.ndarray) -> np.ndarray:
    """Spectra in dB below the loudest bin of each, (n, N_BINS), clipped `AUDIBLE_BIN` below it.

    Computed in float64, whose sums round to the same float32 with any number of threads.
    """
    spectra = spectra.astype(np.float64)
    loudest = np.maximum(spectra.max(axis=1, keepdims=True), 1e-9)  # (n, 1)
    return 20 * np.log10(np.maximum(spectra / loudest, 10 ** (-AUDIBLE_BIN / 20)))


def pairwise_distance(spectra: np.ndarray) -> np.ndarray:
    """Pairwise distance of spectra: RMS difference of their audible levels, scaled to a median of 1.

    Parameters
    ----------
    spectra : ndarray, float32, (n_codes, N_BINS)

    Returns
    -------
    ndarray, float32, (n_codes, n_codes)
    """
    level = audible_level(spectra)  # (n_codes, N_BINS)
    square = np.square(level).sum(axis=1)  # (n_codes,)
    distance = np.sqrt(np.maximum(square[:, None] + square - 2 * level @ level.T, 0))  # (n_codes, n_codes)
    return (distance / max(np.median(distance), 1e-9)).astype(np.float32)


def audible_frames(gain: np.ndarray) -> np.ndarray:
    """Frames, given by their gains (frames,), that are at most `AUDIBLE_FRAME` below the loudest, bool (frames,)."""
    return gain > gain.max() * 10 ** (-AUDIBLE_FRAME / 20)
