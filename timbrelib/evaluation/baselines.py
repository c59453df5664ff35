"""What a user could pick instead of a matched path: random codes, sorted codes, grains of recordings.

Notebooks: 06_scorecard, 10_sorted_codebook.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from timbrelib.audio.frames import HOP, N_FFT, frame_gain
from timbrelib.codebook import values
from timbrelib.control.matching import render_codes
from timbrelib.control.rendering import Rendering
from timbrelib.descriptors import descriptor, measure
from timbrelib.model.vqvae import DEFAULT_GAIN, VQVAE
from timbrelib.recordings.corpus import Recording


def random_codes(table: np.ndarray, name: str, n_frames: int, seed: int = 0) -> np.ndarray:
    """Draw codes that have a descriptor, whatever its value, int64 (n_frames,)."""
    codes, _ = values(table, name)
    return np.random.default_rng(seed).choice(codes, n_frames)


def sorted_codes(table: np.ndarray, name: str, n_frames: int) -> np.ndarray:
    """Traverse all codes from the lowest value of a descriptor to the highest, evenly, int64 (n_frames,)."""
    codes, value = values(table, name)
    return codes[value.argsort()][np.arange(n_frames) * len(codes) // n_frames]


def traverse(model: VQVAE, table: np.ndarray, name: str) -> Rendering:
    """Play all codes that have a descriptor, a frame each, from its lowest value to its highest.

    The traversal of the codebook of Bitton, Esling and Harada, "Vector-Quantized Timbre
    Representation", 2020 (arXiv 2007.06349).

    Parameters
    ----------
    model : VQVAE
    table : ndarray, structured, (n_codes,)
        Its own, from `timbrelib.analyse_codebook`.
    name : str
        A descriptor.

    Returns
    -------
    Rendering
        Its target is the codes' own values.
    """
    codes = sorted_codes(table, name, len(values(table, name)[0]))
    return render_codes(model, table, {name: table[name][codes]}, codes)


@dataclass(frozen=True)
class Grains:
    """The frames of a corpus that have a descriptor.

    Attributes
    ----------
    name : str
        The descriptor.
    sound : ndarray, float32, (n,)
        All recordings, one after the other, with silence around each.
    start : ndarray, int64, (grains,)
        First sample of each grain in `sound`; it lasts N_FFT samples.
    gain, value : ndarray, float, (grains,)
        Its gain, and the descriptor in its unit.
    """

    name: str
    sound: np.ndarray
    start: np.ndarray
    gain: np.ndarray
    value: np.ndarray


def cut_grains(corpus: Iterable[Recording], name: str) -> Grains:
    """Cut a corpus into frames, and measure a descriptor on each.

    Parameters
    ----------
    corpus : iterable of Recording
    name : str
        A descriptor; of a fundamental, only pitched frames are taken.

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
        value, gain = measure(recording.audio, name), frame_gain(recording.audio)
        usable = np.isfinite(value) & (gain > 0.01 * gain.max())
        starts.append(length + np.flatnonzero(usable) * HOP)
        gains.append(gain[usable])
        known.append(value[usable])
        sounds.append(np.pad(recording.audio, N_FFT // 2))  # so that frame i starts at sample i * HOP
        length += len(sounds[-1])
    if not sum(len(value) for value in known):
        raise ValueError(f"no grain of the recordings has a {name}: give others or choose another descriptor")
    return Grains(name, *(np.concatenate(x) for x in (sounds, starts, gains, known)))


def nearest_grains(grains: Grains, target: np.ndarray) -> np.ndarray:
    """Concatenate for each frame the grain whose descriptor is nearest, in log frequency for a fundamental.

    Corpus-based concatenative synthesis at its simplest (Schwarz, "Corpus-based
    concatenative synthesis", IEEE Signal Processing Magazine 24(2), 2007): grains are
    brought to one gain and overlapped.

    Parameters
    ----------
    grains : Grains
    target : ndarray, float, (frames,)
        In the descriptor's unit.

    Returns
    -------
    ndarray, float32, ((frames - 1) * HOP,)
    """
    from scipy.signal import get_window

    wanted, given = target, grains.value
    if descriptor(grains.name).log:
        wanted, given = np.log2(wanted), np.log2(given)
    order = given.argsort()
    after = np.searchsorted(given[order], wanted)
    low, high = order[(after - 1).clip(0)], order[after.clip(max=len(given) - 1)]
    grain = np.where(np.abs(wanted - given[low]) < np.abs(given[high] - wanted), low, high)  # (frames,)
    window = get_window("hann", N_FFT)
    out, overlap = np.zeros((2, (len(target) - 1) * HOP + N_FFT))
    for frame, chosen in enumerate(grain):
        place = slice(frame * HOP, frame * HOP + N_FFT)
        start = grains.start[chosen]
        out[place] += window * grains.sound[start : start + N_FFT] * (DEFAULT_GAIN / grains.gain[chosen])
        overlap[place] += window
    middle = slice(N_FFT // 2, len(out) - N_FFT // 2)
    return (out[middle] / overlap[middle]).astype(np.float32)
