"""Figure of a training run.

Notebook: 01_train.
"""

import numpy as np
from matplotlib.axes import Axes

from timbrelib.plots.style import EDGE, MEASURED, SELECTED, TARGET, WARNING, heading, new_axes, own_style


@own_style()
def training_history(history: dict[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """Draw the loss of a training run and, on a second axis, the number of codes in use and their perplexity.

    Parameters
    ----------
    history : dict of str to ndarray, float64, (rows,)
        From `timbrelib.load_history`.  If it has a ``valid_loss``, NaN where it was not measured, that is drawn
        as well.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(3.6)
    lines = ax.plot(history["step"], history["loss"], color=TARGET, label="loss, training")
    if "valid_loss" in history:
        measured = np.isfinite(history["valid_loss"])
        step, loss = history["step"][measured], history["valid_loss"][measured]
        lines += ax.plot(step, loss, ".-", color=WARNING, label="loss, valid")
    quantised = history["codes_used"] > 0  # after the warm-up, which has no codebook
    if not quantised.all() and quantised.any():
        start = history["step"][~quantised][-1]
        lines.append(ax.axvline(start, color=EDGE, linestyle=":", label="k-means"))
    step, used, perplexity = (history[column][quantised] for column in ("step", "codes_used", "perplexity"))
    right = ax.twinx()
    lines += right.plot(step, used, color=MEASURED, linestyle="--", label="codes in use")
    lines += right.plot(step, perplexity, color=SELECTED, linestyle="-.", label="perplexity")
    right.set(ylabel="number of codes", ylim=(0, None))
    right.spines["right"].set_visible(True)
    right.grid(visible=False)
    ax.set(xlabel="step", ylabel="log-spectral distance (dB)")
    heading(ax, columns=2, lines=lines)  # those of an axis are in one column
    return ax
