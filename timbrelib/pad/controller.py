"""What the drawing pad does, as functions of arrays: hear a drawing, follow a recording, show, save.

Notebook: 05_draw_target.
"""

import logging
import logging.handlers
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import N_BINS, SAMPLE_RATE, frame_gain, spectra
from timbrelib.audio.sound_files import encode_wav
from timbrelib.control.matching import ROUNDS, SMOOTHNESS, render
from timbrelib.control.melody import follow, hold, octave_shift
from timbrelib.control.rendering import Rendering
from timbrelib.control.scores import say_rendering
from timbrelib.control.serialization import Series, save_rendering
from timbrelib.control.targets import bring_inside, span
from timbrelib.descriptors import measure_all, measure_audio, measure_quickly
from timbrelib.files import checked_name
from timbrelib.model.vqvae import DEFAULT_GAIN, VQVAE
from timbrelib.pad.axes import GAIN, LOUDEST, Axis
from timbrelib.pad.drawing import LANES
from timbrelib.pad.messages import LONGEST, SHORTEST
from timbrelib.plots import DYNAMIC_RANGE, FAINTEST_PEAK, decoding, save_figure

ROWS = 256  # of the spectrogram's picture
KINDS = ("wav", "csv", "json", "png")


@dataclass(frozen=True)
class Sketch:
    """Everything that makes a sound: a drawing and the settings beside it.

    Attributes
    ----------
    model : VQVAE
    table : ndarray, structured, (n_codes,)
        Its own, for the excitation.
    curves : dict of str to ndarray, float64, (frames,)
        What is drawn, by descriptor, in its unit; ``gain`` may be among them.
    excitation : {"locked", "noise"}
    smoothness : float
        See `timbrelib.match`.
    weight : float
        How much the second descriptor's error counts.
    """

    model: VQVAE
    table: np.ndarray
    curves: Mapping[str, np.ndarray]
    excitation: str = "locked"
    smoothness: float = SMOOTHNESS
    weight: float = 1.0


def hear(sketch: Sketch) -> tuple[Rendering, str]:
    """Make a sound that follows a drawing, as far as the codebook reaches.

    Parameters
    ----------
    sketch : Sketch

    Returns
    -------
    rendering : Rendering
        Measured by `timbrelib.rendering.measure_quickly`.
    said : str
        What there was to warn of, for example how many frames the codebook does not reach.

    Raises
    ------
    ValueError
        As `timbrelib.render` says.
    """
    with captured_log() as records:
        targets = {
            name: bring_inside(sketch.table, name, curve, "clip")
            for name, curve in sketch.curves.items()
            if name != GAIN
        }
        gain = sketch.curves.get(GAIN, DEFAULT_GAIN)
        weights = {name: sketch.weight for name in list(targets)[1:]}
        rendering = render(
            sketch.model, sketch.table, targets, gain, sketch.excitation, weights, sketch.smoothness,
            measure=measure_quickly,
        )  # fmt: skip
    return rendering, messages(records)


@contextmanager
def captured_log() -> Iterator[list[logging.LogRecord]]:
    """Collect what the library logs in this thread, which a widget shows where no log is seen."""
    here = threading.get_ident()
    listener = logging.handlers.BufferingHandler(capacity=1000)
    listener.addFilter(lambda record: record.thread == here)
    logger = logging.getLogger("timbrelib")
    logger.addHandler(listener)
    try:
        yield listener.buffer
    finally:
        logger.removeHandler(listener)


def messages(records: Sequence[logging.LogRecord]) -> str:
    """Join what was captured_log into one line."""
    return "; ".join(record.getMessage() for record in records)


def followed(audio: np.ndarray, table: np.ndarray, names: Sequence[str]) -> tuple[dict[str, np.ndarray], str]:
    """Take the curves of a recording, brought into the reach of a codebook, as a drawing.

    Parameters
    ----------
    audio : ndarray, float, (n,)
        What is longer than a drawing may be is cut off.
    table : ndarray, structured, (n_codes,)
    names : sequence of str
        Descriptors; ``gain`` may be among them.

    Returns
    -------
    curves : dict of str to ndarray, float64, (frames,)
        A fundamental is moved by whole octaves into the codebook's range, the gain so that
        its loudest frame is at the top of its lane.
    said : str
        What was done to them.

    Raises
    ------
    ValueError
        The recording is shorter than a drawing, is silent, or has no pitch where one is asked for.
    """
    seconds = len(audio) / SAMPLE_RATE
    if seconds < SHORTEST:
        raise ValueError(f"the recording lasts {seconds:.2f} s: give one of at least {SHORTEST} s")
    notes = [f"only the first {LONGEST:.0f} s of the recording are taken"] if seconds > LONGEST else []
    audio = audio[: int(LONGEST * SAMPLE_RATE)]
    descriptors = [name for name in names if name != GAIN]
    gain = frame_gain(audio)
    if "fundamental" in descriptors:
        line = follow(audio, descriptors)
        curves, gain = line.curves, line.gain
        octaves = octave_shift(curves["fundamental"][line.voiced], *span(table, "fundamental"))
        curves["fundamental"] = curves["fundamental"] * 2.0**octaves
        notes += [f"the fundamental is moved by {octaves:+d} octaves"] if octaves else []
    else:
        measured = measure_all(audio, descriptors)
        defined = np.isfinite(np.stack(list(measured.values()))).all(axis=0)  # (descriptors, frames) -> (frames,)
        if not defined.any():
            raise ValueError(f"the recording has no {' and '.join(descriptors)} anywhere: is it silent?")
        curves = {name: hold(curve, defined) for name, curve in measured.items()}
    with captured_log() as records:
        curves = {name: bring_inside(table, name, curves[name], "map") for name in descriptors}
    if GAIN in names:
        curves[GAIN] = gain * (LOUDEST / gain.max())
    return curves, "; ".join(filter(None, [*notes, messages(records)]))


def settings_of(series: Series) -> tuple[dict[str, np.ndarray], float, float, str]:
    """Find out how a series is drawn and set in the pad.

    Parameters
    ----------
    series : Series

    Returns
    -------
    curves : dict of str to ndarray, float64, (frames,)
        Its targets, and ``gain`` where it is not the usual one and there is a lane for it.
    smoothness, weight : float
        For the controls.
    said : str
        What the pad has no place for.
    """
    curves, lost = dict(series.targets), []
    if (series.gain != DEFAULT_GAIN).any():
        if len(curves) < LANES:
            curves[GAIN] = series.gain
        if len(series.targets) == LANES or series.gain.max() > LOUDEST:
            lost.append("its gain" if len(series.targets) == LANES else f"its gain above {LOUDEST:g}")
    search = series.search or {"smoothness": SMOOTHNESS, "rounds": ROUNDS, "weights": {}}
    weights = [search["weights"].get(name, 1.0) for name in series.targets]
    if series.search is None:
        lost.append("its codes, which were not searched for")
    elif search["rounds"] != ROUNDS:
        lost.append(f"its {search['rounds']} rounds")
    said = f"the drawing is taken without {' and '.join(lost)}" if lost else ""
    return curves, search["smoothness"], weights[-1] / weights[0] if len(weights) == LANES else 1.0, said


def shown(rendering: Rendering, axes: Sequence[Axis]) -> dict:
    """Put a rendering into what the front end draws and plays.

    Parameters
    ----------
    rendering : Rendering
    axes : sequence of Axis
        Of its lanes, in their order.

    Returns
    -------
    dict
        ``lanes``: for each axis ``selected`` and ``measured`` heights (None where
        undefined) and ``error`` in words, or None for the gain; ``sound``: a wav;
        ``spectrogram``: a PNG from 0 Hz to half the sample rate; ``said``: what there was
        to warn of.
    """
    errors = say_rendering(rendering)
    lanes = [
        {
            "selected": places(axis, rendering.selected[axis.name]),
            "measured": places(axis, rendering.measured[axis.name]),
            "error": errors[axis.name],
        }
        if axis.name in errors
        else None
        for axis in axes
    ]
    with captured_log() as records:
        sound = encode_wav(rendering.audio)
    return {"lanes": lanes, "sound": sound, "spectrogram": picture(rendering.audio), "said": messages(records)}


def places(axis: Axis, values: np.ndarray) -> list[float | None]:
    """Round the heights of values, (n,), for the screen; None where undefined."""
    return [round(float(height), 4) if np.isfinite(height) else None for height in axis.heights(values)]


def picture(audio: np.ndarray) -> bytes:
    """Draw the spectrogram of a sound, float (n,), as a PNG without axes, a column a frame."""
    import librosa
    from matplotlib import pyplot as plt

    spectrum = spectra(audio)[:, 1:]  # without 0 Hz, (frames, N_BINS - 1)
    rows = spectrum.reshape(len(spectrum), ROWS, (N_BINS - 1) // ROWS).max(axis=2).T  # (ROWS, frames)
    level = librosa.amplitude_to_db(rows, ref=max(rows.max(), FAINTEST_PEAK), top_db=DYNAMIC_RANGE)
    content = BytesIO()
    plt.imsave(content, level, cmap="magma", vmin=-DYNAMIC_RANGE, vmax=0, origin="lower", format="png")
    return content.getvalue()


def save_drawing(folder: Path, name: str, sketch: Sketch, rendering: Rendering, replacing: bool = False) -> list[Path]:
    """Write what was heard: wav, CSV, JSON and the figure.

    Parameters
    ----------
    folder : Path
    name : str
        Of the files, without their suffix.
    sketch : Sketch
    rendering : Rendering
        From `hear`; its fundamental is measured anew by the estimator that scores.
    replacing : bool
        Whether files of that name may be replaced.

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        The name is none for a file, or would lead out of the folder.
    FileExistsError
        There are files of that name.
    PermissionError
        The folder cannot be written to.
    """
    from matplotlib import pyplot as plt

    stem = folder / checked_name(name)
    paths = [folder / f"{stem.name}.{kind}" for kind in KINDS]
    there = [path.name for path in paths if path.exists()]
    if there and not replacing:
        raise FileExistsError(f"{there[0]} is there already: choose another name, or replace it")
    measured = measure_audio(rendering.audio, rendering.targets)
    scored = replace(rendering, measured={n: curve[: len(rendering.codes)] for n, curve in measured.items()})
    save_rendering(stem, sketch.model, sketch.table, scored)
    figure = decoding(scored, say_rendering(scored), f"{sketch.model.name}, {stem.name}")
    save_figure(paths[-1], figure)
    plt.close(figure)  # or a notebook would show it under the next cell
    return paths
