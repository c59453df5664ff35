"""Locked excitation: spectral peaks drive oscillators with continuous phase.

Each peak of a magnitude spectrum continues the nearest peak of the frame before, at a
frequency interpolated between its bins (Smith and Serra, "PARSHL: An analysis/synthesis
program for non-harmonic sounds based on a sinusoidal representation", ICMC 1987).  The bins
between two peaks are locked to the nearer one, as in the identity phase locking of Laroche
and Dolson, "Improved phase vocoder time-scale modification of audio", IEEE Trans. Speech and
Audio Processing 7(3), 1999.

Phases are in cycles throughout: 0.5 is a change of sign.

Notebook: 05_target_decode.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from timbrelib.audio.frames import HOP, N_BINS, N_FFT


@dataclass(frozen=True)
class Tracks:
    """Peaks of a block of frames, frame by frame, each continuing a peak of the frame before.

    Attributes
    ----------
    edges : ndarray, int64, (frames + 1,)
        Index of the first peak of each frame, and the number of all peaks.
    source : ndarray, int64, (peaks,)
        The peak that each one continues, counted from the first of the frame before.
    lead : ndarray, float64, (peaks,)
        Phase by which the peak's bin was ahead of its source: 0 or 0.5.
    advance : ndarray, float32, (peaks,)
        Phase by which the peak advances from the frame before.
    magnitude : ndarray, float32, (frames, N_BINS)
    lock : ndarray, int64, (frames, N_BINS)
        Twice the index of the peak that each bin is locked to, plus one if it has the opposite sign.
    """

    edges: np.ndarray
    source: np.ndarray
    lead: np.ndarray
    advance: np.ndarray
    magnitude: np.ndarray
    lock: np.ndarray


class Oscillators:
    """One oscillator per spectral peak, whose phases are carried from block to block; they start at zero."""

    def __init__(self) -> None:
        self.phase: np.ndarray | None = None  # of the peaks of the last frame, float64 (peaks,), in cycles

    def play(self, spectra: np.ndarray, rows: np.ndarray, gain: np.ndarray) -> np.ndarray:
        """Give the next block of frames continuous phases, complex64 (frames, N_BINS); see `track_peaks`."""
        tracks = track_peaks(spectra, rows, gain)
        return lock_bins(tracks, self.accumulate_phase(tracks))

    def accumulate_phase(self, tracks: Tracks) -> np.ndarray:
        """Add up the phases of all peaks across the frames of a block, float64 (peaks,)."""
        before = np.zeros(tracks.edges[1]) if self.phase is None else self.phase
        phase = np.empty(len(tracks.source))
        for start, stop in pairwise(tracks.edges.tolist()):
            now = before.take(tracks.source[start:stop])
            now += tracks.lead[start:stop]
            now -= np.floor(now)  # whole cycles would cost precision in a long sound
            now += tracks.advance[start:stop]
            phase[start:stop] = before = now
        self.phase = before
        return phase


def track_peaks(spectra: np.ndarray, rows: np.ndarray, gain: np.ndarray) -> Tracks:
    """Connect the peaks of the frames of a block, and those of its first frame to the frame before.

    Parameters
    ----------
    spectra : ndarray, float32, (distinct, N_BINS)
    rows : ndarray, int64, (1 + frames,)
        Spectrum of the frame before the block, and of each of its frames.
    gain : ndarray, float32, (frames, 1)

    Returns
    -------
    Tracks
    """
    bins, advance, first, lock = peak_regions(spectra)
    before, rows = rows[:-1], rows[1:]  # (frames,) each
    n_peaks = np.diff(first)[rows]  # (frames,)
    edges = np.concatenate([[0], n_peaks.cumsum()])
    peak = np.arange(edges[-1]) + np.repeat(first[rows] - edges[:-1], n_peaks)  # (peaks of all frames,)
    source = lock.take(np.repeat(N_BINS * before, n_peaks) + bins.take(peak))  # (peaks of all frames,)
    # half the hop at the old frequency and half at the new one, so that both frames agree where they overlap
    mean_advance = 0.5 * (advance.take(source // 2) + advance.take(peak))
    magnitude, lock = spectra[rows], lock[rows]  # (frames, N_BINS) each
    magnitude *= gain
    lock += 2 * (edges[:-1] - first[rows])[:, None]
    return Tracks(
        edges=edges,
        source=source // 2 - np.repeat(first[before], n_peaks),
        lead=0.5 * (source % 2),
        advance=mean_advance,
        magnitude=magnitude,
        lock=lock,
    )


def peak_regions(spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Find the peaks of magnitude spectra and assign every bin to the nearest peak.

    Parameters
    ----------
    spectra : ndarray, float32, (n, N_BINS)

    Returns
    -------
    bins : ndarray, int64, (peaks,)
        Bin of each peak, spectrum by spectrum.
    advance : ndarray, float32, (peaks,)
        Phase by which each peak advances in a hop.
    first : ndarray, int64, (n + 1,)
        Index of the first peak of each spectrum, and the number of all peaks.
    lock : ndarray, int64, (n, N_BINS)
        See `Tracks`.
    """
    log = np.log(np.maximum(spectra, 1e-9))
    rising = log[:, 1:] > log[:, :-1]  # (n, N_BINS - 1)
    is_peak = np.zeros(spectra.shape, dtype=bool)
    is_peak[:, 1:-1] = rising[:, :-1] & ~rising[:, 1:]
    is_peak[np.arange(len(spectra)), log[:, 1:-1].argmax(axis=1) + 1] = True  # every spectrum has at least one
    peak = np.flatnonzero(is_peak)  # (peaks,), in the flattened spectra
    row, bins = np.divmod(peak, N_BINS)  # (peaks,) each
    first = np.searchsorted(row, np.arange(len(spectra) + 1))  # (n + 1,)

    # the frequency of a peak is that of the parabola through its bin and the two next to it
    left, top, right = (log.take(peak + step) for step in (-1, 0, 1))  # (peaks,) each
    curvature = left - 2 * top + right
    offset = np.divide(0.5 * (left - right), curvature, out=np.zeros_like(top), where=curvature < 0)
    advance = (bins + np.clip(offset, -0.5, 0.5)).astype(np.float32) * (HOP / N_FFT)

    # regions meet halfway between two peaks of a spectrum
    begin = row * N_BINS + (np.concatenate([[0], bins[:-1]]) + bins) // 2 + 1  # (peaks,), in the flattened spectra
    begin[first[:-1]] = np.arange(len(spectra)) * N_BINS
    lock = np.repeat(2 * np.arange(len(bins)) + (bins & 1), np.diff(begin, append=spectra.size))
    # a window centred on its frame alternates the sign of the transform from bin to bin
    lock = lock.reshape(spectra.shape) ^ (np.arange(N_BINS) & 1)  # (n * N_BINS,) -> (n, N_BINS)
    return bins, advance, first, lock


def lock_bins(tracks: Tracks, phase: np.ndarray) -> np.ndarray:
    """Lock the bins of frames to peaks of the given phases, float64 (peaks,): complex64 (frames, N_BINS)."""
    both_signs = np.stack([phase, phase + 0.5], axis=1).ravel()  # (peaks, 2) -> (2 * peaks,), as `lock` counts
    angle = 2 * np.pi * (both_signs - np.floor(both_signs)).astype(np.float32)
    spectrum = np.empty(tracks.magnitude.shape, dtype=np.complex64)
    np.multiply(tracks.magnitude, np.cos(angle)[tracks.lock], out=spectrum.real)
    np.multiply(tracks.magnitude, np.sin(angle)[tracks.lock], out=spectrum.imag)
    return spectrum
