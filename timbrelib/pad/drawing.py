"""A drawing: the curves of one or two lanes, and what they were before.

Notebook: 05_draw_target.
"""

from collections.abc import Sequence

import numpy as np

LANES = 2
REMEMBERED = 100  # changes that can be undone


class Drawing:
    """Curves as heights from 0 to 1, and the names of their lanes, with undo and redo of both.

    Parameters
    ----------
    lanes : sequence of str
        Descriptors, or ``gain``; one or two.
    heights : ndarray, float64, (LANES, frames)
        A lane that is not in use keeps its curve.
    """

    def __init__(self, lanes: Sequence[str], heights: np.ndarray) -> None:
        self._now = tuple(lanes), heights
        self._past: list[tuple[tuple[str, ...], np.ndarray]] = []
        self._future: list[tuple[tuple[str, ...], np.ndarray]] = []

    @property
    def lanes(self) -> tuple[str, ...]:
        """Names of the lanes in use."""
        return self._now[0]

    @property
    def heights(self) -> np.ndarray:
        """The curves, float64 (LANES, frames)."""
        return self._now[1]

    @property
    def n_frames(self) -> int:
        """Frames of the drawing."""
        return self.heights.shape[1]

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether a change was taken back."""
        return bool(self._future)

    def put(self, lanes: Sequence[str], heights: np.ndarray) -> None:
        """Change names, curves (LANES, frames) and so perhaps the length."""
        self._past = [*self._past[1 - REMEMBERED :], self._now]
        self._future = []
        self._now = tuple(lanes), heights

    def draw(self, lane: int, heights: np.ndarray) -> None:
        """Give one lane another curve, (n,), stretched to the length of the drawing."""
        curves = self.heights.copy()
        curves[lane] = stretch(heights[None], self.n_frames)[0]
        self.put(self.lanes, curves)

    def undo(self) -> None:
        """Take back the last change, if there is one."""
        self._step(self._past, self._future)

    def redo(self) -> None:
        """Make the last change that was taken back again, if there is one."""
        self._step(self._future, self._past)

    def _step(self, source: list, other: list) -> None:
        if source:
            other.append(self._now)
            self._now = source.pop()


def stretch(heights: np.ndarray, n_frames: int) -> np.ndarray:
    """Give curves, (lanes, n), another number of frames without changing their shape, a new array (lanes, n_frames)."""
    ends = np.linspace(0, 1, heights.shape[1]), np.linspace(0, 1, n_frames)
    return np.stack([np.interp(ends[1], ends[0], curve) for curve in heights])
