"""Figures: functions that draw arrays, and their common palette.

Each draws into the given axes, or else into a new figure, and returns what it drew on.

Notebooks: all.

Examples
--------
>>> import timbrelib
>>> from timbrelib import plots
>>> figure, (left, right) = plots.side_by_side()
>>> sound = timbrelib.string_melody()
>>> ax = plots.spectrum(timbrelib.unit_level(timbrelib.spectra(sound), timbrelib.frame_gain(sound))[40], left)
>>> ax = plots.histogram(timbrelib.load("viola").codebook["centroid"], "centroid", right)
>>> ax = plots.training_history(timbrelib.load_history("viola"))
"""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from timbrelib.audio.frames import HOP, N_FFT, SAMPLE_RATE, frame_times
from timbrelib.descriptors import descriptor
from timbrelib.plots.style import (
    new_axes,
    own_style,
    panels,
    reduce_colours,
    save_figure,
    side_by_side,
    stacked,
)

__all__ = [
    "curves",
    "histogram",
    "label",
    "new_axes",
    "own_style",
    "panels",
    "plain_ticks",
    "reduce_colours",
    "save_figure",
    "scatter",
    "side_by_side",
    "spectrogram",
    "spectrograms",
    "spectrum",
    "stacked",
    "target_region",
    "tracking",
    "training_history",
]

TARGET, SELECTED, MEASURED, UNUSED = "#000000", "#e69f00", "#0072b2", "#d55e00"  # Okabe and Ito's palette
BINS = 24  # of a histogram
DYNAMIC_RANGE = 80  # dB shown below the loudest bin
MIN_PEAK = 0.1  # magnitude shown as 0 dB if a sound has no louder bin, so that silence is dark


def label(name: str) -> str:
    """Label an axis with a descriptor and its unit."""
    unit = descriptor(name).unit
    return f"{name} ({unit})" if unit else name


def plain_ticks(axis: Axis, subs: Sequence[int] = (1, 2, 3, 4, 5, 6, 8)) -> Axis:
    """Label a logarithmic axis with plain numbers at the multiples `subs` of powers of ten: 200, 300, 400."""
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FormatStrFormatter("%g"))
    axis.set_minor_formatter(NullFormatter())
    return axis


@own_style()
def spectrum(level: np.ndarray, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw the spectrum of a frame, float (N_BINS,), in dB."""
    ax = ax or new_axes(9, 2.8)
    ax.plot(np.arange(len(level)) * SAMPLE_RATE / N_FFT / 1000, level, color=MEASURED, linewidth=1)
    ax.set(xlabel="frequency (kHz)", ylabel="level (dB)", title=title, xlim=(0, SAMPLE_RATE / 2000))
    ax.grid(alpha=0.3)
    return ax


@own_style()
def spectrogram(audio: np.ndarray, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw the spectrogram of a sound, float (n,), in dB below its loudest bin."""
    import librosa

    ax = ax or new_axes(9, 3.5)
    magnitude = np.abs(librosa.stft(audio, n_fft=N_FFT, hop_length=HOP))  # (N_BINS, frames)
    level = librosa.amplitude_to_db(magnitude, ref=max(magnitude.max(), MIN_PEAK), top_db=DYNAMIC_RANGE)
    half = HOP / SAMPLE_RATE / 2  # s; the centres of the frames, not their edges, are at the times of the grid
    extent = (-half, (level.shape[1] - 1) * 2 * half + half, 0, SAMPLE_RATE / 2000)
    image = ax.imshow(level, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-DYNAMIC_RANGE, vmax=0)
    ax.figure.colorbar(image, ax=ax, label="level (dB)", pad=0.01)
    ax.set(xlabel="time (s)", ylabel="frequency (kHz)", title=title)
    ax.title.set_parse_math(False)  # the name of a file may hold a $
    return ax


@own_style()
def spectrograms(sounds: Mapping[str, np.ndarray], title: str = "") -> Figure:
    """Draw the spectrograms of several sounds, float (n,) by title, side by side."""
    figure, axes = panels(1, len(sounds), (5.5 * len(sounds), 3.4))
    for (name, audio), ax in zip(sounds.items(), axes[0], strict=True):
        spectrogram(audio, ax, name)
    figure.suptitle(title)
    return figure


@own_style()
def curves(
    name: str,
    target: np.ndarray,
    selected: np.ndarray,
    measured: np.ndarray,
    score: object = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw target, selected and measured values of a descriptor, float (frames,), with the score in the legend."""
    ax = ax or new_axes(9, 3.5)
    seconds = frame_times(len(target))
    ax.plot(seconds, selected, ".", color=SELECTED, markersize=4, label="selected codes")
    ax.plot(seconds, measured, color=MEASURED, linewidth=1, label=f"measured: {score}" if score else "measured")
    ax.plot(seconds, target, color=TARGET, linewidth=1.2, linestyle="--", label="target")
    if descriptor(name).log:
        ax.set_yscale("log")
        plain_ticks(ax.yaxis)
    ax.set(xlabel="time (s)", ylabel=label(name), xlim=(0, seconds[-1]))
    ax.legend(loc="best", fontsize="small")
    ax.grid(alpha=0.3)
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
    """Draw the spectrogram of a sound with its measured frequencies, and a panel of curves for each target.

    Parameters
    ----------
    audio : ndarray, float, (n,)
    targets, selected, measured : mapping of str to ndarray, float, (frames,)
        By descriptor, in its unit.
    scores : mapping of str to object
        By descriptor; written into the legends.
    title : str

    Returns
    -------
    Figure
    """
    figure, (top, *below) = stacked(1 + len(targets), 3.75)
    spectrogram(audio, top, title)
    seconds = frame_times(len(next(iter(targets.values()))))
    frequencies = [name for name in measured if descriptor(name).unit == "Hz"]
    for name, style in zip(frequencies, cycle(("-", "--", ":", "-."))):
        top.plot(seconds, measured[name] / 1000, style, color="white", linewidth=1, label=f"measured {name}")  # kHz
    if frequencies:
        top.legend(loc="upper right", fontsize="small", facecolor="0.3", labelcolor="white")
    top.set_xlim(0, seconds[-1])
    for name, ax in zip(targets, below, strict=True):
        curves(name, targets[name], selected[name], measured[name], scores[name], ax)
    return figure


@own_style()
def histogram(value: np.ndarray, name: str, ax: Axes | None = None) -> Axes:
    """Draw how the values of a descriptor, float (n,), are distributed over the codes that have it."""
    ax = ax or new_axes(6.5, 5)
    bins: int | Sequence[float] = BINS
    if descriptor(name).log:
        bins = np.geomspace(value.min(), value.max(), BINS + 1).tolist()
        ax.set_xscale("log")
        plain_ticks(ax.xaxis)
    ax.hist(value, bins=bins, color=MEASURED, edgecolor="white", linewidth=0.5)
    median = np.median(value)
    ax.axvline(
        median, color=TARGET, linestyle="--", linewidth=1.2, label=f"median {median:.4g} {descriptor(name).unit}"
    )
    ax.set(xlabel=label(name), ylabel="codes", title=f"{name} of the {len(value)} codes that have it")
    ax.legend()
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
        NaN for codes without the descriptor, drawn hollow.
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
    ax = ax or new_axes(7, 5)
    x, y = points.T  # (n_codes,) each
    has = np.isfinite(value)
    limits = np.percentile(value[has], [3, 97])  # a few extreme codes would leave all others the same grey
    norm = LogNorm(*limits) if descriptor(name).log else Normalize(*limits)
    dots = ax.scatter(x[has], y[has], c=value[has], cmap="gray", norm=norm, s=14, edgecolor="0.4", linewidth=0.3)
    if not has.all():
        legend = f"no {name}: {np.sum(~has)}"
        ax.scatter(x[~has], y[~has], s=14, facecolor="none", edgecolor=SELECTED, linewidth=0.7, label=legend)
    if not used.all():
        ax.scatter(x[~used], y[~used], s=40, marker="x", color=UNUSED, label=f"unused in training: {np.sum(~used)}")
    bar = ax.figure.colorbar(dots, ax=ax, label=label(name), pad=0.01, extend="both")
    if descriptor(name).log:
        plain_ticks(bar.ax.yaxis)
    first, second = (f"PC {i} ({100 * share:.0f} % of variance)" for i, share in enumerate(explained, 1))
    ax.set(xlabel=first, ylabel=second, title=f"codebook in two dimensions, coloured by {name}")
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="best", fontsize="small")
    return ax


@own_style()
def training_history(history: dict[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """Draw the loss of a training run and, on a second axis, the number of codes in use and their perplexity.

    Parameters
    ----------
    history : dict of str to ndarray, float64, (rows,)
        From `timbrelib.load_history`.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(9, 3.5)
    ax.plot(history["step"], history["loss"], color=TARGET, label="loss")
    quantised = history["codes_used"] > 0  # after the warm-up, which has no codebook
    step, used, perplexity = (history[column][quantised] for column in ("step", "codes_used", "perplexity"))
    right = ax.twinx()
    right.plot(step, used, color=MEASURED, linestyle="--", label="codes in use")
    right.plot(step, perplexity, color=SELECTED, linestyle=":", label="perplexity")
    right.set(ylabel="number of codes", ylim=(0, None))
    ax.set(xlabel="training step", ylabel="log-spectral distance (dB)")
    lines = ax.get_lines() + right.get_lines()
    ax.legend(lines, [str(line.get_label()) for line in lines], loc="center right", fontsize="small")
    return ax


@own_style()
def target_region(values: Mapping[str, np.ndarray], targets: Mapping[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """Draw the codes in the plane of two descriptors, and the path of two targets through it.

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
    ax = ax or new_axes(7, 5)
    first, second = targets
    ax.scatter(values[first], values[second], s=12, color=MEASURED, alpha=0.6, linewidth=0, label="codes")
    ax.plot(targets[first], targets[second], color=TARGET, linewidth=1, label="targets")
    for name, axis, set_scale in ((first, ax.xaxis, ax.set_xscale), (second, ax.yaxis, ax.set_yscale)):
        if descriptor(name).log:
            set_scale("log")
            plain_ticks(axis)
    ax.set(xlabel=label(first), ylabel=label(second))
    ax.legend()
    ax.grid(alpha=0.3)
    return ax
