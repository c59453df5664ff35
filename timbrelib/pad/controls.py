"""The controls around the pad: menus, sliders and buttons of ipywidgets.

Notebook: 06_draw_target.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import ipywidgets

from timbrelib.audio.frames import FRAME_RATE, seconds_to_frames
from timbrelib.control.search import CONTINUITY, RETUNE, SMOOTHNESS, TILT, Search
from timbrelib.control.timbre import Timbre
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.model.registry import own_models, shipped_models
from timbrelib.model.vqvae import DEFAULT_NOISE
from timbrelib.pad.axes import GAIN
from timbrelib.pad.drawing import LANES, MAX_SECONDS, MIN_SECONDS
from timbrelib.pad.elements import Knob
from timbrelib.pad.saved_drawings import saved_names
from timbrelib.synthesis.excitation import EXCITATIONS

SECONDS = 6.0  # length of a new drawing
NONE = "none"  # in the menu of the second lane
LABEL_STYLE = {"description_width": "initial"}
ROW_LAYOUT = {"flex_flow": "row wrap"}


class Controls:
    """The controls and their values.

    Parameters
    ----------
    model : str
        Selected at first; added to the menu if it is neither shipped nor the user's own.
    folder : Path
        Of the saved drawings.

    Attributes
    ----------
    model, descriptor, second, seconds : widgets
        What is drawn.
    smoothness, weight, excitation, noise, keep_note, adjust : widgets
        How it is rendered.
    name, save, overwrite, saved, load : widgets
        Files.
    for_search : tuple of widgets
        Those that determine the search alone.
    above, below, files : ipywidgets.HBox
        All of them in rows.
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
            SECONDS, min=MIN_SECONDS, max=MAX_SECONDS, step=0.5, description="length (s)",
            layout={"width": "150px"}, style=LABEL_STYLE,
        )  # fmt: skip
        self.smoothness = Knob("smoothness (0: exact)", SMOOTHNESS, 0, 16, 0.5)
        self.weight = Knob("weight of second lane", 1.0, 0.05, 1, 0.05)
        self.noise = Knob("noise (0: locked)", DEFAULT_NOISE, 0, 1, 0.05)
        self.keep_note = checkbox("keep the note", "Without a drawn fundamental, change the note as seldom as possible")
        self.adjust = checkbox("adjust codes", "Retune and tilt the chosen codes to meet the drawing more closely")
        self.name = ipywidgets.Text(
            description="name", placeholder="my drawing", layout={"width": "240px"}, style=LABEL_STYLE
        )
        self.save = ipywidgets.Button(description="Save", tooltip=f"Save sound, curves and figure in {folder}")
        self.overwrite = ipywidgets.Button(
            description="Overwrite", tooltip="Replace the existing files", button_style="warning"
        )
        self.saved = menu("saved", [])
        self.load = ipywidgets.Button(description="Load", tooltip="Open the saved drawing")
        for button in (self.save, self.overwrite, self.load):
            button.layout.width = "90px"
        self.above = row(self.model, self.descriptor, self.second, self.seconds)
        self.for_search = self.smoothness, self.weight, self.keep_note, self.adjust
        self.below = row(self.smoothness, self.weight, self.excitation, self.noise, self.keep_note, self.adjust)
        self.files = row(self.name, self.save, self.overwrite, self.saved, self.load)
        self._muted = threading.local()  # per thread, so that one does not mute another
        self.name.observe(lambda _change: self.offer_overwrite(False), "value")  # the offer was for another name
        self.list_saved(None)
        self.offer_overwrite(False)

    @property
    def search(self) -> Search:
        """Selected settings of the search."""
        weights = {self.second.value: self.weight.value} if self.second.value in DESCRIPTORS else {}
        continuity = CONTINUITY if self.keep_note.value else 0.0
        retune, tilt = (RETUNE, TILT) if self.adjust.value else (0.0, 0.0)
        return Search(self.smoothness.value, weights=weights, continuity=continuity, retune=retune, tilt=tilt)

    def select_search(self, search: Search) -> None:
        """Show the settings of a search, see `timbrelib.pad.saved_drawings.drawing_from_saved`."""
        with self.muted():
            self.smoothness.value, self.weight.value = search.smoothness, search.weight(self.second.value)
            self.keep_note.value, self.adjust.value = search.continuity > 0, search.retune > 0

    def select_timbre(self, model: str, timbre: Timbre) -> None:
        """Show a timbre, loaded from a model of the menu, and offer its descriptors."""
        with self.muted():
            self.model.value, self.excitation.value, self.noise.value = model, timbre.excitation, timbre.noise
            self.noise.disabled = timbre.excitation != "mixed" or timbre.model.config.outputs == 1
            self.offer(timbre.codebook.descriptors)

    @property
    def lanes(self) -> list[str]:
        """Names of the selected lanes."""
        return [name for name in (self.descriptor.value, self.second.value) if name != NONE]

    def find_model(self, name: str) -> str:
        """Find a model in the menu by its name or the name of its folder; the selected one if there is none."""
        return next((option for option in self.model.options if Path(option).name == name), self.model.value)

    def select_lanes(self, names: Sequence[str], n_frames: int) -> None:
        """Set the controls to one or two lanes and a length.

        Raises
        ------
        ValueError
            The model does not offer one of the lanes.
        """
        first, second = [*names, NONE][:LANES]
        offered = self.descriptor.options
        if first not in offered or second not in (NONE, GAIN, *offered) or first == second:
            raise ValueError(
                f"{self.model.value} has no lanes for {' and '.join(names)}: choose from {', '.join(offered)}"
            )
        with self.muted():
            self.descriptor.value = first
            self.offer(offered)
            self.second.value = second
            self.offer(offered)
            if seconds_to_frames(self.seconds.value) != n_frames:
                self.seconds.value = round((n_frames - 1) / FRAME_RATE, 2)

    def offer(self, descriptors: Sequence[str]) -> None:
        """Offer descriptors; for the second lane, all but the first one's."""
        set_options(self.descriptor, descriptors)
        rest = [name for name in descriptors if name != self.descriptor.value]
        set_options(self.second, [NONE, GAIN, *rest])
        self.weight.disabled = self.second.value in (NONE, GAIN)
        self.keep_note.disabled = "fundamental" in self.lanes or "fundamental" not in descriptors

    def list_saved(self, selected: str | None) -> None:
        """List the drawings that are in the folder now."""
        self.saved.options = saved_names(self.folder)
        if selected is not None:
            self.saved.value = selected

    def offer_overwrite(self, visible: bool) -> None:
        """Show or hide the button that overwrites files."""
        self.overwrite.layout.display = "" if visible else "none"

    def close(self) -> None:
        """Remove all controls from the page."""
        for each in (self.above, self.below, self.files):
            for control in (*each.children, each):
                control.close()

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Set several controls without a reaction to each."""
        before = self._is_muted
        self._muted.now = True
        try:
            yield
        finally:
            self._muted.now = before

    @property
    def _is_muted(self) -> bool:
        return getattr(self._muted, "now", False)

    def on_change(self, react: Callable[[], None], *controls: ipywidgets.Widget) -> None:
        """Call `react` when the value of one of these controls changes, unless this thread has muted them."""

        def changed(_change: object) -> None:
            if not self._is_muted:
                react()

        for control in controls:
            control.observe(changed, "value")


def menu(label: str, options: Sequence[str]) -> ipywidgets.Dropdown:
    """Make a menu with a label."""
    return ipywidgets.Dropdown(options=options, description=label, layout={"width": "190px"}, style=LABEL_STYLE)


def checkbox(label: str, tooltip: str) -> ipywidgets.Checkbox:
    """Make a ticked checkbox with a label."""
    return ipywidgets.Checkbox(True, description=label, tooltip=tooltip, indent=False, layout={"width": "auto"})


def row(*controls: ipywidgets.Widget) -> ipywidgets.HBox:
    """Put controls side by side, wrapped to as many lines as they need."""
    return ipywidgets.HBox(controls, layout=ROW_LAYOUT)


def set_options(control: ipywidgets.Dropdown, options: Sequence[str]) -> None:
    """Replace the options of a menu, and keep its value if it is still one of them."""
    if tuple(control.options) != tuple(options):
        value = control.value
        control.options = options
        control.value = value if value in options else options[0]
