"""Noise: white noise filtered by the magnitude spectra, frame by frame.

The decoder of Bitton, Esling and Harada, "Vector-Quantized Timbre Representation", 2020
(arXiv 2007.06349, section 3): every frame of the STFT of white noise is multiplied by the
magnitude spectrum of its code, a subtractive synthesis without any periodicity.

Notebook: 05_target_decode.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from timbrelib.audio.frames import HOP, N_FFT
from timbrelib.audio.parallel import thread_count


class FilteredNoise:
    """White noise, drawn block by block, that takes the spectra of frames.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.shared = self.draw(N_FFT - HOP)  # samples under both this block of frames and the next

    def draw(self, count: int) -> np.ndarray:
        """Draw samples of white noise, float32 (count,)."""
        return self.random.standard_normal(count, dtype=np.float32)

    def play(self, spectra: np.ndarray, rows: np.ndarray, gain: np.ndarray) -> np.ndarray:
        """Filter the next block of frames.

        Parameters
        ----------
        spectra : ndarray, float32, (distinct, N_BINS)
        rows : ndarray, int64, (frames,)
            Spectrum of each frame.
        gain : ndarray, float32, (frames, 1)

        Returns
        -------
        ndarray, complex64, (frames, N_BINS)
        """
        from scipy.fft import rfft
        from scipy.signal import get_window

        window = get_window("hann", N_FFT).astype(np.float32)
        level = np.sqrt(np.square(window).sum())  # RMS magnitude of a bin of the transform
        samples = np.concatenate([self.shared, self.draw(len(rows) * HOP)])
        self.shared = samples[len(samples) - (N_FFT - HOP) :]
        frames = sliding_window_view(samples, N_FFT)[::HOP]  # (frames, N_FFT)
        magnitude = spectra[rows]  # (frames, N_BINS)
        magnitude *= gain / level
        transform = rfft(frames * window, axis=1, workers=thread_count())  # (frames, N_BINS)
        transform *= magnitude
        return transform
