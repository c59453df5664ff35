"""A drawing: the curves of one or two lanes, and what they were before.

Notebook: 05_draw_target.
"""

import numpy as np

LANES = 2
REMEMBERED = 100  # changes that can be undone


class Drawing:
    """Curves as heights from 0 to 1, with undo and redo.

    Parameters
    ----------
    heights : ndarray, float64, (LANES, frames)

    Attributes
    ----------
    heights : ndarray, float64, (LANES, frames)
        A lane that is not in use keeps its curve.
    """

    def __init__(self, heights: np.ndarray) -> None:
        self.heights = heights
        self._past: list[np.ndarray] = []
        self._future: list[np.ndarray] = []

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

    def change(self, curves: dict[int, np.ndarray]) -> None:
        """Give lanes, by their index, new curves, each (frames,); if all have another length, so has the drawing."""
        n_frames = len(next(iter(curves.values())))
        self._past = [*self._past[1 - REMEMBERED :], self.heights]
        self._future = []
        self.heights = stretch(self.heights, n_frames)
        for lane, heights in curves.items():
            self.heights[lane] = heights

    def resize(self, n_frames: int) -> None:
        """Stretch the curves to another number of frames."""
        self.heights = stretch(self.heights, n_frames)

    def undo(self) -> None:
        """Take back the last change, if there is one; the length stays."""
        self._step(self._past, self._future)

    def redo(self) -> None:
        """Make the last change that was taken back again, if there is one."""
        self._step(self._future, self._past)

    def _step(self, source: list[np.ndarray], other: list[np.ndarray]) -> None:
        if source:
            other.append(self.heights)
            self.heights = stretch(source.pop(), self.n_frames)


def stretch(heights: np.ndarray, n_frames: int) -> np.ndarray:
    """Give curves, (lanes, n), another number of frames without changing their shape, a new array (lanes, n_frames)."""
    ends = np.linspace(0, 1, heights.shape[1]), np.linspace(0, 1, n_frames)
    return np.stack([np.interp(ends[1], ends[0], curve) for curve in heights])
