"""From target curves to codes: the candidates of each frame, and the path through them.

Algorithm 2 of Bitton, Esling and Harada, "Vector-Quantized Timbre Representation", 2020
(arXiv 2007.06349), for whole sequences at once and several descriptors together.

Notebooks: 04_target_decode, 06_scorecard, 08_follow_a_line.
"""

import logging
from collections.abc import Mapping

import numpy as np

from timbrelib.codebook.table import INNER, Codebook
from timbrelib.control.viterbi import Search, refine_path, select_candidates
from timbrelib.descriptors import descriptor, measure
from timbrelib.model.vqvae import VQVAE

log = logging.getLogger(__name__)

CANDIDATES = 32  # nearest codes of a frame among which the path chooses
CENTS = 10.0  # error of a fundamental that counts as much as 1 % of another descriptor's range
PERIODICITY_UNIT = 0.05  # missing periodicity of a code that counts as much as 10 cents
UNVOICED_PENALTY = 10.0  # error, in these units, of a frame in which the descriptor is undefined
MAX_BLEND_OCTAVES = 100 / 1200  # up to which two successive notes are perceived as one between them
WRONG_NOTE = 50.0  # cents
WRONG_SHARE = 0.01  # of the frames; fewer wrong notes are normal in fast passages
BLOCK = 4096  # frames compared with all codes at a time, to bound the memory


def match(
    model: VQVAE, codebook: Codebook, curves: Mapping[str, np.ndarray], search: Search
) -> tuple[np.ndarray, np.ndarray | None]:
    """Choose the codes that follow one or several target curves.

    The paper takes the nearest code of each frame.  But frames overlap, and where neighbours
    differ, their mixture follows neither; so all codes are chosen together, near the targets
    and similar from frame to frame (`timbrelib.control.viterbi.cheapest_path`).  The path is
    then decoded, measured and searched again, avoiding the transitions found to increase the
    error (`timbrelib.control.viterbi.refine_path`).

    Parameters
    ----------
    model : VQVAE
    codebook : Codebook
        Of the model; its excitation decodes.
    curves : mapping of str to ndarray, float64, (frames,)
        By descriptor, see `timbrelib.control.targets.check_curves`.  Only codes that have all
        of these descriptors are chosen; for a fundamental, periodic codes are preferred.
    search : Search

    Returns
    -------
    codes : ndarray, int64, (frames,)
    audio : ndarray, float32, ((frames - 1) * HOP,), or None
        Their sound at the default gain, if it was decoded on the way.
    """
    units = {name: error_unit(codebook, name) / np.sqrt(search.weight(name)) for name in curves}
    candidates, error = nearest_codes(codebook, curves, units, CANDIDATES if search.smoothness else 1)
    decoded: dict[bytes, np.ndarray] = {}

    def measure_error(codes: np.ndarray) -> np.ndarray:
        audio = decoded[codes.tobytes()] = model.decode(codes, excitation=codebook.excitation)
        measured = measure(audio, curves)
        errors = [signed_error(name, measured[name][: len(codes)], curves[name], units[name]) for name in curves]
        return np.nan_to_num(errors, nan=UNVOICED_PENALTY)  # (descriptors, frames)

    if search.smoothness == 0:
        codes = candidates[:, 0]
    else:
        max_blend = [MAX_BLEND_OCTAVES / units[name] if descriptor(name).log else np.inf for name in curves]
        if any(descriptor(name).log for name in curves):
            aperiodic = (1 - codebook["periodicity"][candidates]) / PERIODICITY_UNIT  # (frames, n)
            error = np.concatenate([error, aperiodic[None].astype(np.float32)])  # (descriptors + 1, frames, n)
            max_blend.append(np.inf)
        transition = search.smoothness * model.distance
        codes = refine_path(candidates, error, max_blend, transition, measure_error, search.refinements)
    warn_of_wrong_notes(codebook, curves, codes)
    return codes, decoded.get(codes.tobytes())


def error_unit(codebook: Codebook, name: str) -> float:
    """Return the error of a descriptor that costs 1: 1 % of its inner range, or 10 cents (in octaves)."""
    if descriptor(name).log:
        return CENTS / 1200
    inner = np.ptp(np.nanpercentile(codebook[name], INNER))
    return max(inner / 100, 1e-12)


def signed_error(name: str, value: np.ndarray, target: np.ndarray, unit: float) -> np.ndarray:
    """Signed error of values against targets of broadcastable shapes; of a fundamental, in log frequency."""
    return (np.log2(value / target) if descriptor(name).log else value - target) / unit


def nearest_codes(
    codebook: Codebook, curves: Mapping[str, np.ndarray], units: Mapping[str, float], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the codes nearest to all targets in each frame.

    Parameters
    ----------
    codebook : Codebook
    curves : mapping of str to ndarray, float64, (frames,)
    units : mapping of str to float
        Error of each descriptor that costs 1.
    count : int

    Returns
    -------
    candidates : ndarray, int64, (frames, n)
        At most `count` codes that have all descriptors, in no particular order.
    error : ndarray, float32, (descriptors, frames, n)
        Their signed errors in units.
    """
    eligible = np.flatnonzero(np.all([np.isfinite(codebook[name]) for name in curves], axis=0))  # (eligible,)
    count = min(count, len(eligible))
    n_frames = len(next(iter(curves.values())))
    candidates, errors = [], []
    for start in range(0, n_frames, BLOCK):
        error = np.stack([
            signed_error(name, codebook[name][eligible], curve[start : start + BLOCK, None], units[name])
            for name, curve in curves.items()
        ])  # (descriptors, block, eligible)  # fmt: skip
        nearest, nearest_error = select_candidates(error, count)  # (block, n), (descriptors, block, n)
        candidates.append(eligible[nearest])
        errors.append(nearest_error)
    return np.concatenate(candidates), np.concatenate(errors, axis=1)


def warn_of_wrong_notes(codebook: Codebook, curves: Mapping[str, np.ndarray], codes: np.ndarray) -> None:
    """Log the number of frames in which the chosen codes have another pitch than the target, unless they are few."""
    for name, curve in curves.items():
        if descriptor(name).log:
            cents = 1200 * np.log2(codebook[name][codes] / curve)
            # a frame is a blend with its neighbours, see `timbrelib.synthesis.blending`
            blended = np.convolve(np.pad(cents, 1, mode="edge"), (0.25, 0.5, 0.25), "valid")  # (frames,)
            wrong = np.sum(np.abs(blended) > WRONG_NOTE)
            if wrong > WRONG_SHARE * len(codes):
                log.warning(
                    "the chosen codes are more than %.0f cents from the %s target in %d of %d frames: "
                    "give the %s a higher weight, or narrow the other targets",
                    WRONG_NOTE, name, wrong, len(codes), name,
                )  # fmt: skip
