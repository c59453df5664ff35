"""From a target curve to codes, and to a sound that follows it.

Algorithm 2 of Bitton, Esling and Harada, "Vector-Quantized Timbre Representation", 2020
(arXiv 2007.06349).

Notebook: 04_target_decode.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from timbrelib.audio import frame_times, save_audio
from timbrelib.codebook import INNER, values
from timbrelib.datasets import AUDIBLE
from timbrelib.descriptors import descriptor, measure, track_fundamental
from timbrelib.files import written_whole
from timbrelib.model import VQVAE

SMOOTHNESS = 8.0  # by default; see match
CANDIDATES = 64  # nearest codes of a frame between which a path chooses


@dataclass(frozen=True)
class Rendering:
    """A target and the sound that follows it.

    Attributes
    ----------
    name : str
        The descriptor.
    target : ndarray, float64, (frames,)
        What was asked for, in the descriptor's unit.
    codes : ndarray, int64, (frames,)
        The code chosen for each frame.
    selected : ndarray, float64, (frames,)
        The value that each chosen code has on its own.
    measured : ndarray, float64, (frames,)
        The value of each frame of `audio`; NaN where it has none.
    audio : ndarray, float32, ((frames - 1) * HOP,)
    """

    name: str
    target: np.ndarray
    codes: np.ndarray
    selected: np.ndarray
    measured: np.ndarray
    audio: np.ndarray


def match(model: VQVAE, table: np.ndarray, name: str, target: np.ndarray, smoothness: float = SMOOTHNESS) -> np.ndarray:
    """Choose the series of codes that follows a target.

    The paper takes for each frame the code whose descriptor is nearest.  Neighbouring frames
    overlap, though, and where they sound different their mixture follows neither; so the
    whole series is chosen at once, near the target and alike from frame to frame, by
    dynamic programming (Viterbi, "Error bounds for convolutional codes", IEEE Trans.
    Information Theory 13(2), 1967).

    Parameters
    ----------
    model : VQVAE
    table : ndarray, structured, (n_codes,)
        The model's own, from `timbrelib.analyse_codebook`.
    name : str
        A descriptor.  For the fundamental, nearness is in log frequency and only clearly
        pitched codes are chosen.
    target : ndarray, float, (frames,)
        In the descriptor's unit.
    smoothness : float
        Cost of a change between two codes at the median spectral distance, where an error
        of 1 % of the codebook's inner range (of a fundamental: 10 cents) costs 1; 0 takes
        the nearest code of each frame.

    Returns
    -------
    ndarray, int64, (frames,)

    Raises
    ------
    ValueError
        The descriptor does not exist, the target is empty, holds NaN or leaves the range
        of the codebook, or the smoothness is negative.
    """
    codes, value = values(table, name)
    target = check_target(name, value, target)
    if not smoothness >= 0:
        raise ValueError(f"a smoothness of {smoothness} makes no sense: give 0 (exact) or more")
    if descriptor(name).log:
        value, target, unit = np.log2(value), np.log2(target), 10 / 1200
    else:
        unit = np.ptp(np.percentile(value, INNER)) / 100
    error = np.abs(target[:, None] - value) / max(unit, 1e-12)  # (frames, codes)
    if smoothness == 0:
        return codes[error.argmin(axis=1)]
    nearest = np.argpartition(error, min(CANDIDATES, len(codes)) - 1, axis=1)[:, :CANDIDATES]  # (frames, candidates)
    cost = np.square(np.take_along_axis(error, nearest, axis=1))  # (frames, candidates)
    return cheapest_path(codes[nearest], cost, smoothness * spectral_distance(model.spectra))


def check_target(name: str, value: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return a target as float64 (frames,), or say why codes with these values cannot follow it."""
    target = np.asarray(target, dtype=np.float64)
    if target.ndim != 1 or len(target) == 0:
        raise ValueError(f"the target has shape {target.shape}: give one value a frame, shape (frames,)")
    undefined = np.sum(~np.isfinite(target))
    if undefined:
        raise ValueError(f"the target is undefined (NaN or infinite) in {undefined} frames: fill them first")
    outside = np.sum((target < value.min()) | (target > value.max()))
    if outside:
        raise ValueError(
            f"the target leaves the codebook's {name} range, {value.min():.4g} to {value.max():.4g} "
            f"{descriptor(name).unit}, in {outside} of {len(target)} frames: "
            "move it inside, for example with numpy.clip"
        )
    return target


def spectral_distance(spectra: np.ndarray) -> np.ndarray:
    """How different two codes sound: RMS distance of their log spectra above the audible floor.

    Parameters
    ----------
    spectra : ndarray, float32, (n_codes, N_BINS)

    Returns
    -------
    ndarray, float32, (n_codes, n_codes)
        Scaled to a median of 1.
    """
    level = 20 * np.log10(np.maximum(spectra / spectra.max(axis=1, keepdims=True), 10 ** (-AUDIBLE / 20)))
    square = np.square(level).sum(axis=1)  # (n_codes,)
    distance = np.sqrt(np.maximum(square[:, None] + square - 2 * level @ level.T, 0))  # (n_codes, n_codes)
    return distance / max(np.median(distance), 1e-9)


def cheapest_path(candidates: np.ndarray, cost: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Find the cheapest way through the candidates of all frames.

    Parameters
    ----------
    candidates : ndarray, int, (frames, n)
        Codes that may sound in each frame.
    cost : ndarray, float, (frames, n)
        What each of them costs there.
    change : ndarray, float, (n_codes, n_codes)
        What it costs to go from one code to another in the next frame.

    Returns
    -------
    ndarray, int, (frames,)
    """
    came_from = np.zeros(candidates.shape, dtype=np.int64)
    total = cost[0]
    for frame in range(1, len(candidates)):
        step = total[:, None] + change[candidates[frame - 1][:, None], candidates[frame]]  # (n before, n now)
        came_from[frame] = step.argmin(axis=0)
        total = step[came_from[frame], np.arange(candidates.shape[1])] + cost[frame]
    path = np.empty(len(candidates), dtype=np.int64)
    path[-1] = total.argmin()
    for frame in range(len(candidates) - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return candidates[np.arange(len(candidates)), path]


def render(
    model: VQVAE,
    table: np.ndarray,
    name: str,
    target: np.ndarray,
    gain: np.ndarray | float | None = None,
    excitation: str = "locked",
    smoothness: float = SMOOTHNESS,
) -> Rendering:
    """Match a target, decode the codes and measure the result.

    Parameters
    ----------
    model : VQVAE
    table : ndarray, structured, (n_codes,)
        The model's own, from `timbrelib.analyse_codebook`.
    name : str
        A descriptor.
    target : ndarray, float, (frames,)
    gain : ndarray, float, (frames,), or float, optional
        Linear gain; constant where it is left out.
    excitation : {"locked", "noise"}
    smoothness : float
        See `match`.

    Returns
    -------
    Rendering
        A fundamental is measured by `timbrelib.descriptors.track_fundamental`, not by the
        estimator that made the table.

    Raises
    ------
    ValueError
        As `match` and `VQVAE.decode` say.
    """
    codes = match(model, table, name, target, smoothness)
    return render_codes(model, table, name, target, codes, gain, excitation)


def render_codes(
    model: VQVAE,
    table: np.ndarray,
    name: str,
    target: np.ndarray,
    codes: np.ndarray,
    gain: np.ndarray | float | None = None,
    excitation: str = "locked",
) -> Rendering:
    """Decode codes that are already chosen, and measure the result; else as `render`."""
    audio = model.decode(codes, gain, excitation)
    target = np.asarray(target, dtype=np.float64)
    return Rendering(name, target, codes, table[name][codes], measure_audio(audio, name), audio)


def measure_audio(audio: np.ndarray, name: str) -> np.ndarray:
    """Measure a decoded sound for scoring, float64 (frames,); NaN where it has no value.

    A fundamental is followed by another estimator than the one that made the codebook's table.
    """
    return track_fundamental(audio) if name == "fundamental" else measure(audio, name)


def save_rendering(stem: str | Path, rendering: Rendering) -> None:
    """Write a rendering as `stem`.wav and `stem`.csv.

    The table has one row a frame, ``time_s,target,selected,measured``, in the descriptor's
    unit, empty where undefined.

    Raises
    ------
    PermissionError
        The folder cannot be written to.
    """
    stem = Path(stem)
    save_audio(stem.with_name(f"{stem.name}.wav"), rendering.audio)
    columns = (rendering.target, rendering.selected, rendering.measured)
    with (
        written_whole(stem.with_name(f"{stem.name}.csv")) as part,
        part.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time_s", "target", "selected", "measured"])
        for time, *row in zip(frame_times(len(rendering.target)), *columns, strict=True):
            writer.writerow([f"{time:.6f}", *("" if np.isnan(value) else f"{value:.6g}" for value in row)])
