"""The path search: choose one of the candidate codes of each frame, for all frames together.

Notebook: 04_target_decode.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

SMOOTHNESS, REFINEMENTS = 4.0, 3  # by default; see Search
OWN_SHARE = 0.3  # weight of a code's own error, relative to that of its blend with the next code
HARMLESS = 0.3  # cost of a transition found to do no harm, relative to its cost before
BLOCK = 128  # frames whose transitions are evaluated at a time, few enough for the processor's cache


@dataclass(frozen=True)
class Search:
    """Settings of the path search.

    Attributes
    ----------
    smoothness : float
        Cost of a transition between two codes at the median spectral distance; an error of 1 %
        of the codebook's inner range (10 cents of a fundamental) costs 1.  With 0 each frame
        gets its nearest code, as in the paper.
    refinements : int
        Number of times the path is decoded, measured and searched again.
    weights : dict of str to float
        Weights of the targets' squared errors, by descriptor; 1 where one is missing.

    Raises
    ------
    ValueError
        A setting is negative, or a weight is not positive.
    """

    smoothness: float = SMOOTHNESS
    refinements: int = REFINEMENTS
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.smoothness < np.inf:
            raise ValueError(f"the smoothness cannot be {self.smoothness}: give 0 (exact) or more")
        if self.refinements < 0:
            raise ValueError(f"the number of refinements cannot be {self.refinements}: give 0 (search once) or more")
        if not all(0 < weight < np.inf for weight in self.weights.values()):
            raise ValueError(f"the weights are {dict(self.weights)}: give positive numbers")

    def weight(self, name: str) -> float:
        """Weight of a target."""
        return self.weights.get(name, 1.0)


def select_candidates(error: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Select the codes with the smallest errors in each frame.

    Parameters
    ----------
    error : ndarray, float, (descriptors, frames, n_codes)
        Signed errors, in units of equal weight.
    count : int

    Returns
    -------
    nearest : ndarray, int64, (frames, count)
        Indices of the codes with the smallest sums of squares, in no particular order.
    error : ndarray, float32, (descriptors, frames, count)
        Their errors.
    """
    nearest = np.argpartition(np.square(error).sum(axis=0), count - 1, axis=1)[:, :count]
    return nearest, np.take_along_axis(error, nearest[None], axis=2).astype(np.float32)


def cheapest_path(
    candidates: np.ndarray, error: np.ndarray, max_blend: Sequence[float], transition: np.ndarray
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
    transition : ndarray, float32, (n_codes, n_codes)
        Cost of going from one code to another.

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
    for start in range(1, n_frames, BLOCK):
        now = slice(start, min(start + BLOCK, n_frames))
        before = slice(start - 1, now.stop - 1)
        pairs = len(transition) * candidates[before, None, :] + candidates[now, :, None]  # (block, n now, n before)
        costs = transition.take(pairs)  # (block, n now, n before)
        for signed, limit in zip(error, max_blend, strict=True):  # (frames, n)
            first, second = signed[before, None, :], signed[now, :, None]  # (block, 1, n), (block, n, 1)
            blended = 0.5 * first + 0.5 * second  # (block, n now, n before)
            if limit < np.inf:
                apart = np.abs(first - second) > limit
                blended = np.where(apart, np.maximum(np.abs(first), np.abs(second)), blended)
            costs += np.square(blended)
        costs += own[now, :, None]
        for frame, cost in enumerate(costs, start):
            cost += total
            predecessor[frame] = cost.argmin(axis=1)
            total = cost[columns, predecessor[frame]]
    path = np.empty(n_frames, dtype=np.int64)
    path[-1] = total.argmin()
    for frame in range(n_frames - 1, 0, -1):
        path[frame - 1] = predecessor[frame, path[frame]]
    return path


def refine_path(
    candidates: np.ndarray,
    error: np.ndarray,
    max_blend: Sequence[float],
    transition: np.ndarray,
    measure_error: Callable[[np.ndarray], np.ndarray],
    refinements: int,
) -> np.ndarray:
    """Search a path, decode and measure it, and search again with corrected transition costs.

    Two codes with the right values can still sound wrong in succession, for instance where
    close partials cancel.  That depends on little but the two codes: transitions found to
    increase the error become more expensive, those found harmless cheaper.

    Parameters
    ----------
    candidates, error, max_blend, transition
        See `cheapest_path`.
    measure_error : callable
        Decodes codes, int (frames,), and measures their errors, float (descriptors, frames),
        in the units of `error`.
    refinements : int
        Largest number of further searches; the loop ends early when the path does not change.

    Returns
    -------
    ndarray, int, (frames,)
        The codes with the smallest mean error among all that were measured.
    """
    frames = np.arange(len(candidates))
    harmless = HARMLESS * transition
    cost, known = transition.copy(), np.zeros(transition.shape, dtype=bool)
    previous = best = candidates[:, 0]
    smallest, measured_errors = np.inf, {}
    for remaining in range(refinements, -1, -1):
        path = cheapest_path(candidates, error, max_blend, cost)
        codes = candidates[frames, path]
        if refinements == 0:
            return codes
        key = codes.tobytes()
        if key not in measured_errors:
            measured_errors[key] = measure_error(codes)
        measured = measured_errors[key]  # (descriptors, frames)
        if np.abs(measured).mean() < smallest:
            best, smallest = codes, np.abs(measured).mean()
        if remaining:
            # by how much the sound is worse than its codes, around each change of code
            harm = (np.square(measured) - np.square(error[: len(measured), frames, path])).sum(axis=0)  # (frames,)
            around = np.convolve(np.pad(harm, (1, 2)), np.ones(4), "valid")  # (frames,), sum over frames -1..+2
            changes = np.flatnonzero(np.diff(codes))  # (changes,), frames before a transition
            pair = codes[changes], codes[changes + 1]
            updated = harmless[pair] + np.maximum(around[changes], 0)
            updated = np.where(known[pair], 0.5 * (cost[pair] + updated), updated)
            if np.array_equal(codes, previous) and np.array_equal(updated, cost[pair]):
                break  # the next search would find the same path
            cost[pair], known[pair], previous = updated, True, codes
    return best
