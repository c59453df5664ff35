"""Noise: white noise filtered by the magnitude spectra, frame by frame.

The decoder of Bitton, Esling and Harada, "Vector-Quantized Timbre Representation", 2020
(arXiv 2007.06349, section 3): every frame of the STFT of white noise is multiplied by the
magnitude spectrum of its code, a subtractive synthesis without any periodicity.

Notebook: 05_target_decode.
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from timbrelib.audio.frames import HOP, N_FFT, hann_window


def white_noise(seed: int, n_frames: int, block: int) -> Iterator[np.ndarray]:
    """Draw white noise and transform its frames, a block at a time.

    Parameters
    ----------
    seed : int
    n_frames : int
    block : int
        Frames in a block.

    Yields
    ------
    ndarray, complex64, (frames in the block, N_BINS)
    """
    from scipy.fft import rfft

    random = np.random.default_rng(seed)
    shared = random.standard_normal(N_FFT - HOP, dtype=np.float32)  # samples under both this block and the next
    for start in range(0, n_frames, block):
        fresh = random.standard_normal(min(block, n_frames - start) * HOP, dtype=np.float32)
        samples = np.concatenate([shared, fresh])
        shared = samples[len(samples) - (N_FFT - HOP) :]
        frames = sliding_window_view(samples, N_FFT)[::HOP]  # (frames, N_FFT)
        yield rfft(frames * hann_window(np.float32), axis=1)


def filter_noise(white: Iterator[np.ndarray], spectra: np.ndarray, rows: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Filter the next block of frames of white noise.

    Parameters
    ----------
    white : iterator of ndarray, complex64, (frames, N_BINS)
        From `white_noise`.
    spectra : ndarray, float32, (distinct, N_BINS)
    rows : ndarray, int64, (frames,)
        Spectrum of each frame.
    gain : ndarray, float32, (frames, 1)

    Returns
    -------
    ndarray, complex64, (frames, N_BINS)
    """
    level = np.sqrt(np.square(hann_window(np.float32)).sum())  # RMS magnitude of a bin of the transform
    magnitude = spectra[rows]  # (frames, N_BINS)
    magnitude *= gain / level
    return next(white) * magnitude
