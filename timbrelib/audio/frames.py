"""The frame grid that the whole library shares, and magnitude spectra on it.

A frame is 2048 samples under a Hann window, one every 512 samples, the first centred on
sample 0.  Its level is the gain g; its magnitude spectrum at unit gain is the timbre.

Notebooks: 01_train, 06_draw_target.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from timbrelib.audio.parallel import in_threads

SAMPLE_RATE = 22_050  # Hz
N_FFT = 2048  # samples in a frame
HOP = 512  # samples from one frame to the next
OVERLAP = N_FFT // HOP  # frames that cover each sample
N_BINS = N_FFT // 2 + 1
FRAME_RATE = SAMPLE_RATE / HOP  # Hz
BLOCK = 4096  # frames held in memory at a time, so that an hour of sound fits
FFT_BLOCK = 128  # frames transformed at a time, few enough for the processor's cache


def frame_count(n_samples: int) -> int:
    """Count the frames of `n_samples` samples: one more than its complete hops."""
    return 1 + n_samples // HOP


def frame_times(n_frames: int) -> np.ndarray:
    """Centres of frames in seconds, float64 (n_frames,)."""
    return np.arange(n_frames) * (HOP / SAMPLE_RATE)


def seconds_to_frames(seconds: float) -> int:
    """Count the frames whose centres lie within `seconds` of the first."""
    return int(np.floor(seconds * FRAME_RATE + 1e-6)) + 1


@cache
def hann_window(dtype: type = np.float64) -> np.ndarray:
    """Return the window of a frame, periodic, (N_FFT,), with float values of a `dtype`; the same array every time."""
    from scipy.signal import get_window

    window = get_window("hann", N_FFT).astype(dtype)
    window.setflags(write=False)
    return window


def framed(audio: np.ndarray) -> np.ndarray:
    """View a sound, float32 (n,), as its overlapping frames, without a window: (frames, N_FFT)."""
    return sliding_window_view(np.pad(audio, N_FFT // 2), N_FFT)[::HOP]


def spectrum_blocks(audio: np.ndarray, centres: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """Magnitude spectra of the frames of a sound, one block of frames at a time.

    Parameters
    ----------
    audio : ndarray, float32, (n,)
    centres : ndarray, int, (frames,), optional
        Samples, of 0..n, on which frames are centred instead of the frame grid.

    Yields
    ------
    ndarray, float32, (frames in the block, N_BINS)
        |STFT| of the frames; blocks are consecutive and do not overlap.
    """
    from scipy.fft import rfft

    window, frames = hann_window(), sliding_window_view(np.pad(audio, N_FFT // 2), N_FFT)  # (n, N_FFT)
    centres = np.arange(frame_count(len(audio))) * HOP if centres is None else centres

    def transform(some: np.ndarray) -> np.ndarray:
        return np.abs(rfft(frames[some] * window, axis=1).astype(np.complex64))  # (some, N_BINS)

    for start in range(0, len(centres), BLOCK):
        block = centres[start : start + BLOCK]
        few = (block[first : first + FFT_BLOCK] for first in range(0, len(block), FFT_BLOCK))
        yield np.concatenate(list(in_threads(transform, few)))


def spectra(audio: np.ndarray) -> np.ndarray:
    """Magnitude spectra of all frames of `audio` at once, float32 (n,) -> float32 (frames, N_BINS).

    Examples
    --------
    >>> import numpy as np
    >>> import timbrelib
    >>> sine = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    >>> timbrelib.spectra(sine).shape
    (44, 1025)
    """
    return np.concatenate(list(spectrum_blocks(audio)))


def spectrum_gain(spectrum: np.ndarray) -> np.ndarray:
    """Gain of frames from their magnitude spectra.

    The gain is the RMS of the windowed samples.  By Parseval's theorem it follows from the
    spectrum, in which every bin but the first and last counts twice (negative frequencies).

    Parameters
    ----------
    spectrum : ndarray, (..., N_BINS)

    Returns
    -------
    ndarray, (...)
        Linear gain.
    """
    power = np.square(spectrum)
    two_sided = 2 * power.sum(axis=-1) - power[..., 0] - power[..., -1]
    return np.sqrt(two_sided) / N_FFT


def frame_gain(audio: np.ndarray) -> np.ndarray:
    """Gain of every frame of `audio`, float32 (n,) -> float32 (frames,), computed in the time domain.

    Examples
    --------
    >>> import numpy as np
    >>> import timbrelib
    >>> gain = timbrelib.frame_gain(np.ones(22050, np.float32))
    >>> print(gain.shape, gain[20].round(3))  # under a Hann window, sqrt(3 / 8)
    (44,) 0.612
    """
    n_frames = frame_count(len(audio))
    weight = np.square(hann_window()).astype(np.float32).reshape(OVERLAP, HOP)  # (N_FFT,) -> (OVERLAP, HOP)
    power = np.square(np.pad(audio, N_FFT // 2)[: (n_frames + OVERLAP - 1) * HOP]).reshape(-1, HOP)  # (hops, HOP)
    # not a matrix product, whose threads would go on waiting for more work and slow down what comes next
    share = np.vecdot(power[:, None], weight)  # (hops, OVERLAP), energy of each hop at each place under the window
    energy = sum(share[place : place + n_frames, place] for place in range(OVERLAP))  # (frames,)
    return np.sqrt(energy / N_FFT)
