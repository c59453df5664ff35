"""The drawing pad: draw a target and hear a model follow it.

Notebook: 06_draw_target.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import ipywidgets
import numpy as np

from timbrelib.audio.frames import seconds_to_frames
from timbrelib.audio.sound_files import clean_audio
from timbrelib.control.rendering import Rendering
from timbrelib.control.saved_rendering import load_rendering
from timbrelib.control.timbre import Timbre, load
from timbrelib.files import checked_name
from timbrelib.pad import messages
from timbrelib.pad.controller import RenderRequest, page_drawing
from timbrelib.pad.controls import SECONDS, Controls
from timbrelib.pad.drawing import LANES, Drawing, Edit, check_drawing
from timbrelib.pad.elements import Editor
from timbrelib.pad.saved_drawings import drawing_from_saved, model_note, save_drawing
from timbrelib.pad.worker import RenderWorker, error_text


class TargetPad(ipywidgets.VBox):
    """A pad to draw a target on; the model follows it as soon as a stroke ends.

    Parameters
    ----------
    model : str or Path
        A name, or the folder of a model.
    drawing : mapping of str to ndarray, float, (frames,), optional
        The first curve: a descriptor's values in its unit; and perhaps a second one, of
        another descriptor or ``gain``.  By default six seconds of a centroid on a sine.
    folder : str or Path
        Where drawings are saved.

    Attributes
    ----------
    controls : timbrelib.pad.controls.Controls
        Set the ``value`` of one to change it from a cell.
    editor : timbrelib.pad.elements.Editor
    folder : Path

    Raises
    ------
    FileNotFoundError
        The model does not exist.
    ValueError
        The drawing cannot be drawn, see `timbrelib.pad.drawing.check_drawing`, or no code has
        its descriptor.

    Examples
    --------
    >>> import tempfile
    >>> import timbrelib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pad = timbrelib.TargetPad("viola", folder=folder)
    ...     paths = pad.save("first")
    ...     pad.follow(timbrelib.string_melody()[:22050])
    ...     pad.wait()
    ...     print(pad.rendering.measured["centroid"].shape)
    ...     pad.load("first")
    ...     pad.close()
    (44,)
    """

    def __init__(
        self,
        model: str | Path = "violin",
        drawing: Mapping[str, np.ndarray] | None = None,
        folder: str | Path = "drawings",
    ) -> None:
        self.folder = Path(folder).absolute()
        self.controls = Controls(str(model), self.folder)
        self.editor = Editor()
        super().__init__([self.controls.above, self.editor, self.controls.below, self.controls.files])
        self._worker = RenderWorker(lambda result: self.editor.set_trait("result", result))
        self._version, self._edits = 0, 0  # of the page's last edit; number of changes of the curves
        self._upload = messages.Upload()
        self._use_timbre(str(model), load(model, self.controls.excitation.value))
        self._drawing = Drawing(self.controls.lanes, np.full((LANES, seconds_to_frames(SECONDS)), 0.5))
        if drawing is None:
            self._drawing.draw_shape(0, "sin", self._timbre.codebook)
        else:
            self._take_curves(drawing)
        self._drawing.forget_changes()
        self._connect()
        self._render(play=False)
        self.wait()

    def __repr__(self) -> str:
        lanes, seconds = " and ".join(self._drawing.lanes), self._drawing.seconds
        return f"TargetPad: {self._timbre.name}, {lanes}, {seconds:.2f} s; run this cell to draw"

    @property
    def rendering(self) -> Rendering:
        """The rendering of the newest drawing; waits until it is done."""
        return self._worker.rendering()

    def wait(self) -> None:
        """Wait until the newest drawing is rendered."""
        self._worker.wait()

    def save(self, name: str, overwrite: bool = False) -> list[Path]:
        """Write the rendering as `name` into the folder; existing files only with `overwrite`, see `save_drawing`."""
        paths = save_drawing(self.folder, name, self.rendering, overwrite)
        self.controls.list_saved(paths[0].stem)
        return paths

    def load(self, name: str) -> None:
        """Load a drawing from the folder, with its settings.

        Raises
        ------
        FileNotFoundError
            There is no drawing of that name.
        ValueError
            It is damaged, or cannot be drawn with this model.
        """
        saved = load_rendering(self.folder / f"{checked_name(name)}.json")
        opened, controls = drawing_from_saved(saved), self.controls
        model = self._model if self._timbre.model.fingerprint == saved.fingerprint else controls.find_model(saved.model)
        timbre = load(model, saved.excitation, saved.noise if saved.excitation == "mixed" else None)
        with self._worker.lock:
            before = self._model, self._timbre
            try:
                self._use_timbre(model, timbre)
                self._take_curves(opened.curves)
            except ValueError:
                self._use_timbre(*before)
                controls.select_lanes(self._drawing.lanes, self._drawing.n_frames)
                raise
            controls.select_search(opened.search)
            self._render("; ".join(filter(None, (model_note(saved, self._timbre.model), opened.note))))

    def follow(self, audio: np.ndarray) -> None:
        """Replace the drawing by the curves of a recording; the pad shows what of it cannot be followed.

        Parameters
        ----------
        audio : ndarray, float, (n,)
            Mono at 22,050 Hz.

        Raises
        ------
        ValueError
            `audio` is empty, not mono, or contains NaN.
        """
        audio = clean_audio(audio)
        self._follow(lambda: audio)

    def close(self) -> None:
        """Remove the pad from the page and stop its threads."""
        self._worker.close()
        self.controls.close()
        self.editor.close()
        super().close()

    def _connect(self) -> None:
        """React to the controls and to messages of the page."""
        controls = self.controls
        resize = partial(self._on_control, lambda: self._drawing.resize(seconds_to_frames(controls.seconds.value)))
        offer = partial(self._on_control, lambda: controls.offer(self._timbre.codebook.descriptors))
        controls.on_change(lambda: self._load_timbre(None), controls.model)  # with its own amount of noise
        controls.on_change(lambda: self._load_timbre(controls.noise.value), controls.excitation, controls.noise)
        controls.on_change(offer, controls.descriptor, controls.second)
        controls.on_change(resize, controls.seconds)
        controls.on_change(self._on_control, *controls.for_search)
        controls.save.on_click(lambda _: self._on_save(overwrite=False))
        controls.overwrite.on_click(lambda _: self._on_save(overwrite=True))
        controls.load.on_click(lambda _: self._on_load())
        self.editor.on_msg(self._on_message)

    @contextmanager
    def _show_errors(self) -> Iterator[None]:
        """Show an error in the pad, since what a kernel prints in reply to a message is not visible."""
        try:
            yield
        except Exception as error:
            self._publish()
            self.editor.show_status(error_text(error), problem=True)

    def _on_control(self, prepare: Callable[[], None] = lambda: None) -> None:
        """Render with a changed control."""
        with self._show_errors(), self._worker.lock:
            with self.controls.muted():
                prepare()
            if self._drawing.lanes != tuple(self.controls.lanes):
                self._drawing.change(self.controls.lanes, self._drawing.heights)
            self._render()

    def _on_message(self, _editor: Editor, message: object, parts: list) -> None:
        """Check a message of the page and do what it asks for."""
        with self._show_errors(), self._worker.lock:
            if messages.read_action(message) == "upload":
                if file := self._upload.add(message, parts):
                    self._follow(lambda: messages.read_sound(*file))
                return
            self._version = max(self._version, messages.read_version(message))
            self._edit(messages.read_edit(message, len(self._drawing.lanes)))
            self._edits += 1
            self._render()

    def _edit(self, edit: Edit) -> None:
        """Change the drawing, and select its lanes and length, which an undo may change."""
        self._drawing.apply(edit, self._timbre.codebook)
        try:
            self.controls.select_lanes(self._drawing.lanes, self._drawing.n_frames)
        except ValueError:  # the lanes of another model
            self._drawing.apply(Edit("redo" if edit.action == "undo" else "undo"), self._timbre.codebook)
            raise

    def _on_save(self, overwrite: bool) -> None:
        """React to the buttons Save and Overwrite."""
        self.controls.offer_overwrite(False)
        with self._show_errors():
            self.editor.show_status("saving…")
            try:
                paths = self.save(self.controls.name.value, overwrite)
            except FileExistsError:
                self.controls.offer_overwrite(True)
                raise
            self.editor.show_status(f"saved {', '.join(path.name for path in paths)} in {self.folder}")

    def _on_load(self) -> None:
        """React to the button Load."""
        with self._show_errors():
            if self.controls.saved.value is None:
                raise ValueError(f"there is no drawing in {self.folder} yet: save one first")
            self.editor.show_status("loading…")
            self.load(self.controls.saved.value)

    def _load_timbre(self, noise: float | None) -> None:
        """Have the selected timbre loaded; until then, drawings are rendered with the one before."""
        model, excitation = self.controls.model.value, self.controls.excitation.value
        with self._worker.lock:
            self._worker.load(partial(load, model, excitation, noise), partial(self._take_timbre, model))
            self._begin()

    def _take_timbre(self, model: str, timbre: Timbre | None, failure: str) -> None:
        """Render with a loaded timbre; if it could not be loaded, with the one before."""
        selected = (model, timbre) if timbre else (self._model, self._timbre)
        self._on_control(lambda: self._use_timbre(*selected))
        if failure:
            self.editor.show_status(failure, problem=True)

    def _use_timbre(self, model: str, timbre: Timbre) -> None:
        """Draw with a timbre, and show it in the controls."""
        self._worker.forget_loading()
        self._model, self._timbre = model, timbre
        self.controls.select_timbre(model, timbre)

    def _take_curves(self, curves: Mapping[str, np.ndarray]) -> None:
        """Replace the drawing and its lanes by curves, (frames,), in their units."""
        curves = check_drawing(curves)
        self.controls.select_lanes(list(curves), len(next(iter(curves.values()))))
        self._drawing.take_curves(curves, self._timbre.codebook)
        self._edits += 1

    def _publish(self) -> None:
        """Send the drawing to the page."""
        request = {"number": self._worker.number, "version": self._version, "max_upload": messages.MAX_UPLOAD}
        self.editor.drawing = page_drawing(self._drawing, self._timbre.codebook) | request

    def _begin(self) -> None:
        """Begin a request, tell the page, and drop earlier ones."""
        self._worker.begin()
        self.editor.show_status(self._worker.activity)
        self._publish()

    def _render(self, note: str = "", problem: bool = False, play: bool = True) -> None:
        """Have the drawing rendered."""
        self._begin()
        codebook = self._timbre.codebook
        request = RenderRequest(self._timbre, self._drawing.curves(codebook), self.controls.search)
        self._worker.render(request, self._drawing.axes(codebook), note, problem, play)

    def _follow(self, read: Callable[[], np.ndarray]) -> None:
        """Have a recording analysed; its curves are dropped if the drawing changes in the meantime."""
        with self._worker.lock:
            self._edits += 1
            self._begin()
            lanes, take = self._drawing.lanes, partial(self._take_recording, self._drawing.lanes, self._edits)
            self._worker.analyse(read, self._timbre.codebook, lanes, take)

    def _take_recording(self, lanes: tuple[str, ...], edits: int, curves: dict, note: str, problem: bool) -> None:
        """Draw the curves of a recording, unless the drawing has changed since it was chosen."""
        if edits != self._edits:
            return
        if curves and lanes != self._drawing.lanes:
            note = "the lanes were changed while the recording was analysed: choose it again"
        elif curves:
            self._take_curves(curves)
        self._render(note, problem, play=not problem)
