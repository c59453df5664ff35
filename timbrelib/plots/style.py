"""How figures look: the project's style, whatever the user's settings are, so that they are the same everywhere.

Notebooks: all.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib import interactive, is_interactive, rc_params_from_file
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from timbrelib.files import atomic_write

_SETTINGS = rc_params_from_file(Path(__file__).with_name("timbrelib.mplstyle"), use_default_template=False)
STYLE: dict[str, Any] = {str(name): value for name, value in _SETTINGS.items()}
TARGET, SELECTED, MEASURED, WARNING, OVERLAY, EDGE, MUTED, RANGE = STYLE["axes.prop_cycle"].by_key()["color"]
WIDTH = STYLE["figure.figsize"][0]  # inches, of every figure
LINE_LENGTH = 66  # characters of a title that fit into the width
COLOURS = 256  # of a PNG file


@contextmanager
def own_style() -> Iterator[None]:
    """Draw with the project's style on top of matplotlib's defaults; as a decorator, a whole function.

    A user's ``matplotlibrc`` may ask for LaTeX or fonts that are not installed.
    """
    with plt.style.context(["default", STYLE]):
        try:
            yield
        finally:
            shown = is_interactive()  # as the backend decides when the first figure loads it
    interactive(shown)  # which the end of the context has undone: later figures would not be shown


class OwnFigure(Figure):
    """A figure that is also drawn and measured in this style, since only then its ticks are made."""

    @own_style()
    def draw(self, renderer: Any) -> None:
        """Draw the figure."""
        super().draw(renderer)

    @own_style()
    def get_tightbbox(self, *arguments: Any, **options: Any) -> Bbox:
        """Measure what is drawn, to cut off the margins."""
        return super().get_tightbbox(*arguments, **options)


@own_style()
def panels(rows: int, columns: int, height: float, **options: Any) -> tuple[Figure, np.ndarray]:
    """Make a figure of panels, its height in inches, and return it with its axes, (rows, columns).

    Options are those of `matplotlib.pyplot.subplots`.
    """
    return plt.subplots(rows, columns, figsize=(WIDTH, height), squeeze=False, FigureClass=OwnFigure, **options)


def new_axes(height: float) -> Axes:
    """Make a figure of one panel, its height in inches, and return its axes."""
    return panels(1, 1, height)[1][0, 0]


def stacked(heights: Sequence[float], sharex: bool = False) -> tuple[Figure, Sequence[Axes]]:
    """Make a figure of panels one below the other, each of its height in inches."""
    figure, axes = panels(len(heights), 1, sum(heights), sharex=sharex, height_ratios=heights)
    return figure, list(axes[:, 0])


@own_style()
def figure_title(figure: Figure, title: str) -> None:
    """Write the title of a figure, in several lines if it is long."""
    if title:
        figure.suptitle(fill(title, LINE_LENGTH), parse_math=False)  # the name of a file may hold a $


@own_style()
def heading(ax: Axes, title: str = "", columns: int = 3, note: str = "", lines: Sequence[Any] | None = None) -> None:
    """Write title and legend above the axes, outside of the data.

    Parameters
    ----------
    ax : Axes
    title : str
    columns : int
        Entries of the legend in a row.
    note : str
        Written between title and legend.
    lines : sequence of Artist, optional
        Entries of the legend; by default all labelled ones of `ax`.
    """
    entries = ax.get_legend_handles_labels()[0] if lines is None else list(lines)
    rows = -(-len(entries) // columns) + bool(note and entries)
    if entries:
        ax.legend(handles=entries, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, title=note, alignment="left")
    ax.set_title(title, pad=STYLE["axes.titlepad"] + 1.4 * STYLE["font.size"] * rows, parse_math=False)


@own_style()
def save_figure(path: str | Path, figure: Figure) -> None:
    """Write a figure as a PNG with a palette, atomically.

    Raises
    ------
    PermissionError
        The folder is not writable.
    """
    content = BytesIO()
    figure.savefig(content, format="png")
    with atomic_write(path) as part:
        part.write_bytes(reduce_colours(content.getvalue()))


def reduce_colours(png: bytes) -> bytes:
    """Reduce an opaque PNG to a palette, so that a spectrogram takes a quarter of its bytes."""
    from PIL import Image

    content = BytesIO()
    with Image.open(BytesIO(png)) as image:
        # median cut, the default, shifts the bright end of a colour bar and takes more bytes
        palette = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=1)
    palette.save(content, format="PNG", optimize=True)
    return content.getvalue()
