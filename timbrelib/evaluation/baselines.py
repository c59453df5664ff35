"""Alternatives to a searched path: random codes, sorted codes, grains of recordings.

Notebook: 10_evaluation.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from timbrelib.audio.frames import HOP, N_FFT, frame_gain, hann_window
from timbrelib.codebook.table import Codebook
from timbrelib.descriptors import descriptor, measure
from timbrelib.model.vqvae import DEFAULT_GAIN
from timbrelib.recordings.corpus import Recording


def random_codes(codebook: Codebook, name: str, n_frames: int, seed: int = 0) -> np.ndarray:
    """Draw codes at random from those that have a descriptor, int64 (n_frames,)."""
    codes, _ = codebook.values(name)
    return np.random.default_rng(seed).choice(codes, n_frames)


def sorted_codes(codebook: Codebook, name: str, n_frames: int) -> np.ndarray:
    """Traverse the codes evenly from the lowest value of a descriptor to the highest, int64 (n_frames,)."""
    codes = codebook.sorted_codes(name)
    return codes[np.arange(n_frames) * len(codes) // n_frames]


@dataclass(frozen=True)
class Grains:
    """The frames of a corpus that have a descriptor.

    Attributes
    ----------
    name : str
        The descriptor.
    sound : ndarray, float32, (n,)
        All recordings in succession, with silence around each.
    start : ndarray, int64, (grains,)
        First sample of each grain in `sound`; a grain has N_FFT samples.
    gain, value : ndarray, float, (grains,)
        Gain of each grain, and its descriptor in the descriptor's unit.
    """

    name: str
    sound: np.ndarray
    start: np.ndarray
    gain: np.ndarray
    value: np.ndarray


def cut_grains(corpus: Iterable[Recording], name: str) -> Grains:
    """Cut a corpus into frames and measure a descriptor on each.

    Parameters
    ----------
    corpus : iterable of Recording
    name : str
        A descriptor; for a fundamental, only pitched frames become grains.

    Returns
    -------
    Grains

    Raises
    ------
    ValueError
        No frame has the descriptor.
    """
    sounds, starts, gains, known, length = [], [], [], [], 0
    for recording in corpus:
        value, gain = measure(recording.audio, [name])[name], frame_gain(recording.audio)
        usable = np.isfinite(value) & (gain > 0.01 * gain.max())
        starts.append(length + np.flatnonzero(usable) * HOP)
        gains.append(gain[usable])
        known.append(value[usable])
        sounds.append(np.pad(recording.audio, N_FFT // 2))  # so that frame i starts at sample i * HOP
        length += len(sounds[-1])
    if not sum(len(value) for value in known):
        raise ValueError(f"no frame of the recordings has a {name}: give others or choose another descriptor")
    return Grains(name, *(np.concatenate(x) for x in (sounds, starts, gains, known)))


def nearest_grains(grains: Grains, target: np.ndarray) -> np.ndarray:
    """Concatenate the grains whose descriptor is nearest to each frame of a target.

    This is corpus-based concatenative synthesis at its simplest (Schwarz, "Corpus-based
    concatenative synthesis", IEEE Signal Processing Magazine 24(2), 2007): grains are
    normalised to one gain and overlapped.

    Parameters
    ----------
    grains : Grains
    target : ndarray, float, (frames,)
        In the descriptor's unit; a fundamental is compared in log frequency.

    Returns
    -------
    ndarray, float32, ((frames - 1) * HOP,)
    """
    wanted, given = target, grains.value
    if descriptor(grains.name).log:
        wanted, given = np.log2(wanted), np.log2(given)
    order = given.argsort()
    after = np.searchsorted(given[order], wanted)
    low, high = order[(after - 1).clip(0)], order[after.clip(max=len(given) - 1)]
    nearest = np.where(np.abs(wanted - given[low]) < np.abs(given[high] - wanted), low, high)  # (frames,)
    window = hann_window()
    out, overlap = np.zeros((2, (len(target) - 1) * HOP + N_FFT))
    for frame, grain in enumerate(nearest):
        place = slice(frame * HOP, frame * HOP + N_FFT)
        start = grains.start[grain]
        out[place] += window * grains.sound[start : start + N_FFT] * (DEFAULT_GAIN / grains.gain[grain])
        overlap[place] += window
    middle = slice(N_FFT // 2, len(out) - N_FFT // 2)
    return (out[middle] / overlap[middle]).astype(np.float32)
