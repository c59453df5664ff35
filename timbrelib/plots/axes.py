"""Labels, ticks and colours of axes that show a descriptor.

Notebooks: all.
"""

import numpy as np
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import FormatStrFormatter, Locator, LogLocator, MaxNLocator, NullFormatter

from timbrelib.descriptors import descriptor

# Multiples of powers of ten that are labelled, by the ratio of the ends of the axis up to which they do not overlap.
TICKS = {8.0: (1, 2, 3, 4, 5, 6, 8), 100.0: (1, 2, 5), 500.0: (1, 3), np.inf: (1,)}
NARROW = 2.5  # ratio of the ends below which equal steps are as good
INNER = (3, 97)  # percentiles between which colours differ: a few extreme codes would leave all others the same


def label(name: str) -> str:
    """Label an axis with a descriptor and its unit."""
    unit = descriptor(name).unit
    return f"{name} ({unit})" if unit else name


def plain_ticks(axis: Axis) -> Axis:
    """Label a logarithmic axis, once its ends are known, with plain numbers: 200, 300, 400."""
    low, high = sorted(axis.get_view_interval())
    locator: Locator = MaxNLocator(5, steps=[1, 2, 5, 10])
    if high > NARROW * low:
        locator = LogLocator(subs=next(subs for ratio, subs in TICKS.items() if high <= ratio * low))
    axis.set_major_locator(locator)
    axis.set_major_formatter(FormatStrFormatter("%g"))
    axis.set_minor_formatter(NullFormatter())
    return axis


def colour_scale(name: str, value: np.ndarray) -> Normalize:
    """Scale of colours for the values of a descriptor, float (n,), logarithmic for a pitch."""
    limits = np.percentile(value[np.isfinite(value)], INNER)
    return LogNorm(*limits) if descriptor(name).log else Normalize(*limits)
