"""Target curves: one descriptor value a frame.

Notebook: 04_target_decode.
"""

import numpy as np

from timbrelib.codebook import INNER, values
from timbrelib.descriptors import descriptor

FRAMES = 1024  # 23.8 s, the length of the published examples


def sine(n_frames: int) -> np.ndarray:
    """One cycle of a sine between 0 and 1, float64 (n_frames,)."""
    u = np.linspace(0, 1, n_frames)
    return (1 + np.sin(2 * np.pi * u)) / 2


def log_exp(n_frames: int) -> np.ndarray:
    """Rise logarithmically from 0 to 1 over the first half, fall exponentially over the second.

    log(1 + 9v) / log 10, then (exp(-2v) - exp(-2)) / (1 - exp(-2)), v from 0 to 1 in each
    half.

    Returns
    -------
    ndarray, float64, (n_frames,)
    """
    rising = np.linspace(0, 1, n_frames // 2)
    falling = np.linspace(0, 1, n_frames - n_frames // 2)
    rise = np.log1p(9 * rising) / np.log(10)
    fall = (np.exp(-2 * falling) - np.exp(-2)) / (1 - np.exp(-2))
    return np.concatenate([rise, fall])


SHAPES = {"sin": sine, "exp": log_exp}


def span(table: np.ndarray, name: str) -> tuple[float, float]:
    """Give the range that a codebook covers well: its 3rd and 97th percentile.

    Parameters
    ----------
    table : ndarray, structured, (n_codes,)
        From `timbrelib.analyse_codebook`.
    name : str
        A descriptor; for the fundamental, only clearly pitched codes count.

    Returns
    -------
    low, high : float
        In the descriptor's unit.
    """
    _, value = values(table, name)
    low, high = np.percentile(value, INNER)
    return float(low), float(high)


def target(shape: str, name: str, low: float, high: float, n_frames: int = FRAMES) -> np.ndarray:
    """Draw a shape between two values of a descriptor.

    Parameters
    ----------
    shape : {"sin", "exp"}
    name : str
        A descriptor; a fundamental moves in log frequency, any other linearly.
    low, high : float
        Ends of the movement in the descriptor's unit.
    n_frames : int

    Returns
    -------
    ndarray, float64, (n_frames,)

    Raises
    ------
    ValueError
        Shape or descriptor does not exist, the ends are not low < high (and positive for a
        fundamental), or there are fewer than 2 frames.
    """
    if shape not in SHAPES:
        raise ValueError(f"there is no target shape {shape!r}: choose one of {', '.join(SHAPES)}")
    log = descriptor(name).log
    if not (np.isfinite([low, high]).all() and low < high and (low > 0 or not log)):
        raise ValueError(
            f"a {name} target cannot move from {low} to {high}: give low < high{', both positive' if log else ''}"
        )
    if n_frames < 2:
        raise ValueError(f"a target of {n_frames} frames has no shape: give at least 2")
    u = SHAPES[shape](n_frames)
    return low * (high / low) ** u if log else low + (high - low) * u
