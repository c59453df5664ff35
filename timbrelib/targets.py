"""Target curves, one descriptor value a frame, and the range in which a codebook can follow them.

Notebooks: 04_target_decode, 06_scorecard, 08_follow_a_line.
"""

import logging
from collections.abc import Mapping

import numpy as np

from timbrelib.codebook import INNER, values
from timbrelib.descriptors import descriptor

log = logging.getLogger(__name__)

FRAMES = 1024  # 23.8 s, the length of the published examples
STEPS = 5  # levels of the shape "steps"


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


def ramp(n_frames: int) -> np.ndarray:
    """Rise evenly from 0 to 1, float64 (n_frames,)."""
    return np.linspace(0, 1, n_frames)


def steps(n_frames: int) -> np.ndarray:
    """Go up from 0 to 1 in five equal steps, float64 (n_frames,)."""
    return np.arange(n_frames) * STEPS // n_frames / (STEPS - 1)


SHAPES = {"sin": sine, "exp": log_exp, "ramp": ramp, "steps": steps}


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


def reach(table: np.ndarray, name: str) -> tuple[float, float]:
    """Give the lowest and the highest value that any code has; arguments as those of `span`."""
    _, value = values(table, name)
    return float(value.min()), float(value.max())


def target(shape: str, name: str, low: float, high: float, n_frames: int = FRAMES) -> np.ndarray:
    """Draw a shape between two values of a descriptor.

    Parameters
    ----------
    shape : {"sin", "exp", "ramp", "steps"}
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
    log_scale = descriptor(name).log
    if not (np.isfinite([low, high]).all() and low < high and (low > 0 or not log_scale)):
        raise ValueError(
            f"a {name} target cannot move from {low} to {high}: give low < high{', both positive' if log_scale else ''}"
        )
    if n_frames < 2:
        raise ValueError(f"a target of {n_frames} frames has no shape: give at least 2")
    u = SHAPES[shape](n_frames)
    return low * (high / low) ** u if log_scale else low + (high - low) * u


def check_targets(table: np.ndarray, targets: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return targets as float64 (frames,), or say why the codebook cannot follow them.

    Raises
    ------
    ValueError
        There is none, they differ in length, a descriptor does not exist, no code has all
        of them, or a target is empty, undefined somewhere or out of reach.
    """
    if not isinstance(targets, Mapping) or not targets:
        raise ValueError('give targets as {"centroid": curve}, one curve or several by descriptor')
    checked = {}
    for name, curve in targets.items():
        low, high = reach(table, name)
        curve = np.asarray(curve, dtype=np.float64)
        if curve.ndim != 1 or len(curve) == 0:
            raise ValueError(f"the {name} target has shape {curve.shape}: give one value a frame, shape (frames,)")
        undefined = np.sum(~np.isfinite(curve))
        if undefined:
            raise ValueError(f"the {name} target is undefined (NaN or infinite) in {undefined} frames: fill them first")
        outside = np.sum((curve < low) | (curve > high))
        if outside:
            raise ValueError(
                f"the {name} target leaves the codebook's range, {low:.4g} to {high:.4g} {descriptor(name).unit}, in "
                f"{outside} of {len(curve)} frames: bring it inside with timbrelib.targets.bring_inside"
            )
        checked[name] = curve
    lengths = {name: len(curve) for name, curve in checked.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the targets have different numbers of frames, {lengths}: make them equally long")
    if not np.any(np.all([np.isfinite(table[name]) for name in checked], axis=0)):
        raise ValueError(f"no code of this model has all of {', '.join(checked)}: leave one out")
    return checked


def bring_inside(table: np.ndarray, name: str, curve: np.ndarray, how: str) -> np.ndarray:
    """Bring a target into the codebook's range, and say in a message how many frames were outside.

    Parameters
    ----------
    table : ndarray, structured, (n_codes,)
    name : str
        A descriptor.
    curve : ndarray, float, (frames,)
        In its unit.
    how : {"map", "clip"}
        ``map`` moves the whole curve, no further than needed, and narrows it only if it is
        wider than the range; a fundamental keeps its intervals as long as it is moved alone.
        ``clip`` holds the frames outside at the end of the range.

    Returns
    -------
    ndarray, float64, (frames,)
        The very curve where all of it was inside.

    Raises
    ------
    ValueError
        The descriptor or the way does not exist, or the curve is undefined somewhere.
    """
    if how not in ("map", "clip"):
        raise ValueError(f"a target cannot be brought inside by {how!r}: choose map or clip")
    low, high = reach(table, name)
    curve = np.asarray(curve, dtype=np.float64)
    log_scale, unit = descriptor(name).log, descriptor(name).unit
    if not (np.isfinite(curve).all() and curve.size and (curve.min() > 0 or not log_scale)):
        raise ValueError(f"the {name} target holds values that are undefined or no {name}: fill them first")
    outside = np.sum((curve < low) | (curve > high))
    if not outside:
        return curve
    lost = f"the {name} target left the codebook's range, {low:.4g} to {high:.4g} {unit}, in {outside} of {len(curve)}"
    if how == "clip":
        log.warning("%s frames and was clipped there", lost)
        return np.clip(curve, low, high)
    scaled, ends = (np.log2(curve), np.log2([low, high])) if log_scale else (curve, np.array([low, high]))
    width = min(1.0, np.ptp(ends) / max(np.ptp(scaled), 1e-12))
    narrowed = scaled.min() + (scaled - scaled.min()) * width
    shift = max(ends[0] - narrowed.min(), 0) + min(ends[1] - narrowed.max(), 0)
    said = f"moved by {12 * shift:+.2f} semitones" if log_scale else f"moved by {shift:+.4g} {unit}"
    if width < 1:
        said += f" and narrowed to {100 * width:.0f} %"
    log.warning("%s frames and was %s", lost, said)
    moved = narrowed + shift
    return np.clip(np.exp2(moved) if log_scale else moved, low, high)  # against rounding
