"""From target curves to codes: the candidates of each frame, the path through them, and its adjustment.

Algorithm 2 of Bitton, Esling and Harada, "Vector-Quantized Timbre Representation", 2020
(arXiv 2007.06349), for whole sequences at once and several descriptors together.

Notebooks: 05_target_decode, 10_evaluation, 07_follow_a_line.
"""

import logging
from collections.abc import Mapping

import numpy as np

from timbrelib.audio.parallel import in_threads
from timbrelib.codebook.table import Codebook
from timbrelib.control.code_path import CodePath, retune, selected_values
from timbrelib.control.refinement import UNDEFINED_ERROR, error_unit, refine, signed_error
from timbrelib.control.search import Search
from timbrelib.control.targets import eligible_codes
from timbrelib.control.viterbi import Transitions, cheapest_path, select_candidates
from timbrelib.descriptors import descriptor
from timbrelib.model.vqvae import DEFAULT_GAIN, VQVAE
from timbrelib.synthesis.excitation import Synthesiser

log = logging.getLogger(__name__)

CANDIDATES = 48  # codes of a frame among which the path chooses
NOTES, PER_NOTE = 8, 4  # if the pitch is free, these are in part the best codes of the best notes
NOTE_FRAMES = 256  # about as many frames of the targets show which notes are best
RETUNE_COST = 0.5  # of an error that is removed by retuning, relative to one that remains
PERIODICITY_UNIT = 0.05  # missing periodicity of a code that counts as much as 10 cents
CLEAR, AMBIGUITY_UNIT = 0.6, 0.025  # ambiguity that does no harm, and what of the rest counts as much as 10 cents
MAX_BLEND_OCTAVES = 100 / 1200  # up to which two successive notes are perceived as one between them
WRONG_NOTE = 50.0  # cents
WRONG_SHARE = 0.02  # of the frames; fewer wrong notes are normal in fast passages
BLOCK = 128  # frames compared with all codes at a time, few enough for the processor's cache


def match(
    model: VQVAE, codebook: Codebook, curves: Mapping[str, np.ndarray], search: Search
) -> tuple[CodePath, np.ndarray | None]:
    """Choose the codes that follow one or several target curves.

    The paper takes the nearest code of each frame.  But frames overlap, and where neighbours
    differ, their mixture follows neither; so all codes are chosen together, near the targets
    and similar from frame to frame (`timbrelib.control.viterbi.cheapest_path`).  Then they
    are moved to the fundamental and tilted towards the other targets, as far as `search`
    allows.

    Parameters
    ----------
    model : VQVAE
    codebook : Codebook
        Of the model; its excitation decodes.
    curves : mapping of str to ndarray, float64, (frames,)
        By descriptor, see `timbrelib.control.targets.check_curves`.  Only codes that have all
        of these descriptors are chosen; periodic codes are preferred.
    search : Search

    Returns
    -------
    path : CodePath
    audio : ndarray, float32, ((frames - 1) * HOP,), or None
        Its sound at the default gain, if it was decoded on the way.
    """
    units = {name: error_unit(codebook, name) / np.sqrt(search.weight(name)) for name in curves}
    if search.smoothness == 0:
        codes = nearest_codes(codebook, curves, units)
    else:
        candidates, error, max_blend = find_candidates(codebook, curves, units, search)
        continuity = 0.0 if "fundamental" in curves else search.continuity
        transitions = Transitions(model.cepstra, codebook["fundamental"], search.smoothness, continuity)
        codes = candidates[np.arange(len(candidates)), cheapest_path(candidates, error, max_blend, transitions)]
    if search.refinements == 0:
        cents = retune(codebook, codes, curves["fundamental"], search.retune) if "fundamental" in curves else None
        path, audio = CodePath(codes, cents), None
    else:
        spectra = model.code_spectra(codebook.excitation, codebook.noise)
        synthesiser = Synthesiser(spectra, codes, np.full(len(codes), DEFAULT_GAIN))
        path, audio = refine(
            model, codebook, codes, curves, units, search, lambda path: synthesiser.play(path.cents, path.tilt)
        )
    warn_of_wrong_notes(codebook, curves, path)
    return path, audio


def unclear_pitch(codebook: Codebook) -> np.ndarray:
    """Cost of codes whose pitch is weak, or may be perceived octaves higher, float64 (n_codes,), in units of error."""
    aperiodic = (1 - codebook["periodicity"]) / PERIODICITY_UNIT
    return aperiodic + np.maximum(codebook["ambiguity"] - CLEAR, 0) / AMBIGUITY_UNIT


def retuned_errors(error: np.ndarray, unit: float, retune: float) -> tuple[np.ndarray, np.ndarray]:
    """Split errors of a fundamental into what remains after retuning by at most `retune` cents, and its cost."""
    reach = retune / 1200 / unit
    moved = np.clip(error, -reach, reach)
    return error - moved, RETUNE_COST * moved


def nearest_codes(codebook: Codebook, curves: Mapping[str, np.ndarray], units: Mapping[str, float]) -> np.ndarray:
    """Find the code nearest to all targets in each frame, int64 (frames,)."""
    eligible = eligible_codes(codebook, curves)
    blocks = [_block_errors(codebook, curves, units, eligible, frames) for frames in _blocks(curves)]
    return eligible[np.concatenate([np.square(errors).sum(axis=0).argmin(axis=1) for errors in blocks])]


def find_candidates(
    codebook: Codebook, curves: Mapping[str, np.ndarray], units: Mapping[str, float], search: Search
) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Find the codes among which the path chooses.

    Parameters
    ----------
    codebook : Codebook
    curves : mapping of str to ndarray, float64, (frames,)
    units : mapping of str to float
        Error of each descriptor that costs 1.
    search : Search

    Returns
    -------
    candidates : ndarray, int64, (frames, n)
        At most `CANDIDATES` codes that have all descriptors, in no particular order.
    error : ndarray, float32, (errors, frames, n)
        Their signed errors in units: one per descriptor, of a fundamental after retuning, then
        the cost of retuning and that of an unclear pitch.
    max_blend : list of float, (errors,)
        Difference up to which two codes blend.
    """
    eligible = eligible_codes(codebook, curves)
    f0 = codebook["fundamental"][eligible]
    keeps_note = "fundamental" not in curves and search.continuity > 0 and np.isfinite(f0).any()
    unclear = unclear_pitch(codebook)[eligible]  # (eligible,)
    max_blend = [MAX_BLEND_OCTAVES / units[name] if descriptor(name).log else np.inf for name in curves]
    notes = _best_notes(codebook, curves, units, eligible) if keeps_note else []
    nearest = min(CANDIDATES - PER_NOTE * len(notes), len(eligible))

    def find_in_block(frames: slice) -> tuple[np.ndarray, np.ndarray]:
        rows = _block_errors(codebook, curves, units, eligible, frames)  # (block, eligible) each
        if "fundamental" in curves:
            place = list(curves).index("fundamental")
            rows[place], cost = retuned_errors(rows[place], units["fundamental"], search.retune)
            rows += [cost, unclear]
        elif keeps_note:
            rows.append(search.continuity * unclear)
        rows = [np.broadcast_to(row.astype(np.float32), rows[0].shape) for row in rows]
        cost = sum(np.square(row) for row in rows)  # (block, eligible)
        chosen = [select_candidates(cost, nearest)]
        for codes in notes:
            chosen.append(codes[select_candidates(cost[:, codes], PER_NOTE)])
        columns = np.concatenate(chosen, axis=1)  # (block, n)
        errors = np.stack([np.take_along_axis(row, columns, axis=1) for row in rows])  # (errors, block, n)
        return eligible[columns], errors

    candidates, errors = zip(*in_threads(find_in_block, _blocks(curves)), strict=True)
    error = np.concatenate(errors, axis=1)
    return np.concatenate(candidates), error, max_blend + [np.inf] * (len(error) - len(max_blend))


def _best_notes(
    codebook: Codebook,
    curves: Mapping[str, np.ndarray],
    units: Mapping[str, float],
    eligible: np.ndarray,
) -> list[np.ndarray]:
    """Find the semitones whose codes come nearest to the targets: indices of their eligible codes, int64 (n,) each."""
    some = {name: curve[:: max(1, len(curve) // NOTE_FRAMES)] for name, curve in curves.items()}
    note = np.rint(12 * np.log2(codebook["fundamental"][eligible]))  # (eligible,), NaN if unpitched
    groups = [np.flatnonzero(note == value) for value in np.unique(note)]  # NaN equals nothing
    groups = [codes for codes in groups if len(codes) >= PER_NOTE]
    error = np.square(_block_errors(codebook, some, units, eligible, slice(None))).sum(axis=0)  # (some, eligible)
    distance = [np.minimum(error[:, codes].min(axis=1), UNDEFINED_ERROR).mean() for codes in groups]
    return [groups[place] for place in np.argsort(distance, kind="stable")[:NOTES]]


def _blocks(curves: Mapping[str, np.ndarray]) -> list[slice]:
    """Cut the frames of curves into blocks."""
    n_frames = len(next(iter(curves.values())))
    return [slice(start, start + BLOCK) for start in range(0, n_frames, BLOCK)]


def _block_errors(
    codebook: Codebook,
    curves: Mapping[str, np.ndarray],
    units: Mapping[str, float],
    eligible: np.ndarray,
    frames: slice,
) -> list[np.ndarray]:
    """Signed errors of eligible codes in a block of frames, float64 (block, eligible) for each descriptor."""
    return [
        signed_error(name, codebook[name][eligible], curve[frames, None], units[name])
        for name, curve in curves.items()
    ]  # fmt: skip


def warn_of_wrong_notes(codebook: Codebook, curves: Mapping[str, np.ndarray], path: CodePath) -> None:
    """Log the number of frames in which the codes have another pitch than the target, unless they are few."""
    for name, value in selected_values(codebook, path, curves).items():
        if descriptor(name).log:
            cents = 1200 * np.log2(value / curves[name])
            # a frame is a blend with its neighbours, see `timbrelib.synthesis.blending`
            blended = np.convolve(np.pad(cents, 1, mode="edge"), (0.25, 0.5, 0.25), "valid")  # (frames,)
            wrong = np.sum(np.abs(blended) > WRONG_NOTE)
            if wrong > WRONG_SHARE * len(path):
                log.warning(
                    "the chosen codes are more than %.0f cents from the %s target in %d of %d frames: "
                    "give the %s a higher weight, or narrow the other targets",
                    WRONG_NOTE, name, wrong, len(path), name,
                )  # fmt: skip
