"""How figures look: matplotlib's own defaults, whatever the user's settings are, so that they are the same everywhere.

Notebooks: all.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from timbrelib.files import atomic_write

FILE_DPI, SCREEN_DPI = 130, 72  # dots per inch in files and in notebooks
COLOURS = 256  # of a PNG file


@contextmanager
def own_style() -> Iterator[None]:
    """Draw with matplotlib's defaults; as a decorator, a whole function.

    A user's ``matplotlibrc`` may ask for LaTeX or fonts that are not installed.
    """
    with plt.style.context("default"):
        yield


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
def panels(rows: int, columns: int, size: tuple[float, float], sharey: bool = False) -> tuple[Figure, np.ndarray]:
    """Make a figure of panels, its size in inches, and return it with its axes, (rows, columns)."""
    return plt.subplots(
        rows, columns, figsize=size, sharey=sharey, layout="constrained", dpi=SCREEN_DPI, squeeze=False,
        FigureClass=OwnFigure,
    )  # fmt: skip


def new_axes(width: float, height: float) -> Axes:
    """Make a figure of one panel, width and height in inches, and return its axes."""
    return panels(1, 1, (width, height))[1][0, 0]


def stacked(n_panels: int, height: float) -> tuple[Figure, Sequence[Axes]]:
    """Make a figure of panels one below the other, each of a height in inches."""
    figure, axes = panels(n_panels, 1, (9, height * n_panels))
    return figure, list(axes[:, 0])


def side_by_side() -> tuple[Figure, Sequence[Axes]]:
    """Make a figure of two panels."""
    figure, axes = panels(1, 2, (13, 5))
    return figure, list(axes[0])


@own_style()
def save_figure(path: str | Path, figure: Figure) -> None:
    """Write a figure as a PNG with a palette, atomically.

    Raises
    ------
    PermissionError
        The folder is not writable.
    """
    content = BytesIO()
    figure.savefig(content, dpi=FILE_DPI, bbox_inches="tight", facecolor="white", format="png")
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
