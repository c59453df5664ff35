"""Choosing a series of codes: the cheapest way through the candidates of all frames.

Notebook: 04_target_decode.
"""

from collections.abc import Callable, Sequence

import numpy as np

from timbrelib.datasets import AUDIBLE

OWN_SHARE = 0.3  # weight of a code's own error, beside that of its mixture with the next code
KNOWN = 0.3  # price of a change that was heard to do no harm, in shares of the smoothness
BLOCK = 128  # frames whose changes are priced at a time: few enough for the processor's cache


def audible_level(spectra: np.ndarray) -> np.ndarray:
    """Give spectra, (n, N_BINS), in dB below the loudest bin of each, and no lower than is audible beside it.

    In float64, whose sums round to the same float32 with any number of threads.
    """
    spectra = spectra.astype(np.float64)
    loudest = np.maximum(spectra.max(axis=1, keepdims=True), 1e-9)  # (n, 1)
    return 20 * np.log10(np.maximum(spectra / loudest, 10 ** (-AUDIBLE / 20)))


def spectral_distance(spectra: np.ndarray) -> np.ndarray:
    """How different two codes sound: RMS distance of their log spectra above the audible floor.

    Parameters
    ----------
    spectra : ndarray, float32, (n_codes, N_BINS)

    Returns
    -------
    ndarray, float32, (n_codes, n_codes)
        Scaled to a median of 1.
    """
    level = audible_level(spectra)  # (n_codes, N_BINS)
    square = np.square(level).sum(axis=1)  # (n_codes,)
    distance = np.sqrt(np.maximum(square[:, None] + square - 2 * level @ level.T, 0))  # (n_codes, n_codes)
    return (distance / max(np.median(distance), 1e-9)).astype(np.float32)


def least_errors(error: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pick those of the codes whose errors are least in each frame.

    Parameters
    ----------
    error : ndarray, float, (descriptors, frames, n_codes)
        Signed errors, in units of the same weight.
    count : int

    Returns
    -------
    nearest : ndarray, int64, (frames, count)
        The places of the codes with the least sums of squares, in no order.
    error : ndarray, float32, (descriptors, frames, count)
        Their errors.
    """
    nearest = np.argpartition(np.square(error).sum(axis=0), count - 1, axis=1)[:, :count]
    return nearest, np.take_along_axis(error, nearest[None], axis=2).astype(np.float32)


def cheapest_path(candidates: np.ndarray, error: np.ndarray, limit: Sequence[float], change: np.ndarray) -> np.ndarray:
    """Find the series of codes that follows the targets best, all frames at once.

    Neighbouring frames overlap, so that half way between them their mean is heard, if they
    are not too far apart: the error of that mean counts (else the larger of the two), and
    `OWN_SHARE` of each code's own.  Found by dynamic
    programming (Viterbi, "Error bounds for convolutional codes", IEEE Trans. Information
    Theory 13(2), 1967).

    Parameters
    ----------
    candidates : ndarray, int, (frames, n)
        Codes that may sound in each frame.
    error : ndarray, float32, (descriptors, frames, n)
        Signed errors that each of them has there, in units of the same weight.
    limit : sequence of float, (descriptors,)
        Units up to which two codes mix.
    change : ndarray, float32, (n_codes, n_codes)
        What it costs to go from one code to another in the next frame.

    Returns
    -------
    ndarray, int, (frames,)
        Which of its candidates each frame gets.
    """
    n_frames, n = candidates.shape
    own = OWN_SHARE * np.square(error).sum(axis=0)  # (frames, n)
    came_from = np.zeros(candidates.shape, dtype=np.int64)
    total = own[0]
    columns = np.arange(n)
    for start in range(1, n_frames, BLOCK):
        now = slice(start, min(start + BLOCK, n_frames))
        before = slice(start - 1, now.stop - 1)
        pairs = len(change) * candidates[before, None, :] + candidates[now, :, None]  # (block, n now, n before)
        steps = change.take(pairs)  # (block, n now, n before)
        for of_one, furthest in zip(error, limit, strict=True):  # (frames, n)
            first, second = of_one[before, None, :], of_one[now, :, None]  # (block, 1, n), (block, n, 1)
            heard = 0.5 * first + 0.5 * second  # (block, n now, n before)
            if furthest < np.inf:
                apart = np.abs(first - second) > furthest
                heard = np.where(apart, np.maximum(np.abs(first), np.abs(second)), heard)
            steps += np.square(heard)
        steps += own[now, :, None]
        for frame, step in enumerate(steps, start):
            step += total
            came_from[frame] = step.argmin(axis=1)
            total = step[columns, came_from[frame]]
    place = np.empty(n_frames, dtype=np.int64)
    place[-1] = total.argmin()
    for frame in range(n_frames - 1, 0, -1):
        place[frame - 1] = came_from[frame, place[frame]]
    return place


def heard_path(
    candidates: np.ndarray,
    error: np.ndarray,
    limit: Sequence[float],
    change: np.ndarray,
    hear: Callable[[np.ndarray], np.ndarray],
    rounds: int,
) -> np.ndarray:
    """Choose a series, hear what its changes of code do to the sound, and choose again.

    Two codes with the right values can still make a wrong sound where one follows the
    other, as when near partials cancel.  That depends on little but the two codes: so
    changes that were heard to lead astray are made dearer, those that did no harm cheaper.

    Parameters
    ----------
    candidates, error, limit, change
        As in `cheapest_path`.
    hear : callable
        Decodes a series, int (frames,), and measures its errors, float (descriptors, frames),
        in the units of `error`.
    rounds : int
        How many times to choose again, at most: not where the same would be chosen, nor is it
        heard twice.

    Returns
    -------
    ndarray, int, (frames,)
        The series of codes with the smallest mean error among those heard.
    """
    frames = np.arange(len(candidates))
    harmless = KNOWN * change
    price, known = change.copy(), np.zeros(change.shape, dtype=bool)
    before = best = candidates[:, 0]
    least, known_errors = np.inf, {}
    for remaining in range(rounds, -1, -1):
        place = cheapest_path(candidates, error, limit, price)
        codes = candidates[frames, place]
        if rounds == 0:
            return codes
        series = codes.tobytes()
        if series not in known_errors:
            known_errors[series] = hear(codes)
        heard = known_errors[series]  # (descriptors, frames)
        if np.abs(heard).mean() < least:
            best, least = codes, np.abs(heard).mean()
        if remaining:
            harm = (np.square(heard) - np.square(error[: len(heard), frames, place])).sum(axis=0)  # (frames,)
            around = np.convolve(np.pad(harm, (1, 2)), np.ones(4), "valid")  # (frames,), of a frame's -1..+2
            changes = np.flatnonzero(np.diff(codes))  # (changes,) frames before one
            pair = codes[changes], codes[changes + 1]
            new = harmless[pair] + np.maximum(around[changes], 0)
            new = np.where(known[pair], 0.5 * (price[pair] + new), new)
            if np.array_equal(codes, before) and np.array_equal(new, price[pair]):
                break  # it would choose the same again
            price[pair], known[pair], before = new, True, codes
    return best
