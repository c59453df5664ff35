"""A session of drawing: timbre, settings and curves, and the renderings that follow from them.

Notebook: 06_draw_target.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from timbrelib.audio.frames import SAMPLE_RATE, seconds_to_frames
from timbrelib.audio.sound_output import encode_audio
from timbrelib.control.saved_rendering import SavedRendering
from timbrelib.control.timbre import Timbre, load
from timbrelib.model.checkpoint import load_card
from timbrelib.pad import messages
from timbrelib.pad.controller import RenderRequest, page_drawing
from timbrelib.pad.drawing import MAX_SECONDS, Drawing, Edit, check_drawing
from timbrelib.pad.saved_drawings import drawing_from_saved, model_note
from timbrelib.pad.settings import FOR_TIMBRE, Settings, first_settings
from timbrelib.pad.worker import RenderWorker


class Session:
    """What is drawn with which timbre and settings.

    Parameters
    ----------
    model : str
        A name, or the folder of a model.
    drawing : mapping of str to ndarray, float, (frames,), or None
        See `timbrelib.pad.target_pad.TargetPad`.
    show : callable
        Receives the name of a trait of the pad and its new value.

    Attributes
    ----------
    worker : RenderWorker
    drawing : Drawing
    settings : Settings
    version : int
        Of the page's last change.

    Raises
    ------
    FileNotFoundError, ValueError
        See `timbrelib.pad.target_pad.TargetPad`.
    """

    def __init__(
        self, model: str, drawing: Mapping[str, np.ndarray] | None, show: Callable[[str, object], None]
    ) -> None:
        self._show, self._status_number = show, 0
        self.worker = RenderWorker(partial(show, "result"))
        self.version, self._edits = 0, 0  # of the page's last change; number of changes of the curves
        self.settings: Settings = first_settings(model)
        self._use_timbre(model, load(model, self.settings.excitation))
        start = np.full(seconds_to_frames(self.settings.seconds), 0.5)
        self.drawing = Drawing(self.settings.lanes, dict.fromkeys(self.settings.lanes, start))
        if drawing is None:
            self.drawing.draw_shape(0, "sin", self.timbre.codebook)
        else:
            self._take_curves(drawing)
        self.drawing.forget_changes()
        self._render(play=False)
        self.worker.wait()

    def show_status(self, text: str, problem: bool = False) -> None:
        """Show a sentence."""
        self._status_number += 1
        busy = bool(self.worker.activity)  # even if the drawing is rendered, a timbre may still be loading
        self._show("status", {"number": self._status_number, "text": text, "problem": problem, "busy": busy})

    def publish(self) -> None:
        """Send settings and drawing to the page."""
        request = {"number": self.worker.number, "version": self.version, "max_upload": messages.MAX_UPLOAD}
        self._show("settings", self.settings.values)
        self._show("menus", self.settings.menus)
        self._show("drawing", page_drawing(self.drawing, self.timbre.codebook) | request)

    def note_version(self, version: int) -> None:
        """Note the number of the page's newest change."""
        with self.worker.lock:
            self.version = max(self.version, version)

    def set(self, settings: Mapping[str, object]) -> None:
        """Change settings, see `timbrelib.pad.target_pad.TargetPad.set`."""
        with self.worker.lock:
            before = after = self.settings
            for name, value in settings.items():
                after = after.change(name, value)
            self.settings = after
            if after.seconds != before.seconds:
                self.drawing.resize(seconds_to_frames(after.seconds))
            self._select_lanes()
            if after.model != before.model:
                self._load_timbre(None)  # with its own amount of noise
            elif any(after.values[name] != before.values[name] for name in FOR_TIMBRE):
                self._load_timbre(after.noise)
            else:
                self._render()

    def edit(self, message: object) -> None:
        """Change the drawing as a message asks, and select its lanes and length, which an undo may change."""
        with self.worker.lock:
            edit = messages.read_edit(message, len(self.drawing.lanes))
            self.drawing.apply(edit, self.timbre.codebook)
            try:
                self.settings = self.settings.with_lanes(self.drawing.lanes, self.drawing.n_frames)
            except ValueError:  # the lanes of another model
                self.drawing.apply(Edit("redo" if edit.action == "undo" else "undo"), self.timbre.codebook)
                raise
            self._edits += 1
            self._render()

    def open_saved(self, saved: SavedRendering) -> None:
        """Draw a saved rendering with its settings, see `timbrelib.pad.target_pad.TargetPad.load`."""
        opened, is_same = drawing_from_saved(saved), self.timbre.model.fingerprint == saved.fingerprint
        model = self._model if is_same else self.settings.find_model(saved.model)
        timbre = load(model, saved.excitation, saved.noise if saved.excitation == "mixed" else None)
        with self.worker.lock:
            before = self._model, self.timbre
            try:
                self._use_timbre(model, timbre)
                self._take_curves(opened.curves)
            except ValueError:
                self._use_timbre(*before)
                self.settings = self.settings.with_lanes(self.drawing.lanes, self.drawing.n_frames)
                raise
            self.settings = self.settings.with_search(opened.search)
            self._render("; ".join(filter(None, (model_note(saved, self.timbre.model), opened.note))))

    def follow(self, read: Callable[[], np.ndarray], lane: int | None = None) -> None:
        """Have a recording analysed, for all lanes or one; its curves are dropped if the drawing changes meanwhile."""
        with self.worker.lock:
            self._edits += 1
            self._begin()
            lanes = self.drawing.lanes
            take = partial(self._take_recording, lanes, lane, self._edits)
            self.worker.analyse(read, self.timbre.codebook, lanes, take)

    def keep(self, audio: np.ndarray) -> None:
        """Keep a sound, float (n,), and the curves of the lanes, to compare the next ones with them."""
        with self.worker.lock:
            lanes = zip(self.drawing.lanes, self.drawing.heights, strict=True)
            self._show_reference("the kept sound", audio, {name: np.round(curve, 4).tolist() for name, curve in lanes})
            self.publish()

    def _show_reference(self, label: str, audio: np.ndarray, lanes: Mapping[str, list]) -> None:
        sound = encode_audio(audio[: int(MAX_SECONDS * SAMPLE_RATE)])
        self._show("reference", {"label": label, "sound": sound, "lanes": lanes})

    def _load_timbre(self, noise: float | None) -> None:
        """Have the selected timbre loaded; until then, drawings are rendered with the one before."""
        model, excitation = self.settings.model, self.settings.excitation
        self.worker.load(partial(load, model, excitation, noise), partial(self._take_timbre, model))
        self._begin()

    def _take_timbre(self, model: str, timbre: Timbre | None, failure: str) -> None:
        """Render with a loaded timbre; if it could not be loaded, with the one before."""
        self._use_timbre(*((model, timbre) if timbre else (self._model, self.timbre)))
        self._select_lanes()
        self._render()
        if failure:
            self.show_status(failure, problem=True)

    def _use_timbre(self, model: str, timbre: Timbre) -> None:
        """Draw with a timbre, and show it in the settings."""
        self.worker.forget_loading()
        self._model, self.timbre = model, timbre
        self.settings = self.settings.with_timbre(model, timbre)
        try:
            card = load_card(model)
        except (OSError, ValueError):  # of an unfinished model
            card = {"licence": "", "sources": []}
        self._show("table", b"")
        self.worker.pack(timbre, card, partial(self._take_table, timbre))

    def _take_table(self, timbre: Timbre, table: bytes) -> None:
        """Send the table of a timbre to the page, if it is still in use."""
        with self.worker.lock:
            if timbre is self.timbre:
                self._show("table", table)

    def _select_lanes(self) -> None:
        """Draw in the selected lanes."""
        if self.drawing.lanes != self.settings.lanes:
            self.drawing.select_lanes(self.settings.lanes, self.timbre.codebook)

    def _take_curves(self, curves: Mapping[str, np.ndarray], only: str | None = None) -> None:
        """Replace the drawing and its lanes by curves, (frames,), in their units, or `only` one lane by its curve."""
        curves = check_drawing(curves)
        self.settings = self.settings.with_lanes(list(curves), len(next(iter(curves.values()))))
        self.drawing.take_curves(curves, self.timbre.codebook, only)
        self._edits += 1

    def _begin(self) -> None:
        """Begin a request, tell the page, and drop earlier ones."""
        self.worker.begin()
        self.show_status(self.worker.activity)
        self.publish()

    def _render(self, note: str = "", problem: bool = False, play: bool = True) -> None:
        """Have the drawing rendered."""
        self._begin()
        codebook = self.timbre.codebook
        request = RenderRequest(self.timbre, self.drawing.curves(codebook), self.settings.search)
        self.worker.render(request, self.drawing.axes(codebook), note, problem, play)

    def _take_recording(
        self,
        lanes: tuple[str, ...],
        lane: int | None,
        edits: int,
        audio: np.ndarray,
        curves: dict,
        note: str,
        problem: bool,
    ) -> None:
        """Draw the curves of a recording, unless the drawing has changed since it was chosen."""
        if edits != self._edits:
            return
        if curves and lanes != self.drawing.lanes:
            note = "the lanes were changed while the recording was analysed: choose it again"
        elif curves:
            self._take_curves(curves, None if lane is None else lanes[lane])
            self._show_reference("the recording", audio, {})
        self._render(note, problem, play=not problem)
