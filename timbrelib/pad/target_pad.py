"""The drawing pad: a thin shell over `timbrelib.sketch`.

Built with anywidget on ipywidgets; what runs in the browser lies in ``frontend/``.

Notebook: 05_draw_target.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import ipywidgets
import numpy as np

from timbrelib.audio.frames import FRAME_RATE, SAMPLE_RATE
from timbrelib.audio.sound_files import check_audio
from timbrelib.codebook import analyse_codebook
from timbrelib.control.rendering import Rendering
from timbrelib.control.serialization import load_rendering
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.model.checkpoint import load_model
from timbrelib.pad import messages
from timbrelib.pad.axes import Axis, axis, lane, shape_heights
from timbrelib.pad.controller import Sketch, followed, settings_of, save_drawing
from timbrelib.pad.controls import SECONDS, Settings
from timbrelib.pad.drawing import LANES, Drawing, stretch
from timbrelib.pad.elements import Editor
from timbrelib.pad.worker import RenderWorker, sentence


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
        self.folder = Path(folder).absolute()
        self.settings = Settings(str(model), self.folder)
        self.editor = Editor()
        super().__init__([self.settings.above, self.editor, self.settings.below, self.settings.files])
        self._listener = RenderWorker(lambda result: self.editor.set_trait("result", result))
        self._version = 0  # of the page's last drawing
        self._drawn = 0  # changes of the drawing
        self._upload = messages.Upload()
        self._loaded = self.settings.model.value, self.settings.excitation.value  # what is heard
        self._load_model()
        self._drawing = Drawing(self.settings.lanes, np.full((LANES, messages.seconds_to_frames(SECONDS)), 0.5))
        if drawing is None:
            self._drawing.draw(0, shape_heights("sin", self._axes()[0], self._table, self._drawing.n_frames))
        else:
            self._take(drawing)
        self._drawing = Drawing(self._drawing.lanes, self._drawing.heights)  # with nothing to undo
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
        return self._listener.newest()[1]

    def wait(self) -> None:
        """Wait until the newest drawing is heard."""
        self._listener.wait()

    def save(self, name: str, replacing: bool = False) -> list[Path]:
        """Write what is heard into the folder, as `timbrelib.sketch.save_drawing` says."""
        paths = save_drawing(self.folder, name, *self._listener.newest(), replacing)
        self.settings.list_saved(paths[0].stem)
        return paths

    def load(self, name: str) -> None:
        """Take a drawing out of the folder, with its settings.

        Raises
        ------
        FileNotFoundError
            There is none of that name.
        ValueError
            It is damaged, or nothing that could be drawn with this model.
        """
        series = load_rendering(self.folder / f"{messages.checked_name(name)}.json")
        curves, smoothness, weight, said = settings_of(series)
        settings = self.settings
        with self._listener.lock:
            before = self._loaded
            try:
                same = self._model.fingerprint == series.fingerprint
                self._load_model(
                    settings.model.value if same else settings.model_named(series.model), series.excitation
                )
                self._take(curves)
            except (ValueError, OSError):
                self._load_model(*before)
                raise
            with settings.quietly():
                settings.smoothness.value, settings.weight.value = smoothness, weight
            if self._model.fingerprint != series.fingerprint:
                said = f"made by another {series.model}, and followed by {self._model.name} here; {said}".rstrip("; ")
            self._ask(said)

    def follow(self, audio: np.ndarray) -> None:
        """Take the curves of a recording as the drawing; what cannot be followed is said in the pad.

        Parameters
        ----------
        audio : ndarray, float, (n,)
            Mono at 22,050 Hz.

        Raises
        ------
        ValueError
            It is no such sound.
        """
        audio = check_audio(audio)
        self._follow(lambda: audio)

    def close(self) -> None:
        """Take the pad off the page, and let go of its threads."""
        self._listener.close()
        for part in self.children:
            for control in getattr(part, "children", ()):
                control.close()
            part.close()
        super().close()

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
        except Exception as error:
            self._publish()
            self.editor.say(sentence(error), problem=True)

    def _set(self, prepare: Callable[[], None]) -> None:
        """React to a control."""
        with self._answering(), self._listener.lock:
            with self.settings.quietly():
                prepare()
            if self._drawing.lanes != tuple(self.settings.lanes):
                self._drawing.put(self.settings.lanes, self._drawing.heights)
            self._ask()

    def _asked(self, _editor: Editor, message: object, parts: list) -> None:
        """React to a message of the page."""
        with self._answering(), self._listener.lock:
            message = message if isinstance(message, dict) else {}
            verb = message.get("do")
            if verb == "upload":
                if file := self._upload.add(message, parts):
                    self._follow(lambda: messages.read_sound(*file))
                return
            self._version = max(self._version, messages.read_version(message))
            if verb == "draw":
                self._drawing.draw(self._lane(message), messages.read_heights(message))
            elif verb == "shape":
                lane, shape = self._lane(message), messages.read_shape(message)
                self._drawing.draw(lane, shape_heights(shape, self._axes()[lane], self._table, self._drawing.n_frames))
            elif verb in ("undo", "redo"):
                (self._drawing.undo if verb == "undo" else self._drawing.redo)()
                self.settings.choose_lanes(self._drawing.lanes, self._drawing.n_frames)
            else:
                raise ValueError(f"the page asked for {verb!r:.40}, which there is not: reload it")
            self._drawn += 1
            self._ask()

    def _lane(self, message: dict) -> int:
        return messages.whole(message, "lane", len(self.settings.lanes))

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

    def _load_model(self, name: str | None = None, excitation: str | None = None) -> None:
        """Load the model that is named or chosen, and its table; the menus say what is loaded, also if it fails."""
        settings = self.settings
        wanted = name or settings.model.value, excitation or settings.excitation.value
        try:
            model = load_model(wanted[0])
            self._table = analyse_codebook(model, wanted[1])
            self._model, self._loaded = model, wanted
        finally:
            with settings.quietly():
                settings.model.value, settings.excitation.value = self._loaded
        self._offer()

    def _offer(self) -> None:
        """Offer the descriptors that the codes have."""
        self.settings.offer([name for name in DESCRIPTORS if np.isfinite(self._table[name]).any()])

    def _resize(self) -> None:
        n_frames = messages.seconds_to_frames(self.settings.seconds.value)
        self._drawing.put(self._drawing.lanes, stretch(self._drawing.heights, n_frames))

    def _axes(self) -> list[Axis]:
        """Make the axes of the lanes."""
        return [axis(self._table, name) for name in self.settings.lanes]

    def _take(self, curves: Mapping[str, np.ndarray]) -> None:
        """Make curves, (frames,), in their units, the drawing."""
        curves = messages.checked_drawing(curves)
        n_frames = len(next(iter(curves.values())))
        self.settings.choose_lanes(list(curves), n_frames)
        heights = stretch(self._drawing.heights, n_frames)
        for place, of_lane in enumerate(self._axes()):
            heights[place] = of_lane.heights(curves[of_lane.name])
        self._drawing.put(self.settings.lanes, heights)
        self._drawn += 1

    def _publish(self) -> None:
        """Send the drawing to the page."""
        self.editor.drawing = {
            "number": self._listener.number,
            "version": self._version,
            "seconds": (self._drawing.n_frames - 1) / FRAME_RATE,
            "highest": SAMPLE_RATE / 2,
            "largest": messages.LARGEST,
            "undo": self._drawing.can_undo,
            "redo": self._drawing.can_redo,
            "lanes": [lane(axis, heights) for axis, heights in zip(self._axes(), self._drawing.heights, strict=False)],
        }

    def _begin(self) -> None:
        """Tell the page that something is worked on, and drop what was before."""
        self._listener.begin()
        self.editor.say("")
        self._publish()

    def _ask(self, note: str = "", problem: bool = False, play: bool = True) -> None:
        """Have the drawing heard."""
        self._begin()
        axes, settings = self._axes(), self.settings
        drawn = zip(axes, self._drawing.heights, strict=False)  # a lane that is not in use has heights too
        curves = {axis.name: axis.values(heights) for axis, heights in drawn}
        controls = settings.excitation.value, settings.smoothness.value, settings.weight.value
        self._listener.hear(Sketch(self._model, self._table, curves, *controls), axes, note, problem, play)

    def _follow(self, sound: Callable[[], np.ndarray]) -> None:
        """Have a recording followed, and its curves heard unless something newer is drawn meanwhile."""
        with self._listener.lock:
            self._drawn += 1
            self._begin()
            self._listener.work(partial(self._take_recording, sound, self._table, self.settings.lanes, self._drawn))

    def _take_recording(self, sound: Callable[[], np.ndarray], table: np.ndarray, lanes: list[str], drawn: int) -> None:
        curves, problem = None, False
        try:
            curves, note = followed(sound(), table, lanes)
        except Exception as error:
            note, problem = sentence(error), True
        with self._listener.lock:
            if drawn != self._drawn:
                return
            if curves and lanes != self.settings.lanes:
                curves, note = None, "the lanes were changed while the recording was followed: choose it again"
            if curves:
                self._take(curves)
            self._ask(note, problem, play=not problem)
