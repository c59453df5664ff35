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
from timbrelib.codebook import values
from timbrelib.descriptors import descriptor, measure, track_fundamental
from timbrelib.files import written_whole
from timbrelib.model import VQVAE


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


def match(table: np.ndarray, name: str, target: np.ndarray) -> np.ndarray:
    """Pick for each frame the code whose descriptor is nearest to the target.

    Parameters
    ----------
    table : ndarray, structured, (n_codes,)
        From `timbrelib.analyse_codebook`.
    name : str
        A descriptor.  For the fundamental, nearness is in log frequency and only clearly
        pitched codes are chosen.
    target : ndarray, float, (frames,)
        In the descriptor's unit.

    Returns
    -------
    ndarray, int64, (frames,)

    Raises
    ------
    ValueError
        The descriptor does not exist, or the target is empty, holds NaN or leaves the range
        of the codebook.
    """
    codes, value = values(table, name)
    target = np.asarray(target, dtype=np.float64)
    if target.ndim != 1 or len(target) == 0:
        raise ValueError(f"the target has shape {target.shape}: give one value a frame, shape (frames,)")
    if not np.isfinite(target).all():
        raise ValueError(
            f"the target is undefined (NaN or infinite) in {np.sum(~np.isfinite(target))} frames: fill them first"
        )
    outside = np.sum((target < value.min()) | (target > value.max()))
    if outside:
        raise ValueError(
            f"the target leaves the codebook's {name} range, {value.min():.4g} to {value.max():.4g}"
            f"{' ' + descriptor(name).unit if descriptor(name).unit else ''}, in {outside} of {len(target)} frames: "
            "move it inside, for example with numpy.clip"
        )
    if descriptor(name).log:
        value, target = np.log(value), np.log(target)
    order = np.argsort(value, kind="stable")
    value = value[order]
    right = np.clip(np.searchsorted(value, target), 1, len(value) - 1) if len(value) > 1 else np.zeros(len(target), int)
    left = np.maximum(right - 1, 0)
    nearer = np.where(target - value[left] <= value[right] - target, left, right)
    return codes[order[nearer]]


def render(
    model: VQVAE,
    table: np.ndarray,
    name: str,
    target: np.ndarray,
    gain: np.ndarray | float | None = None,
    excitation: str = "locked",
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
    return render_codes(model, table, name, target, match(table, name, target), gain, excitation)


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
