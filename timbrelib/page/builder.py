"""The demo page: every figure and sound that the notebooks wrote, beside the scorecard, as one folder to open.

``timbrelib page`` writes it.  No server, no script, no other host: it opens from disk.
"""

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import mistune
from PIL import Image

from timbrelib.files import atomic_write
from timbrelib.model.checkpoint import load_card
from timbrelib.model.registry import shipped_models
from timbrelib.model.vqvae import PREFIXES

FIRST = ("violin", "sing", "trumpet", "horn", "cello")  # models in this order, then all others by name
TIMBRES = {prefix: name for name, prefix in PREFIXES.items()}  # in words, where a file's name shortens them
FOLLOWED = "spectrogram of the decoded sound, and what is measured in it over the target"
# What the last word of an example's name says, and what its figure shows; in the order of the page.
KINDS = {
    "visualize": ("over the codebook", "histogram of the codes, and the codebook in two dimensions, shaded"),
    "sin": ("sinusoidal target", FOLLOWED),
    "exp": ("log/exp target", FOLLOWED),
    "line": ("a line followed", FOLLOWED),
    "steps": ("target in steps", FOLLOWED),
    "sorted": ("the codebook from end to end", "all codes, from the lowest to the highest value of a descriptor"),
    "scorecard": ("every way to follow a target", "errors of every descriptor, matcher and excitation"),
    "purity": ("how clean the sounds are", "harmonic-to-noise ratio and spectral flux, beside real recordings"),
    "train": ("a short training run", ""),
    "reconstruction": ("the original, decoded by a shipped model", ""),
}
ROLES = {  # of the sounds of an example, in the order of the page; any other, such as a descriptor, stands for itself
    "original": "original",
    "input": "input",
    "": "decoded",
    "noise": "the same codes, excited by noise",
    "before": "before training",
    "after": "after training",
}
ROW = re.compile(r"^\| *(\S+) *\| *(.+?) *\| *(.+?) *\|$", re.MULTILINE)  # of the scorecard, if named like an example


@dataclass
class Figure:
    """A PNG, with its size, so that the page does not jump while it loads."""

    name: str
    width: int
    height: int


@dataclass
class Sound:
    """A WAV, what it is, and its figures on the scorecard by column."""

    name: str
    role: str
    scores: dict[str, str]


@dataclass
class Example:
    """What belongs together: figures and sounds of one target, one transfer, one codebook."""

    title: str
    shows: str
    figures: list[Figure] = field(default_factory=list)
    sounds: list[Sound] = field(default_factory=list)

    @property
    def broad(self) -> bool:
        """Whether it takes the whole width of the page: sounds alone or many, and figures with panels side by side."""
        return not self.figures or len(self.sounds) > 2 or any(f.width > 2 * f.height for f in self.figures)


@dataclass
class Section:
    """A model, or another part of the page, with its examples in order."""

    name: str
    title: str
    examples: list[Example]


def build_page(figures: str | Path, audio: str | Path, scorecard: str | Path, out: str | Path) -> Path:
    """Build the page from what the notebooks wrote.

    Parameters
    ----------
    figures, audio : str or Path
        Folders of PNG and WAV files, all of which are copied and shown.
    scorecard : str or Path
        Markdown file with tables of ``| measure | here | published |``.
    out : str or Path
        The folder to write; it can be moved and served as it is.

    Returns
    -------
    Path
        The ``index.html`` in `out`.

    Raises
    ------
    FileNotFoundError
        A folder has no figures or sounds, or there is no scorecard.
    PermissionError
        `out` cannot be written to.

    Examples
    --------
    >>> build_page("figures", "Audio_Exemple", "docs/scorecard.md", "site")
    PosixPath('site/index.html')
    """
    pngs, wavs = files_of(figures, "png", "figures"), files_of(audio, "wav", "sounds")
    if not Path(scorecard).is_file():
        raise FileNotFoundError(f"there is no scorecard {scorecard}: run 'make figures' first")
    text = Path(scorecard).read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, loader=jinja2.PackageLoader("timbrelib.page", "")
    )
    scores = {name: {"here": here, "published": published} for name, here, published in ROW.findall(text)}
    page = environment.get_template("page.html").render(
        sections=sections(pngs, wavs, scores),
        scorecard=mistune.create_markdown(renderer=ScorecardRenderer(), plugins=["table"])(text),
        cards=[load_card(name) for name in shipped_models()],
    )
    for folder, paths in (("figures", pngs), ("audio", wavs)):
        for path in paths:
            with atomic_write(Path(out) / folder / path.name) as part:
                shutil.copyfile(path, part)
    index = Path(out) / "index.html"
    with atomic_write(index) as part:
        part.write_text(page, encoding="utf-8")
    return index


def files_of(folder: str | Path, suffix: str, what: str) -> list[Path]:
    """List a folder's files of one kind, of which there must be some."""
    paths = sorted(Path(folder).glob(f"*.{suffix}"))
    if not paths:
        raise FileNotFoundError(f"there are no {what} in {folder}: run 'make figures' first")
    return paths


def sections(pngs: list[Path], wavs: list[Path], scores: dict[str, dict[str, str]]) -> list[Section]:
    """Group figures and sounds by what their names say.

    Parameters
    ----------
    pngs, wavs : list of Path
    scores : dict of str to dict
        By the name of a sound, what the scorecard has of it: ``here`` and ``published``.

    Returns
    -------
    list of Section
        The models, then ``transfer``, ``training`` and, of names that say nothing, ``more``.
    """
    models = {path.stem.rsplit("_", 2)[0] for path in pngs if path.stem.endswith("_visualize")}
    found: dict[str, dict[str, Example]] = {}

    def example(name: str) -> tuple[Example, str]:
        section, key, role = place(name, models)
        examples = found.setdefault(section, {})
        return examples.setdefault(key, Example(*words(section, key))), role

    for path in pngs:
        with Image.open(path) as image:
            example(path.stem)[0].figures.append(Figure(path.name, *image.size))
    for path in wavs:
        home, role = example(path.stem)
        home.sounds.append(Sound(path.name, ROLES.get(role, say(role)), scores.get(path.stem, {})))
        home.sounds.sort(key=lambda sound: rank([*ROLES.values(), *map(say, FIRST)], sound.role))
    titles = {model: say(model).capitalize() for model in (*FIRST, *sorted(models - set(FIRST)))}
    titles |= {"transfer": "Timbre transfer", "training": "Training and reconstruction", "more": "More"}
    return [
        Section(name, title, [found[name][key] for key in sorted(found[name], key=page_order)])
        for name, title in titles.items()
        if name in found
    ]


def place(name: str, models: set[str]) -> tuple[str, str, str]:
    """Read the name of a figure or sound: its section, its example there, and its role in that.

    Examples
    --------
    >>> place("violin_centroid_sin_noise", {"violin"})
    ('violin', 'centroid_sin', 'noise')
    >>> place("transfer_speech_horn_input", {"violin", "horn"})
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


def words(section: str, key: str) -> tuple[str, str]:
    """Say what an example is, and what its figures show."""
    if section == "more":
        return say(key), ""
    if section == "transfer":
        source, _, target = key.partition("_")
        return f"{say(source)}, played by the {say(target)} model", "spectrograms of what goes in and what comes out"
    *names, kind = key.split("_")
    said, shows = KINDS.get(kind, (kind, ""))
    return ", ".join(part for part in (" and ".join(names), said) if part), shows


def say(name: str) -> str:
    """Write a timbre or a descriptor in words."""
    return TIMBRES.get(name, name).replace("_", " ")


def page_order(key: str) -> tuple:
    """Sort examples by kind, sine and log/exp side by side; one descriptor before two together."""
    *names, kind = key.split("_")
    return rank([*KINDS], "sin" if kind == "exp" else kind), len(names), names, rank([*KINDS], kind)


def rank(order: list[str], word: str) -> int:
    """Find a word's place in an order; unknown ones come last."""
    return order.index(word) if word in order else len(order)


class ScorecardRenderer(mistune.HTMLRenderer):
    """Markdown as a part of the page, without its title and the links that only work in ``docs/``."""

    def heading(self, text: str, level: int, **attributes: str) -> str:
        """Write a heading below the page's own."""
        return "" if level == 1 else super().heading(text, level + 1, **attributes)

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Write a link to another host, and the bare text of any other."""
        return super().link(text, url, title) if url.startswith("https://") else text
