"""How much of each bin of a recording is noise rather than partials.

All bins under the main lobe of a partial show the same instantaneous frequency; bins of noise
do not.  The instantaneous frequency of a bin follows from a second transform under the
derivative of the window (Auger and Flandrin, "Improving the readability of time-frequency and
time-scale representations by the reassignment method", IEEE Trans. Signal Processing 43(5),
1995), and its scatter over neighbouring bins separates the sines and the noise of Serra and
Smith, "Spectral modeling synthesis", Computer Music Journal 14(4), 1990.

Notebook: 01_train.
"""

from collections.abc import Iterator

import numpy as np

from timbrelib.audio.frames import BLOCK, FFT_BLOCK, N_BINS, N_FFT, framed, hann_window

SCATTER = 0.2  # standard deviation, in bins, of the instantaneous frequency where half of the energy counts as noise


def noise_share_blocks(audio: np.ndarray) -> Iterator[np.ndarray]:
    """Share of noise in each bin of the frames of a sound, in the blocks of `timbrelib.audio.frames.spectrum_blocks`.

    Parameters
    ----------
    audio : ndarray, float32, (n,)

    Yields
    ------
    ndarray, uint8, (frames in the block, N_BINS)
        From 0 (a partial) to 255 (noise).
    """
    frames = framed(audio)  # (n_frames, N_FFT)
    for start in range(0, len(frames), BLOCK):
        block = frames[start : start + BLOCK]
        parts = [_noise_share(block[first : first + FFT_BLOCK]) for first in range(0, len(block), FFT_BLOCK)]
        yield np.rint(255 * np.concatenate(parts)).astype(np.uint8)


def _noise_share(frames: np.ndarray) -> np.ndarray:
    """Share of noise of some frames, (frames, N_FFT), float64 (frames, N_BINS)."""
    from scipy.fft import rfft

    window = hann_window()
    angle = 2 * np.pi / N_FFT
    derivative = 0.5 * angle * np.sin(angle * np.arange(N_FFT))  # of the window, per sample
    spectrum = rfft(frames * window, axis=1)  # (frames, N_BINS)
    power = np.square(np.abs(spectrum)) + 1e-12
    offset = -(rfft(frames * derivative, axis=1) * spectrum.conj()).imag / power / angle  # in bins
    frequency = offset + np.arange(N_BINS)  # instantaneous frequency in bins
    mean, square, total = (
        _neighbourhood(power * weight) for weight in (frequency, np.square(frequency), np.ones(N_BINS))
    )
    mean /= total
    variance = np.maximum(square / total - np.square(mean), 0)
    # squared, since the frequencies of a partial with vibrato scatter a little as well
    return np.square(variance / (variance + SCATTER**2))


def _neighbourhood(values: np.ndarray) -> np.ndarray:
    """Sum each bin of (frames, N_BINS) with its two neighbours."""
    padded = np.pad(values, ((0, 0), (1, 1)))  # (frames, N_BINS + 2)
    return padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
