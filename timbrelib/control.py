"""From target curves to codes, and to a sound that follows them.

Algorithm 2 of Bitton, Esling and Harada, "Vector-Quantized Timbre Representation", 2020
(arXiv 2007.06349), for whole series at once and several descriptors together.

Notebooks: 04_target_decode, 05_draw_target, 06_scorecard, 08_follow_a_line.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from timbrelib.codebook import INNER
from timbrelib.descriptors import descriptor, measure_all
from timbrelib.model import DEFAULT_GAIN, VQVAE
from timbrelib.paths import heard_path, least_errors
from timbrelib.rendering import Rendering, measure_audio, measured_rendering
from timbrelib.targets import check_targets

log = logging.getLogger(__name__)

SMOOTHNESS = 4.0  # by default; see match
ROUNDS = 3  # by default; see match
CANDIDATES = 32  # nearest codes of a frame between which a path chooses
CENTS = 10.0  # error of a fundamental that counts as much as 1 % of another descriptor's range
UNCLEAR = 0.05  # lack of periodicity of a note that counts as much as 10 cents
LOST = 10.0  # error, in such units, of a frame that has lost the descriptor
MIXABLE = 100 / 1200  # octaves up to which two notes in turn are heard as one between them
WRONG_NOTE = 50.0  # cents
BLOCK = 4096  # frames compared with all codes at a time, to bound the memory


def match(
    model: VQVAE,
    table: np.ndarray,
    targets: Mapping[str, np.ndarray],
    weights: Mapping[str, float] | None = None,
    smoothness: float = SMOOTHNESS,
    rounds: int = ROUNDS,
    excitation: str = "locked",
) -> np.ndarray:
    """Choose the series of codes that follows one target or several at once.

    The paper takes for each frame the code whose descriptor is nearest.  Neighbouring frames
    overlap, though, and where they sound different their mixture follows neither; so the
    whole series is chosen together, near the targets and alike from frame to frame
    (`timbrelib.paths.cheapest_path`).  Then it is decoded and measured, and chosen again
    without the changes of code that led astray (`timbrelib.paths.heard_path`).

    Parameters
    ----------
    model : VQVAE
    table : ndarray, structured, (n_codes,)
        The model's own, from `timbrelib.analyse_codebook`.
    targets : mapping of str to ndarray, float, (frames,)
        By descriptor, in its unit.  Only codes that have all of these descriptors are
        chosen.  Only clearly pitched codes have a fundamental, and among those clear notes are
        preferred.
    weights : mapping of str to float, optional
        How much each descriptor's squared error counts; 1 where it is left out.
    smoothness : float
        Cost of a change between two codes at the median spectral distance, where an error
        of 1 % of the codebook's inner range (of a fundamental: 10 cents) costs 1; 0 takes
        the nearest code of each frame, as the paper does.
    rounds : int
        How many times to decode, measure and choose again.
    excitation : {"locked", "noise"}
        With which to decode.

    Returns
    -------
    ndarray, int64, (frames,)

    Raises
    ------
    ValueError
        A descriptor does not exist, no code has all of them, a target is empty, of another
        length, holds NaN or leaves the range of the codebook, or a weight, the smoothness or
        the rounds are negative.
    """
    return search(model, table, targets, weights, smoothness, rounds, excitation)[0]


def search(
    model: VQVAE,
    table: np.ndarray,
    targets: Mapping[str, np.ndarray],
    weights: Mapping[str, float] | None,
    smoothness: float,
    rounds: int,
    excitation: str,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Choose the series of codes, and give its sound of `DEFAULT_GAIN` too where that was heard; else as `match`."""
    targets = check_targets(table, targets)
    weights = check_search(targets, weights or {}, smoothness, rounds)
    units = {name: unit(table, name) / np.sqrt(weights[name]) for name in targets}
    candidates, error = nearest_codes(table, targets, units, CANDIDATES if smoothness else 1)

    sounds: dict[bytes, np.ndarray] = {}

    def hear(codes: np.ndarray) -> np.ndarray:
        audio = sounds[codes.tobytes()] = model.decode(codes, excitation=excitation)
        measured = measure_all(audio, targets)
        heard = [error_in_units(name, measured[name][: len(codes)], targets[name], units[name]) for name in targets]
        return np.nan_to_num(heard, nan=LOST)  # (descriptors, frames)

    if smoothness == 0:
        codes = candidates[:, 0]
    else:
        limit = [MIXABLE / units[name] if descriptor(name).log else np.inf for name in targets]
        if any(descriptor(name).log for name in targets):
            unclear = (1 - table["voicing"][candidates]) / UNCLEAR  # (frames, n)
            error = np.concatenate([error, unclear[None].astype(np.float32)])  # (descriptors + 1, frames, n)
            limit.append(np.inf)
        codes = heard_path(candidates, error, limit, smoothness * model.distance, hear, rounds)
    warn_of_wrong_notes(table, targets, codes)
    return codes, sounds.get(codes.tobytes())


def check_search(
    targets: Mapping[str, np.ndarray], weights: Mapping[str, float], smoothness: float, rounds: int
) -> dict[str, float]:
    """Complete the weights, or say what makes no sense about the search."""
    if set(weights) - set(targets):
        raise ValueError(f"there are weights for {', '.join(sorted(set(weights) - set(targets)))}, but no such target")
    weights = {name: weights.get(name, 1.0) for name in targets}
    if not all(0 < weight < np.inf for weight in weights.values()):
        raise ValueError(f"the weights are {weights}: give positive numbers, or leave the descriptor out")
    if not 0 <= smoothness < np.inf:
        raise ValueError(f"a smoothness of {smoothness} makes no sense: give 0 (exact) or more")
    if rounds < 0:
        raise ValueError(f"{rounds} rounds make no sense: give 0 (choose once) or more")
    return weights


def unit(table: np.ndarray, name: str) -> float:
    """Give the error of a descriptor that costs 1: in its own unit, or in octaves for a fundamental."""
    if descriptor(name).log:
        return CENTS / 1200
    inner = np.ptp(np.nanpercentile(table[name], INNER))
    return max(inner / 100, 1e-12)


def error_in_units(name: str, value: np.ndarray, target: np.ndarray, unit: float) -> np.ndarray:
    """Signed error of values against targets of shapes that broadcast; in log frequency for a fundamental."""
    return (np.log2(value / target) if descriptor(name).log else value - target) / unit


def nearest_codes(
    table: np.ndarray, targets: Mapping[str, np.ndarray], units: Mapping[str, float], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find for each frame the codes nearest to all targets together.

    Parameters
    ----------
    table : ndarray, structured, (n_codes,)
    targets : mapping of str to ndarray, float64, (frames,)
    units : mapping of str to float
        By which each descriptor's error is divided.
    count : int

    Returns
    -------
    candidates : ndarray, int64, (frames, n)
        At most `count` codes that have all descriptors, in no order.
    error : ndarray, float32, (descriptors, frames, n)
        Their signed errors in units.
    """
    able = np.flatnonzero(np.all([np.isfinite(table[name]) for name in targets], axis=0))  # (able,)
    count = min(count, len(able))
    n_frames = len(next(iter(targets.values())))
    candidates, errors = [], []
    for start in range(0, n_frames, BLOCK):
        error = np.stack([
            error_in_units(name, table[name][able], curve[start : start + BLOCK, None], units[name])
            for name, curve in targets.items()
        ])  # (descriptors, block, able)  # fmt: skip
        nearest, their_error = least_errors(error, count)  # (block, n), (descriptors, block, n)
        candidates.append(able[nearest])
        errors.append(their_error)
    return np.concatenate(candidates), np.concatenate(errors, axis=1)


def warn_of_wrong_notes(table: np.ndarray, targets: Mapping[str, np.ndarray], codes: np.ndarray) -> None:
    """Say in how many frames no better codes than those of another pitch were found."""
    for name, curve in targets.items():
        if descriptor(name).log:
            cents = 1200 * np.log2(table[name][codes] / curve)
            mixed = np.convolve(np.pad(cents, 1, mode="edge"), (0.25, 0.5, 0.25), "valid")  # as codes fade, (frames,)
            wrong = np.sum(np.abs(mixed) > WRONG_NOTE)
            if wrong:
                log.warning(
                    "the chosen codes are more than %.0f cents from the %s target in %d of %d frames: "
                    "give the %s a higher weight, or ask for less at once",
                    WRONG_NOTE, name, wrong, len(codes), name,
                )  # fmt: skip


def render(
    model: VQVAE,
    table: np.ndarray,
    targets: Mapping[str, np.ndarray],
    gain: np.ndarray | float = DEFAULT_GAIN,
    excitation: str = "locked",
    weights: Mapping[str, float] | None = None,
    smoothness: float = SMOOTHNESS,
    rounds: int = ROUNDS,
    measure: Callable[[np.ndarray, Iterable[str]], dict[str, np.ndarray]] = measure_audio,
) -> Rendering:
    """Match targets, decode the codes and measure the result.

    Parameters
    ----------
    model, table, targets, weights, smoothness, rounds
        See `match`.
    gain : ndarray, float, (frames,), or float
        Linear gain: constant, drawn, a fade (`timbrelib.curves.fade`) or that of a
        recording (`timbrelib.lines.follow`).
    excitation : {"locked", "noise"}
    measure : callable
        Gives the descriptors of a sound: `measure_audio` for scores, `measure_quickly` for the
        screen.

    Returns
    -------
    Rendering

    Raises
    ------
    ValueError
        As `match` and `VQVAE.decode` say.
    """
    codes, audio = search(model, table, targets, weights, smoothness, rounds, excitation)
    if audio is None or np.ndim(gain) > 0 or gain != DEFAULT_GAIN:
        audio = model.decode(codes, gain, excitation)
    settings = {"smoothness": float(smoothness), "rounds": int(rounds), "weights": dict(weights or {})}
    return replace(measured_rendering(table, targets, codes, gain, excitation, audio, measure), search=settings)


def render_codes(
    model: VQVAE,
    table: np.ndarray,
    targets: Mapping[str, np.ndarray],
    codes: np.ndarray,
    gain: np.ndarray | float = DEFAULT_GAIN,
    excitation: str = "locked",
    measure: Callable[[np.ndarray, Iterable[str]], dict[str, np.ndarray]] = measure_audio,
) -> Rendering:
    """Decode codes that are already chosen, and measure the result; else as `render`."""
    audio = model.decode(codes, gain, excitation)
    return measured_rendering(table, targets, codes, gain, excitation, audio, measure)
