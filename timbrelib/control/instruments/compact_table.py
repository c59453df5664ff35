"""A codebook as one compact table, from which the engine in the browser plays without Python.

The table, version 1, is compressed by gzip.  It begins with the length of its header, an
unsigned integer of 32 bits with the lowest byte first, and the header, JSON in UTF-8, whose
``arrays`` list the names, types and shapes of what follows without gaps:

- ``levels``, uint8 (n_codes, N_BINS): magnitudes in steps of ``step`` dB, from ``floor`` dB below the loudest bin of
  the code, less ``slope`` dB for each bin before it.  A row holds the differences of bins from the one before, modulo
  256.
- ``shares``, uint8 (n_codes, N_BINS): shares of noise in steps of 1 / ``share_steps``, as differences, too.
- one float32 (n_codes,) for each descriptor of the codebook, ``periodicity`` and ``ambiguity``;
- ``points``, float32 (n_codes, 2): the first two principal components, from 0 to 1;
- ``codes``, uint16 (n_codes,): the numbers of the codes in the model.

The header also has the name of the timbre, its licence and sources, the ranges of the
descriptors, and the constants of the path search, so that the engine has none of its own.

Notebook: 06_draw_target.
"""

import gzip
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from timbrelib.audio.frames import HOP, N_BINS, N_FFT, SAMPLE_RATE, spectrum_gain
from timbrelib.audio.levels import AUDIBLE_BIN, CEPSTRUM, cepstral_points
from timbrelib.codebook.table import Codebook
from timbrelib.control import code_path, matching, viterbi
from timbrelib.control.refinement import UNDEFINED_ERROR, error_unit
from timbrelib.control.search import CONTINUITY, RETUNE, SMOOTHNESS
from timbrelib.descriptors import descriptor
from timbrelib.model.vqvae import DEFAULT_GAIN, VQVAE
from timbrelib.synthesis.blending import CodeSpectra
from timbrelib.synthesis.excitation import NOISE_LEVEL, split_spectra

FORMAT, VERSION = "timbrelib engine table", 1
N_CODES = 1024  # at most, so that a page loads quickly
FLOOR, STEP = 70.0, 0.5  # dB
SLOPE = 0.002  # dB by which a bin is lower than the one before at the same step: no rounding then decides on a peak
SHARE_STEPS = 15
FLUX = 0.1  # median spectral flux of the recordings, if it is not known: how much a held note moves
TYPES: dict[str, np.dtype] = {"u1": np.dtype("u1"), "u2": np.dtype("<u2"), "f4": np.dtype("<f4")}


@dataclass(frozen=True)
class CompactTable:
    """What a compact table holds.

    Attributes
    ----------
    codebook : Codebook
        Of its codes, numbered from 0; the vectors are the points of the plane.
    codes : ndarray, uint16, (n_codes,)
        Their numbers in the model.
    spectra : ndarray, float32, (n_codes, N_BINS)
        Magnitudes at unit gain.
    shares : ndarray, float32, (n_codes, N_BINS)
        Shares of noise.
    header : dict
    """

    codebook: Codebook
    codes: np.ndarray
    spectra: np.ndarray
    shares: np.ndarray
    header: dict

    @property
    def code_spectra(self) -> CodeSpectra:
        """Partials and noise of the codes, for `timbrelib.synthesis.excitation.synthesise`."""
        return split_spectra(self.spectra, self.shares, self.header["excitation"], self.header["noise"])


def write_compact_table(model: VQVAE, codebook: Codebook, card: Mapping, n_codes: int = N_CODES) -> bytes:
    """Write the compact table of a model.

    Parameters
    ----------
    model : VQVAE
    codebook : Codebook
        Of the model; its excitation decodes.
    card : mapping
        The model's, with its ``licence`` and ``sources``.
    n_codes : int
        At most; a larger codebook is thinned out evenly over pitch and brightness.

    Returns
    -------
    bytes
        The same for the same model.
    """
    codes = choose_codes(codebook, n_codes)
    loudest = model.spectra[codes].max(axis=1, keepdims=True)  # (n_codes, 1)
    level = 20 * np.log10(np.maximum(model.spectra[codes] / loudest, 10 ** (-FLOOR / 20)))  # (n_codes, N_BINS)
    points = codebook.pca[0] - codebook.pca[0].min(axis=0)  # (n_codes of the model, 2)
    columns = [*codebook.descriptors, "periodicity", "ambiguity"]
    arrays = {
        "levels": differences(np.rint((level + FLOOR + SLOPE * np.arange(N_BINS)) / STEP)),
        "shares": differences(np.rint(SHARE_STEPS * model.noise_share[codes])),
        **{name: codebook[name][codes].astype("<f4") for name in columns},
        "points": (points / np.maximum(points.max(axis=0), 1e-9))[codes].astype("<f4"),
        "codes": codes.astype("<u2"),
    }
    header = {
        "format": FORMAT, "version": VERSION, "name": codebook.name,
        "licence": card["licence"], "sources": list(card["sources"]),
        "flux": card.get("scores", {}).get("flux_real", [FLUX] * 3)[1],
        "sample_rate": SAMPLE_RATE, "hop": HOP, "n_fft": N_FFT, "gain": DEFAULT_GAIN,
        "floor": FLOOR, "step": STEP, "slope": SLOPE, "share_steps": SHARE_STEPS,
        "excitation": codebook.excitation, "noise": codebook.noise, "noise_level": float(NOISE_LEVEL),
        "arrays": [[name, array.dtype.str[1:], list(array.shape)] for name, array in arrays.items()],
    }  # fmt: skip
    blank = pack(header | {"descriptors": {}, "search": {}}, arrays)
    header |= describe_search(unpack(blank))  # of the codes and values that the engine reads
    # the strategy for differences: smaller and five times as fast as gzip's usual level 9
    compressor = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS, 9, zlib.Z_FILTERED)
    return compressor.compress(pack(header, arrays)) + compressor.flush()


def read_compact_table(content: bytes) -> CompactTable:
    """Read what `write_compact_table` wrote."""
    return unpack(gzip.decompress(content))


def pack(header: Mapping, arrays: Mapping[str, np.ndarray]) -> bytes:
    """Join header and arrays."""
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join([struct.pack("<I", len(text)), text, *(array.tobytes() for array in arrays.values())])


def unpack(content: bytes) -> CompactTable:
    """Read what `pack` joined."""
    (length,) = struct.unpack_from("<I", content)
    header, start, arrays = json.loads(content[4 : 4 + length]), 4 + length, {}
    for name, kind, shape in header["arrays"]:
        arrays[name] = np.frombuffer(content, TYPES[kind], int(np.prod(shape)), start).reshape(shape)  # (n,) -> shape
        start += arrays[name].nbytes
    level = np.cumsum(arrays["levels"], axis=1, dtype=np.uint8) * header["step"] - header["floor"]  # (n_codes, N_BINS)
    magnitude = 10 ** ((level - header["slope"] * np.arange(N_BINS)) / 20)
    columns = [name for name, _, shape in header["arrays"] if len(shape) == 1]
    fields = np.zeros(len(level), [("code", np.int64), *((name, np.float64) for name in (*columns, "count"))])
    for name in columns:
        fields[name] = arrays[name]
    fields["code"] = np.arange(len(level))
    return CompactTable(
        codebook=Codebook(header["name"], header["excitation"], header["noise"], fields, arrays["points"]),
        codes=arrays["codes"],
        spectra=(magnitude / spectrum_gain(magnitude)[:, None]).astype(np.float32),
        shares=(np.cumsum(arrays["shares"], axis=1, dtype=np.uint8) / header["share_steps"]).astype(np.float32),
        header=header,
    )


def choose_codes(codebook: Codebook, n_codes: int) -> np.ndarray:
    """Choose codes evenly over the semitones and, within each, over the centroids: int64 (at most `n_codes`,)."""
    f0, centroid = (
        codebook[name] if name in codebook else np.zeros(len(codebook)) for name in ("fundamental", "centroid")
    )
    order = np.lexsort([centroid, np.rint(12 * np.log2(f0))])  # codes without a pitch last
    chosen = np.linspace(0, len(order) - 1, min(n_codes, len(order))).round().astype(int)
    return order[chosen]


def differences(values: np.ndarray) -> np.ndarray:
    """Differences of whole numbers, (n, N_BINS), from the column before, modulo 256, which compress well: uint8."""
    return np.diff(values.astype(np.uint8), axis=1, prepend=np.uint8(0))


def describe_search(table: CompactTable) -> dict:
    """Ranges and units of the descriptors, and the constants of the path search, for the header."""
    codebook = table.codebook
    descriptors = {
        name: {
            "unit": descriptor(name).unit, "log": descriptor(name).log, "error_unit": error_unit(codebook, name),
            "range": codebook.percentile_range(name), "full_range": codebook.full_range(name),
        }
        for name in codebook.descriptors
    }  # fmt: skip
    search = {
        "smoothness": SMOOTHNESS, "continuity": CONTINUITY, "retune": RETUNE,
        "candidates": matching.CANDIDATES, "notes": matching.NOTES, "per_note": matching.PER_NOTE,
        "note_frames": matching.NOTE_FRAMES, "retune_cost": matching.RETUNE_COST,
        "periodicity_unit": matching.PERIODICITY_UNIT, "clear": matching.CLEAR,
        "ambiguity_unit": matching.AMBIGUITY_UNIT, "max_blend_octaves": matching.MAX_BLEND_OCTAVES,
        "undefined_error": UNDEFINED_ERROR, "max_neighbour_cents": code_path.MAX_NEIGHBOUR_CENTS,
        "own_share": viterbi.OWN_SHARE, "semitone_cost": viterbi.SEMITONE_COST,
        "max_semitones": viterbi.MAX_SEMITONES, "voicing_cost": viterbi.VOICING_COST,
        "audible_bin": AUDIBLE_BIN, "cepstrum": CEPSTRUM, "median_distance": cepstral_points(table.spectra)[1],
    }  # fmt: skip
    return {"descriptors": descriptors, "search": search}
