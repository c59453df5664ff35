"""Threads that render drawings, load timbres and analyse recordings, so that drawing never waits for them.

Notebook: 06_draw_target.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import RLock
from typing import Any

import numpy as np

from timbrelib.codebook.table import Codebook
from timbrelib.control.instruments.compact_table import write_compact_table
from timbrelib.control.rendering import Rendering
from timbrelib.control.timbre import Timbre
from timbrelib.pad.axes import Axis
from timbrelib.pad.controller import RenderRequest, curves_from_recording, page_result, render_request

log = logging.getLogger(__name__)
LOADING = "measuring the codebook… until then, drawings are rendered as before"
MAX_PACKED = 8  # tables of about 1 MB
_packed: dict[tuple, bytes] = {}
EMPTY_RESULT: dict[str, Any] = {"lanes": [], "sound": b"", "spectrogram": b""}


class RenderWorker:
    """Renders drawings one at a time, and skips those that a newer one replaces.

    Parameters
    ----------
    publish : callable
        Shows a result on the page, see `timbrelib.pad.target_pad.TargetPad`.

    Attributes
    ----------
    number : int
        Of the newest request.
    lock : RLock
        Held while a result is published, and while the next request is prepared.
    """

    def __init__(self, publish: Callable[[dict], None]) -> None:
        self.number = 0
        self.lock = RLock()
        self._publish = publish
        self._rendering: Rendering | None = None
        self._failure = "nothing was drawn"
        self._pools = [ThreadPoolExecutor(1) for _ in range(4)]
        self._renderer, self._loader, self._analyser, self._packer = self._pools
        self._newest: Future[None] = Future()
        self._loading: Future[None] = Future()
        self._wanted: object | None = None  # identifies the timbre that is being loaded
        self.forget_loading()

    def begin(self) -> None:
        """Begin a request, and make all earlier ones obsolete."""
        self.number += 1
        self._newest.cancel()

    def render(
        self, request: RenderRequest, axes: Sequence[Axis], note: str = "", problem: bool = False, play: bool = True
    ) -> None:
        """Render the request just begun, and publish the result with a note."""
        answer = {"number": self.number, "problem": problem, "play": play}
        self._newest = self._renderer.submit(self._render, request, axes, note, answer)

    def load(self, read: Callable[[], Timbre], take: Callable[[Timbre | None, str], None]) -> None:
        """Load a timbre instead of any that is still being loaded, while drawings are rendered.

        Parameters
        ----------
        read : callable
            Loads the timbre, which may take long: a codebook is measured the first time.
        take : callable
            Receives the timbre, or None and a sentence that says why it could not be loaded.
        """
        self.forget_loading()
        self._wanted = request = object()
        self._loading = self._loader.submit(self._load, request, read, take)

    def forget_loading(self) -> None:
        """Drop the timbre that is being loaded, if there is one."""
        self._wanted = None
        self._loading.cancel()

    def pack(self, timbre: Timbre, card: Mapping, take: Callable[[bytes], None]) -> None:
        """Pack a timbre for the page's engine, while everything else goes on; `take` receives the table."""
        self._packer.submit(lambda: take(packed_timbre(timbre, card)))

    @property
    def activity(self) -> str:
        """What goes on while drawings are rendered, in words; empty if nothing."""
        return LOADING if self._wanted else ""

    def analyse(
        self, read: Callable[[], np.ndarray], codebook: Codebook, names: Sequence[str], take: Callable[..., None]
    ) -> None:
        """Extract the curves of a recording for the request just begun, while drawings are rendered.

        Parameters
        ----------
        read : callable
            Returns the recording, float (n,).
        codebook, names
            See `timbrelib.pad.controller.curves_from_recording`.
        take : callable
            Receives the recording, its curves, a note, and whether that is a problem; both are empty then.
        """
        self._newest = self._analyser.submit(self._analyse, read, codebook, names, take)

    def wait(self) -> None:
        """Wait until the newest request is done, and the timbre is loaded."""
        while pending := [future for future in (self._loading, self._newest) if not future.done()]:
            wait(pending)

    def rendering(self) -> Rendering:
        """Wait for the newest rendering and return it.

        Raises
        ------
        ValueError
            The drawing could not be rendered.
        """
        self.wait()
        if self._rendering is None:
            raise ValueError(f"there is no rendering: {self._failure}")
        return self._rendering

    def close(self) -> None:
        """Stop the threads."""
        self.forget_loading()
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def _render(self, request: RenderRequest, axes: Sequence[Axis], note: str, answer: dict) -> None:
        rendering, result, notes = None, EMPTY_RESULT, [note]
        try:
            rendering, warnings = render_request(request)
            result = page_result(rendering, axes)
            notes.append(warnings)
        except Exception as error:
            rendering, answer["problem"] = None, True
            notes.append(error_text(error))
        with self.lock:
            if answer["number"] == self.number:
                self._rendering, self._failure = rendering, notes[-1]
                self._publish(result | answer | {"text": "; ".join(filter(None, notes))})

    def _load(self, request: object, read: Callable[[], Timbre], take: Callable[[Timbre | None, str], None]) -> None:
        timbre, failure = None, ""
        try:
            timbre = read()
        except Exception as error:
            failure = error_text(error)
        with self.lock:
            if request is self._wanted:
                self._wanted = None
                take(timbre, failure)

    def _analyse(
        self, read: Callable[[], np.ndarray], codebook: Codebook, names: Sequence[str], take: Callable[..., None]
    ) -> None:
        audio = np.zeros(0)
        curves: dict[str, np.ndarray] = {}
        try:
            curves, note = curves_from_recording(audio := read(), codebook, names)
        except Exception as error:
            note = error_text(error)
        with self.lock:
            take(audio, curves, note, problem=not curves)


def packed_timbre(timbre: Timbre, card: Mapping) -> bytes:
    """Return the compact table of a timbre; the newest ones are kept, since it takes seconds."""
    key = timbre.model.fingerprint, timbre.excitation, timbre.noise
    if key not in _packed:
        while len(_packed) >= MAX_PACKED:
            _packed.pop(next(iter(_packed)))
        _packed[key] = write_compact_table(timbre.model, timbre.codebook, card)
    return _packed[key]


def error_text(error: Exception) -> str:
    """Describe an error in a sentence; one that the library does not raise on purpose is logged with its traceback."""
    if isinstance(error, ValueError | OSError):
        return str(error)
    log.error("internal error in the drawing pad", exc_info=error)
    return f"internal error ({error!r:.200}): please report it"
