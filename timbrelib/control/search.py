"""Settings of the search for codes that follow a target.

Notebooks: 05_target_decode, 07_follow_a_line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from timbrelib.synthesis.excitation import MAX_CENTS, MAX_TILT

SMOOTHNESS, REFINEMENTS = 4.0, 3  # by default; see Search
CONTINUITY, RETUNE, TILT = 1.0, 100.0, 6.0  # likewise
METHODS = ("path", "nearest")  # of the library, and of the paper


@dataclass(frozen=True)
class Search:
    """Settings of the path search, and limits within which the chosen codes are adjusted.

    Attributes
    ----------
    smoothness : float
        Cost of a transition between two codes at the median spectral distance; an error of 1 %
        of the codebook's inner range (10 cents of a fundamental) costs 1.
    refinements : int
        Number of times, at most, that the sound is measured and its adjustment corrected.
    weights : dict of str to float
        Weights of the targets' squared errors, by descriptor; 1 where one is missing.
    continuity : float
        How strongly the path keeps its note, if the pitch is not a target: 0 leaves it free.
    retune : float
        Cents by which a code is moved at most to meet a fundamental: 0 leaves codes as they are.
    tilt : float
        Spectral tilt, in dB per octave, by which a frame is made brighter or darker at most to
        meet the other targets: 0 leaves codes as they are.

    Raises
    ------
    ValueError
        A setting is negative or too large, or a weight is not positive.

    Examples
    --------
    >>> import timbrelib
    >>> search = timbrelib.Search(smoothness=8, weights={"centroid": 2.0})
    >>> print(search.weight("centroid"), search.weight("fundamental"))
    2.0 1.0
    >>> timbrelib.Search.literal().refinements  # the paper's method
    0
    """

    smoothness: float = SMOOTHNESS
    refinements: int = REFINEMENTS
    weights: Mapping[str, float] = field(default_factory=dict)
    continuity: float = CONTINUITY
    retune: float = RETUNE
    tilt: float = TILT

    def __post_init__(self) -> None:
        if not 0 <= self.smoothness < np.inf:
            raise ValueError(f"the smoothness cannot be {self.smoothness}: give 0 (exact) or more")
        if self.refinements < 0:
            raise ValueError(f"the number of refinements cannot be {self.refinements}: give 0 (search once) or more")
        if not all(0 < weight < np.inf for weight in self.weights.values()):
            raise ValueError(f"the weights are {dict(self.weights)}: give positive numbers")
        if not 0 <= self.continuity < np.inf:
            raise ValueError(f"the continuity cannot be {self.continuity}: give 0 (any pitch) or more")
        if not 0 <= self.retune <= MAX_CENTS:
            raise ValueError(f"codes cannot be retuned by {self.retune} cents: give 0 (not at all) to {MAX_CENTS:.0f}")
        if not 0 <= self.tilt <= MAX_TILT:
            raise ValueError(
                f"codes cannot be tilted by {self.tilt} dB per octave: give 0 (not at all) to {MAX_TILT:.0f}"
            )

    @classmethod
    def literal(cls, weights: Mapping[str, float] | None = None) -> "Search":
        """Return the settings of the paper, with `weights` of targets: the nearest code of each frame, as it is."""
        return cls(0.0, 0, weights or {}, 0.0, 0.0, 0.0)

    def weight(self, name: str) -> float:
        """Weight of the target whose descriptor is `name`."""
        return self.weights.get(name, 1.0)


def check_method(method: str) -> None:
    """Check the name of a method that chooses codes.

    Raises
    ------
    ValueError
        It is not one of `METHODS`.
    """
    if method not in METHODS:
        raise ValueError(f"there is no method {method!r}: choose one of {', '.join(METHODS)}")
