"""The work behind the drawing pad, in threads of its own, so that drawing never waits for it.

Notebook: 05_draw_target.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import RLock
from typing import Any

from timbrelib.control.rendering import Rendering
from timbrelib.pad.axes import Axis
from timbrelib.pad.controller import Sketch, hear, shown

log = logging.getLogger(__name__)
NOTHING: dict[str, Any] = {"lanes": [], "sound": b"", "spectrogram": b""}


class RenderWorker:
    """Hears drawings, one at a time; of several only the newest.

    Parameters
    ----------
    show : callable
        Takes what the page is to show and play, as `timbrelib.frontend.Editor.result` has it.

    Attributes
    ----------
    number : int
        Of the newest request.
    lock : RLock
        Held while a result is shown, and by whoever changes what the next request is made of.
    """

    def __init__(self, show: Callable[[dict], None]) -> None:
        self.number = 0
        self.lock = RLock()
        self._show = show
        self._heard: tuple[Sketch, Rendering] | None = None
        self._why_not = "nothing was asked for"
        self._hearing, self._following = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._waiting: Future[None] = Future()

    def begin(self) -> None:
        """Make all that is worked on, or waits for it, out of date."""
        self.number += 1
        self._waiting.cancel()

    def hear(
        self, sketch: Sketch, axes: Sequence[Axis], note: str = "", problem: bool = False, play: bool = True
    ) -> None:
        """Have a drawing heard after `begin`, with a note beside what there is to say of it."""
        answer = {"number": self.number, "problem": problem, "play": play}
        self._waiting = self._hearing.submit(self._hear, sketch, axes, note, answer)

    def work(self, long: Callable[[], None]) -> None:
        """Have something else done after `begin`, beside what is heard, for it takes long."""
        self._waiting = self._following.submit(long)

    def wait(self) -> None:
        """Wait until there is nothing newer than what is shown."""
        while not (newest := self._waiting).done():
            wait([newest])

    def newest(self) -> tuple[Sketch, Rendering]:
        """Give the newest drawing and its sound, when it has been heard.

        Raises
        ------
        ValueError
            It could not be.
        """
        self.wait()
        if self._heard is None:
            raise ValueError(f"nothing is heard: {self._why_not}")
        return self._heard

    def close(self) -> None:
        """Let go of the threads."""
        for pool in (self._hearing, self._following):
            pool.shutdown(wait=False, cancel_futures=True)

    def _hear(self, sketch: Sketch, axes: Sequence[Axis], note: str, answer: dict) -> None:
        heard, result, notes = None, NOTHING, [note]
        try:
            rendering, said = hear(sketch)
            heard, result = (sketch, rendering), shown(rendering, axes)
            notes += [said, result["said"]]
        except Exception as error:
            answer["problem"] = True
            notes.append(sentence(error))
        with self.lock:
            if answer["number"] == self.number:
                self._heard, self._why_not = heard, notes[-1]
                self._show(result | answer | {"said": "; ".join(filter(None, notes))})


def sentence(error: Exception) -> str:
    """Say a mistake in a sentence; one of the library's own is logged with its traceback."""
    if isinstance(error, ValueError | OSError):
        return str(error)
    log.error("a mistake of the library", exc_info=error)
    return f"the library made a mistake ({error!r:.200}): please report it"
