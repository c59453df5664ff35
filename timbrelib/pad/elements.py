"""The pad's elements in the browser: plain JavaScript and CSS from ``frontend/``, without a build step.

Notebook: 06_draw_target.
"""

from importlib.resources import files
from typing import Any

import anywidget
import traitlets

MAX_NUMBER = 1e9  # beyond the scale of every slider


def read_frontend(*names: str) -> str:
    """Join files of ``frontend/`` into one module, since a notebook cannot import one from another."""
    return "\n".join((files("timbrelib.pad") / "frontend" / name).read_text(encoding="utf-8") for name in names)


class Editor(anywidget.AnyWidget):
    """The part of the pad to draw in.

    Only the kernel sets the traits; the page sends messages, which are checked.

    Attributes
    ----------
    drawing : dict
        ``lanes`` with their axes and heights, ``seconds``, ``can_undo``, ``can_redo``, the
        limits ``max_frequency`` (Hz) and ``max_upload`` (bytes), the ``number`` of the request
        that renders it, and the ``version`` of the page's last edit that it contains.
    result : dict
        From `timbrelib.pad.controller.page_result`, with the ``number`` of its request, a
        ``text``, whether that is a ``problem``, and whether to ``play`` the sound.
    status : dict
        A ``text``, whether it is a ``problem``, and a ``number``, so that the same text can be
        shown twice.
    """

    _esm = read_frontend("plot.js", "lane.js", "pad.js")
    _css = read_frontend("pad.css")
    drawing = traitlets.Dict().tag(sync=True)
    result = traitlets.Dict().tag(sync=True)
    status: "traitlets.Dict[str, Any]" = traitlets.Dict({"number": 0, "text": "", "problem": False}).tag(sync=True)

    def set_state(self, sync_data: dict) -> None:
        """Reject every change of state that the page sends."""
        self.show_status("the page must not change the state of the pad: reload it", problem=True)

    def show_status(self, text: str, problem: bool = False) -> None:
        """Show a sentence below the buttons."""
        self.status = {"number": self.status["number"] + 1, "text": text, "problem": problem}


class Knob(anywidget.AnyWidget):
    """A slider with a label that screen readers announce.

    Parameters
    ----------
    label : str
    value, low, high, step : float

    Attributes
    ----------
    value : float
        Clipped to the ends of the scale.
    disabled : bool
    """

    _esm = read_frontend("plot.js", "knob.js")
    _css = read_frontend("pad.css")
    label = traitlets.Unicode().tag(sync=True)
    scale = traitlets.List(traitlets.Float()).tag(sync=True)
    value = traitlets.Float().tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)

    def __init__(self, label: str, value: float, low: float, high: float, step: float) -> None:
        super().__init__(label=label, scale=[low, high, step], value=value)

    def set_state(self, sync_data: dict) -> None:
        """Accept a number as the value, and nothing else, from the page."""
        value: Any = sync_data.get("value") if isinstance(sync_data, dict) else None
        if type(value) in (int, float) and -MAX_NUMBER < value < MAX_NUMBER:  # NaN compares as False
            self.value = value
        else:
            self.send_state("value")

    @traitlets.validate("value")
    def _clip(self, proposal: dict) -> float:
        low, high, _ = self.scale
        return min(max(proposal["value"], low), high)
