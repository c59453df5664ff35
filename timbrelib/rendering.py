"""A sound beside what was asked of it: measured, frame by frame.

Notebooks: 04_target_decode, 05_draw_target, 06_scorecard, 08_follow_a_line.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from timbrelib.audio import check_audio, spectrum_blocks, spectrum_gain
from timbrelib.descriptors import SILENCE, measure_all, pitch, track_fundamental

HEARD_AS_PITCH = 0.7  # periodicity; codes need more, for their pitch is a promise


@dataclass(frozen=True)
class Rendering:
    """Targets, and the sound that follows them.

    Attributes
    ----------
    targets : dict of str to ndarray, float64, (frames,)
        What was asked for, by descriptor, in its unit.
    codes : ndarray, int64, (frames,)
        The code chosen for each frame.
    gain : ndarray, float64, (frames,)
        Linear gain of each frame.
    excitation : {"locked", "noise"}
    selected : dict of str to ndarray, float64, (frames,)
        The value that each chosen code has on its own.
    measured : dict of str to ndarray, float64, (frames,)
        The value of each frame of `audio`; NaN where it has none.
    audio : ndarray, float32, ((frames - 1) * HOP,)
    search : dict or None
        ``smoothness``, ``rounds`` and ``weights`` with which `match` chose the codes; None
        where it did not.
    """

    targets: dict[str, np.ndarray]
    codes: np.ndarray
    gain: np.ndarray
    excitation: str
    selected: dict[str, np.ndarray]
    measured: dict[str, np.ndarray]
    audio: np.ndarray
    search: dict | None = None


def measure_audio(audio: np.ndarray, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Measure a decoded sound for scoring, each descriptor float64 (frames,); NaN where it has no value.

    A fundamental is followed by another estimator than the one that made the codebook's table.
    """
    names = list(names)
    measured = measure_all(audio, [name for name in names if name != "fundamental"])
    return {name: measured[name] if name in measured else track_fundamental(audio) for name in names}


def measure_quickly(audio: np.ndarray, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Measure a decoded sound as `measure_audio` does, the fundamental by the estimator that made the table.

    That is a hundred times as fast; a frame counts as voiced from a periodicity of
    `HEARD_AS_PITCH`, with which as many frames do as with pYIN.
    """
    names = list(names)
    measured = measure_all(audio, [name for name in names if name != "fundamental"])
    if "fundamental" in names:
        blocks = []
        for spectrum in spectrum_blocks(check_audio(audio)):  # (block, N_BINS)
            f0, periodicity = pitch(spectrum)
            voiced = (periodicity >= HEARD_AS_PITCH) & (spectrum_gain(spectrum) > SILENCE)
            blocks.append(np.where(voiced, f0, np.nan))
        measured["fundamental"] = np.concatenate(blocks).astype(np.float64)
    return {name: measured[name] for name in names}


def measured_rendering(
    table: np.ndarray,
    targets: Mapping[str, np.ndarray],
    codes: np.ndarray,
    gain: np.ndarray | float,
    excitation: str,
    audio: np.ndarray,
    measure: Callable[[np.ndarray, Iterable[str]], dict[str, np.ndarray]],
) -> Rendering:
    """Measure what codes have become, beside what was asked for; arguments as `render_codes`."""
    targets = {name: np.asarray(curve, dtype=np.float64) for name, curve in targets.items()}
    gain = np.broadcast_to(np.asarray(gain, dtype=np.float64), codes.shape)
    selected = {name: table[name][codes] for name in targets}
    measured = {name: curve[: len(codes)] for name, curve in measure(audio, targets).items()}
    return Rendering(targets, codes, gain, excitation, selected, measured, audio)
