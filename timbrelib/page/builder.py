"""Build the demo page: the figures and sounds that the notebooks wrote, and the scorecard, in one folder.

``timbrelib page`` writes it.  The page opens from disk: it needs no server, no script and no other host.
"""

import re
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import mistune
from PIL import Image

from timbrelib.files import atomic_write, write_text
from timbrelib.model.checkpoint import load_card, load_model
from timbrelib.model.registry import shipped_models
from timbrelib.model.vqvae import PREFIXES

HEAD = '<!doctype html>\n<html lang="en">\n<head>\n<meta name="generator" content="timbrelib">'  # of the page
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
MAKERS = {
    "published": "published",
    "paper's method": "paper's method",
    "this library": "here",
}  # of the scorecard's rows


@dataclass
class Figure:
    """A PNG and its size in pixels, which keeps the layout stable while it loads."""

    name: str
    width: int
    height: int


@dataclass
class Sound:
    """A WAV, its caption, and its scores by who made it."""

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


def build_page(figures: str | Path, audio: str | Path, scorecard: str | Path, out: str | Path) -> Path:
    """Build the page from the files that the notebooks wrote.

    Parameters
    ----------
    figures, audio : str or Path
        Folders of PNG and WAV files; all of them are copied and shown.
    scorecard : str or Path
        Markdown file that ``timbrelib scorecard`` wrote.
    out : str or Path
        Folder to write; it can be moved and served as it is.  The page links the reference in
        ``api`` that ``make docs`` writes, if it is there.

    Returns
    -------
    Path
        The ``index.html`` in `out`.

    Raises
    ------
    FileNotFoundError
        A folder has no figures or no sounds, or the scorecard is missing.
    PermissionError
        `out` cannot be written to.

    Examples
    --------
    >>> build_page("figures", "Audio_Exemple", "docs/scorecard.md", "site")
    PosixPath('site/index.html')
    """
    pngs, wavs = list_files(figures, "png", "figures"), list_files(audio, "wav", "sounds")
    if not Path(scorecard).is_file():
        raise FileNotFoundError(f"there is no scorecard {scorecard}: run 'make figures' first")
    text = Path(scorecard).read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, loader=jinja2.PackageLoader("timbrelib.page", "")
    )
    sizes = sorted({load_model(name).config.n_codes for name in shipped_models()})
    page = environment.get_template("page.html").render(
        sections=group_examples(pngs, wavs, read_scores(text)),
        scorecard=mistune.create_markdown(renderer=ScorecardRenderer(), plugins=["table"])(text),
        cards=[load_card(name) for name in shipped_models()],
        has_reference=(Path(out) / "api" / "index.html").is_file(),
        n_codes=" to ".join(f"{size:,}" for size in dict.fromkeys((sizes[0], sizes[-1]))),
    )
    for folder, paths in (("figures", pngs), ("audio", wavs)):
        for path in paths:
            with atomic_write(Path(out) / folder / path.name) as part:
                shutil.copyfile(path, part)
    index = Path(out) / "index.html"
    write_text(index, page)
    return index


def list_files(folder: str | Path, suffix: str, kind: str) -> list[Path]:
    """List the files in a folder that have a suffix.

    Raises
    ------
    FileNotFoundError
        There are none.
    """
    paths = sorted(Path(folder).glob(f"*.{suffix}"))
    if not paths:
        raise FileNotFoundError(f"there are no {kind} in {folder}: run 'make figures' first")
    return paths


def read_scores(text: str) -> dict[str, dict[str, str]]:
    """Read the scores of sounds from a scorecard in Markdown.

    Parameters
    ----------
    text : str

    Returns
    -------
    dict of str to dict
        By the name of a sound, its scores in words by who made it: ``published``, ``paper's
        method`` and ``here``.
    """
    scores: dict[str, dict[str, str]] = defaultdict(dict)
    columns: list[str] = []
    for line in text.splitlines():
        name, made_by, *cells = line.strip("| ").split(" | ") if line.startswith("| ") else ("", "")
        if name in ("sound", "measure"):
            columns = cells  # of the table that begins here
        elif made_by in MAKERS:
            words = [f"{column} {cell}" for column, cell in zip(columns, cells, strict=True) if cell != "-"]
            scores[name][MAKERS[made_by]] = ", ".join(words)
        elif name.endswith("_sorted"):
            scores[name]["here"] = made_by
    return scores


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
        owner.sounds.append(Sound(path.name, ROLES.get(role, spell_out(role)), scores.get(path.stem, {})))
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


class ScorecardRenderer(mistune.HTMLRenderer):
    """Markdown as a part of the page, without its title and the links that only work in ``docs/``."""

    def heading(self, text: str, level: int, **attributes: str) -> str:
        """Write a heading one level lower; leave out the title."""
        return "" if level == 1 else super().heading(text, level + 1, **attributes)

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Write links to other hosts as links, and all others as text."""
        return super().link(text, url, title) if url.startswith("https://") else text
