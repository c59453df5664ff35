"""Figures of a codebook: how the values of its codes are distributed.

Notebooks: 02_codebook_pca, 03_descriptor_histogram, 07_follow_a_line.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from timbrelib.audio.frames import frame_times
from timbrelib.descriptors import descriptor
from timbrelib.plots.axes import colour_scale, label, plain_ticks
from timbrelib.plots.style import EDGE, MUTED, STYLE, TARGET, WARNING, heading, new_axes, own_style

BINS = 24  # of a histogram
COLOURS = "viridis"  # of values and times: its lightness rises evenly, so that it can be read in print
THIN = STYLE["patch.linewidth"]


@own_style()
def histogram(value: np.ndarray, name: str, ax: Axes | None = None) -> Axes:
    """Draw how the values of a descriptor, float (n,), are distributed over the codes that have it.

    The bars have the colours of `scatter`.
    """
    ax = ax or new_axes(3.0)
    edges = np.histogram_bin_edges(value, BINS)
    if descriptor(name).log:
        edges = np.geomspace(value.min(), value.max(), BINS + 1)
        ax.set_xscale("log")
    ax.hist(value, bins=edges.tolist(), edgecolor=EDGE)
    middles = np.sqrt(edges[1:] * edges[:-1]) if descriptor(name).log else (edges[1:] + edges[:-1]) / 2
    colours = colormaps[COLOURS](colour_scale(name, value)(middles))  # (BINS, 4)
    for bar, colour in zip(ax.patches, colours, strict=True):
        bar.set_facecolor(colour)
    if descriptor(name).log:
        plain_ticks(ax.xaxis)
    median = np.median(value)
    ax.axvline(median, color=TARGET, linestyle="--", label=f"median {median:.4g} {descriptor(name).unit}".rstrip())
    ax.set(xlabel=label(name), ylabel="number of codes")
    heading(ax, f"{name} of the {len(value)} codes that have it")
    return ax


@own_style()
def scatter(
    points: np.ndarray, value: np.ndarray, used: np.ndarray, explained: np.ndarray, name: str, ax: Axes | None = None
) -> Axes:
    """Draw the codebook in its first two principal components, coloured by a descriptor.

    Parameters
    ----------
    points : ndarray, float, (n_codes, 2)
    value : ndarray, float, (n_codes,)
        NaN for codes without the descriptor, drawn hollow and grey.
    used : ndarray, bool, (n_codes,)
        False for codes assigned to no training frame, drawn as crosses.
    explained : ndarray, float, (2,)
        Share of the variance along each component.
    name : str
        The descriptor.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(5.2)
    x, y = points.T  # (n_codes, 2) -> (n_codes,) each
    has = np.isfinite(value)
    norm = colour_scale(name, value)
    dots = ax.scatter(x[has], y[has], c=value[has], cmap=COLOURS, norm=norm, edgecolor=EDGE, linewidth=THIN)
    if not has.all():
        legend = f"no {name}: {np.sum(~has)} codes"
        hollow = {"facecolor": "none", "edgecolor": MUTED, "linewidth": STYLE["axes.linewidth"]}
        ax.scatter(x[~has], y[~has], **hollow, label=legend, zorder=0.9)  # below the others
    if not used.all():
        legend = f"unused in training: {np.sum(~used)} codes"
        ax.scatter(x[~used], y[~used], s=40, marker="x", color=WARNING, label=legend)
    bar = ax.figure.colorbar(dots, ax=ax, label=label(name), pad=0.01, extend="both")
    if descriptor(name).log:
        plain_ticks(bar.ax.yaxis)
    ax.set_aspect("equal", adjustable="datalim")
    first, second = (f"PC {i} ({100 * share:.0f} %)" for i, share in enumerate(explained, 1))
    ax.set(xlabel=first, ylabel=second)
    heading(ax, f"codebook in two dimensions, coloured by {name}", columns=2)
    return ax


@own_style()
def target_region(values: Mapping[str, np.ndarray], targets: Mapping[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """Draw the codes in the plane of two descriptors, and the path of two targets through it, coloured by time.

    Parameters
    ----------
    values : mapping of str to ndarray, float, (n_codes,)
        By descriptor, at least those of the targets; for instance a codebook.
    targets : mapping of str to ndarray, float, (frames,)
        Two, by descriptor.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(4.6)
    first, second = targets
    ax.scatter(values[first], values[second], s=6, color=MUTED, label="codes")
    points = np.column_stack([targets[first], targets[second]])  # (frames, 2)
    pieces = np.stack([points[:-1], points[1:]], axis=1)  # (frames - 1, 2, 2)
    path = LineCollection(
        list(pieces),
        cmap=COLOURS,
        array=frame_times(len(points))[:-1],
        linewidth=2 * STYLE["lines.linewidth"],
    )
    ax.add_collection(path)
    for name, axis, set_scale in ((first, ax.xaxis, ax.set_xscale), (second, ax.yaxis, ax.set_yscale)):
        if descriptor(name).log:
            set_scale("log")
            plain_ticks(axis)
    ax.figure.colorbar(path, ax=ax, label="time of the targets (s)", pad=0.01)
    ax.set(xlabel=label(first), ylabel=label(second))
    heading(ax)
    return ax
