"""Spectra in decibels, what of them is audible, and how far apart two of them are.

Notebooks: 01_train, 08_timbre_transfer.
"""

import numpy as np

from timbrelib.audio.frames import N_FFT

MIN_LEVEL = -80.0  # dB relative to the energy of a frame; fainter bins are inaudible and clipped to it
SILENCE = 1e-4  # gain (-80 dB) below which a 16-bit file holds more of its own rounding than of any timbre
AUDIBLE_BIN = 60.0  # dB below the loudest bin; fainter bins are masked and not scored
CEPSTRUM = 64  # coefficients, which resolve the partials of notes above 340 Hz and the envelope of all
MEASURABLE = 1e-3  # gain (-60 dB) below which rounding to 16 bits moves the centroid of most violin frames by 1 %
PAIRS = 20_000  # of which the median distance is estimated
AUDIBLE_FRAME = 40.0  # dB below the loudest frame of a sound; quieter frames are not scored by HNR and flux


def is_silent(audio: np.ndarray) -> bool:
    """Whether a sound, float (n,), never exceeds `SILENCE`."""
    return not np.any(np.abs(audio) > SILENCE)


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

    Examples
    --------
    >>> import numpy as np
    >>> import timbrelib
    >>> sine = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> level = timbrelib.unit_level(timbrelib.spectra(sine), timbrelib.frame_gain(sine))
    >>> print(level.shape, level[20].argmax(), level.min())  # bin 41 is at 441 Hz
    (44, 1025) 41 -80.0
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


def cepstral_points(spectra: np.ndarray) -> tuple[np.ndarray, float]:
    """Points whose distances are those of spectra: the first `CEPSTRUM` cepstral coefficients of their audible levels.

    Parameters
    ----------
    spectra : ndarray, float32, (n_codes, N_BINS)

    Returns
    -------
    points : ndarray, float32, (n_codes, CEPSTRUM)
        Scaled to a median distance of 1.
    median : float
        The distance, in dB, that is scaled to 1.
    """
    from scipy.fft import dct

    points = dct(audible_level(spectra), norm="ortho", axis=1)[:, :CEPSTRUM]  # (n_codes, CEPSTRUM)
    points -= points.mean(axis=0)
    first, second = np.random.default_rng(0).integers(0, len(points), (2, PAIRS))  # (PAIRS,) each
    median = max(float(np.median(np.linalg.norm(points[first] - points[second], axis=1))), 1e-9)
    return (points / median).astype(np.float32), median


def audible_frames(gain: np.ndarray) -> np.ndarray:
    """Frames, given by their gains (frames,), that are at most `AUDIBLE_FRAME` below the loudest, bool (frames,)."""
    return gain > gain.max() * 10 ** (-AUDIBLE_FRAME / 20)


def measurable_frames(gain: np.ndarray) -> np.ndarray:
    """Frames of a 16-bit sound, given by their gains (frames,), that are louder than `MEASURABLE`, bool (frames,)."""
    return gain > MEASURABLE
