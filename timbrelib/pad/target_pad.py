"""The drawing pad: draw a target and hear a model follow it.

Notebook: 06_draw_target.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from timbrelib.audio.sound_files import clean_audio
from timbrelib.control.rendering import Rendering
from timbrelib.control.saved_rendering import load_rendering
from timbrelib.files import checked_name
from timbrelib.pad import messages
from timbrelib.pad.modules import pad_source, read_style
from timbrelib.pad.saved_drawings import export_drawing, save_drawing, saved_names
from timbrelib.pad.session import Session
from timbrelib.pad.worker import error_text


class TargetPad(anywidget.AnyWidget):
    """A pad to draw a target on; the model follows it as soon as a stroke ends.

    Only the kernel sets the traits; the page sends messages, which are checked.

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
    folder : Path
    settings : dict
        The values of the controls, see `timbrelib.pad.settings.Settings`; `set` changes them.
    menus : dict
        What the controls offer.
    drawing : dict
        ``lanes`` with their axes and heights, ``seconds``, ``can_undo``, ``can_redo``, the
        limits ``max_frequency`` (Hz) and ``max_upload`` (bytes), the ``number`` of the request
        that renders it, and the ``version`` of the page's last change that it contains.
    result : dict
        From `timbrelib.pad.controller.page_result`, with the ``number`` of its request, a
        ``text``, whether that is a ``problem``, and whether to ``play`` the sound.
    table : bytes
        The timbre for the page's engine, see `timbrelib.control.instruments.compact_table`; empty until it is packed.
    reference : dict
        A ``sound`` (a WAV file) to compare the result with, its ``label``, and the heights of its
        ``lanes`` by name.
    files : dict
        Names of the ``saved`` drawings, the ``selected`` one, and one that already ``exists``.
    status : dict
        A ``text``, whether it is a ``problem``, and a ``number``, so that the same text can be
        shown twice.

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
    ...     pad.set(descriptor="fundamental", smoothness=2)
    ...     pad.follow(timbrelib.string_melody()[:22050])
    ...     pad.wait()
    ...     print(pad.rendering.measured["fundamental"].shape)
    ...     pad.load("first")
    ...     pad.set_state({"drawing": {}})  # what a page would send
    ...     print(pad.status["text"])
    ...     pad.close()
    (44,)
    the page must not change the state of the pad: reload it
    """

    _esm = pad_source()
    _css = read_style()
    settings = traitlets.Dict().tag(sync=True)
    menus = traitlets.Dict().tag(sync=True)
    drawing = traitlets.Dict().tag(sync=True)
    result = traitlets.Dict().tag(sync=True)
    table = traitlets.Bytes(b"").tag(sync=True)
    reference: traitlets.Dict = traitlets.Dict({"label": "", "sound": b"", "lanes": {}}).tag(sync=True)
    files: traitlets.Dict = traitlets.Dict({"saved": [], "selected": "", "exists": ""}).tag(sync=True)
    status: traitlets.Dict = traitlets.Dict({"number": 0, "text": "", "problem": False}).tag(sync=True)

    def __init__(
        self,
        model: str | Path = "violin",
        drawing: Mapping[str, np.ndarray] | None = None,
        folder: str | Path = "drawings",
    ) -> None:
        super().__init__()
        self.folder = Path(folder).absolute()
        self._upload = messages.Upload()
        self._session = Session(str(model), drawing, self.set_trait)
        self._show_files()
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        drawing = self._session.drawing
        name, lanes = self._session.timbre.name, " and ".join(drawing.lanes)
        return f"TargetPad: {name}, {lanes}, {drawing.seconds:.2f} s; run this cell to draw"

    @property
    def rendering(self) -> Rendering:
        """The rendering of the newest drawing; waits until it is done."""
        return self._session.worker.rendering()

    def wait(self) -> None:
        """Wait until the newest drawing is rendered."""
        self._session.worker.wait()

    def set(self, **settings: object) -> None:
        """Change settings, as the controls on the page do.

        Parameters
        ----------
        **settings
            See `timbrelib.pad.settings.Settings`.

        Raises
        ------
        ValueError
            There is no such setting, or it cannot have this value; nothing is changed.
        """
        self._session.set(settings)

    def save(self, name: str, overwrite: bool = False) -> list[Path]:
        """Write the rendering as `name` into the folder; existing files only with `overwrite`, see `save_drawing`."""
        paths = save_drawing(self.folder, name, self.rendering, overwrite)
        self._show_files(selected=paths[0].stem)
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
        self._session.open_saved(load_rendering(self.folder / f"{checked_name(name)}.json"))

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
        self._session.follow(lambda: audio)

    def close(self) -> None:
        """Remove the pad from the page and stop its threads."""
        self._session.worker.close()
        super().close()

    def set_state(self, sync_data: dict) -> None:
        """Reject every change of state that the page sends as `sync_data`."""
        self._session.show_status("the page must not change the state of the pad: reload it", problem=True)

    @contextmanager
    def _show_errors(self) -> Iterator[None]:
        """Show an error in the pad, since what a kernel prints in reply to a message is not visible."""
        try:
            yield
        except Exception as error:
            self._session.publish()
            self._session.show_status(error_text(error), problem=True)

    def _on_message(self, _widget: anywidget.AnyWidget, message: object, parts: list) -> None:
        """Check a message of the page and do what it asks for."""
        with self._show_errors():
            action = messages.read_action(message)
            if action == "upload":
                lane = messages.read_lane(message, len(self._session.drawing.lanes))
                if file := self._upload.add(message, parts):
                    self._session.follow(lambda: messages.read_sound(*file), lane)
                return
            self._session.note_version(messages.read_version(message))
            reactions = {"set": self._on_set, "save": self._on_save, "load": self._on_load, "keep": self._on_keep,
                         "export": self._on_export}  # fmt: skip
            reactions.get(str(action), self._session.edit)(message)

    def _on_set(self, message: object) -> None:
        self._session.set(dict([messages.read_setting(message)]))

    def _on_save(self, message: object) -> None:
        name, overwrite = messages.read_string(message, "name").strip(), messages.read_flag(message, "overwrite")
        self._show_files()
        self._session.show_status("saving…")
        if not name:
            raise ValueError("the drawing has no name yet: type one, then save it")
        try:
            paths = self.save(name, overwrite)
        except FileExistsError:
            self._show_files(exists=name)
            raise
        self._session.publish()
        self._session.show_status(f"saved {', '.join(path.name for path in paths)} in {self.folder}")

    def _on_load(self, message: object) -> None:
        name = messages.read_string(message, "name")
        if not name:
            raise ValueError(f"there is no drawing in {self.folder} yet: save one first")
        self._session.show_status("loading…")
        self.load(name)

    def _on_keep(self, _message: object) -> None:
        self._session.keep(self.rendering.audio)

    def _on_export(self, message: object) -> None:
        suffix = messages.read_string(message, "kind")
        content = export_drawing(self.rendering, suffix)
        self._session.publish()
        self.send({"file": f"drawing.{suffix}"}, [content])

    def _show_files(self, selected: str | None = None, exists: str = "") -> None:
        """List the drawings that are in the folder now."""
        selected = self.files["selected"] if selected is None else selected
        self.files = {"saved": saved_names(self.folder), "selected": selected, "exists": exists}
