"""The figures and sounds that the notebooks wrote, grouped by their names."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from timbrelib.model.registry import shipped_models
from timbrelib.model.vqvae import PREFIXES

FIRST = ("violin", "sing", "sing_fem", "trumpet", "horn", "cello")  # order of the models; others follow by name
TITLES = {"sing_fem": "Female voice"}  # of models whose name alone does not say what they play
TIMBRES = {prefix: name for name, prefix in PREFIXES.items()}  # full names of the timbres whose files shorten them
TRACKING = "spectrogram of the decoded sound, and the measured descriptor over the target"
# Title of an example and alternative text of its figure, by the last word of its name, in the order of the page.
KINDS = {
    "visualize": ("distribution over the codebook", "histogram of the codes, and the codebook in two dimensions"),
    "sin": ("sinusoidal target", TRACKING),
    "exp": ("log/exp target", TRACKING),
    "line": ("generated melody as target", TRACKING),
    "steps": ("stepped target", TRACKING),
    "held": ("held while the other descriptor moves", TRACKING),
    "sorted": ("traversal of the codebook", "codes in order, from the lowest to the highest value of a descriptor"),
    "scorecard": ("comparison of methods", "tracking error of every descriptor, matching method and excitation"),
    "quality": ("sound quality", "harmonic-to-noise ratio and spectral flux, compared with recordings"),
    "train": ("short training run", ""),
    "reconstruction": ("reconstruction by a shipped model", ""),
}
ROLES = {  # captions of the sounds of an example, in the order of the page; other roles are their own captions
    "original": "original (generated)",
    "input": "input (generated)",
    "": "decoded",
    "noise": "same codes, noise excitation",
    "before": "before training",
    "after": "after training",
}


@dataclass
class Figure:
    """A PNG and its size in pixels, which keeps the layout stable while it loads."""

    name: str
    width: int
    height: int


@dataclass
class Sound:
    """An MP3, its caption, and its scores by who made it."""

    name: str
    caption: str
    scores: dict[str, str]


@dataclass
class Example:
    """The figures and sounds of one target, transfer or codebook."""

    title: str
    description: str
    figures: list[Figure] = field(default_factory=list)
    sounds: list[Sound] = field(default_factory=list)

    @property
    def broad(self) -> bool:
        """Whether it takes the full width of the page: no figure, a wide one, or more than two sounds."""
        return not self.figures or len(self.sounds) > 2 or any(f.width > 2 * f.height for f in self.figures)


@dataclass
class Section:
    """A part of the page, such as a model, with its examples in order."""

    name: str
    title: str
    examples: list[Example]


def group_examples(pngs: list[Path], wavs: list[Path], scores: dict[str, dict[str, str]]) -> list[Section]:
    """Group figures and sounds by their names.

    Parameters
    ----------
    pngs, wavs : list of Path
    scores : dict of str to dict
        See `read_scores`.

    Returns
    -------
    list of Section
        The models, then ``transfer``, ``training`` and, for all other names, ``more``.
    """
    models = {path.stem.rsplit("_", 2)[0] for path in pngs if path.stem.endswith("_visualize")}
    models |= {PREFIXES.get(name, name) for name in shipped_models()}
    found: dict[str, dict[str, Example]] = {}

    def example(name: str) -> tuple[Example, str]:
        section, key, role = parse_name(name, models)
        examples = found.setdefault(section, {})
        return examples.setdefault(key, Example(*title_and_description(section, key))), role

    for path in pngs:
        with Image.open(path) as image:
            example(path.stem)[0].figures.append(Figure(path.name, *image.size))
    for path in wavs:
        owner, role = example(path.stem)
        owner.sounds.append(Sound(f"{path.stem}.mp3", ROLES.get(role, spell_out(role)), scores.get(path.stem, {})))
        owner.sounds.sort(key=lambda sound: rank([*ROLES.values(), *map(spell_out, FIRST)], sound.caption))
    titles = {model: spell_out(model).capitalize() for model in (*FIRST, *sorted(models - set(FIRST)))} | TITLES
    titles |= {"transfer": "Timbre transfer", "training": "Training and reconstruction", "more": "More"}
    return [
        Section(name, title, [found[name][key] for key in sorted(found[name], key=page_order)])
        for name, title in titles.items()
        if name in found
    ]


def parse_name(name: str, models: set[str]) -> tuple[str, str, str]:
    """Find the section, the example and the role in it of a figure or sound, from its name.

    Examples
    --------
    >>> parse_name("violin_centroid_sin_noise", {"violin"})
    ('violin', 'centroid_sin', 'noise')
    >>> parse_name("transfer_speech_horn_input", {"violin", "horn"})
    ('transfer', 'speech_horn', 'input')
    """
    if found := re.fullmatch(r"train_(.+)", name):
        return "training", "train", found[1]
    if found := re.fullmatch(r"(.+)_reconstruction", name):
        return "training", "reconstruction", found[1]
    if found := re.fullmatch(r"transfer_([^_]+_.+?)(?:_(input))?", name):
        return "transfer", found[1], found[2] or ""
    model = max((model for model in models if name.startswith(f"{model}_")), key=len, default=None)
    if model is None:
        return "more", name, "sound"
    rest = name.removeprefix(f"{model}_").replace("_decode_", "_")
    if found := re.fullmatch(r"(.+)_(sorted)", rest):
        return model, found[2], found[1]
    if found := re.fullmatch(r"(.+)_(input|noise)", rest):
        return model, found[1], found[2]
    return model, rest, ""


def title_and_description(section: str, key: str) -> tuple[str, str]:
    """Write the title of an example and the description of its figures."""
    if section == "more":
        return spell_out(key), ""
    if section == "transfer":
        source, _, target = key.partition("_")
        title = f"generated {spell_out(source)}, played by the {spell_out(target)} model"
        return title, "spectrograms of input and output"
    *names, kind = key.split("_")
    title, description = KINDS.get(kind, (kind, ""))
    return ", ".join(part for part in (" and ".join(names), title) if part), description


def spell_out(name: str) -> str:
    """Write the name of a timbre or descriptor in words."""
    return TIMBRES.get(name, name).replace("_", " ")


def page_order(key: str) -> tuple:
    """Sort examples by kind, sine and log/exp together; one descriptor before two."""
    *names, kind = key.split("_")
    return rank([*KINDS], "sin" if kind == "exp" else kind), len(names), names, rank([*KINDS], kind)


def rank(order: list[str], word: str) -> int:
    """Find the position of a word in an order; unknown words come last."""
    return order.index(word) if word in order else len(order)
