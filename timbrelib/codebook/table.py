"""The codes of a model and their descriptors, as a table that shows and plots itself.

Notebooks: 02_codebook_pca, 03_descriptor_histogram.
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from timbrelib.descriptors import DESCRIPTORS, descriptor

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INNER = (3, 97)  # percentiles of a descriptor between which a codebook covers it well
JOINT = (5, 95)  # the same for the codes of a part of another descriptor's range


class Codebook:
    """The codes of a model and the descriptors that they have when played with one excitation.

    A column is an array: ``codebook["centroid"]``, float64 (n_codes,), NaN where a code does
    not have the descriptor.

    Parameters
    ----------
    name : str
        The model's.
    excitation : {"mixed", "locked", "noise"}
    noise : float
        Amount of noise of ``mixed``, 0..1, with which the codes were decoded.
    columns : ndarray, structured, (n_codes,)
        The fields ``code``, one per descriptor in its unit, ``periodicity`` (of the decoded
        code, 0..1), ``ambiguity`` (how strongly a pitch octaves away competes) and
        ``count`` (training frames assigned to the code).
    vectors : ndarray, float32, (n_codes, code_size)
        The codebook vectors.

    Examples
    --------
    >>> import timbrelib
    >>> codebook = timbrelib.load("viola").codebook
    >>> codebook["centroid"].shape
    (1024,)
    >>> codebook.descriptors
    ['centroid', 'bandwidth', 'rolloff', 'flatness', 'fundamental']
    >>> low, high = codebook.percentile_range("centroid")  # covered well
    >>> bottom, top = codebook.full_range("centroid")
    >>> bottom < low < high < top
    True
    >>> codes, centroids = codebook.values("centroid")  # of the codes that have one
    >>> bool((centroids == codebook.table["centroid"][codes]).all())
    True
    >>> ordered = codebook.sorted_codes("centroid")
    >>> print(codebook["centroid"][ordered[0]] == bottom)
    True
    >>> low, high = codebook.fullest_octave()
    >>> dark, bright = codebook.joint_range("centroid", "fundamental", low, high)  # at all notes
    >>> points, variance = codebook.pca
    >>> points.shape
    (1024, 2)
    >>> codebook.neighbour_r2("centroid") < codebook.neighbour_r2("centroid", plane=False)
    True
    >>> change = codebook.neighbour_step("centroid")  # in Hz
    >>> axes = codebook.histogram("centroid"), codebook.scatter("centroid")
    >>> figure = codebook.plot("centroid")  # both side by side
    """

    def __init__(self, name: str, excitation: str, noise: float, columns: np.ndarray, vectors: np.ndarray) -> None:
        self.name, self.excitation, self.noise, self.columns, self.vectors = name, excitation, noise, columns, vectors

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]

    def __iter__(self) -> Iterator[str]:
        """Names of the columns."""
        return iter(self.columns.dtype.names or ())

    def __repr__(self) -> str:
        statistics = self.table.describe().to_string(float_format="{:.4g}".format)
        return f"Codebook of {self.name}: {len(self)} codes, {self.excitation} excitation\n{statistics}"

    def _repr_html_(self) -> str:
        return self.table._repr_html_()

    @property
    def table(self) -> "pd.DataFrame":
        """The columns as a pandas DataFrame, one row per code."""
        import pandas as pd

        return pd.DataFrame(self.columns).set_index("code")

    @property
    def descriptors(self) -> list[str]:
        """The descriptors that at least one code has."""
        return [name for name in DESCRIPTORS if np.isfinite(self[name]).any()]

    def values(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Codes that have the descriptor `name`, int64 (n,), and their values in its unit, float64 (n,).

        Raises
        ------
        ValueError
            The descriptor does not exist, or no code has it.
        """
        descriptor(name)
        defined = np.isfinite(self[name])
        if not defined.any():
            raise ValueError(f"no code of this model has a {name}: choose another descriptor")
        return self["code"][defined], self[name][defined]

    def sorted_codes(self, name: str) -> np.ndarray:
        """Codes that have the descriptor `name`, from its lowest value to its highest, int64 (n,)."""
        codes, value = self.values(name)
        return codes[value.argsort()]

    def percentile_range(self, name: str) -> tuple[float, float]:
        """Range that the codebook covers well: 3rd and 97th percentile of the descriptor `name`, in its unit."""
        low, high = np.percentile(self.values(name)[1], INNER)
        return float(low), float(high)

    def full_range(self, name: str) -> tuple[float, float]:
        """Lowest and highest value of the descriptor `name` over all codes, in its unit."""
        _, value = self.values(name)
        return float(value.min()), float(value.max())

    def fullest_octave(self) -> tuple[float, float]:
        """Return the ends, in Hz, of the octave that contains the fundamentals of most codes.

        Raises
        ------
        ValueError
            No code has a fundamental.
        """
        f0 = np.sort(self.values("fundamental")[1])
        count = np.searchsorted(f0, 2 * f0, side="right") - np.arange(len(f0))  # codes in the octave above each
        low = float(f0[count.argmax()])
        return low, 2 * low

    def joint_range(self, name: str, given: str, low: float, high: float, slices: int = 4) -> tuple[float, float]:
        """Range of one descriptor that the codebook holds at every value of another.

        Parameters
        ----------
        name : str
            The descriptor whose range is returned.
        given : str
            The other descriptor.
        low, high : float
            Ends of its movement, which is cut into `slices` equal parts (in log frequency for
            a fundamental).  The range is common to all parts, from the 5th to the 95th
            percentile of each.
        slices : int

        Returns
        -------
        low, high : float
            In the unit of `name`.

        Raises
        ------
        ValueError
            A part contains no codes, or the parts have no range in common.
        """
        both = np.isfinite(self[name]) & np.isfinite(self[given])
        value, along = self[name][both], self[given][both]
        edges = np.geomspace(low, high, slices + 1) if descriptor(given).log else np.linspace(low, high, slices + 1)
        parts = [value[(along >= start) & (along <= stop)] for start, stop in pairwise(edges)]
        if min(len(part) for part in parts):
            bottom = max(np.percentile(part, JOINT[0]) for part in parts)
            top = min(np.percentile(part, JOINT[1]) for part in parts)
            if bottom < top:
                return float(bottom), float(top)
        raise ValueError(
            f"no range of the {name} is common to all codes with a {given} from {low:.4g} to {high:.4g}: "
            f"narrow the {given}"
        )

    @cached_property
    def pca(self) -> tuple[np.ndarray, np.ndarray]:
        """First two principal components of the vectors, float64 (n_codes, 2), and their shares of variance, (2,)."""
        from sklearn.decomposition import PCA

        pca = PCA(n_components=2, svd_solver="full")
        points = pca.fit_transform(self.vectors.astype(np.float64))  # (n_codes, 2)
        return points, pca.explained_variance_ratio_

    def histogram(self, name: str, ax: "Axes | None" = None) -> "Axes":
        """Draw how the descriptor `name` is distributed over the codes, into `ax` or a new figure."""
        from timbrelib import plots

        return plots.histogram(self.values(name)[1], name, ax)

    def scatter(self, name: str, ax: "Axes | None" = None) -> "Axes":
        """Draw the codes in two principal components, coloured by the descriptor `name`, into `ax` or a new figure."""
        from timbrelib import plots

        points, explained = self.pca
        return plots.scatter(points, self[name], self["count"] > 0, explained, name, ax)

    def plot(self, name: str) -> "Figure":
        """Draw histogram and scatter of the descriptor `name`, with the same colours, one below the other."""
        from timbrelib import plots

        figure, (top, bottom) = plots.stacked([2.6, 5.2])
        self.histogram(name, top)
        self.scatter(name, bottom)
        plots.figure_title(figure, self.name)
        return figure

    def neighbour_r2(self, name: str, plane: bool = True, neighbours: int = 10) -> float:
        """How well the nearest codes predict a code's descriptor: R^2 of their mean.

        Parameters
        ----------
        name : str
        plane : bool
            Whether codes are near in the plane of the first two principal components, or in
            all dimensions of the codebook vectors.
        neighbours : int

        Returns
        -------
        float
            1 where neighbours share their value, 0 where they do not predict it.
        """
        codes, value = self.values(name)
        points = self.pca[0] if plane else self.vectors
        rest = value - value[_neighbours(points[codes], neighbours)].mean(axis=1)  # (n, neighbours) -> (n,)
        return float(1 - np.mean(rest**2) / np.var(value))

    def neighbour_step(self, name: str) -> float:
        """Mean change of the descriptor `name`, in its unit, from a code to its nearest neighbour in the plane."""
        codes, value = self.values(name)
        return float(np.mean(np.abs(value - value[_neighbours(self.pca[0][codes], 1)[:, 0]])))


def _neighbours(points: np.ndarray, count: int) -> np.ndarray:
    """Nearest other points of each, (n, dimensions) -> int64 (n, count)."""
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=count).fit(points).kneighbors(return_distance=False)
