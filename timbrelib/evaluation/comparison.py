"""Scores of several methods that follow the same targets, as a table and as figures.

Notebook: 10_evaluation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from timbrelib.control.scores import TrackingScore
from timbrelib.descriptors import descriptor
from timbrelib.evaluation.markdown import markdown_table
from timbrelib.evaluation.sound_quality import SoundQuality

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEADERS = (
    *("descriptor", "shape", "method", "error", "Spearman", "selection", "synthesis"),
    *("RPA 50 cents", "RPA 20 cents", "voiced", "jumps/s", "HNR", "flux", "heard as"),
)


@dataclass(frozen=True)
class MethodScore:
    """How one method follows one target.

    Attributes
    ----------
    descriptor, shape : str
        Of the target; its label.
    method : str
        How the sound was made.
    tracking : TrackingScore
        How the sound follows the target.
    quality : SoundQuality
        How the sound sounds.
    """

    descriptor: str
    shape: str
    method: str
    tracking: TrackingScore
    quality: SoundQuality

    def cells(self) -> list[str]:
        """Format the score as a row of the Markdown table, with ``-`` where it is undefined."""
        named = {"descriptor": self.descriptor, "shape": self.shape, "method": self.method}
        cells = named | self.tracking.cells() | self.quality.cells()
        return [cells[header] for header in HEADERS]


@dataclass(frozen=True)
class Comparison:
    """Scores of several methods that follow the same targets; shown as a table.

    Attributes
    ----------
    scores : list of MethodScore
        One per sound.
    timbre : str or None
        As which the sounds should be recognised.

    Examples
    --------
    >>> import timbrelib
    >>> from timbrelib.evaluation.comparison import MethodScore
    >>> from timbrelib.evaluation.sound_quality import judge_sound
    >>> viola = timbrelib.load("viola")
    >>> result = viola.render(viola.target("centroid", "sin", n_frames=44))
    >>> score = MethodScore("centroid", "sin", "path", result.score["centroid"], judge_sound(result.audio, "viola"))
    >>> comparison = timbrelib.Comparison([score], "viola")
    >>> list(comparison.table["method"])
    ['path']
    >>> comparison.to_markdown().startswith("| descriptor | shape | method |")
    True
    >>> figure = comparison.plot()
    >>> figure = comparison.plot_sound_quality(timbrelib.load_card("viola")["scores"])
    """

    scores: list[MethodScore]
    timbre: str | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[MethodScore]:
        return iter(self.scores)

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    @property
    def table(self) -> "pd.DataFrame":
        """The scores as a pandas DataFrame, one row per sound, with the unit of its distances as a column."""
        import pandas as pd

        rows = []
        for score in self.scores:
            tracking, quality = score.tracking, score.quality
            named = (score.descriptor, score.shape, score.method, tracking.error, tracking.spearman)
            stages = (tracking.selection, tracking.synthesis, tracking.rpa_50, tracking.rpa_20, tracking.voiced)
            rows.append([*named, *stages, quality.jumps, quality.hnr, quality.flux, quality.heard, tracking.unit])
        return pd.DataFrame(rows, columns=[*HEADERS, "unit"])

    def to_markdown(self) -> str:
        """Write the scores as a table in Markdown.

        ``error`` is the distance of measured and target, ``selection`` that of selected codes
        and target, ``synthesis`` that of measured and selected: means in % of the target's
        range, for a fundamental medians in cents.  RPA is the raw pitch accuracy, ``voiced``
        the share of frames in which the descriptor is defined; HNR and flux are medians, and
        ``heard as`` is the share of half-second windows recognised as the timbre.
        """
        return markdown_table(HEADERS, (score.cells() for score in self.scores))

    def plot(self) -> "Figure":
        """Draw the error of every method, one panel per descriptor and one marker per target."""
        from timbrelib import plots

        styles = ((plots.MEASURED, "o"), (plots.SELECTED, "s"), (plots.TARGET, "^"), (plots.WARNING, "D"))
        names = list(dict.fromkeys(score.descriptor for score in self.scores))
        shapes = list(dict.fromkeys(score.shape for score in self.scores))
        figure, axes = self._panels(len(names))
        with plots.own_style():
            for name, ax in zip(names, axes, strict=True):
                for shape, (color, marker) in zip(shapes, styles, strict=False):
                    chosen = [score for score in self.scores if (score.descriptor, score.shape) == (name, shape)]
                    errors = [score.tracking.error for score in chosen]
                    ax.plot(errors, [score.method for score in chosen], marker, color=color, label=shape)
                unit = "cents" if descriptor(name).log else "% of range"
                ax.set(xscale="log", xlabel=f"error ({unit})", title=name)
                plots.plain_ticks(ax.xaxis)
            axes[0].invert_yaxis()
            figure.legend(handles=axes[0].get_lines(), loc="outside upper center", ncols=len(shapes), title="target")
        return figure

    def _panels(self, count: int) -> "tuple[Figure, list[Axes]]":
        """Make panels in two columns, as high as the methods need, that share their rows."""
        from timbrelib import plots

        rows = -(-count // 2)
        methods = len({score.method for score in self.scores})
        figure, axes = plots.panels(rows, 2, rows * (1.1 + 0.22 * methods) + 0.4, sharey=True)
        panels = axes.ravel().tolist()  # (rows, 2) -> (2 * rows,)
        for ax in panels[count:]:
            ax.remove()
        return figure, panels[:count]

    def plot_sound_quality(self, real: Mapping[str, Any]) -> "Figure":
        """Draw the quality of the sound of every method, compared with real recordings.

        Parameters
        ----------
        real : mapping
            The ``scores`` of a model card: ``hnr_db_real`` and ``flux_real``, 10th, 50th and 90th
            percentile over the frames of recordings, and ``heard_as_real`` if it is known.

        Returns
        -------
        Figure
            Harmonic-to-noise ratio, spectral flux, pitch jumps, and the share of windows that
            are recognised as the timbre.
        """
        from timbrelib import plots

        figure, axes = self._panels(4)
        methods, qualities = [score.method for score in self.scores], [score.quality for score in self.scores]
        panels = {
            "harmonic-to-noise\nratio (dB)": [quality.hnr for quality in qualities],
            "flux (at unit norm)": [quality.flux for quality in qualities],
            "pitch jumps per second": [quality.jumps for quality in qualities],
            f"heard as {self.timbre or 'the timbre'} (%)": [100 * quality.heard for quality in qualities],
        }
        with plots.own_style():
            for ax, (axis_label, values) in zip(axes, panels.items(), strict=True):
                ax.plot(values, methods, "o", color=plots.MEASURED, alpha=0.7)
                ax.set_xlabel(axis_label)
            for ax, key in zip(axes, ("hnr_db_real", "flux_real"), strict=False):
                low, middle, high = real[key]
                band = ax.axvspan(low, high, color=plots.RANGE, zorder=0, label="real, 10th to 90th percentile")
                line = ax.axvline(middle, color=plots.TARGET, linestyle="--", zorder=0.5, label="real, median")
                ax.set_title(f"real: {low:.3g} to {high:.3g},\nmedian {middle:.3g}")
            if self.timbre and "heard_as_real" in real:
                share = 100 * real["heard_as_real"]
                axes[3].axvline(share, color=plots.TARGET, linestyle="--", zorder=0.5)
                axes[3].set_title(f"real: {share:.0f} %")
            axes[0].invert_yaxis()
            figure.legend(handles=[band, line], loc="outside upper center", ncols=2)
        return figure
