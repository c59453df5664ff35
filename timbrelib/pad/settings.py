"""The settings of the pad: what its menus, sliders and checkboxes show.

Notebook: 06_draw_target.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from timbrelib.audio.frames import FRAME_RATE, seconds_to_frames
from timbrelib.control.search import CONTINUITY, RETUNE, SMOOTHNESS, TILT, Search
from timbrelib.control.timbre import Timbre
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.model.registry import own_models, shipped_models
from timbrelib.model.vqvae import DEFAULT_NOISE
from timbrelib.pad.axes import GAIN
from timbrelib.pad.drawing import LANES, MAX_SECONDS, MIN_SECONDS, quote
from timbrelib.synthesis.excitation import EXCITATIONS

NONE = "none"  # in the menu of the second lane
RANGES = {  # lowest and highest value, and step
    "seconds": (MIN_SECONDS, MAX_SECONDS, 0.5),
    "smoothness": (0.0, 16.0, 0.5),
    "weight": (0.05, 1.0, 0.05),
    "noise": (0.0, 1.0, 0.05),
}
FLAGS = ("keep_note", "adjust")
FOR_TIMBRE = ("excitation", "noise")  # a change of these loads another codebook
FOR_SEARCH = ("smoothness", "weight", *FLAGS)


@dataclass(frozen=True)
class Settings:
    """The settings of a pad, and what its menus offer.

    Attributes
    ----------
    model : str
        A name, or the folder of a model.
    descriptor, second : str
        The lanes; the second one is a descriptor, ``gain`` or ``none``.
    seconds : float
        Length of the drawing.
    smoothness : float
        From 0 (exact) to 16, see `timbrelib.control.search.Search`.
    weight : float
        Of the second lane in the search, relative to the first.
    excitation : str
    noise : float
        Amount of noise of the mixed excitation.
    keep_note : bool
        Without a drawn fundamental, change the note as seldom as possible.
    adjust : bool
        Retune and tilt the chosen codes to meet the drawing more closely.
    models, descriptors : tuple of str
        What the menus offer.
    has_noise : bool
        Whether the model has an amount of noise to set.
    """

    model: str
    descriptor: str = next(iter(DESCRIPTORS))
    second: str = NONE
    seconds: float = 6.0
    smoothness: float = SMOOTHNESS
    weight: float = 1.0
    excitation: str = EXCITATIONS[0]
    noise: float = DEFAULT_NOISE
    keep_note: bool = True
    adjust: bool = True
    models: tuple[str, ...] = ()
    descriptors: tuple[str, ...] = ()
    has_noise: bool = True

    @property
    def lanes(self) -> tuple[str, ...]:
        """Names of the selected lanes."""
        return tuple(name for name in (self.descriptor, self.second) if name != NONE)

    @property
    def search(self) -> Search:
        """Selected settings of the search."""
        weights = {self.second: self.weight} if self.second in DESCRIPTORS else {}
        retune, tilt = (RETUNE, TILT) if self.adjust else (0.0, 0.0)
        continuity = CONTINUITY if self.keep_note else 0.0
        return Search(self.smoothness, weights=weights, continuity=continuity, retune=retune, tilt=tilt)

    @property
    def values(self) -> dict:
        """The values of all controls, by name."""
        return {
            name: value for name, value in asdict(self).items() if name not in ("models", "descriptors", "has_noise")
        }

    @property
    def menus(self) -> dict:
        """What the page's controls offer: ``options`` of menus, ``ranges`` of numbers, and which are ``disabled``."""
        second = [NONE, GAIN, *(name for name in self.descriptors if name != self.descriptor)]
        follows_pitch = "fundamental" in self.lanes or "fundamental" not in self.descriptors
        unused = {
            "weight": self.second in (NONE, GAIN),
            "noise": self.excitation != "mixed" or not self.has_noise,
            "keep_note": follows_pitch,
        }
        return {
            "options": {
                "model": list(self.models),
                "descriptor": list(self.descriptors),
                "second": second,
                "excitation": list(EXCITATIONS),
            },
            "ranges": {name: list(ends) for name, ends in RANGES.items()},
            "disabled": [name for name, is_unused in unused.items() if is_unused],
        }

    def change(self, name: object, value: object) -> "Settings":
        """Change one setting.

        Raises
        ------
        ValueError
            There is no such setting, or it cannot have this value.
        """
        options = self.menus["options"]
        if not isinstance(name, str) or name not in self.values:
            raise ValueError(f"there is no setting {quote(name)}: choose one of {', '.join(self.values)}")
        if name in options:
            if not isinstance(value, str) or value not in options[name]:
                raise ValueError(f"{name} cannot be {quote(value)}: choose one of {', '.join(options[name])}")
        elif name in FLAGS:
            if not isinstance(value, bool):
                raise ValueError(f"{name} cannot be {quote(value)}: set it to True or False")
        else:
            low, high, _ = RANGES[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:  # nor NaN
                raise ValueError(f"{name} cannot be {quote(value)}: give a number from {low:g} to {high:g}")
            value = float(value)
        changed = replace(self, **{name: cast("Any", value)})
        return replace(changed, second=NONE) if changed.second == changed.descriptor else changed

    def with_lanes(self, names: Sequence[str], n_frames: int) -> "Settings":
        """Select one or two lanes and a length.

        Raises
        ------
        ValueError
            The model does not offer one of the lanes.
        """
        first, second = [*names, NONE][:LANES]
        offered = self.descriptors
        if first not in offered or second not in (NONE, GAIN, *offered) or first == second:
            raise ValueError(f"{self.model} has no lanes for {' and '.join(names)}: choose from {', '.join(offered)}")
        same = seconds_to_frames(self.seconds) == n_frames
        seconds = self.seconds if same else round((n_frames - 1) / FRAME_RATE, 2)
        return replace(self, descriptor=first, second=second, seconds=seconds)

    def with_search(self, search: Search) -> "Settings":
        """Select the settings of a search, see `timbrelib.pad.saved_drawings.drawing_from_saved`."""
        weight = search.weight(self.second) if self.second in DESCRIPTORS else self.weight
        keep_note, adjust = search.continuity > 0, search.retune > 0
        return replace(self, smoothness=search.smoothness, weight=weight, keep_note=keep_note, adjust=adjust)

    def with_timbre(self, model: str, timbre: Timbre) -> "Settings":
        """Select a timbre, loaded from a model of the menu, and offer its descriptors."""
        offered = tuple(timbre.codebook.descriptors)
        descriptor = self.descriptor if self.descriptor in offered else offered[0]
        second = self.second if self.second in (GAIN, *offered) and self.second != descriptor else NONE
        return replace(
            self, model=model, descriptor=descriptor, second=second, descriptors=offered,
            excitation=timbre.excitation, noise=timbre.noise, has_noise=timbre.model.config.outputs > 1,
        )  # fmt: skip

    def find_model(self, name: str) -> str:
        """Find a model in the menu by its name or the name of its folder; the selected one if there is none."""
        return next((option for option in self.models if Path(option).name == name), self.model)


def first_settings(model: str) -> Settings:
    """Return the settings of a new pad, whose menu offers all models and this one, wherever it is."""
    models = [*shipped_models(), *own_models()]
    return Settings(model, models=tuple(models if model in models else [model, *models]))
