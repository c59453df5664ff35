"""Scores: how closely a sound follows its targets, and how much of a sound a transfer preserves.

The text of a score is the legend of a figure.

Notebooks: 05_target_decode, 08_timbre_transfer, 07_follow_a_line.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from timbrelib.audio.frames import frame_gain
from timbrelib.audio.levels import measurable_frames
from timbrelib.descriptors import descriptor


def tracking_error(measured: np.ndarray, target: np.ndarray, scale: np.ndarray | None = None) -> float:
    """Mean absolute error over the defined frames, in % of the range of `scale`, by default the target.

    Parameters
    ----------
    measured, target, scale : ndarray, float, (frames,)
        NaN in `measured` where the sound has no value.

    Returns
    -------
    float
    """
    return float(100 * np.nanmean(np.abs(measured - target)) / np.ptp(target if scale is None else scale))


def rank_correlation(measured: np.ndarray, target: np.ndarray) -> float:
    """Spearman's rank correlation over the frames in which both are defined; NaN if there are not two."""
    from scipy.stats import spearmanr

    defined = np.isfinite(measured) & np.isfinite(target)
    return float(spearmanr(measured[defined], target[defined]).statistic) if defined.sum() > 1 else np.nan


def raw_pitch_accuracy(measured: np.ndarray, target: np.ndarray, cents: float) -> float:
    """Share of all frames, in %, that are voiced and within `cents` of the target, as `mir_eval.melody` counts them.

    Raffel et al., "mir_eval: A transparent implementation of common MIR metrics", ISMIR 2014.

    Parameters
    ----------
    measured, target : ndarray, float, (frames,)
        Fundamentals in Hz; NaN in `measured` where the sound is unvoiced.
    cents : float

    Returns
    -------
    float
    """
    from mir_eval import melody

    every = np.ones(len(target))  # the target has a pitch in every frame
    reference, estimate = (melody.hz2cents(f0) for f0 in (target, np.nan_to_num(measured)))  # 0 where unvoiced
    return float(100 * melody.raw_pitch_accuracy(every, reference, every, estimate, cent_tolerance=cents))


@dataclass(frozen=True, repr=False)
class TrackingScore:
    """How closely one descriptor of a sound follows its target.

    Attributes
    ----------
    descriptor : str
    error : float
        Distance of measured and target in `unit`; NaN if the descriptor is defined nowhere.
    selection, synthesis : float
        Distance of selected and target, and of measured and selected, in `unit`: which stage
        fails.  NaN if no codes were selected.
    unit : str
        ``%`` of the target's range; ``cents`` for a pitch; the descriptor's own for a flat target.
    spearman : float
        Rank correlation of measured and target; NaN if the target is flat.
    rpa_50, rpa_20 : float
        Raw pitch accuracy at 50 and 20 cents, in %; NaN unless the descriptor is a pitch.
    voiced : float
        Share of frames in which the descriptor is defined, in %.

    Examples
    --------
    >>> import numpy as np
    >>> from timbrelib.control.scores import score_tracking
    >>> target = np.linspace(1000, 2000, 87)  # Hz
    >>> score = score_tracking("centroid", target, measured=target + 10)
    >>> score
    error 1.00 %, Spearman 1.0000
    >>> print(score.cells()["error"], score.cells()["RPA 50 cents"])
    1.00 % -
    """

    descriptor: str
    error: float
    selection: float
    synthesis: float
    unit: str
    spearman: float
    rpa_50: float
    rpa_20: float
    voiced: float

    def __repr__(self) -> str:
        if not self.voiced:
            return f"no {self.descriptor} measured"
        if self.unit == "cents":
            return f"raw pitch accuracy {self.rpa_50:.1f} % (50 cents), {self.rpa_20:.1f} % (20 cents)"
        if self.unit == "%":
            return f"error {self.error:.2f} %, Spearman {self.spearman:.4f}"
        return f"error {self.error:.3g} {self.unit}".rstrip()

    def cells(self) -> dict[str, str]:
        """Format the score as cells of a table, by the header of their column; ``-`` where it is undefined."""
        digits = 1 if self.unit == "cents" else 2
        cells = {
            "error": f"{self.error:.{digits}f} {self.unit}",
            "Spearman": f"{self.spearman:.4f}",
            "selection": f"{self.selection:.{digits}f} {self.unit}",
            "synthesis": f"{self.synthesis:.{digits}f} {self.unit}",
            "RPA 50 cents": f"{self.rpa_50:.1f} %",
            "RPA 20 cents": f"{self.rpa_20:.1f} %",
            "voiced": f"{self.voiced:.1f} %",
        }
        return {header: "-" if cell.startswith("nan") else cell.rstrip() for header, cell in cells.items()}


class Scores(dict[str, TrackingScore]):
    """Tracking scores by descriptor; as text, a legend.

    Examples
    --------
    >>> import timbrelib
    >>> viola = timbrelib.load("viola")
    >>> scores = viola.render(viola.target("centroid", "ramp", n_frames=44)).score
    >>> isinstance(scores, timbrelib.Scores), list(scores)
    (True, ['centroid'])
    """

    def __repr__(self) -> str:
        if len(self) == 1:
            return str(next(iter(self.values())))
        return "; ".join(f"{name} {score}" for name, score in self.items())


def score_tracking(
    name: str, target: np.ndarray, measured: np.ndarray, selected: np.ndarray | None = None
) -> TrackingScore:
    """Score how closely a measured curve follows its target.

    Parameters
    ----------
    name : str
        The descriptor.
    target, measured : ndarray, float, (frames,)
        In the descriptor's unit; NaN in `measured` where the sound has no value.
    selected : ndarray, float, (frames,), optional
        Values of the selected codes.

    Returns
    -------
    TrackingScore
        Distances are means in % of the target's range, and for a pitch medians in cents.
    """
    info = descriptor(name)
    unit = "cents" if info.log else "%" if np.ptp(target) else info.unit
    selected = np.full(len(target), np.nan) if selected is None else selected

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        if not np.isfinite(a - b).any():
            return np.nan
        if info.log:
            return float(np.nanmedian(1200 * np.abs(np.log2(a / b))))
        return tracking_error(a, b, target) if np.ptp(target) else float(np.nanmean(np.abs(a - b)))

    defined = np.isfinite(measured)
    accuracy = [raw_pitch_accuracy(measured, target, cents) if info.log else np.nan for cents in (50, 20)]
    return TrackingScore(
        descriptor=name,
        error=distance(measured, target),
        selection=distance(selected, target),
        synthesis=distance(measured, selected),
        unit=unit,
        spearman=rank_correlation(measured, target) if defined.sum() > 1 and np.ptp(target[defined]) else np.nan,
        rpa_50=accuracy[0],
        rpa_20=accuracy[1],
        voiced=float(100 * defined.mean()),
    )


def score_targets(
    audio: np.ndarray,
    targets: Mapping[str, np.ndarray],
    measured: Mapping[str, np.ndarray],
    chosen: np.ndarray,
    selected: Mapping[str, np.ndarray] | None = None,
) -> Scores:
    """Score how closely a sound follows its targets, in those frames that are loud enough to measure.

    Parameters
    ----------
    audio : ndarray, float32, ((frames - 1) * HOP,)
    targets, measured, selected : mapping of str to ndarray, float, (frames,)
        By descriptor, see `score_tracking`.
    chosen : ndarray, bool, (frames,)
        Frames to score.

    Returns
    -------
    Scores
    """
    measurable = chosen & measurable_frames(frame_gain(audio))[: len(chosen)]
    frames = measurable if measurable.any() else chosen  # a silent sound has no descriptor in any of its frames
    return Scores({
        name: score_tracking(name, curve[frames], measured[name][frames], selected[name][frames] if selected else None)
        for name, curve in targets.items()
    })  # fmt: skip
