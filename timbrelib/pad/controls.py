"""The controls around the drawing pad: menus, sliders and buttons of ipywidgets.

Notebook: 05_draw_target.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import ipywidgets

from timbrelib.audio.frames import FRAME_RATE, seconds_to_frames
from timbrelib.control.matching import SMOOTHNESS
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.model.registry import own_models, shipped_models
from timbrelib.pad.axes import GAIN
from timbrelib.pad.drawing import LANES
from timbrelib.pad.elements import Knob
from timbrelib.pad.messages import LONGEST, SHORTEST, saved_names
from timbrelib.synthesis.excitation import EXCITATIONS

SECONDS = 6.0  # of a new drawing
NONE = "none"  # the second lane when it is not in use
WIDE = {"description_width": "initial"}
WRAPPED = {"flex_flow": "row wrap"}


class Settings:
    """The controls, and what they are set to.

    Parameters
    ----------
    model : str
        Chosen at first; offered beside the shipped ones and one's own.
    folder : Path
        Of the saved drawings.

    Attributes
    ----------
    model, descriptor, second, seconds, smoothness, weight, excitation : widgets
        Of a sound.
    name, save, replace, saved, load : widgets
        Of files.
    above, below, files : ipywidgets.HBox
        The same in rows.
    """

    def __init__(self, model: str, folder: Path) -> None:
        models = [*shipped_models(), *own_models()]
        self.folder = folder
        self.model = menu("model", models if model in models else [model, *models])
        self.model.value = model
        self.descriptor = menu("descriptor", list(DESCRIPTORS))
        self.second = menu("second lane", [NONE, GAIN])
        self.excitation = menu("excitation", list(EXCITATIONS))
        self.seconds = ipywidgets.BoundedFloatText(
            SECONDS, min=SHORTEST, max=LONGEST, step=0.5, description="seconds", layout={"width": "140px"}, style=WIDE
        )
        self.smoothness = Knob("exact (0) to smooth", SMOOTHNESS, 0, 16, 0.5)
        self.weight = Knob("weight of second lane", 1.0, 0.05, 1, 0.05)
        self.name = ipywidgets.Text(description="name", placeholder="my drawing", layout={"width": "240px"}, style=WIDE)
        self.save = ipywidgets.Button(description="Save", tooltip=f"Write sound, curves and figure into {folder}")
        self.replace = ipywidgets.Button(description="Replace", tooltip="Write over it", button_style="warning")
        self.saved = menu("saved", [])
        self.load = ipywidgets.Button(description="Load", tooltip="Take the saved drawing")
        for button in (self.save, self.replace, self.load):
            button.layout.width = "90px"
        self.above = row(self.model, self.descriptor, self.second, self.seconds)
        self.below = row(self.smoothness, self.weight, self.excitation)
        self.files = row(self.name, self.save, self.replace, self.saved, self.load)
        self._quiet = threading.local()  # a thread that sets controls is not to deafen another
        self.name.observe(lambda _change: self.ask_before_replacing(False), "value")  # it was asked of another name
        self.list_saved(None)
        self.ask_before_replacing(False)

    @property
    def lanes(self) -> list[str]:
        """The descriptor, and the second lane's if there is one, or ``gain``."""
        return [name for name in (self.descriptor.value, self.second.value) if name != NONE]

    def model_named(self, name: str) -> str:
        """Find the model, or the folder, of a name in the menu; the one that is chosen if there is none."""
        return next((option for option in self.model.options if Path(option).name == name), self.model.value)

    def choose_lanes(self, names: Sequence[str], n_frames: int) -> None:
        """Set the controls to one or two lanes of a length.

        Raises
        ------
        ValueError
            A lane is not offered.
        """
        first, second = [*names, NONE][:LANES]
        offered = self.descriptor.options
        with self.quietly():
            if first not in offered or (second not in (NONE, GAIN, *offered)) or first == second:
                raise ValueError(f"this model has no lanes for {' and '.join(names)}: choose of {', '.join(offered)}")
            self.descriptor.value = first
            self.offer(offered)
            self.second.value = second
            self.offer(offered)
            if seconds_to_frames(self.seconds.value) != n_frames:
                self.seconds.value = round((n_frames - 1) / FRAME_RATE, 2)

    def offer(self, descriptors: Sequence[str]) -> None:
        """Offer descriptors, and for the second lane all but the first one's."""
        change_options(self.descriptor, descriptors)
        rest = [name for name in descriptors if name != self.descriptor.value]
        change_options(self.second, [NONE, GAIN, *rest])
        self.weight.disabled = self.second.value in (NONE, GAIN)

    def list_saved(self, chosen: str | None) -> None:
        """Offer the drawings that are in the folder now."""
        self.saved.options = saved_names(self.folder)
        if chosen is not None:
            self.saved.value = chosen

    def ask_before_replacing(self, asking: bool) -> None:
        """Show or hide the button that replaces a file."""
        self.replace.layout.display = "" if asking else "none"

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Set several controls without a reaction to each."""
        before = self._is_quiet
        self._quiet.now = True
        try:
            yield
        finally:
            self._quiet.now = before

    @property
    def _is_quiet(self) -> bool:
        return getattr(self._quiet, "now", False)

    def on_change(self, control: ipywidgets.Widget, react: Callable[[], None]) -> None:
        """Call `react` when a person, or a cell, sets a control."""

        def changed(_change: object) -> None:
            if not self._is_quiet:
                react()

        control.observe(changed, "value")


def menu(label: str, options: Sequence[str]) -> ipywidgets.Dropdown:
    """Make a menu with a label."""
    return ipywidgets.Dropdown(options=options, description=label, layout={"width": "190px"}, style=WIDE)


def row(*controls: ipywidgets.Widget) -> ipywidgets.HBox:
    """Put controls side by side, in as many lines as they need."""
    return ipywidgets.HBox(controls, layout=WRAPPED)


def change_options(control: ipywidgets.Dropdown, options: Sequence[str]) -> None:
    """Give a menu other options, keeping its value where that is still one."""
    if tuple(control.options) != tuple(options):
        value = control.value
        control.options = options
        control.value = value if value in options else options[0]
