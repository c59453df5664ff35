"""The path search: choose one of the candidate codes of each frame, for all frames together.

Notebook: 05_target_decode.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from timbrelib.audio.parallel import in_threads

OWN_SHARE = 0.3  # weight of a code's own error, relative to that of its blend with the next code
SEMITONE_COST, MAX_SEMITONES = 16.0, 8.0  # cost of each semitone between two notes, up to eight of them
VOICING_COST = 12.0  # of going from a pitched code to an unpitched one, or back
BLOCK = 32  # frames whose transitions are evaluated at a time, few enough for the processor's cache


@dataclass(frozen=True)
class Transitions:
    """Costs of going from one code to another.

    Attributes
    ----------
    cepstra : ndarray, float32, (n_codes, n)
        Points whose distances are those of the spectra, see `timbrelib.audio.levels.cepstral_points`.
    fundamental : ndarray, float, (n_codes,)
        In Hz; NaN for unpitched codes.
    smoothness, continuity : float
        See `timbrelib.Search`.
    """

    cepstra: np.ndarray
    fundamental: np.ndarray
    smoothness: float
    continuity: float

    def costs(self, codes: np.ndarray) -> np.ndarray:
        """Costs between candidates of consecutive frames, int (frames, n): float32 (frames - 1, n now, n before)."""
        points = self.cepstra[codes]  # (frames, n, dimensions)
        square = np.square(points).sum(axis=2)  # (frames, n)
        product = points[1:] @ points[:-1].transpose(0, 2, 1)  # (frames - 1, n now, n before)
        costs = square[1:, :, None] + square[:-1, None, :] - 2 * product
        np.sqrt(np.maximum(costs, 0, out=costs), out=costs)
        costs *= self.smoothness
        if self.continuity:
            f0 = self.fundamental[codes]
            pitched = np.isfinite(f0)  # (frames, n)
            semitones = 12 * np.log2(np.where(pitched, f0, 1)).astype(np.float32)
            note = np.abs(semitones[1:, :, None] - semitones[:-1, None, :])  # (frames - 1, n now, n before)
            np.minimum(note, MAX_SEMITONES, out=note)
            note *= SEMITONE_COST * self.continuity
            if not pitched.all():
                now, before = pitched[1:, :, None], pitched[:-1, None, :]
                note = np.where(now & before, note, np.float32(VOICING_COST * self.continuity) * (now ^ before))
            costs += note
        return costs


def select_candidates(cost: np.ndarray, count: int) -> np.ndarray:
    """Select the codes that cost least in each frame.

    Parameters
    ----------
    cost : ndarray, float, (frames, n_codes)
        Sum of the squared errors of each code, in units of equal weight.
    count : int

    Returns
    -------
    ndarray, int64, (frames, count)
        Indices of the codes, in no particular order.
    """
    return np.argpartition(cost, count - 1, axis=1)[:, :count]


def cheapest_path(
    candidates: np.ndarray, error: np.ndarray, max_blend: Sequence[float], transitions: Transitions
) -> np.ndarray:
    """Find the sequence of candidates with the smallest total cost.

    Consecutive frames overlap, so that halfway between them the mean of two codes sounds if
    they are not too far apart: the cost of a step is the squared error of that mean (else of
    the worse of the two), plus `OWN_SHARE` of the code's own squared error, plus the cost of
    the transition.  Solved by dynamic programming (Viterbi, "Error bounds for convolutional
    codes", IEEE Trans. Information Theory 13(2), 1967).

    Parameters
    ----------
    candidates : ndarray, int, (frames, n)
        Codes from which each frame chooses.
    error : ndarray, float32, (descriptors, frames, n)
        Their signed errors, in units of equal weight.
    max_blend : sequence of float, (descriptors,)
        Difference, in these units, up to which two codes blend.
    transitions : Transitions

    Returns
    -------
    ndarray, int64, (frames,)
        Index of the chosen candidate of each frame.
    """
    n_frames, n = candidates.shape
    own = OWN_SHARE * np.square(error).sum(axis=0)  # (frames, n)
    predecessor = np.zeros(candidates.shape, dtype=np.int64)
    total = own[0]
    columns = np.arange(n)

    def block_costs(start: int) -> np.ndarray:
        now = slice(start, min(start + BLOCK, n_frames))
        before = slice(start - 1, now.stop - 1)
        costs = transitions.costs(candidates[start - 1 : now.stop])  # (block, n now, n before)
        for signed, limit in zip(error, max_blend, strict=True):  # (frames, n)
            first, second = signed[before, None, :], signed[now, :, None]  # (block, 1, n), (block, n, 1)
            blended = 0.5 * first + 0.5 * second  # (block, n now, n before)
            if limit < np.inf:
                apart = np.abs(first - second) > limit
                blended = np.where(apart, np.maximum(np.abs(first), np.abs(second)), blended)
            costs += np.square(blended)
        costs += own[now, :, None]
        return costs

    blocks = in_threads(block_costs, range(1, n_frames, BLOCK))
    for frame, cost in enumerate(chain.from_iterable(blocks), start=1):  # (n now, n before)
        cost += total
        predecessor[frame] = cost.argmin(axis=1)
        total = cost[columns, predecessor[frame]]
    path = np.empty(n_frames, dtype=np.int64)
    path[-1] = total.argmin()
    for frame in range(n_frames - 1, 0, -1):
        path[frame - 1] = predecessor[frame, path[frame]]
    return path
