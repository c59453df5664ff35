"""From the spectra of overlapping frames to one sound of the gain that was asked for.

Notebook: 04_target_decode.
"""

from collections.abc import Iterable

import numpy as np

from timbrelib.audio.frames import HOP, N_FFT, frame_gain

EDGE = 16  # samples (0.7 ms) over which a sound begins and ends
GAIN_CORRECTIONS = 5  # corrections of the gain that the overlap of unlike frames has changed


def overlap_add(spectra: Iterable[np.ndarray], n_frames: int) -> np.ndarray:
    """Make sound whose STFT is as near as can be to the frames given.

    Griffin and Lim, "Signal estimation from modified short-time Fourier transform", IEEE Trans.
    ASSP 32(2), 1984.

    Parameters
    ----------
    spectra : iterable of ndarray, complex64, (frames in the block, N_BINS)
    n_frames : int
        Of all blocks together.

    Returns
    -------
    ndarray, float32, (max(1, n_frames - 1) * HOP,)
        From the centre of the first frame to that of the last.
    """
    from scipy.fft import irfft
    from scipy.signal import get_window

    quarters = N_FFT // HOP
    window = get_window("hann", N_FFT)
    hops = np.zeros((n_frames + quarters - 1, HOP), dtype=np.float32)
    start = 0
    for spectrum in spectra:
        stop = start + len(spectrum)
        waves = window * irfft(spectrum, n=N_FFT, axis=1)  # (block, N_FFT)
        for quarter in reversed(range(quarters)):  # the frames of each hop in their order
            hops[start + quarter : stop + quarter] += waves[:, quarter * HOP : (quarter + 1) * HOP]
        start = stop
    inner = slice(quarters // 2, quarters // 2 + max(1, n_frames - 1))
    return (hops[inner] / overlap_weight(window, n_frames)[inner]).ravel()  # (hops, HOP) -> (n,)


def overlap_weight(window: np.ndarray, n_frames: int) -> np.ndarray:
    """Add up the squares of overlapping windows, float64 (N_FFT,), float32 (n_frames + 3, HOP)."""
    quarters = N_FFT // HOP
    squared = np.square(window).reshape(quarters, HOP)  # (N_FFT,) -> (quarters, HOP)
    few = min(n_frames, quarters)  # of more, each adds a hop like the one in the middle
    weight = np.zeros((few + quarters - 1, HOP), dtype=np.float32)
    for frame in range(few):
        weight[frame : frame + quarters] += squared
    times = np.ones(len(weight), dtype=int)
    times[few - 1] += n_frames - few
    return np.repeat(weight, times, axis=0)


def fade_ends(audio: np.ndarray) -> np.ndarray:
    """Let a sound, float32 (n,), begin and end at zero, in place: cut off elsewhere it clicks over all frequencies."""
    ramp = (np.arange(min(EDGE, len(audio) // 2), dtype=np.float32) + 0.5) / EDGE
    audio[: len(ramp)] *= ramp
    audio[len(audio) - len(ramp) :] *= ramp[::-1]
    return audio


def restore_gain(audio: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Scale a sound along time, in place, until its frames have the gain that was asked for.

    Where neighbouring frames differ, their overlap interferes and changes the loudness.

    Parameters
    ----------
    audio : ndarray, float32, (n,)
    gain : ndarray, float, (frames,)

    Returns
    -------
    ndarray, float32, (n,)
    """
    hops = audio.reshape(-1, HOP)  # (n,) -> (hops, HOP)
    across = np.arange(HOP, dtype=np.float32) / HOP  # of the way from one frame to the next
    wanted = np.append(gain, gain[-1])[: len(hops) + 1]  # (hops + 1,): a single frame lasts a hop as well
    for _ in range(GAIN_CORRECTIONS):
        measured = frame_gain(hops.ravel())
        ratio = np.divide(wanted, measured, out=np.zeros(len(wanted)), where=measured > 1e-9).astype(np.float32)
        hops *= ratio[:-1, None] + np.diff(ratio)[:, None] * across
    return hops.ravel()
