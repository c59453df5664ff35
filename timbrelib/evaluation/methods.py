"""Compare methods of following a target: path and nearest codes, all excitations, and the baselines.

Notebook: 10_evaluation.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from timbrelib.control.rendering import Rendering, measure_frames
from timbrelib.control.scores import score_tracking
from timbrelib.control.targets import Target
from timbrelib.control.timbre import Timbre
from timbrelib.descriptors.pitch import track_pyin
from timbrelib.evaluation.baselines import cut_grains, nearest_grains, random_codes, sorted_codes
from timbrelib.evaluation.comparison import Comparison, MethodScore
from timbrelib.evaluation.recognition import known_timbre
from timbrelib.evaluation.sound_quality import judge_sound
from timbrelib.recordings.corpus import Recording
from timbrelib.recordings.synthetic import string_corpus
from timbrelib.synthesis.excitation import EXCITATIONS

if TYPE_CHECKING:
    pass

GENERATED_MINUTES = 2.0  # of generated strings, from which grains are cut
METHODS = {"path": "path", "nearest": "nearest codes"}  # of Timbre.render, and what the tables call them


def compare_methods(
    timbre: Timbre,
    targets: Sequence[Target],
    recordings: Sequence[Recording] | None = None,
    domain: str | None = None,
) -> Comparison:
    """Follow targets with every method, and score each sound.

    Parameters
    ----------
    timbre : Timbre
        All of its excitations are compared.
    targets : sequence of Target
        Each is followed alone; those whose descriptor no code has are left out.
    recordings : sequence of Recording, optional
        Recordings whose grains are concatenated, in addition to those of generated strings.
    domain : str, optional
        Timbre as which the sounds should be recognised; by default the model's name.  If the
        classifier does not know it, that share is undefined.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        A target leaves the range of the codebook, or no frame of the recordings has its
        descriptor.

    Examples
    --------
    This takes half a minute:

    >>> import timbrelib
    >>> violin = timbrelib.load("violin")
    >>> targets = [violin.target("centroid", "sin"), violin.target("centroid", "exp")]
    >>> comparison = timbrelib.compare_methods(violin, targets)  # doctest: +SKIP
    """
    timbres = [timbre.with_excitation(excitation) for excitation in EXCITATIONS]
    heard = known_timbre(domain or timbre.name)
    corpora: dict[str, Sequence[Recording]] = {"grains of generated strings": string_corpus(GENERATED_MINUTES)}
    if recordings:
        corpora["grains of recordings"] = recordings
    scores = []
    for name, group in groupby(targets, lambda target: target.descriptor):
        if name not in timbre.codebook.descriptors:
            continue
        grains = {method: cut_grains(corpus, name) for method, corpus in corpora.items()}
        for target in group:
            for method, rendering in _renderings(timbre, timbres, target):
                curves = rendering.measured[name], rendering.selected[name]
                scores.append(_score(method, target, heard, rendering.audio, *curves))
            for method, cut in grains.items():
                audio = nearest_grains(cut, target.curve)
                measured = measure_frames(audio, [name], len(target), track_pyin)[name]
                scores.append(_score(method, target, heard, audio, measured))
    return Comparison(scores, heard)


def compare_renderings(renderings: Mapping[str, Rendering], domain: str) -> Comparison:
    """Score several renderings, by what the tables are to call them, against their first target.

    Parameters
    ----------
    renderings : mapping of str to Rendering
        At least one.
    domain : str
        Timbre as which the sounds should be recognised.

    Returns
    -------
    Comparison

    Examples
    --------
    >>> import timbrelib
    >>> viola = timbrelib.load("viola")
    >>> target = viola.target("centroid", "sin", n_frames=44)
    >>> renderings = {"path": viola.render(target), "nearest": viola.render(target, method="nearest")}
    >>> len(timbrelib.compare_renderings(renderings, "viola"))
    2
    """
    heard = known_timbre(domain)
    scores = []
    for method, rendering in renderings.items():
        name, curve = next(iter(rendering.targets.items()))
        curves = rendering.measured[name], rendering.selected[name]
        scores.append(_score(method, Target(name, curve), heard, rendering.audio, *curves))
    return Comparison(scores, heard)


def _renderings(timbre: Timbre, timbres: Iterable[Timbre], target: Target) -> Iterator[tuple[str, Rendering]]:
    """Render a target with every method that chooses codes."""
    name, curve = target.descriptor, target.curve
    for excited in timbres:
        if name in excited.codebook.descriptors:
            # the codes have other values with the other excitation
            within = Target(name, np.clip(curve, *excited.codebook.full_range(name)))
            for method, words in METHODS.items():
                yield f"{words}, {excited.excitation}", excited.render(within, method=method)
    for words, codes in (
        ("sorted codes", sorted_codes(timbre.codebook, name, len(curve))),
        ("random codes", random_codes(timbre.codebook, name, len(curve))),
    ):
        yield words, timbre.render_codes(codes, target)


def _score(
    method: str,
    target: Target,
    heard: str | None,
    audio: np.ndarray,
    measured: np.ndarray,
    selected: np.ndarray | None = None,
) -> MethodScore:
    """Score a sound, float32 (n,), and its measured and selected values, (frames,), against a target."""
    tracking = score_tracking(target.descriptor, target.curve, measured, selected)
    return MethodScore(target.descriptor, target.label, method, tracking, judge_sound(audio, heard))
