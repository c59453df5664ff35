"""Build the demo page in one folder: an instrument, the figures and sounds of the notebooks, and the scorecard.

``timbrelib page`` writes it.  The page opens from disk: it needs no server and no other host.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import jinja2
import mistune
from markupsafe import Markup

from timbrelib.audio.sound_files import read_samples
from timbrelib.audio.sound_output import save_audio
from timbrelib.files import atomic_write, write_text
from timbrelib.model.checkpoint import load_card
from timbrelib.model.registry import shipped_models
from timbrelib.model.vqvae import PREFIXES
from timbrelib.page.engine_files import page_script, write_model
from timbrelib.page.examples import FIRST, group_examples, rank
from timbrelib.page.policy import content_policy
from timbrelib.page.scores import ScorecardRenderer, main_scores, read_cells, read_scores
from timbrelib.page.showcase import SHOWCASES, make_showcases

HEAD = '<!doctype html>\n<html lang="en">\n<head>\n<meta name="generator" content="timbrelib">'  # of the page
FOLDER = Path(__file__).parent
VOICES = {"singing": "voice", "female": "female voice"}  # words of the menu for models that are no instruments
COMPRESSION = 0.7  # of all sounds but the showcases; the page is to take less than 25 MB
DIAGRAMS = {  # of docs/diagrams, with what each shows, in the order of the page
    "vqvae": "A VQ-VAE learns a codebook: a few thousand spectra that can stand for every frame of the recordings.",
    "codebook_analysis": "Each code is decoded alone and measured once: its brightness, its pitch, and others.",
    "target_decode": "For a drawn curve, a path search chooses the code of each frame, close to the target and smooth.",
    "excitation": "Partials become oscillators with continuous phase, and the rest filtered noise.",
    "transfer": "Any other sound can take the place of the curve: its frames choose the codes.",
}


def build_page(
    figures: str | Path,
    audio: str | Path,
    scorecard: str | Path,
    out: str | Path,
    models: Sequence[str] | None = None,
) -> Path:
    """Build the page from the files that the notebooks wrote.

    Parameters
    ----------
    figures, audio : str or Path
        Folders of PNG and WAV files; all of them are shown, the sounds as MP3.  Diagrams are
        taken from ``docs/diagrams`` next to the scorecard, if it is there.
    scorecard : str or Path
        Markdown file that ``timbrelib scorecard`` wrote.
    out : str or Path
        Folder to write; it can be moved and served as it is.  The page links the reference in
        ``api`` that ``make docs`` writes, if it is there.
    models : sequence of str, optional
        Models that the page's instrument plays; by default, all shipped ones.

    Returns
    -------
    Path
        The ``index.html`` in `out`.

    Raises
    ------
    FileNotFoundError
        A folder has no figures or no sounds, or the scorecard or a model is missing.
    PermissionError
        `out` cannot be written to.

    Examples
    --------
    >>> build_page("figures", "Audio_Exemple", "docs/scorecard.md", "site")
    PosixPath('site/index.html')
    """
    pngs, wavs = list_files(figures, "png", "figures"), list_files(audio, "wav", "sounds")
    others = tuple(f"{name}_" for name in shipped_models() if PREFIXES.get(name, name) not in FIRST)
    wavs = [path for path in wavs if not (path.stem.startswith(others) and path.stem.endswith("_sorted"))]
    if not Path(scorecard).is_file():
        raise FileNotFoundError(f"there is no scorecard {scorecard}: run 'make figures' first")
    out, text = Path(out), Path(scorecard).read_text(encoding="utf-8")
    diagrams = Path(scorecard).parent / "diagrams"
    names = sorted(models or shipped_models(), key=lambda name: rank([*FIRST], str(PREFIXES.get(name, name))))
    for name in names:
        write_model(name, out / "models")
    showcases = list(make_showcases(Path(audio)))
    for showcase in showcases:
        save_audio(out / "audio" / f"{showcase.name}_paper.mp3", showcase.paper_audio)
        save_audio(out / "audio" / f"{showcase.name}.flac", showcase.audio)
    for path in wavs:
        compression = None if path.stem in SHOWCASES else COMPRESSION
        save_audio(out / "audio" / f"{path.stem}.mp3", read_samples(path), compression)
    drawn = [diagrams / f"{name}.svg" for name in DIAGRAMS if (diagrams / f"{name}.svg").is_file()]
    for folder, paths in (("figures", pngs), ("diagrams", drawn)):
        for path in paths:
            with atomic_write(out / folder / path.name) as part:
                shutil.copyfile(path, part)

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, loader=jinja2.FileSystemLoader(FOLDER)
    )
    sizes = sorted({load_card(name)["sizes"]["n_codes"] for name in names})
    script = page_script()
    style = "".join((FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "instrument/instrument.css"))
    cells = read_cells(text)
    page = environment.get_template("page.html").render(
        policy=content_policy(script, style),
        script=Markup(script),
        style=Markup(style),
        models=[{"name": name, "title": VOICES.get(name, name.replace("_", " "))} for name in names],
        showcases=[(showcase, main_scores(cells, showcase.name)) for showcase in showcases],
        showcase_figures=Markup(embedded_json([showcase.figure for showcase in showcases])),
        diagrams=[(path.name, DIAGRAMS[path.stem]) for path in drawn],
        sections=group_examples(pngs, wavs, read_scores(text)),
        scorecard=mistune.create_markdown(renderer=ScorecardRenderer(), plugins=["table"])(text),
        cards=[load_card(name) for name in shipped_models()],
        has_reference=(out / "api" / "index.html").is_file(),
        n_codes=" to ".join(f"{size:,}" for size in dict.fromkeys((sizes[0], sizes[-1]))),
    )
    index = out / "index.html"
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


def embedded_json(content: object) -> str:
    """Write JSON that can stand in a script element: without the character that could end it."""
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
