"""Every way of following a target, side by side: matchers, excitations, and what one could pick instead.

Notebook: 06_scorecard.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from timbrelib.codebook import analyse_codebook
from timbrelib.control.matching import SMOOTHNESS, match
from timbrelib.control.scores import rank_correlation, tracking_error, within_cents
from timbrelib.control.targets import FRAMES, reach, span, target
from timbrelib.descriptors import DESCRIPTORS, descriptor, measure_audio
from timbrelib.evaluation.baselines import cut_grains, nearest_grains, random_codes, sorted_codes
from timbrelib.evaluation.metrics import hnr_and_flux
from timbrelib.model.vqvae import VQVAE
from timbrelib.recordings.corpus import Recording
from timbrelib.recordings.synthetic import string_corpus
from timbrelib.synthesis.excitation import EXCITATIONS

GENERATED_MINUTES = 2.0  # of generated strings from which grains are taken


@dataclass(frozen=True)
class Score:
    """How one sound follows one target.

    Attributes
    ----------
    name, shape, way : str
        The descriptor, the target's shape, and how the sound was made.
    error, floor, gap : float
        Measured against target, selected against target, measured against selected: mean, in
        % of the target's range; of a fundamental the median, in cents.  NaN where a way
        selects no codes.
    spearman : float
        Rank correlation of measured and target.
    within_50, within_20 : float
        Share of the frames within so many cents, in %; NaN but for a fundamental.
    voiced : float
        Share of the frames that have the descriptor, in %.
    ratio : float
        Median harmonic-to-noise ratio in dB.
    flux : float
        Median spectral flux.
    """

    name: str
    shape: str
    way: str
    error: float
    spearman: float
    floor: float
    gap: float
    within_50: float
    within_20: float
    voiced: float
    ratio: float
    flux: float


def distance(name: str, a: np.ndarray, b: np.ndarray, curve: np.ndarray) -> float:
    """Mean distance of two curves, (frames,), in % of the range of a third; of fundamentals the median, in cents."""
    if not np.isfinite(a - b).any():
        return np.nan
    if descriptor(name).log:
        return float(np.nanmedian(1200 * np.abs(np.log2(a / b))))
    return tracking_error(a - b + curve, curve)


def score(name: str, shape: str, way: str, curve: np.ndarray, audio: np.ndarray, selected: np.ndarray) -> Score:
    """Measure a sound against a target, (frames,), and the values of the selected codes (NaN where there are none)."""
    measured = measure_audio(audio, [name])[name][: len(curve)]
    ratio, flux = hnr_and_flux(audio)
    far, near = (within_cents(measured, curve, cents) if descriptor(name).log else np.nan for cents in (50, 20))
    return Score(
        name,
        shape,
        way,
        distance(name, measured, curve, curve),
        rank_correlation(measured, curve) if np.isfinite(measured).sum() > 1 else np.nan,
        distance(name, selected, curve, curve),
        distance(name, measured, selected, curve),
        far,
        near,
        float(100 * np.isfinite(measured).mean()),
        float(np.median(ratio)) if len(ratio) else np.nan,
        float(np.median(flux)),
    )


def compare(
    model: VQVAE,
    names: Iterable[str] = DESCRIPTORS,
    shapes: Sequence[str] = ("sin", "exp"),
    corpus: Sequence[Recording] | None = None,
    n_frames: int = FRAMES,
) -> list[Score]:
    """Follow targets over the codebook's inner range in every way, and score each.

    Parameters
    ----------
    model : VQVAE
    names : iterable of str
        Descriptors; those that no code has are left out.
    shapes : sequence of str
    corpus : sequence of Recording, optional
        Recordings whose grains are concatenated as well; generated strings always are.
    n_frames : int

    Returns
    -------
    list of Score
    """
    tables = {excitation: analyse_codebook(model, excitation) for excitation in EXCITATIONS}
    corpora: dict[str, Sequence[Recording]] = {"grains of generated strings": string_corpus(GENERATED_MINUTES)}
    if corpus:
        corpora["grains of recordings"] = corpus
    scores = []
    for name in names:
        if not np.isfinite(tables["locked"][name]).any():
            continue
        grains = {way: cut_grains(recordings, name) for way, recordings in corpora.items()}
        for shape in shapes:
            curve = target(shape, name, *span(tables["locked"], name), n_frames)
            chosen = {}
            for excitation, table in tables.items():
                if not np.isfinite(table[name]).any():
                    continue
                within = {name: np.clip(curve, *reach(table, name))}  # noise gives codes other values
                for way, smoothness in (("path", SMOOTHNESS), ("nearest codes", 0)):
                    codes = match(model, table, within, smoothness=smoothness, excitation=excitation)
                    chosen[f"{way}, {excitation}"] = excitation, codes
            chosen["sorted codes"] = "locked", sorted_codes(tables["locked"], name, n_frames)
            chosen["random codes"] = "locked", random_codes(tables["locked"], name, n_frames)
            for way, (excitation, codes) in chosen.items():
                audio = model.decode(codes, excitation=excitation)
                scores.append(score(name, shape, way, curve, audio, tables[excitation][name][codes]))
            for way, cut in grains.items():
                audio = nearest_grains(cut, curve)
                scores.append(score(name, shape, way, curve, audio, np.full(n_frames, np.nan)))
    return scores


def as_markdown(scores: Iterable[Score]) -> str:
    """Write scores as a table in Markdown."""
    headers = ["descriptor", "shape", "made by", "error", "Spearman", "floor", "gap"]
    headers += ["within 50 cents", "within 20", "defined", "HNR", "flux"]
    lines = ["| " + " | ".join(headers) + " |", "|---" * len(headers) + "|"]
    for s in scores:
        unit, digits = (" cents", 1) if descriptor(s.name).log else (" %", 2)
        far, near, defined = (f"{share:.1f} %" for share in (s.within_50, s.within_20, s.voiced))
        cells = [
            s.name,
            s.shape,
            s.way,
            f"{s.error:.{digits}f}{unit}",
            f"{s.spearman:.4f}",
            f"{s.floor:.{digits}f}{unit}",
        ]
        cells += [f"{s.gap:.{digits}f}{unit}", far, near, defined, f"{s.ratio:.1f} dB", f"{s.flux:.3f}"]
        lines.append("| " + " | ".join("-" if cell.startswith("nan") else cell for cell in cells) + " |")
    return "\n".join(lines)
