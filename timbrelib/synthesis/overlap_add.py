"""From complex spectra of overlapping frames to one sound with the requested gain.

The overlap-add of Griffin and Lim, "Signal estimation from modified short-time Fourier
transform", IEEE Trans. ASSP 32(2), 1984, in blocks, then a correction of the gain.

Notebook: 05_target_decode.
"""

from collections.abc import Iterable

import numpy as np

from timbrelib.audio.frames import HOP, N_FFT, OVERLAP, frame_gain, hann_window
from timbrelib.audio.parallel import thread_count

EDGE = 16  # samples (0.7 ms) over which a sound fades in and out
GAIN_CORRECTIONS = 5  # iterations of `restore_gain`


def overlap_add(blocks: Iterable[np.ndarray], n_frames: int) -> np.ndarray:
    """Synthesise the sound whose STFT is closest, in the least-squares sense, to given frames.

    Parameters
    ----------
    blocks : iterable of ndarray, complex64, (frames in the block, N_BINS)
    n_frames : int
        Of all blocks together.

    Returns
    -------
    ndarray, float32, (max(1, n_frames - 1) * HOP,)
        From the centre of the first frame to that of the last.
    """
    from scipy.fft import irfft

    window = hann_window(np.float32)
    hops = np.zeros((n_frames + OVERLAP - 1, HOP), dtype=np.float32)
    start = 0
    for spectrum in blocks:
        stop = start + len(spectrum)
        waves = irfft(spectrum, n=N_FFT, axis=1, workers=thread_count())  # (block, N_FFT)
        waves *= window
        for place in reversed(range(OVERLAP)):  # so that each hop sums its frames in their order
            hops[start + place : stop + place] += waves[:, place * HOP : (place + 1) * HOP]
        start = stop
    inner = slice(OVERLAP // 2, OVERLAP // 2 + max(1, n_frames - 1))
    return (hops[inner] / overlap_weight(window, n_frames)[inner]).ravel()  # (hops, HOP) -> (n,)


def overlap_weight(window: np.ndarray, n_frames: int) -> np.ndarray:
    """Sum the squares of overlapping windows, float32 (N_FFT,) -> float32 (n_frames + OVERLAP - 1, HOP)."""
    squared = np.square(window).reshape(OVERLAP, HOP)  # (N_FFT,) -> (OVERLAP, HOP)
    few = min(n_frames, OVERLAP)  # every further frame adds a hop equal to the middle one
    weight = np.zeros((few + OVERLAP - 1, HOP), dtype=np.float32)
    for frame in range(few):
        weight[frame : frame + OVERLAP] += squared
    times = np.ones(len(weight), dtype=int)
    times[few - 1] += n_frames - few
    return np.repeat(weight, times, axis=0)


def fade_ends(audio: np.ndarray) -> np.ndarray:
    """Fade a sound, float32 (n,), in and out over `EDGE` samples, in place: an abrupt end clicks."""
    ramp = (np.arange(min(EDGE, len(audio) // 2), dtype=np.float32) + 0.5) / EDGE
    audio[: len(ramp)] *= ramp
    audio[len(audio) - len(ramp) :] *= ramp[::-1]
    return audio


def restore_gain(audio: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Scale a sound over time, in place, until its frames have the requested gain.

    Where neighbouring frames differ, they interfere in their overlap, which changes the level.

    Parameters
    ----------
    audio : ndarray, float32, (n,)
    gain : ndarray, float, (frames,)

    Returns
    -------
    ndarray, float32, (n,)
    """
    hops = audio.reshape(-1, HOP)  # (n,) -> (hops, HOP)
    position = np.arange(HOP, dtype=np.float32) / HOP  # from one frame (0) to the next (1)
    requested = np.append(gain, gain[-1])[: len(hops) + 1]  # (hops + 1,): a single frame also lasts one hop
    scale = np.empty_like(hops)
    for _ in range(GAIN_CORRECTIONS):
        measured = frame_gain(hops.ravel())
        ratio = np.divide(requested, measured, out=np.zeros(len(requested)), where=measured > 1e-9).astype(np.float32)
        np.multiply(np.diff(ratio)[:, None], position, out=scale)
        scale += ratio[:-1, None]
        hops *= scale
    return hops.ravel()  # (hops, HOP) -> (n,)
