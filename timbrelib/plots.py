"""Figures.  They draw what they are given and compute nothing.

Notebooks: all.
"""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from timbrelib.audio import HOP, N_FFT, SAMPLE_RATE, frame_times
from timbrelib.comparison import Score
from timbrelib.descriptors import descriptor
from timbrelib.files import written_whole
from timbrelib.rendering import Rendering

TARGET, SELECTED, MEASURED, UNUSED = "#000000", "#e69f00", "#0072b2", "#d55e00"  # Okabe and Ito's colours
BINS = 24  # of a histogram
DYNAMIC_RANGE = 80  # dB shown below the loudest bin
FAINTEST_PEAK = 0.1  # magnitude to which fainter sounds are compared, so that silence is dark
FILE_DPI, SCREEN_DPI = 130, 72  # in files and in notebooks, which a reader on the web has to load


def label(name: str) -> str:
    """Write a descriptor with its unit, as axes have it."""
    unit = descriptor(name).unit
    return f"{name} ({unit})" if unit else name


def plain_ticks(axis: Axis, subs: Sequence[int] = (1, 2, 3, 4, 5, 6, 8)) -> Axis:
    """Label a logarithmic axis with plain numbers, `subs` times the powers of ten: 200, 300, 400."""
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FormatStrFormatter("%g"))
    axis.set_minor_formatter(NullFormatter())
    return axis


def save_figure(path: str | Path, figure: Figure) -> None:
    """Write a PNG, whole or not at all.

    Raises
    ------
    PermissionError
        The folder cannot be written to.
    """
    with written_whole(path) as part:
        figure.savefig(part, dpi=FILE_DPI, bbox_inches="tight", facecolor="white")


def spectrum(level: np.ndarray, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw one frame's spectrum, float (N_BINS,), in dB."""
    ax = ax or plt.subplots(figsize=(9, 2.8), layout="constrained", dpi=SCREEN_DPI)[1]
    ax.plot(np.arange(len(level)) * SAMPLE_RATE / N_FFT / 1000, level, color=MEASURED, linewidth=1)
    ax.set(xlabel="frequency (kHz)", ylabel="level (dB)", title=title, xlim=(0, SAMPLE_RATE / 2000))
    ax.grid(alpha=0.3)
    return ax


def spectrogram(audio: np.ndarray, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw the spectrogram of a sound, float (n,), in dB below its loudest bin."""
    import librosa

    ax = ax or plt.subplots(figsize=(9, 3.5), layout="constrained", dpi=SCREEN_DPI)[1]
    magnitude = np.abs(librosa.stft(audio, n_fft=N_FFT, hop_length=HOP))  # (N_BINS, frames)
    level = librosa.amplitude_to_db(magnitude, ref=max(magnitude.max(), FAINTEST_PEAK), top_db=DYNAMIC_RANGE)
    half = HOP / SAMPLE_RATE / 2
    extent = (-half, (level.shape[1] - 1) * 2 * half + half, 0, SAMPLE_RATE / 2000)
    image = ax.imshow(level, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-DYNAMIC_RANGE, vmax=0)
    ax.figure.colorbar(image, ax=ax, label="level (dB)", pad=0.01)
    ax.set(xlabel="time (s)", ylabel="frequency (kHz)", title=title)
    return ax


def transfer(original: np.ndarray, decoded: np.ndarray, titles: tuple[str, str], said: str) -> Figure:
    """Draw the spectrograms of a sound and of its transfer, float (n,) each, side by side, with what survives above."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained", dpi=SCREEN_DPI)
    for audio, ax, title in zip((original, decoded), axes, titles, strict=True):
        spectrogram(audio, ax, title)
    figure.suptitle(said)
    return figure


def curves(rendering: Rendering, name: str, error: str, ax: Axes | None = None) -> Axes:
    """Draw target, selected and measured values of a descriptor over each other, with `error` in the legend."""
    ax = ax or plt.subplots(figsize=(9, 3.5), layout="constrained", dpi=SCREEN_DPI)[1]
    seconds = frame_times(len(rendering.codes))
    ax.plot(seconds, rendering.selected[name], ".", color=SELECTED, markersize=4, label="selected codes")
    ax.plot(seconds, rendering.measured[name], color=MEASURED, linewidth=1, label=f"measured: {error}")
    ax.plot(seconds, rendering.targets[name], color=TARGET, linewidth=1.2, linestyle="--", label="target")
    if descriptor(name).log:
        ax.set_yscale("log")
        plain_ticks(ax.yaxis)
    ax.set(xlabel="time (s)", ylabel=label(name), xlim=(0, seconds[-1]))
    ax.legend(loc="best", fontsize="small")
    ax.grid(alpha=0.3)
    return ax


def decoding(rendering: Rendering, errors: dict[str, str], title: str) -> Figure:
    """Draw the spectrogram of a rendering with its measured curves in Hz, and a panel of curves for each target.

    Parameters
    ----------
    rendering : Rendering
    errors : dict of str to str
        By descriptor, from `timbrelib.evaluation.say_rendering`.
    title : str

    Returns
    -------
    Figure
    """
    n_panels = 1 + len(rendering.targets)
    figure, (above, *below) = plt.subplots(
        n_panels, 1, figsize=(9, 3.75 * n_panels), layout="constrained", dpi=SCREEN_DPI
    )
    spectrogram(rendering.audio, above, title)
    seconds = frame_times(len(rendering.codes))
    frequencies = [name for name in rendering.measured if descriptor(name).unit == "Hz"]
    for name, style in zip(frequencies, cycle(("-", "--", ":", "-."))):
        curve = rendering.measured[name] / 1000  # kHz
        above.plot(seconds, curve, style, color="white", linewidth=1, label=f"measured {name}")
    if frequencies:
        above.legend(loc="upper right", fontsize="small", facecolor="0.3", labelcolor="white")
    above.set_xlim(0, seconds[-1])
    for name, ax in zip(rendering.targets, below, strict=True):
        curves(rendering, name, errors[name], ax)
    return figure


def sorted_codebook(renderings: dict[str, Rendering], errors: dict[str, str]) -> Figure:
    """Draw traversals of a codebook, by descriptor, a panel each, with what `errors` says of it in the legend."""
    figure, axes = plt.subplots(
        len(renderings), 1, figsize=(9, 2.6 * len(renderings)), layout="constrained", dpi=SCREEN_DPI, squeeze=False
    )
    for (name, rendering), ax in zip(renderings.items(), axes[:, 0], strict=True):
        curves(rendering, name, errors[name], ax)
        if rendering.targets[name].min() > 0:
            ax.set_yscale("log")  # a few extreme codes would leave all others one line
            if descriptor(name).unit:
                plain_ticks(ax.yaxis)
    return figure


def histogram(value: np.ndarray, name: str, ax: Axes | None = None) -> Axes:
    """Draw how a descriptor's values, float (codes,), are spread over the codebook."""
    ax = ax or plt.subplots(figsize=(6.5, 5), layout="constrained", dpi=SCREEN_DPI)[1]
    bins: int | Sequence[float] = BINS
    if descriptor(name).log:
        bins = np.geomspace(value.min(), value.max(), BINS + 1).tolist()
        ax.set_xscale("log")
        plain_ticks(ax.xaxis)
    ax.hist(value, bins=bins, color=MEASURED, edgecolor="white", linewidth=0.5)
    middle = np.median(value)
    ax.axvline(
        middle, color=TARGET, linestyle="--", linewidth=1.2, label=f"median {middle:.4g} {descriptor(name).unit}"
    )
    ax.set(xlabel=label(name), ylabel="codes", title=f"{name} of the {len(value)} codes that have it")
    ax.legend()
    return ax


def scatter(
    points: np.ndarray, value: np.ndarray, used: np.ndarray, explained: np.ndarray, name: str, ax: Axes | None = None
) -> Axes:
    """Draw the codebook's first two principal components, shaded by a descriptor.

    Parameters
    ----------
    points : ndarray, float, (n_codes, 2)
    value : ndarray, float, (n_codes,)
        NaN for codes without the descriptor, which are drawn hollow.
    used : ndarray, bool, (n_codes,)
        False for codes that stand for no training frame; they are crossed out.
    explained : ndarray, float, (2,)
        Share of the variance along each component.
    name : str
        The descriptor.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = ax or plt.subplots(figsize=(7, 5), layout="constrained", dpi=SCREEN_DPI)[1]
    x, y = points.T  # (n_codes,) each
    has = np.isfinite(value)
    limits = np.percentile(value[has], [3, 97])  # a few extreme codes would leave all others one grey
    norm = LogNorm(*limits) if descriptor(name).log else Normalize(*limits)
    dots = ax.scatter(x[has], y[has], c=value[has], cmap="gray", norm=norm, s=14, edgecolor="0.4", linewidth=0.3)
    if not has.all():
        missing = f"no {name}: {np.sum(~has)}"
        ax.scatter(x[~has], y[~has], s=14, facecolor="none", edgecolor=SELECTED, linewidth=0.7, label=missing)
    if not used.all():
        ax.scatter(x[~used], y[~used], s=40, marker="x", color=UNUSED, label=f"unused in training: {np.sum(~used)}")
    bar = ax.figure.colorbar(dots, ax=ax, label=label(name), pad=0.01, extend="both")
    if descriptor(name).log:
        plain_ticks(bar.ax.yaxis)
    across, up = (
        f"principal component {i} ({100 * share:.0f} % of the variance)" for i, share in enumerate(explained, 1)
    )
    ax.set(xlabel=across, ylabel=up, title=f"codebook in two dimensions, shaded by {name}")
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="best", fontsize="small")
    return ax


def codebook(points: np.ndarray, value: np.ndarray, used: np.ndarray, explained: np.ndarray, name: str) -> Figure:
    """Draw histogram and scatter side by side, as published; the arguments are `scatter`'s."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5), layout="constrained", dpi=SCREEN_DPI)
    histogram(value[np.isfinite(value)], name, left)
    scatter(points, value, used, explained, name, right)
    return figure


def training(history: dict[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """Draw the loss of a training run, and on a second axis its codes in use and perplexity."""
    ax = ax or plt.subplots(figsize=(9, 3.5), layout="constrained", dpi=SCREEN_DPI)[1]
    ax.plot(history["step"], history["loss"], color=TARGET, label="loss")
    quantised = history["codes_used"] > 0
    step, used, perplexity = (history[what][quantised] for what in ("step", "codes_used", "perplexity"))
    right = ax.twinx()
    right.plot(step, used, color=MEASURED, linestyle="--", label="codes in use")
    right.plot(step, perplexity, color=SELECTED, linestyle=":", label="perplexity")
    right.set(ylabel="codes", ylim=(0, None))
    ax.set(xlabel="training step", ylabel="log-spectral distance (dB)")
    lines = ax.get_lines() + right.get_lines()
    ax.legend(lines, [str(line.get_label()) for line in lines], loc="center right", fontsize="small")
    return ax


def trained(
    history: dict[str, np.ndarray],
    points: np.ndarray,
    value: np.ndarray,
    used: np.ndarray,
    explained: np.ndarray,
    name: str,
) -> Figure:
    """Draw a training run and the codebook that came of it; the arguments are those of `training` and `scatter`."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5), layout="constrained", dpi=SCREEN_DPI)
    training(history, left)
    scatter(points, value, used, explained, name, right)
    return figure


def region(table: np.ndarray, targets: dict[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """Draw where a codebook has codes in the plane of two descriptors, and the way of two targets through it."""
    ax = ax or plt.subplots(figsize=(7, 5), layout="constrained", dpi=SCREEN_DPI)[1]
    across, along = targets
    ax.scatter(table[across], table[along], s=12, color=MEASURED, alpha=0.6, linewidth=0, label="codes")
    ax.plot(targets[across], targets[along], color=TARGET, linewidth=1, label="targets")
    for name, axis, set_scale in ((across, ax.xaxis, ax.set_xscale), (along, ax.yaxis, ax.set_yscale)):
        if descriptor(name).log:
            set_scale("log")
            plain_ticks(axis)
    ax.set(xlabel=label(across), ylabel=label(along))
    ax.legend()
    ax.grid(alpha=0.3)
    return ax


def ways(scores: Sequence[Score]) -> Figure:
    """Draw the error of every way of following a target, a panel for each descriptor."""
    names = list(dict.fromkeys(score.name for score in scores))
    figure, axes = plt.subplots(
        1, len(names), figsize=(2.6 * len(names) + 2, 4), layout="constrained", dpi=SCREEN_DPI, sharey=True
    )
    for name, ax in zip(names, np.atleast_1d(axes), strict=True):
        for shape, color, marker in (("sin", MEASURED, "o"), ("exp", SELECTED, "s")):
            chosen = [score for score in scores if (score.name, score.shape) == (name, shape)]
            ax.plot([s.error for s in chosen], [s.way for s in chosen], marker, color=color, label=shape)
        unit = "cents" if descriptor(name).log else "% of range"
        ax.set(xscale="log", xlabel=f"{name}: error ({unit})")
        plain_ticks(ax.xaxis, subs=(1, 3))
        ax.grid(alpha=0.3)
    ax.invert_yaxis()
    ax.legend(title="target")
    return figure


def purity(scores: Sequence[Score], real: dict[str, Sequence[float]]) -> Figure:
    """Draw how clean sounds are, beside the 10th, 50th and 90th percentile of real ones.

    Parameters
    ----------
    scores : sequence of Score
    real : dict
        ``ratio`` and ``flux``, three numbers each.

    Returns
    -------
    Figure
    """
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", dpi=SCREEN_DPI, sharey=True)
    for ax, what, axis_label in zip(
        axes, ("ratio", "flux"), ("harmonic-to-noise ratio (dB)", "spectral flux (of unit gain)"), strict=True
    ):
        low, middle, high = real[what]
        ax.axvspan(low, high, color="0.88")
        ax.axvline(middle, color=TARGET, linestyle="--", linewidth=1.2)
        ax.plot([getattr(s, what) for s in scores], [s.way for s in scores], "o", color=MEASURED, alpha=0.7)
        ax.set(xlabel=axis_label, title=f"grey: real, {low:.3g} to {high:.3g}, median {middle:.3g}")
    axes[0].invert_yaxis()
    return figure
