"""A drawing: the curves of one or two lanes, with undo and redo.

Notebook: 06_draw_target.
"""

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from timbrelib.audio.frames import FRAME_RATE, seconds_to_frames
from timbrelib.codebook.table import Codebook
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.files import one_line
from timbrelib.pad.axes import FLAT, Axis, make_axis, shape_heights

LANES = 2  # at most
MIN_SECONDS, MAX_SECONDS = 0.5, 60.0  # length of a drawing
MAX_UNDO = 100  # changes that can be undone


@dataclass(frozen=True)
class Edit:
    """A change of a drawing, as the page asks for it.

    Attributes
    ----------
    action : {"draw", "shape", "undo", "redo"}
    lane : int
        Of ``draw`` and ``shape``.
    heights : ndarray, float64, (n,)
        Of ``draw``, from 0 to 1.
    shape : str
        Of ``shape``, see `timbrelib.pad.axes.shape_heights`.
    """

    action: str
    lane: int = 0
    heights: np.ndarray = field(default_factory=lambda: np.zeros(0))
    shape: str = ""


class Drawing:
    """Curves as heights from 0 to 1, and the names of the lanes in use, with undo and redo of both.

    Heights do not depend on the codebook: with another one the curve looks the same and has
    other values.

    Parameters
    ----------
    lanes : sequence of str
        Names of one or two lanes: descriptors, or ``gain``.
    heights : mapping of str to ndarray, float64, (frames,)
        The curve of each of them, and perhaps of others: a lane that is not in use keeps its curve.
    """

    def __init__(self, lanes: Sequence[str], heights: Mapping[str, np.ndarray]) -> None:
        self._now = tuple(lanes), dict(heights)
        self._past: list[tuple[tuple[str, ...], dict[str, np.ndarray]]] = []
        self._future: list[tuple[tuple[str, ...], dict[str, np.ndarray]]] = []

    @property
    def lanes(self) -> tuple[str, ...]:
        """Names of the lanes in use."""
        return self._now[0]

    @property
    def heights(self) -> np.ndarray:
        """The curves of the lanes in use, float64 (lanes, frames)."""
        return np.stack([self._now[1][name] for name in self.lanes])

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.heights.shape[1]

    @property
    def seconds(self) -> float:
        """Length, from the first frame to the last."""
        return (self.n_frames - 1) / FRAME_RATE

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to undo."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone change to redo."""
        return bool(self._future)

    def axes(self, codebook: Codebook) -> list[Axis]:
        """Make the axes of the lanes in use."""
        return [make_axis(codebook, name) for name in self.lanes]

    def curves(self, codebook: Codebook) -> dict[str, np.ndarray]:
        """Convert the lanes in use to values in their units, float64 (frames,) by name."""
        drawn = zip(self.axes(codebook), self.heights, strict=True)
        return {axis.name: axis.values(heights) for axis, heights in drawn}

    def apply(self, edit: Edit, codebook: Codebook) -> None:
        """Make an edit; a shape is drawn over the range of the codebook."""
        if edit.action == "draw":
            self.draw(edit.lane, edit.heights)
        elif edit.action == "shape":
            self.draw_shape(edit.lane, edit.shape, codebook)
        elif edit.action == "undo":
            self.undo()
        else:
            self.redo()

    def change(self, lanes: Sequence[str], heights: Mapping[str, np.ndarray]) -> None:
        """Select lanes, and replace or add their curves, (frames,); all others are stretched to their length."""
        self._past = [*self._past[1 - MAX_UNDO :], self._now]
        self._future = []
        n_frames = len(next(iter(heights.values())))
        kept = {name: stretch(curve, n_frames) for name, curve in self._now[1].items() if name not in heights}
        self._now = tuple(lanes), kept | dict(heights)

    def draw(self, lane: int, heights: np.ndarray) -> None:
        """Replace the curve of one lane by another, (n,), stretched to the length of the drawing."""
        self.change(self.lanes, {self.lanes[lane]: stretch(heights, self.n_frames)})

    def draw_shape(self, lane: int, shape: str, codebook: Codebook) -> None:
        """Replace the curve of one lane by a shape, see `timbrelib.pad.axes.shape_heights`."""
        self.draw(lane, shape_heights(shape, make_axis(codebook, self.lanes[lane]), codebook, self.n_frames))

    def select_lanes(self, lanes: Sequence[str], codebook: Codebook) -> None:
        """Select other lanes, with the curves that they had.

        A lane without one takes over the shape of the first lane that it replaces; a second lane
        begins flat.
        """
        heights = dict(self._now[1])
        for place, name in enumerate(lanes):
            if name in heights:
                continue
            flat = shape_heights(FLAT, make_axis(codebook, name), codebook, self.n_frames)
            heights[name] = flat if place else self.heights[0]
        self.change(lanes, heights)

    def take_curves(self, curves: Mapping[str, np.ndarray], codebook: Codebook, only: str | None = None) -> None:
        """Replace the drawing by curves, float (frames,), in their units, see `check_drawing`; or `only` one lane's."""
        taken = curves if only is None else {only: curves[only]}
        self.change(list(curves), {name: make_axis(codebook, name).heights(curve) for name, curve in taken.items()})

    def resize(self, n_frames: int) -> None:
        """Stretch all curves to another number of frames."""
        self.change(self.lanes, {name: stretch(curve, n_frames) for name, curve in self._now[1].items()})

    def undo(self) -> None:
        """Undo the last change, if there is one."""
        self._step(self._past, self._future)

    def redo(self) -> None:
        """Redo the change that was undone last, if there is one."""
        self._step(self._future, self._past)

    def forget_changes(self) -> None:
        """Leave nothing to undo or redo."""
        self._past, self._future = [], []

    def _step(self, source: list, other: list) -> None:
        if source:
            other.append(self._now)
            self._now = source.pop()


def stretch(heights: np.ndarray, n_frames: int) -> np.ndarray:
    """Resample a curve, (n,), to another number of frames, as a new array (n_frames,)."""
    return np.interp(np.linspace(0, 1, n_frames), np.linspace(0, 1, len(heights)), heights)


def check_drawing(curves: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return curves as arrays if they can be drawn: one or two of the same length, the first of a descriptor.

    Returns
    -------
    dict of str to ndarray, float64, (frames,)

    Raises
    ------
    ValueError
        There are too many curves or none, the first is not of a descriptor, they are not
        numbers, differ in length or have an impossible one, or hold undefined values.
    """
    names = list(curves) if isinstance(curves, Mapping) else []
    if not 1 <= len(names) <= LANES or names[0] not in DESCRIPTORS:
        raise ValueError(
            f"curves of {', '.join(map(quote, names[:3])) or 'nothing'} cannot be drawn: "
            "give one of a descriptor and, if you like, one for a second lane"
        )
    try:
        curves = {name: np.asarray(curve, dtype=np.float64) for name, curve in curves.items()}
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the curves are not numbers ({one_line(error)}): give one array per lane") from error
    fewest, most = seconds_to_frames(MIN_SECONDS), seconds_to_frames(MAX_SECONDS)
    shapes = {curve.shape for curve in curves.values()}
    if len(shapes) > 1 or len(shape := shapes.pop()) != 1 or not fewest <= shape[0] <= most:
        raise ValueError(
            f"the curves differ in length, or do not last {MIN_SECONDS} to {MAX_SECONDS} s: "
            f"give each the same number of frames, {fewest} to {most}"
        )
    for name, curve in curves.items():
        log_scale = name in DESCRIPTORS and DESCRIPTORS[name].log
        if not (np.isfinite(curve).all() and (curve.min() > 0 or not log_scale)):
            raise ValueError(f"the curve {quote(name)} contains undefined or impossible values: fill them first")
    return curves


def quote(value: object) -> str:
    """Quote a value of any kind and size in at most 40 characters."""
    return reprlib.repr(value)[:40]
