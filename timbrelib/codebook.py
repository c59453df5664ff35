"""The map from codes to descriptors: decode every code alone and measure it.

Algorithm 1 of Bitton, Esling and Harada, "Vector-Quantized Timbre Representation", 2020
(arXiv 2007.06349).

Notebooks: 02_codebook_pca, 03_descriptor_histogram.
"""

import hashlib
import logging
import os
from importlib.resources import files
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np

from timbrelib.audio import spectra
from timbrelib.descriptors import DESCRIPTORS, VOICED, descriptor, pitch
from timbrelib.files import written_whole
from timbrelib.model import VQVAE

log = logging.getLogger(__name__)

REPEATS = 16  # M, frames for which each code sounds
STEADY = slice(4, -4)  # the frames of those that no neighbouring code reaches
INNER = (3, 97)  # percentiles of a descriptor between which a codebook covers it well
COMMON = (5, 95)  # the same for the codes of a part of another descriptor's range
BLOCK = 128  # codes decoded at a time, to bound the memory


def analyse_codebook(model: VQVAE, excitation: str = "locked", cache: bool = True) -> np.ndarray:
    """Measure the descriptors of every code.

    Parameters
    ----------
    model : VQVAE
    excitation : {"locked", "noise"}
    cache : bool
        Keep the table under ``$XDG_CACHE_HOME/timbrelib`` (``~/.cache/timbrelib``) and take it
        from there the next time; another model or release makes another table.

    Returns
    -------
    ndarray, structured, (n_codes,)
        One row a code, with the fields ``code``, one for each of `DESCRIPTORS` in its
        unit, ``voicing`` (periodicity of the decoded code, 0..1) and ``use`` (frames of
        the training data that the code stood for).  ``fundamental`` is NaN for codes that
        are not clearly pitched.

    Raises
    ------
    ValueError
        The excitation does not exist.
    """
    path = _cache_path(model, excitation)
    if cache:
        try:
            return _cached(path, _blank_table(model))
        except FileNotFoundError:
            log.info("the table of %s is made for the first time", model.name)
        except (OSError, ValueError) as error:
            log.warning("the cached table %s is damaged (%s) and is made again", path, error)
    table = _measure_codes(model, excitation)
    if cache:
        try:
            with written_whole(path) as part:
                np.save(part, table, allow_pickle=False)
        except OSError as error:
            log.warning("the table is not kept for the next time: %s", error)
    return table


def _blank_table(model: VQVAE) -> np.ndarray:
    """Make the table of a model with what needs no measuring: codes and their use."""
    columns = [*DESCRIPTORS, "voicing"]
    fields = [("code", np.int64), *((name, np.float64) for name in columns), ("use", np.int64)]
    table = np.zeros(model.config.n_codes, dtype=fields)
    table["code"] = np.arange(model.config.n_codes)
    table["use"] = model.get_buffer("use").numpy()
    return table


def _cached(path: Path, blank: np.ndarray) -> np.ndarray:
    """Read a table that has the fields, the codes and the use of a blank one.

    Its header is compared with the one that such a table has, and so never interpreted.

    Raises
    ------
    ValueError
        It has others, or another size.
    """
    expected = BytesIO()
    np.save(expected, blank, allow_pickle=False)
    size = len(expected.getvalue())
    with path.open("rb") as file:
        content = file.read(size + 1)
    header = content[: size - blank.nbytes]
    if len(content) != size or not expected.getvalue().startswith(header):
        raise ValueError("it is not of this size and these fields")
    table = np.frombuffer(content, blank.dtype, offset=len(header)).copy()
    if (table["code"] != blank["code"]).any() or (table["use"] != blank["use"]).any():
        raise ValueError("it has other codes")
    return table


def _measure_codes(model: VQVAE, excitation: str) -> np.ndarray:
    table, n_codes = _blank_table(model), model.config.n_codes
    for start in range(0, n_codes, BLOCK):
        codes = np.arange(start, min(start + BLOCK, n_codes))
        audio = model.decode(np.repeat(codes, REPEATS), gain=1.0, excitation=excitation)
        frames = spectra(audio)  # (codes * REPEATS, N_BINS)
        frames = frames.reshape(len(codes), REPEATS, -1)[:, STEADY]  # (codes, steady, N_BINS)
        n_bins = frames.shape[2]
        for name in DESCRIPTORS:
            if name != "fundamental":
                values = DESCRIPTORS[name].measure(frames.reshape(-1, n_bins))  # (codes * steady,)
                table[name][codes] = values.reshape(len(codes), -1).mean(axis=1)  # (codes, steady) -> (codes,)
        f0, voicing = pitch(np.sqrt(np.square(frames).mean(axis=1)))  # mean power, (codes, N_BINS) -> (codes,)
        table["voicing"][codes] = voicing
        table["fundamental"][codes] = np.where(voicing >= VOICED, f0, np.nan)
    return table


def _cache_path(model: VQVAE, excitation: str) -> Path:
    """Name the table of a model after all that it depends on: weights, excitation, descriptors and the code itself."""
    digest = hashlib.sha256(" ".join([excitation, model.fingerprint, *DESCRIPTORS]).encode())
    for source in ("audio", "codebook", "descriptors", "model", "synthesis"):
        digest.update((files("timbrelib") / f"{source}.py").read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "timbrelib" / f"codebook-{digest.hexdigest()[:32]}.npy"


def values(table: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Take the codes that have a descriptor, and their values.

    Parameters
    ----------
    table : ndarray, structured, (n_codes,)
        From `analyse_codebook`.
    name : str
        A descriptor.

    Returns
    -------
    codes : ndarray, int64, (n,)
    value : ndarray, float64, (n,)

    Raises
    ------
    ValueError
        The descriptor does not exist, or no code has it.
    """
    descriptor(name)
    defined = np.isfinite(table[name])
    if not defined.any():
        raise ValueError(f"no code of this model has a {name}: choose another descriptor")
    return table["code"][defined], table[name][defined]


def fullest_octave(table: np.ndarray) -> tuple[float, float]:
    """Find the octave in which most codes have their fundamental.

    Parameters
    ----------
    table : ndarray, structured, (n_codes,)

    Returns
    -------
    low, high : float
        In Hz.

    Raises
    ------
    ValueError
        No code has a fundamental.
    """
    _, notes = values(table, "fundamental")
    notes = np.sort(notes)
    count = np.searchsorted(notes, 2 * notes, side="right") - np.arange(len(notes))  # from each note to its octave
    low = float(notes[count.argmax()])
    return low, 2 * low


def common_span(
    table: np.ndarray, name: str, given: str, low: float, high: float, slices: int = 4
) -> tuple[float, float]:
    """Find the range of one descriptor that a codebook holds at every value of another.

    Parameters
    ----------
    table : ndarray, structured, (n_codes,)
    name : str
        The descriptor whose range is asked for.
    given : str
        The other one.
    low, high : float
        Between which it will move; the range is that common to `slices` equal parts of it (in
        log frequency for a fundamental), from the 5th to the 95th percentile of each.
    slices : int

    Returns
    -------
    low, high : float
        In the unit of `name`.

    Raises
    ------
    ValueError
        A part has no codes, or the parts have no range in common.
    """
    both = np.isfinite(table[name]) & np.isfinite(table[given])
    value, along = table[name][both], table[given][both]
    edges = np.geomspace(low, high, slices + 1) if descriptor(given).log else np.linspace(low, high, slices + 1)
    parts = [value[(along >= start) & (along <= stop)] for start, stop in pairwise(edges)]
    if min(len(part) for part in parts):
        bottom = max(np.percentile(part, COMMON[0]) for part in parts)
        top = min(np.percentile(part, COMMON[1]) for part in parts)
        if bottom < top:
            return float(bottom), float(top)
    raise ValueError(
        f"no range of the {name} is common to all codes with a {given} from {low:.4g} to {high:.4g}: narrow that"
    )


def project(model: VQVAE) -> tuple[np.ndarray, np.ndarray]:
    """Project the codebook onto its first two principal components.

    Parameters
    ----------
    model : VQVAE

    Returns
    -------
    points : ndarray, float64, (n_codes, 2)
    explained : ndarray, float64, (2,)
        Share of the codebook's variance along each.
    """
    from sklearn.decomposition import PCA

    pca = PCA(n_components=2, svd_solver="full")
    points = pca.fit_transform(model.get_buffer("codebook").numpy().astype(np.float64))
    return points, pca.explained_variance_ratio_


def neighbour_agreement(points: np.ndarray, value: np.ndarray, neighbours: int = 10) -> float:
    """How well a code's descriptor is told by its neighbours': R^2 of their mean.

    Parameters
    ----------
    points : ndarray, float, (n, dimensions)
        Places of the codes: in the PCA plane, or codebook vectors.
    value : ndarray, float, (n,)
        Their descriptor values.
    neighbours : int

    Returns
    -------
    float
        1 where neighbours share their value, 0 where they know nothing of it.
    """
    rest = value - value[_neighbours(points, neighbours)].mean(axis=1)  # (n, neighbours) -> (n,)
    return float(1 - np.mean(rest**2) / np.var(value))


def neighbour_step(points: np.ndarray, value: np.ndarray) -> float:
    """Mean change of a descriptor, in its unit, from a code to its nearest neighbour; arguments as above."""
    return float(np.mean(np.abs(value - value[_neighbours(points, 1)[:, 0]])))


def _neighbours(points: np.ndarray, count: int) -> np.ndarray:
    """Find each point's nearest others, (n, dimensions) -> int64 (n, count)."""
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=count).fit(points).kneighbors(return_distance=False)
