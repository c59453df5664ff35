"""Algorithm 1: decode every code alone and measure its descriptors.

Bitton, Esling and Harada, "Vector-Quantized Timbre Representation", 2020 (arXiv 2007.06349).

Notebooks: 02_codebook_pca, 03_descriptor_histogram.
"""

import hashlib
import logging
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import HOP, spectrum_blocks
from timbrelib.audio.parallel import in_threads
from timbrelib.codebook.table import Codebook
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.descriptors.pitch import VOICED, estimate_pitch, octave_ambiguity
from timbrelib.files import atomic_write, user_cache_folder
from timbrelib.model.vqvae import VQVAE
from timbrelib.synthesis.excitation import check_excitation

log = logging.getLogger(__name__)

REPEATS = 12  # M of Algorithm 1, frames for which each code sounds
STEADY = slice(4, -4)  # those of them that overlap with no other code
BLOCK = 128  # codes decoded at a time, to bound the memory
SOURCES = ("audio", "codebook", "descriptors", "model", "synthesis")  # packages that a cached table depends on


def analyse_codebook(
    model: VQVAE, excitation: str = "mixed", noise: float | None = None, cache: bool = True
) -> Codebook:
    """Measure the descriptors of every code (Algorithm 1).

    Parameters
    ----------
    model : VQVAE
    excitation : {"mixed", "locked", "noise"}
    noise : float, optional
        Amount of noise of ``mixed``, 0..1; by default the model's own.
    cache : bool
        Keep the table in the user's cache folder and reuse it; other weights, descriptors or
        another version of the library make another table.

    Returns
    -------
    Codebook
        ``fundamental`` is NaN for codes that are not clearly pitched.

    Raises
    ------
    ValueError
        The excitation does not exist, or the noise is not between 0 and 1.

    Examples
    --------
    >>> import timbrelib
    >>> codebook = timbrelib.analyse_codebook(timbrelib.load_model("viola"))
    >>> print(len(codebook), codebook.excitation)
    1024 mixed
    """
    noise = float(model.noise if noise is None else noise)
    check_excitation(excitation, noise)
    columns = (_cached_columns if cache else _measure_codes)(model, excitation, noise)
    return Codebook(model.name, excitation, noise, columns, model.codebook.float().numpy(force=True).copy())


def _cached_columns(model: VQVAE, excitation: str, noise: float) -> np.ndarray:
    """Read the columns from the cache, or measure them and keep them there."""
    path = _cache_path(model, excitation, noise)
    try:
        return _read_columns(path, _blank_columns(model))
    except FileNotFoundError:
        log.info("measuring the codebook of %s for the first time", model.name)
    except (OSError, ValueError) as error:
        log.warning("the cached table %s is damaged (%s) and is measured again", path, error)
    columns = _measure_codes(model, excitation, noise)
    try:
        with atomic_write(path) as part:
            np.save(part, columns, allow_pickle=False)
    except OSError as error:
        log.warning("the table could not be cached: %s", error)
    return columns


def _cache_path(model: VQVAE, excitation: str, noise: float) -> Path:
    """Name a table after all that it depends on: weights, excitation, descriptors and the code that measures."""
    digest = hashlib.sha256(" ".join([excitation, repr(noise), model.fingerprint, *DESCRIPTORS]).encode())
    for descriptor in DESCRIPTORS.values():  # a notebook may define one, and define it again
        if code := getattr(descriptor.measure, "__code__", None):
            constants = [constant for constant in code.co_consts if not hasattr(constant, "co_code")]
            digest.update(code.co_code + repr((code.co_names, constants)).encode())
    package = files("timbrelib")
    sources = [entry for wing in SOURCES for entry in (package / wing).iterdir() if entry.name.endswith(".py")]
    for source in sorted(sources, key=str):
        digest.update(source.read_bytes())
    return user_cache_folder() / f"codebook-{digest.hexdigest()[:32]}.npy"


def _read_columns(path: Path, blank: np.ndarray) -> np.ndarray:
    """Read columns that have the fields, codes and counts of blank ones.

    The file's header is compared with the expected one and never parsed.

    Raises
    ------
    ValueError
        The file has other fields, codes or another size.
    """
    expected = BytesIO()
    np.save(expected, blank, allow_pickle=False)
    size = len(expected.getvalue())
    with path.open("rb") as file:
        content = file.read(size + 1)
    header = content[: size - blank.nbytes]
    if len(content) != size or not expected.getvalue().startswith(header):
        raise ValueError("it does not have the expected size and fields")
    columns = np.frombuffer(content, blank.dtype, offset=len(header)).copy()
    if (columns["code"] != blank["code"]).any() or (columns["count"] != blank["count"]).any():
        raise ValueError("it has other codes")
    return columns


def _blank_columns(model: VQVAE) -> np.ndarray:
    """Make the columns of a model with what needs no measuring: codes and counts."""
    measured = [*DESCRIPTORS, "periodicity", "ambiguity"]
    fields = [("code", np.int64), *((name, np.float64) for name in measured), ("count", np.int64)]
    columns = np.zeros(model.config.n_codes, dtype=fields)
    columns["code"] = np.arange(model.config.n_codes)
    columns["count"] = model.use.numpy(force=True)
    return columns


def _measure_codes(model: VQVAE, excitation: str, noise: float) -> np.ndarray:
    columns, n_codes = _blank_columns(model), model.config.n_codes
    model.code_spectra(excitation, noise)  # computed once, before the threads need it

    def measure_block(start: int) -> None:
        codes = np.arange(start, min(start + BLOCK, n_codes))
        audio = model.decode(np.repeat(codes, REPEATS), gain=1.0, excitation=excitation, noise=noise)
        steady = np.arange(len(codes) * REPEATS).reshape(len(codes), REPEATS)[:, STEADY]  # (codes, steady)
        frames = np.concatenate(list(spectrum_blocks(audio, HOP * steady.ravel())))  # (codes * steady, N_BINS)
        for name in DESCRIPTORS:
            if name != "fundamental":
                values = DESCRIPTORS[name].measure(frames)  # (codes * steady,)
                columns[name][codes] = values.reshape(steady.shape).mean(axis=1)  # (codes, steady) -> (codes,)
        power = np.square(frames).reshape(*steady.shape, -1).mean(axis=1)  # (codes, steady, N_BINS) -> (codes, N_BINS)
        mean = np.sqrt(power)
        f0, periodicity = estimate_pitch(mean)
        columns["fundamental"][codes] = f0 = np.where(periodicity >= VOICED, f0, np.nan)
        columns["periodicity"][codes] = periodicity
        columns["ambiguity"][codes] = octave_ambiguity(mean, f0)

    list(in_threads(measure_block, range(0, n_codes, BLOCK)))
    return columns
