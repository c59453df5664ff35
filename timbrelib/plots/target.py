"""Figures of targets: how closely a sound follows them.

Notebooks: 04_sorted_codebook, 05_target_decode, 06_draw_target, 07_follow_a_line, 09_other_timbres.
"""

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from timbrelib.audio.frames import frame_times
from timbrelib.descriptors import descriptor
from timbrelib.plots.axes import label, plain_ticks
from timbrelib.plots.sound import octave_below, overlay, spectrogram
from timbrelib.plots.style import (
    MEASURED,
    SELECTED,
    TARGET,
    WARNING,
    figure_title,
    heading,
    new_axes,
    own_style,
    stacked,
)

CENTS = 50.0  # shown above and below a pitch: half a semitone, within which it counts as right
INNER = 98  # percentile of the residuals that are shown of another descriptor
HEIGHTS = (2.6, 2.3, 1.2)  # inches, of spectrogram, curves and residual


@own_style()
def curves(
    name: str,
    target: np.ndarray,
    selected: np.ndarray,
    measured: np.ndarray,
    score: object = "",
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw target, selected and measured values of a descriptor.

    Parameters
    ----------
    name : str
        The descriptor.
    target, selected, measured : ndarray, float, (frames,)
        In its unit; NaN leaves a gap.
    score : object
        Written into the legend.
    ax : Axes, optional
    title : str

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(3.2)
    seconds = frame_times(len(target))
    ax.plot(seconds, target, color=TARGET, linestyle="--", label="target", zorder=3)
    ax.plot(seconds, measured, color=MEASURED, label="measured")
    ax.plot(seconds, selected, ".", color=SELECTED, label="selected codes", zorder=1.5)
    if descriptor(name).log:
        ax.set_yscale("log")
        plain_ticks(ax.yaxis)
    ax.set(xlabel="time (s)", ylabel=label(name), xlim=(0, seconds[-1]))
    heading(ax, title, note=str(score))
    return ax


@own_style()
def residual(name: str, target: np.ndarray, measured: np.ndarray, ax: Axes | None = None) -> Axes:
    """Draw measured minus target, float (frames,) each, in cents for a pitch and otherwise in the descriptor's unit.

    A pitch is shown within 50 cents, another descriptor as far as 98 % of its frames go; dots at the edges mark the
    frames beyond.
    """
    ax = ax or new_axes(2.0)
    seconds, log = frame_times(len(target)), descriptor(name).log
    error = 1200 * np.log2(measured / target) if log else measured - target  # (frames,)
    size = np.abs(error)
    defined = size[np.isfinite(size)]
    limit = CENTS if log else float(np.percentile(defined, INNER)) if len(defined) else 0.0
    limit = limit or 1.0  # of a sound that is right everywhere, or measured nowhere
    beyond = size > limit  # (frames,); False where undefined
    ax.axhline(0, color=TARGET, linestyle="--")
    ax.plot(seconds, error, color=MEASURED)
    if beyond.any():
        edge = np.copysign(limit, error[beyond])
        ax.plot(
            seconds[beyond], edge, ".", color=WARNING, clip_on=False, label=f"frames beyond the axis: {beyond.sum()}"
        )
    unit = "cents" if log else descriptor(name).unit
    ax.set(xlabel="time (s)", ylabel=f"residual\n({unit})" if unit else "residual")
    ax.set(xlim=(0, seconds[-1]), ylim=(-limit, limit))
    heading(ax)
    return ax


@own_style()
def tracking(
    audio: np.ndarray,
    targets: Mapping[str, np.ndarray],
    selected: Mapping[str, np.ndarray],
    measured: Mapping[str, np.ndarray],
    scores: Mapping[str, object],
    title: str = "",
) -> Figure:
    """Draw the spectrogram of a sound with its measured frequencies, and curves and residual of each target.

    The panels have one time axis.  If a target is a pitch, the spectrogram has a logarithmic axis from an octave
    below its lowest value.

    Parameters
    ----------
    audio : ndarray, float, (n,)
    targets, selected, measured : mapping of str to ndarray, float, (frames,)
        By descriptor, in its unit; NaN leaves a gap.
    scores : mapping of str to object
        By descriptor; written into the legends.
    title : str

    Returns
    -------
    Figure
    """
    top_height, *below_heights = HEIGHTS
    figure, (top, *below) = stacked([top_height, *below_heights * len(targets)], sharex=True)
    frequencies = [name for name in measured if descriptor(name).unit == "Hz"]
    spectrogram(audio, top, fmin=octave_below(targets[name] for name in targets if descriptor(name).log))
    for name, linestyle in zip(frequencies, cycle(("-", "--", ":", "-."))):
        overlay(measured[name], f"measured {name}", top, linestyle)
    heading(top)
    for name, upper, lower in zip(targets, below[::2], below[1::2], strict=True):
        curves(name, targets[name], selected[name], measured[name], scores[name], upper)
        residual(name, targets[name], measured[name], lower)
    for ax in (top, *below):
        ax.label_outer()
    figure_title(figure, title)
    return figure
