"""synthesis.locked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from timbrelib.audio.frames import HOP, N_BINS, N_FFT
from timbrelib.synthesis.blending import BLOCK, fade_changes


@dataclass(frozen=True)
class Tracks:
    """The peaks of a block of frames, frame after frame, each running on from one of the frame before.

    Attributes
    ----------
    edges : ndarray, int64, (frames + 1,)
        Where each frame begins among the peaks, and their number.
    source : ndarray, int64, (peaks,)
        From which peak of the frame before each runs on, counted from that frame's first.
    flip : ndarray, float64, (peaks,)
        Turns by which its bin was ahead of that peak.
    advance : ndarray, float32, (peaks,)
        Turns that it makes from the one frame to the other.
    magnitude : ndarray, float32, (frames, N_BINS)
    turn : ndarray, int64, (frames, N_BINS)
        Twice the peak that each bin is locked to, and one more where it is half a turn away from it.
    """

    edges: np.ndarray
    source: np.ndarray
    flip: np.ndarray
    advance: np.ndarray
    magnitude: np.ndarray
    turn: np.ndarray


def locked_spectra(table: np.ndarray, fades: np.ndarray, gain: np.ndarray) -> Iterator[np.ndarray]:
    """Give frames phases whose peaks run on from frame to frame.

    Parameters
    ----------
    table : ndarray, float32, (n_codes, N_BINS)
    fades : ndarray, int, (frames, 3)
    gain : ndarray, float, (frames,)

    Yields
    ------
    ndarray, complex64, (frames in the block, N_BINS)
    """
    tracks = (track_peaks(table, fades, gain, start) for start in range(0, len(fades), BLOCK))
    for block, turns in locked_turns(tracks):
        yield lock(block, turns)


def track_peaks(table: np.ndarray, fades: np.ndarray, gain: np.ndarray, start: int) -> Tracks:
    """Find the peaks of a block of frames from `start` on; the rest as `locked_spectra`."""
    frames = np.arange(start - 1, min(start + BLOCK, len(fades))).clip(min=0)  # from the one before on
    spectra, rows = fade_changes(table, fades[frames])
    place, advance, first, turn = peak_regions(spectra)
    before, rows = rows[:-1], rows[1:]  # (frames,) each
    n_peaks = np.diff(first)[rows]  # (frames,)
    edges = np.concatenate([[0], n_peaks.cumsum()])
    peak = np.arange(edges[-1]) + np.repeat(first[rows] - edges[:-1], n_peaks)  # (peaks of all frames,)
    source = turn[np.repeat(before, n_peaks), place[peak]]  # (peaks of all frames,)
    # half way at the old frequency, half way at the new one, so that two frames agree where they overlap
    mean_advance = 0.5 * (advance[source // 2] + advance[peak])
    return Tracks(
        edges,
        source // 2 - np.repeat(first[before], n_peaks),
        0.5 * (source % 2),
        mean_advance,
        spectra[rows] * gain[frames[1:], None].astype(np.float32),
        turn[rows] + 2 * (edges[:-1] - first[rows])[:, None],
    )


def locked_turns(blocks: Iterable[Tracks]) -> Iterator[tuple[Tracks, np.ndarray]]:
    """Add up the turns of all peaks, float64 (peaks,), from frame to frame and block to block; they start at zero."""
    before = None
    for tracks in blocks:
        if before is None:
            before = np.zeros(tracks.edges[1])
        turns = np.empty(len(tracks.source))
        for start, stop in pairwise(tracks.edges.tolist()):
            turn = before.take(tracks.source[start:stop])
            turn += tracks.flip[start:stop]
            turn -= np.floor(turn)
            turn += tracks.advance[start:stop]
            turns[start:stop] = before = turn
        yield tracks, turns


def lock(tracks: Tracks, turns: np.ndarray) -> np.ndarray:
    """Lock the bins of frames to their peaks, whose turns are given: complex64 (frames, N_BINS)."""
    both = np.stack([turns, turns + 0.5], axis=1).ravel()  # (peaks,) -> (2 * peaks,)
    phase = 2 * np.pi * (both - np.floor(both)).astype(np.float32)
    spectrum = np.empty(tracks.magnitude.shape, dtype=np.complex64)
    np.multiply(tracks.magnitude, np.cos(phase)[tracks.turn], out=spectrum.real)
    np.multiply(tracks.magnitude, np.sin(phase)[tracks.turn], out=spectrum.imag)
    return spectrum


def peak_regions(spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Share the bins of each spectrum out among its peaks, each to the nearest.

    Parameters
    ----------
    spectra : ndarray, float32, (n, N_BINS)

    Returns
    -------
    place : ndarray, int64, (peaks,)
        Bin of each peak, spectrum after spectrum.
    advance : ndarray, float32, (peaks,)
        Turns that it makes in a hop.
    first : ndarray, int64, (n + 1,)
        First peak of each spectrum, and the number of all.
    turn : ndarray, int64, (n, N_BINS)
        As of `Tracks`.
    """
    log = np.log(np.maximum(spectra, 1e-9))
    rising = log[:, 1:] > log[:, :-1]  # (n, N_BINS - 1)
    is_peak = np.zeros(spectra.shape, dtype=bool)
    is_peak[:, 1:-1] = rising[:, :-1] & ~rising[:, 1:]
    is_peak[np.arange(len(spectra)), log[:, 1:-1].argmax(axis=1) + 1] = True  # no spectrum is without any
    peak = np.flatnonzero(is_peak)  # (peaks,) in the flattened spectra
    row, place = np.divmod(peak, N_BINS)  # (peaks,) each
    first = np.searchsorted(row, np.arange(len(spectra) + 1))  # (n + 1,)

    # the frequency of a peak, in bins, is that of a parabola through its bin and the two beside it
    left, top, right = (log.take(peak + step) for step in (-1, 0, 1))
    curvature = left - 2 * top + right
    offset = np.divide(0.5 * (left - right), curvature, out=np.zeros_like(top), where=curvature < 0)
    advance = (place + np.clip(offset, -0.5, 0.5)).astype(np.float32) * (HOP / N_FFT)

    # regions meet half way between two peaks of a row
    begin = row * N_BINS + (np.concatenate([[0], place[:-1]]) + place) // 2 + 1  # (peaks,) in the flattened spectra
    begin[first[:-1]] = np.arange(len(spectra)) * N_BINS
    turn = np.repeat(2 * np.arange(len(place)) + (place & 1), np.diff(begin, append=spectra.size))
    # a window centred on its frame flips the sign of the transform from bin to bin
    turn = turn.reshape(spectra.shape) ^ (np.arange(N_BINS) & 1)  # (n * N_BINS,) -> (n, N_BINS)
    return place, advance, first, turn
