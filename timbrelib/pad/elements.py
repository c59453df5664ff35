"""What runs in the browser: plain JavaScript and CSS, without a build step and without any other host.

Notebook: 05_draw_target.
"""

from importlib.resources import files
from typing import Any

import anywidget
import traitlets

FAR = 1e9  # no slider reaches there


def script(*names: str) -> str:
    """Join files of this folder into one module, for a notebook cannot load one from beside another."""
    return "\n".join((files("timbrelib.pad") / "frontend" / name).read_text(encoding="utf-8") for name in names)


class Editor(anywidget.AnyWidget):
    """The part of the pad that is drawn in: what it shows, and the messages that it sends.

    The kernel alone sets its traits: the page asks by messages, which are checked.

    Attributes
    ----------
    drawing : dict
        Lanes with their axes and heights, length, and the ``number`` of the request that
        works on it; ``version`` is the page's last drawing that is in it.
    result : dict
        From `timbrelib.sketch.shown`, with the ``number`` of the request that made it, whether
        to ``play``, and whether what is ``said`` is a ``problem``.
    status : dict
        ``text``, whether it is a ``problem``, and a ``number`` that tells a sentence said
        again from one that is there still.
    """

    _esm = script("plot.js", "lane.js", "pad.js")
    _css = script("pad.css")
    drawing = traitlets.Dict().tag(sync=True)
    result = traitlets.Dict().tag(sync=True)
    status: "traitlets.Dict[str, Any]" = traitlets.Dict({"number": 0, "text": "", "problem": False}).tag(sync=True)

    def set_state(self, sync_data: dict) -> None:
        """Refuse to be set by the page."""
        self.say("the page tried to set what the pad shows, which it must not: reload it", problem=True)

    def say(self, text: str, problem: bool = False) -> None:
        """Show a sentence beside the buttons."""
        self.status = {"number": self.status["number"] + 1, "text": text, "problem": problem}


class Knob(anywidget.AnyWidget):
    """A slider with a label.

    Parameters
    ----------
    label : str
    value, low, high, step : float

    Attributes
    ----------
    value : float
        Kept between the ends of the scale.
    disabled : bool
    """

    _esm = script("plot.js", "knob.js")
    _css = script("pad.css")
    label = traitlets.Unicode().tag(sync=True)
    scale = traitlets.List(traitlets.Float()).tag(sync=True)
    value = traitlets.Float().tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)

    def __init__(self, label: str, value: float, low: float, high: float, step: float) -> None:
        super().__init__(label=label, scale=[low, high, step], value=value)

    def set_state(self, sync_data: dict) -> None:
        """Take a number as the value from the page, and nothing else."""
        value: Any = sync_data.get("value") if isinstance(sync_data, dict) else None
        if type(value) in (int, float) and -FAR < value < FAR:  # NaN is not
            self.value = value
        else:
            self.send_state("value")

    @traitlets.validate("value")
    def _inside(self, proposal: dict) -> float:
        low, high, _ = self.scale
        return min(max(proposal["value"], low), high)
