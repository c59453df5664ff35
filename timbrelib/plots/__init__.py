"""Figures: functions that draw arrays, and their common style.

Those that draw one panel draw into the given axes, or else into a new figure, and return what they drew on.

Notebooks: all.

Examples
--------
>>> import timbrelib
>>> from timbrelib import plots
>>> figure, (top, bottom) = plots.stacked([2.6, 2.6])
>>> sound = timbrelib.string_melody()
>>> ax = plots.spectrum(timbrelib.unit_level(timbrelib.spectra(sound), timbrelib.frame_gain(sound))[40], top)
>>> ax = plots.histogram(timbrelib.load("viola").codebook["centroid"], "centroid", bottom)
>>> ax = plots.training_history(timbrelib.load_history("viola"))
"""

from timbrelib.plots.axes import colour_scale, label, plain_ticks
from timbrelib.plots.codes import histogram, scatter, target_region
from timbrelib.plots.sound import DYNAMIC_RANGE, MIN_PEAK, spectrogram, spectrograms, spectrum
from timbrelib.plots.style import (
    MEASURED,
    RANGE,
    SELECTED,
    TARGET,
    WARNING,
    figure_title,
    heading,
    new_axes,
    own_style,
    panels,
    reduce_colours,
    save_figure,
    stacked,
)
from timbrelib.plots.target import curves, residual, tracking
from timbrelib.plots.training import training_history

__all__ = [
    "DYNAMIC_RANGE",
    "MEASURED",
    "MIN_PEAK",
    "RANGE",
    "SELECTED",
    "TARGET",
    "WARNING",
    "colour_scale",
    "curves",
    "figure_title",
    "heading",
    "histogram",
    "label",
    "new_axes",
    "own_style",
    "panels",
    "plain_ticks",
    "reduce_colours",
    "residual",
    "save_figure",
    "scatter",
    "spectrogram",
    "spectrograms",
    "spectrum",
    "stacked",
    "target_region",
    "tracking",
    "training_history",
]
