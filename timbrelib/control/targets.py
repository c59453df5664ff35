"""Target curves: one descriptor value per frame, and the range in which a codebook can follow them.

Notebooks: 05_target_decode, 07_follow_a_line.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from timbrelib.codebook.table import Codebook
from timbrelib.descriptors import descriptor

log = logging.getLogger(__name__)

FRAMES = 1024  # 23.8 s, the length of the published examples
STEPS = 5  # levels of the shape "steps"


@dataclass(frozen=True)
class Target:
    """A curve that a descriptor of the sound is to follow.

    Parameters
    ----------
    descriptor : str
        Its name, a key of `timbrelib.descriptors.DESCRIPTORS`.
    curve : ndarray, float64, (frames,)
        One value per frame, in the descriptor's unit.
    weight : float
        How much its squared error counts relative to the other targets of a rendering.
    label : str
        Name of the curve in tables, for instance its shape.

    Raises
    ------
    ValueError
        The descriptor does not exist; the curve is empty, has another shape, or contains NaN
        or infinity; or the weight is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> import timbrelib
    >>> target = timbrelib.Target("centroid", np.linspace(1500, 3000, 87))  # Hz, two seconds
    >>> len(target)
    87
    """

    descriptor: str
    curve: np.ndarray
    weight: float = 1.0
    label: str = "curve"

    def __post_init__(self) -> None:
        name, curve = self.descriptor, np.asarray(self.curve, dtype=np.float64)
        descriptor(name)
        if curve.ndim != 1 or len(curve) == 0:
            raise ValueError(f"the {name} target has shape {curve.shape}: give one value per frame, shape (frames,)")
        undefined = np.sum(~np.isfinite(curve))
        if undefined:
            raise ValueError(f"the {name} target is undefined (NaN or infinite) in {undefined} frames: fill them first")
        if not 0 < self.weight < np.inf:
            raise ValueError(f"the {name} target has weight {self.weight}: give a positive number, or leave it out")
        object.__setattr__(self, "curve", curve)

    def __len__(self) -> int:
        return len(self.curve)


def sine(n_frames: int) -> np.ndarray:
    """One cycle of a sine between 0 and 1, float64 (n_frames,)."""
    u = np.linspace(0, 1, n_frames)
    return (1 + np.sin(2 * np.pi * u)) / 2


def log_exp(n_frames: int) -> np.ndarray:
    """Rise logarithmically from 0 to 1 over the first half, fall exponentially over the second.

    log(1 + 9v) / log 10, then (exp(-2v) - exp(-2)) / (1 - exp(-2)), with v from 0 to 1 in
    each half.

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
    """Rise linearly from 0 to 1, float64 (n_frames,)."""
    return np.linspace(0, 1, n_frames)


def steps(n_frames: int) -> np.ndarray:
    """Rise from 0 to 1 in five equal steps, float64 (n_frames,)."""
    return np.arange(n_frames) * STEPS // n_frames / (STEPS - 1)


SHAPES = {"sin": sine, "exp": log_exp, "ramp": ramp, "steps": steps}


def shape_curve(shape: str, name: str, low: float, high: float, n_frames: int = FRAMES) -> np.ndarray:
    """Scale a shape to the values of a descriptor.

    Parameters
    ----------
    shape : {"sin", "exp", "ramp", "steps"}
    name : str
        A descriptor; a fundamental moves in log frequency, any other linearly.
    low, high : float
        Ends of the movement, in the descriptor's unit.
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


def target_curves(targets: Sequence[Target]) -> dict[str, np.ndarray]:
    """Return the curves of targets by descriptor, float64 (frames,).

    Raises
    ------
    ValueError
        There is no target, two have the same descriptor, or they differ in length.
    """
    if not targets or not all(isinstance(target, Target) for target in targets):
        raise ValueError('there are no targets: give one or more, such as timbre.target("centroid", "sin")')
    curves = {target.descriptor: target.curve for target in targets}
    if len(curves) < len(targets):
        raise ValueError("two targets have the same descriptor: give one per descriptor")
    lengths = {name: len(curve) for name, curve in curves.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the targets have different numbers of frames, {lengths}: make them equally long")
    return curves


def check_curves(codebook: Codebook, curves: Mapping[str, np.ndarray]) -> None:
    """Check that a codebook can follow curves, float64 (frames,), by descriptor.

    Raises
    ------
    ValueError
        A curve leaves the range of the codebook, or no code has all descriptors.
    """
    for name, curve in curves.items():
        low, high = codebook.full_range(name)
        outside = np.sum((curve < low) | (curve > high))
        if outside:
            raise ValueError(
                f"the {name} target leaves the codebook's range, {low:.4g} to {high:.4g} {descriptor(name).unit}, in "
                f'{outside} of {len(curve)} frames: make it with timbre.target({name!r}, curve, fit="shift")'
            )
    if len(eligible_codes(codebook, curves)) == 0:
        raise ValueError(f"no code of this model has all of {', '.join(curves)}: leave one out")


def eligible_codes(codebook: Codebook, names: Mapping[str, object]) -> np.ndarray:
    """Codes that have all descriptors, int64 (n,)."""
    return np.flatnonzero(np.all([np.isfinite(codebook[name]) for name in names], axis=0))


def fit_to_range(codebook: Codebook, name: str, curve: np.ndarray, mode: str) -> np.ndarray:
    """Fit a curve into the range of a codebook, and log how many frames were outside.

    Parameters
    ----------
    codebook : Codebook
    name : str
        A descriptor.
    curve : ndarray, float, (frames,)
        In its unit.
    mode : {"shift", "clip"}
        ``shift`` moves the whole curve, no further than needed, and narrows it only if it is
        wider than the range; a fundamental that is only moved keeps its intervals.  ``clip``
        replaces values outside the range by its nearest end.

    Returns
    -------
    ndarray, float64, (frames,)
        `curve` itself if all of it was inside.

    Raises
    ------
    ValueError
        The descriptor or the mode does not exist, or the curve is undefined somewhere.
    """
    if mode not in ("shift", "clip"):
        raise ValueError(f"a target cannot be fitted by {mode!r}: choose shift or clip")
    low, high = codebook.full_range(name)
    curve = np.asarray(curve, dtype=np.float64)
    log_scale, unit = descriptor(name).log, descriptor(name).unit
    if not (np.isfinite(curve).all() and curve.size and (curve.min() > 0 or not log_scale)):
        raise ValueError(f"the {name} target contains values that are undefined or not a {name}: fill them first")
    outside = np.sum((curve < low) | (curve > high))
    if not outside:
        return curve
    report = (
        f"the {name} target left the codebook's range, {low:.4g} to {high:.4g} {unit}, "
        f"in {outside} of {len(curve)} frames and was"
    )
    if mode == "clip":
        log.info("%s clipped", report)
        return np.clip(curve, low, high)
    scaled, ends = (np.log2(curve), np.log2([low, high])) if log_scale else (curve, np.array([low, high]))
    width = min(1.0, np.ptp(ends) / max(np.ptp(scaled), 1e-12))
    narrowed = scaled.min() + (scaled - scaled.min()) * width
    shift = max(ends[0] - narrowed.min(), 0) + min(ends[1] - narrowed.max(), 0)
    report += f" shifted by {12 * shift:+.2f} semitones" if log_scale else f" shifted by {shift:+.4g} {unit}"
    if width < 1:
        report += f" and narrowed to {100 * width:.0f} %"
    log.info("%s", report)
    shifted = narrowed + shift
    return np.clip(np.exp2(shifted) if log_scale else shifted, low, high)  # clipped against rounding
