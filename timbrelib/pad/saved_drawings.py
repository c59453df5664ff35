"""Drawings on disk: a rendering's files and a figure, and the way back into the pad.

Notebook: 06_draw_target.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from timbrelib.control.rendering import Rendering
from timbrelib.control.saved_rendering import SavedRendering
from timbrelib.control.search import CONTINUITY, REFINEMENTS, RETUNE, TILT, Search
from timbrelib.files import NAME, checked_name
from timbrelib.model.vqvae import DEFAULT_GAIN, VQVAE
from timbrelib.pad.axes import GAIN, MAX_GAIN
from timbrelib.pad.drawing import LANES
from timbrelib.plots import save_figure

SUFFIXES = ("wav", "csv", "json", "png")


@dataclass(frozen=True)
class SavedDrawing:
    """What of a saved rendering the pad can show.

    Attributes
    ----------
    curves : dict of str to ndarray, float64, (frames,)
        The targets, and ``gain`` if it is not the default one and there is a lane for it.
    search : Search
        What the controls can show of its settings.
    note : str
        What the pad cannot show; empty if nothing is lost.
    """

    curves: dict[str, np.ndarray]
    search: Search
    note: str


def save_drawing(folder: Path, name: str, rendering: Rendering, overwrite: bool = False) -> list[Path]:
    """Write sound, CSV, JSON and figure of a rendering.

    Parameters
    ----------
    folder : Path
    name : str
        Of the files, without suffix.
    rendering : Rendering
        Its sound is measured again with the pitch estimator that scores.
    overwrite : bool
        Whether existing files may be replaced.

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        The name is not one of a file, or leads out of the folder.
    FileExistsError
        A file of that name exists.
    PermissionError
        The folder is not writable.
    """
    from matplotlib import pyplot as plt

    name = checked_name(name)
    paths = [folder / f"{name}.{suffix}" for suffix in SUFFIXES]
    existing = [path.name for path in paths if path.exists()]
    if existing and not overwrite:
        raise FileExistsError(f"{existing[0]} already exists: choose another name, or overwrite it")
    scored = rendering.remeasure()
    scored.save(folder / name)
    figure = scored.plot(f"{scored.model.name}, {name}")
    save_figure(paths[-1], figure)
    plt.close(figure)  # otherwise a notebook shows it below the next cell
    return paths


def export_drawing(rendering: Rendering, suffix: str) -> bytes:
    """Return the content of one of the files that `save_drawing` would write.

    Raises
    ------
    ValueError
        It writes no file of that kind.
    """
    if suffix not in SUFFIXES:
        raise ValueError(f"a drawing has no {suffix!r:.40} file: choose one of {', '.join(SUFFIXES)}")
    with tempfile.TemporaryDirectory() as folder:
        save_drawing(Path(folder), "drawing", rendering)
        return (Path(folder) / f"drawing.{suffix}").read_bytes()


def drawing_from_saved(saved: SavedRendering) -> SavedDrawing:
    """Find the curves and control values that show a saved rendering in the pad."""
    curves, lost = dict(saved.targets), []
    if (saved.gain != DEFAULT_GAIN).any():
        if len(curves) >= LANES:
            lost.append("its gain")
        else:
            curves[GAIN] = saved.gain
            if saved.gain.max() > MAX_GAIN:
                lost.append(f"its gain above {MAX_GAIN:g}")
    search = saved.search or Search()
    if saved.search is None:
        lost.append("its codes, which were not chosen by a search")
    adjusts = search.retune > 0 or search.tilt > 0
    if adjusts and search.refinements != REFINEMENTS:
        lost.append(f"its {search.refinements} refinements")
    retune, tilt = (RETUNE, TILT) if adjusts else (0.0, 0.0)
    if (search.retune, search.tilt) != (retune, tilt):
        lost.append(f"its limits of {search.retune:g} cents and {search.tilt:g} dB per octave")
    if search.continuity not in (0, CONTINUITY):
        lost.append(f"its continuity of {search.continuity:g}")
    names = list(saved.targets)
    weights = {names[-1]: search.weight(names[-1]) / search.weight(names[0])} if len(names) == LANES else {}
    continuity = CONTINUITY if search.continuity else 0.0
    return SavedDrawing(
        curves=curves,
        search=Search(search.smoothness, weights=weights, continuity=continuity, retune=retune, tilt=tilt),
        note=f"the drawing was loaded without {' and '.join(lost)}" if lost else "",
    )


def model_note(saved: SavedRendering, model: VQVAE) -> str:
    """Say that a saved rendering is shown with another model than made it; empty if it is not."""
    if model.fingerprint == saved.fingerprint:
        return ""
    return f"made with another model {saved.model!r} and rendered with {model.name!r} here"


def saved_names(folder: Path) -> list[str]:
    """List the names of the drawings in a folder."""
    return sorted(path.stem for path in folder.glob("*.json") if NAME.fullmatch(path.stem))
