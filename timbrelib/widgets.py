"""The drawing pad: a thin shell over `timbrelib.sketch`.

Built with anywidget on ipywidgets; what runs in the browser lies in ``frontend/``.

Notebook: 05_draw_target.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import ipywidgets
import numpy as np

from timbrelib import intake
from timbrelib.audio import SAMPLE_RATE, check_audio
from timbrelib.checkpoint import load_model
from timbrelib.codebook import analyse_codebook
from timbrelib.control import SMOOTHNESS, Rendering
from timbrelib.curves import FRAME_RATE
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.drawing import LANES, Drawing, stretch
from timbrelib.frontend import NOTHING, Editor
from timbrelib.lanes import GAIN, Axis, axis, lane, shape_heights
from timbrelib.model import DEFAULT_GAIN
from timbrelib.series import load_series
from timbrelib.settings import SECONDS, Settings
from timbrelib.sketch import Sketch, followed, hear, save_sketch, shown

log = logging.getLogger(__name__)


class TargetPad(ipywidgets.VBox):
    """Draw a target, and hear a model follow it at once.

    Parameters
    ----------
    model : str or Path
        A shipped model, or the folder of a trained one.
    drawing : mapping of str to ndarray, float, (frames,), optional
        A curve of a descriptor in its unit, and perhaps a second one, or ``gain``.  By
        default six seconds of a centroid on a sine.
    folder : str or Path
        Where drawings are saved.

    Attributes
    ----------
    settings : timbrelib.settings.Settings
        The controls; set the ``value`` of one to change it from a cell.
    editor : Editor
    folder : Path

    Raises
    ------
    FileNotFoundError
        There is no such model.
    ValueError
        The drawing is of more than two curves, too long, undefined somewhere, or of a
        descriptor that no code has.

    Examples
    --------
    >>> from timbrelib.widgets import TargetPad
    >>> pad = TargetPad("violin")
    >>> pad.settings.descriptor.value = "fundamental"
    >>> pad.rendering.measured["fundamental"]
    """

    def __init__(
        self,
        model: str | Path = "violin",
        drawing: Mapping[str, np.ndarray] | None = None,
        folder: str | Path = "drawings",
    ) -> None:
        self.folder = Path(folder)
        self.settings = Settings(str(model), self.folder)
        self.editor = Editor()
        super().__init__([self.settings.above, self.editor, self.settings.below, self.settings.files])
        self._number = self._version = 0
        self._upload = intake.Upload()
        self._heard: tuple[Sketch, Rendering] | None = None
        self._pool, self._waiting = ThreadPoolExecutor(1), Future()
        self._load_model()
        self._drawing = Drawing(np.full((LANES, intake.frames_in(SECONDS)), 0.5))
        if drawing is None:
            first = self._axes()[0]
            drawing = {first.name: first.values(shape_heights("sin", first, self._table, intake.frames_in(SECONDS)))}
        self._take(drawing)
        self._drawing = Drawing(self._drawing.heights)  # with nothing to undo
        self._listen()
        self._ask(play=False)
        self.wait()

    def __repr__(self) -> str:
        seconds = (self._drawing.n_frames - 1) / FRAME_RATE
        lanes = " and ".join(self.settings.lanes)
        return f"TargetPad: {self._model.name}, {lanes}, {seconds:.2f} s; run this cell to draw"

    @property
    def rendering(self) -> Rendering:
        """What is heard: waits for it, should it be in the making."""
        return self._newest()[1]

    def wait(self) -> None:
        """Wait until the newest drawing is heard."""
        while not (newest := self._waiting).done():
            wait([newest])

    def save(self, name: str, replacing: bool = False) -> list[Path]:
        """Write what is heard into the folder, as `timbrelib.sketch.save_sketch` says."""
        paths = save_sketch(self.folder, name, *self._newest(), replacing)
        self.settings.list_saved(paths[0].stem)
        return paths

    def load(self, name: str) -> None:
        """Take a drawing out of the folder, with its settings; raises as `timbrelib.load_series` does."""
        series = load_series(self.folder / f"{intake.checked_name(name)}.json")
        curves, settings = dict(series.targets), self.settings
        if len(curves) < LANES and (series.gain != DEFAULT_GAIN).any():
            curves[GAIN] = series.gain
        search = series.search or {"smoothness": SMOOTHNESS, "weights": {}}
        with settings.quietly():
            if series.model in settings.model.options:
                settings.model.value = series.model
            settings.excitation.value = series.excitation
            settings.smoothness.value = search["smoothness"]
            settings.weight.value = min([1.0, *search["weights"].values()])
            self._load_model()
        self._take(curves)
        self._ask()
        if self._model.fingerprint != series.fingerprint:
            self.editor.say(f"{name} was made by another {series.model}: this is how {self._model.name} follows it")

    def follow(self, audio: np.ndarray) -> None:
        """Take the curves of a recording, float (n,), as the drawing, as `timbrelib.sketch.followed` says."""
        self._ask(check_audio(audio))

    def _newest(self) -> tuple[Sketch, Rendering]:
        self.wait()
        if self._heard is None:
            raise ValueError(f"nothing is heard, for {self.editor.result['said']}")
        return self._heard

    def _listen(self) -> None:
        """React to the controls and to the page."""
        settings = self.settings
        for control in (settings.model, settings.excitation):
            settings.on_change(control, lambda: self._set(self._load_model))
        for control in (settings.descriptor, settings.second):
            settings.on_change(control, lambda: self._set(self._offer))
        settings.on_change(settings.seconds, lambda: self._set(self._resize))
        for control in (settings.smoothness, settings.weight):
            settings.on_change(control, lambda: self._set(lambda: None))
        settings.save.on_click(lambda _: self._save(replacing=False))
        settings.replace.on_click(lambda _: self._save(replacing=True))
        settings.load.on_click(lambda _: self._load())
        self.editor.on_msg(self._asked)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Say a mistake in the pad, for nobody reads what a kernel prints about a message."""
        try:
            yield
        except (ValueError, OSError) as error:
            self._publish()
            self.editor.say(str(error), problem=True)

    def _set(self, prepare: Callable[[], None]) -> None:
        """React to a control."""
        with self._answering():
            with self.settings.quietly():
                prepare()
            self._ask()

    def _asked(self, _editor: Editor, message: object, parts: list) -> None:
        """React to a message of the page."""
        with self._answering():
            verb = message.get("do") if isinstance(message, dict) else None
            if verb == "draw":
                self._version = max(self._version, intake.read_version(message))
                drawn = intake.read_heights(message)[None]  # (1, n)
                self._drawing.change({self._lane(message): stretch(drawn, self._drawing.n_frames)[0]})
            elif verb == "shape":
                lane, shape = self._lane(message), intake.read_shape(message)
                heights = shape_heights(shape, self._axes()[lane], self._table, self._drawing.n_frames)
                self._drawing.change({lane: heights})
            elif verb == "undo":
                self._drawing.undo()
            elif verb == "redo":
                self._drawing.redo()
            elif verb == "upload":
                file = self._upload.add(message, parts)
                if file is not None:
                    self._ask(intake.read_sound(*file))
                return
            else:
                raise ValueError(f"the page asked for {verb!r:.40}, which there is not: reload it")
            self._ask()

    def _lane(self, message: dict) -> int:
        return intake.whole(message, "lane", len(self.settings.lanes))

    def _save(self, replacing: bool) -> None:
        """React to the buttons Save and Replace."""
        self.settings.ask_before_replacing(False)
        with self._answering():
            self.editor.say("saving…")
            try:
                paths = self.save(self.settings.name.value, replacing)
            except FileExistsError:
                self.settings.ask_before_replacing(True)
                raise
            self.editor.say(f"saved {', '.join(path.name for path in paths)} in {self.folder}")

    def _load(self) -> None:
        """React to the button Load."""
        with self._answering():
            if self.settings.saved.value is None:
                raise ValueError(f"there is no drawing in {self.folder} yet: save one first")
            self.load(self.settings.saved.value)

    def _load_model(self) -> None:
        """Load the model that is chosen, and its table for the excitation."""
        self._model = load_model(self.settings.model.value)
        self._table = analyse_codebook(self._model, self.settings.excitation.value)
        self._offer()

    def _offer(self) -> None:
        """Offer the descriptors that the codes have."""
        self.settings.offer([name for name in DESCRIPTORS if np.isfinite(self._table[name]).any()])

    def _resize(self) -> None:
        self._drawing.resize(intake.frames_in(self.settings.seconds.value))

    def _axes(self) -> list[Axis]:
        """Make the axes of the lanes."""
        return [axis(self._table, name) for name in self.settings.lanes]

    def _take(self, curves: Mapping[str, np.ndarray]) -> None:
        """Make curves, (frames,), in their units, the drawing."""
        curves = intake.checked_drawing(curves)
        self.settings.choose_lanes(list(curves), len(next(iter(curves.values()))))
        self._drawing.change({lane: axis.heights(curves[axis.name]) for lane, axis in enumerate(self._axes())})

    def _publish(self) -> None:
        """Send the drawing to the page."""
        self.editor.drawing = {
            "number": self._number,
            "version": self._version,
            "seconds": (self._drawing.n_frames - 1) / FRAME_RATE,
            "highest": SAMPLE_RATE / 2,
            "largest": intake.LARGEST,
            "undo": self._drawing.can_undo,
            "redo": self._drawing.can_redo,
            "lanes": [lane(axis, heights) for axis, heights in zip(self._axes(), self._drawing.heights, strict=False)],
        }

    def _ask(self, recording: np.ndarray | None = None, play: bool = True) -> None:
        """Have the drawing, or a recording, heard instead of what still waits for it."""
        self._number += 1
        self.editor.say("")
        self._publish()
        axes, settings = self._axes(), self.settings
        curves = {axis.name: axis.values(heights) for axis, heights in zip(axes, self._drawing.heights, strict=False)}
        sketch = Sketch(
            self._model,
            self._table,
            curves,
            settings.excitation.value,
            settings.smoothness.value,
            settings.weight.value,
        )
        self._waiting.cancel()
        self._waiting = self._pool.submit(self._work, self._number, sketch, axes, recording, play)

    def _work(self, number: int, sketch: Sketch, axes: list[Axis], recording: np.ndarray | None, play: bool) -> None:
        """Hear a drawing, in a thread of its own; show it unless there is a newer one."""
        notes, heard, result = [], None, NOTHING | {"problem": True}
        try:
            if recording is not None:
                curves, said = followed(recording, sketch.table, list(sketch.curves))
                notes.append(said)
                sketch = replace(sketch, curves=curves)
                if number == self._number:
                    self._take(curves)
                    self._publish()
            rendering, said = hear(sketch)
            notes.append(said)
            heard, result = (sketch, rendering), NOTHING | shown(rendering, axes) | {"play": play}
        except (ValueError, OSError) as error:
            notes.append(str(error))
        except Exception as error:
            log.exception("the drawing could not be heard")
            notes.append(f"the library made a mistake ({error!r}): please report it")
        if number == self._number:
            self._heard = heard
            self.editor.result = result | {"number": number, "said": "; ".join(filter(None, notes))}
