"""Refine a path: decode it, measure the sound, and adjust its codes by what is missing.

The value of a code in the codebook is that of a long, steady sound.  In a sequence codes blend
with their neighbours, and noise fluctuates as it does in an instrument; so each frame is moved
in pitch and tilted in brightness, within limits, until the sound meets its targets.

Notebooks: 05_target_decode, 07_follow_a_line.
"""

from collections.abc import Callable, Mapping

import numpy as np

from timbrelib.audio.progress import progress
from timbrelib.codebook.table import INNER, Codebook
from timbrelib.control.code_path import DECIMALS, CodePath, retune
from timbrelib.control.search import Search
from timbrelib.descriptors import DESCRIPTORS, descriptor, measure
from timbrelib.descriptors.pitch import track_autocorrelation
from timbrelib.model.vqvae import VQVAE
from timbrelib.synthesis.excitation import tilt_spectra

STEP = 1.0  # dB per octave, by which spectra are tilted to see how a descriptor changes
MAX_PITCH_ERROR = 50 / 1200  # octaves; a larger one is another note, or an octave misheard, and is not corrected
MAX_BEND = 30 / 1200  # octaves; where a melody bends more, a frame of 93 ms measures a mean and is not corrected
BEND_FRAMES = 2  # before and after, over which a bend is measured
CORRECTION = {"rolloff": 0.5}  # share of a measured error that is corrected, if not all: it jumps between partials
CENTS = 10.0  # error of a fundamental that counts as much as 1 % of another descriptor's range
GOOD_ENOUGH = 0.1  # mean error, in these units, that is not refined any further
UNDEFINED_ERROR = 10.0  # of a frame in which a descriptor is undefined, in these units


def refine(
    model: VQVAE,
    codebook: Codebook,
    codes: np.ndarray,
    curves: Mapping[str, np.ndarray],
    units: Mapping[str, float],
    search: Search,
    decode: Callable[[CodePath], np.ndarray],
) -> tuple[CodePath, np.ndarray]:
    """Adjust codes to their targets.

    Parameters
    ----------
    model : VQVAE
    codebook : Codebook
        Of the model; its excitation decodes.
    codes : ndarray, int64, (frames,)
    curves : mapping of str to ndarray, float64, (frames,)
        Targets by descriptor; NaN in frames that do not follow them.
    units : mapping of str to float
        Error of each descriptor that counts as 1.
    search : Search
        Limits of the adjustment, and number of refinements.
    decode : callable
        Synthesises a path, float32 (n,).

    Returns
    -------
    path : CodePath
        With the smallest mean error of all that were measured.
    audio : ndarray, float32, (n,)
        Its sound.
    """
    tilted = [name for name in curves if not descriptor(name).log] if search.tilt else []
    slopes = np.array([tilt_slopes(model, codebook, codes, name) / units[name] for name in tilted])
    pitch = curves.get("fundamental")  # corrected from pass to pass
    tilt = np.zeros(len(codes)) if slopes.any() else None
    refinements = search.refinements if tilt is not None or (pitch is not None and search.retune) else 0
    best, smallest = (CodePath(codes), np.zeros(0, np.float32)), np.inf
    for remaining in progress(range(refinements, -1, -1), "refining"):
        path = CodePath(codes, None if pitch is None else retune(codebook, codes, pitch, search.retune), tilt)
        audio = decode(path)
        measured = measure(audio, curves, track_autocorrelation)
        errors = {
            name: signed_error(name, measured[name][: len(codes)], curve, units[name]) for name, curve in curves.items()
        }
        mean = float(np.mean([_mean_error(error, curves[name]) for name, error in errors.items()]))
        if mean < smallest:
            best, smallest = (path, audio), mean
        if not remaining or smallest < GOOD_ENOUGH:
            break
        if pitch is not None and (tilt is None or remaining == refinements):
            # only once if frames are tilted as well: each move changes how partials and noise interfere
            octaves = errors["fundamental"] * units["fundamental"]
            right = (np.abs(octaves) < MAX_PITCH_ERROR) & _is_even(curves["fundamental"])
            pitch = pitch * 2 ** -np.where(right, octaves, 0)
        if tilt is not None:
            change = np.array([CORRECTION.get(name, 1.0) * np.nan_to_num(errors[name]) for name in tilted])
            tilt = np.clip(tilt - _least_squares(slopes, change), -search.tilt, search.tilt).round(DECIMALS)
    return best


def _is_even(pitch: np.ndarray) -> np.ndarray:
    """Whether a pitch in Hz, (frames,), is steady or glides evenly around each frame, bool (frames,)."""
    octaves = np.pad(np.log2(pitch), BEND_FRAMES, mode="edge")
    bend = octaves[2 * BEND_FRAMES :] - 2 * octaves[BEND_FRAMES:-BEND_FRAMES] + octaves[: -2 * BEND_FRAMES]
    return np.abs(bend) < MAX_BEND  # (frames,), False beside NaN


def _mean_error(error: np.ndarray, target: np.ndarray) -> float:
    """Mean size of signed errors, (frames,), in the frames that have a target."""
    followed = np.isfinite(target)
    return float(np.nan_to_num(np.abs(error[followed]), nan=UNDEFINED_ERROR).mean()) if followed.any() else 0.0


def _least_squares(slopes: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Tilt that explains errors best, float64 (frames,); slopes are per dB per octave, (descriptors, frames) each."""
    power = np.square(slopes).sum(axis=0)  # (frames,)
    reacts = power > 1e-6 * power.max(initial=0)  # not where no descriptor changes with the tilt
    return np.divide((slopes * errors).sum(axis=0), power, out=np.zeros(len(power)), where=reacts)


def tilt_slopes(model: VQVAE, codebook: Codebook, codes: np.ndarray, name: str) -> np.ndarray:
    """Change of a descriptor per dB per octave of tilt, of each code, float64 (frames,); 0 where undefined."""
    used, place = np.unique(codes, return_inverse=True)
    spectra = model.code_spectra(codebook.excitation, codebook.noise)
    parts = [part[used] for part in (spectra.partials, spectra.noise) if part is not None]
    magnitude = np.sqrt(sum(np.square(part) for part in parts))  # (used, N_BINS)
    darker, brighter = (
        DESCRIPTORS[name].measure(tilt_spectra(magnitude, np.full(len(used), tilt))) for tilt in (-STEP, STEP)
    )
    return np.nan_to_num((brighter - darker) / (2 * STEP))[place]


def error_unit(codebook: Codebook, name: str) -> float:
    """Return the error of a descriptor that costs 1: 1 % of its inner range, or 10 cents (in octaves)."""
    if descriptor(name).log:
        return CENTS / 1200
    inner = np.ptp(np.nanpercentile(codebook[name], INNER))
    return max(inner / 100, 1e-12)


def signed_error(name: str, value: np.ndarray, target: np.ndarray, unit: float) -> np.ndarray:
    """Signed error of values against targets of broadcastable shapes; of a fundamental, in log frequency."""
    return (np.log2(value / target) if descriptor(name).log else value - target) / unit
