"""What the pad computes: the sound of a drawing, what the page shows of it, the curves of a recording.

Notebook: 06_draw_target.
"""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np

from timbrelib.audio.frames import N_BINS, SAMPLE_RATE, frame_gain, spectra
from timbrelib.audio.sound_output import encode_audio
from timbrelib.codebook.table import Codebook
from timbrelib.control.melody import extract_melody, hold
from timbrelib.control.rendering import Rendering
from timbrelib.control.search import Search
from timbrelib.control.targets import fit_to_range
from timbrelib.control.timbre import Timbre
from timbrelib.descriptors import measure
from timbrelib.descriptors.pitch import track_autocorrelation
from timbrelib.model.vqvae import DEFAULT_GAIN
from timbrelib.pad.axes import GAIN, MAX_GAIN, Axis, lane_state
from timbrelib.pad.drawing import MAX_SECONDS, MIN_SECONDS, Drawing
from timbrelib.plots import DYNAMIC_RANGE, MIN_PEAK

ROWS = 256  # pixels of the spectrogram's height
MIN_SCORED_HEIGHT = 0.05  # of a drawn level: near the bottom it is silence


@dataclass(frozen=True)
class RenderRequest:
    """Everything that determines a sound: a drawing and the settings of the controls.

    Attributes
    ----------
    timbre : Timbre
    curves : mapping of str to ndarray, float64, (frames,)
        What is drawn, by lane, in its unit; ``gain`` may be among them.
    search : Search
    """

    timbre: Timbre
    curves: Mapping[str, np.ndarray]
    search: Search = field(default_factory=Search)


def render_request(request: RenderRequest) -> tuple[Rendering, str]:
    """Render a drawing, clipped to the range of the codebook.

    The fundamental is measured by the quick estimator, see
    `timbrelib.descriptors.pitch.track_autocorrelation`.

    Parameters
    ----------
    request : RenderRequest

    Returns
    -------
    rendering : Rendering
    note : str
        Warnings, for example in how many frames the drawing was clipped.

    Raises
    ------
    ValueError
        See `timbrelib.Timbre.render`.
    """
    timbre, curves, search = request.timbre, request.curves, request.search
    with capture_log() as messages:
        targets = [
            timbre.target(name, curve, fit="clip", weight=search.weight(name))
            for name, curve in curves.items()
            if name != GAIN
        ]
        rendering = timbre.render(
            *targets, gain=curves.get(GAIN, DEFAULT_GAIN), smoothness=search.smoothness, continuity=search.continuity,
            retune=search.retune, tilt=search.tilt, refinements=search.refinements, track_f0=track_autocorrelation,
        )  # fmt: skip
    return rendering, "; ".join(messages)


def curves_from_recording(
    audio: np.ndarray, codebook: Codebook, names: Sequence[str]
) -> tuple[dict[str, np.ndarray], str]:
    """Extract curves to draw from a recording, moved into the range of a codebook.

    Parameters
    ----------
    audio : ndarray, float, (n,)
        Cut off after the longest drawing.
    codebook : Codebook
    names : sequence of str
        Descriptors; ``gain`` may be among them.

    Returns
    -------
    curves : dict of str to ndarray, float64, (frames,)
        A fundamental is transposed by octaves into the codebook's range, and the gain is
        scaled so that its loudest frame is at the top of its lane.
    note : str
        How the curves were changed.

    Raises
    ------
    ValueError
        The recording is shorter than the shortest drawing, is silent, or has no pitch where a
        fundamental is asked for.
    """
    seconds = len(audio) / SAMPLE_RATE
    if seconds < MIN_SECONDS:
        raise ValueError(f"the recording lasts {seconds:.2f} s: give one of at least {MIN_SECONDS} s")
    notes = [f"only the first {MAX_SECONDS:.0f} s of the recording are used"] if seconds > MAX_SECONDS else []
    audio = audio[: int(MAX_SECONDS * SAMPLE_RATE)]
    descriptors = [name for name in names if name != GAIN]
    gain = frame_gain(audio)
    if "fundamental" in descriptors:
        melody = extract_melody(audio, descriptors).transpose_into(codebook)
        curves, gain = dict(melody.curves), melody.gain
        notes += [f"the fundamental was transposed by {melody.octaves:+d} octaves"] if melody.octaves else []
    else:
        measured = measure(audio, descriptors)
        defined = np.isfinite(np.stack(list(measured.values()))).all(axis=0)  # (descriptors, frames) -> (frames,)
        if not defined.any():
            raise ValueError(f"the recording is silent and has no {' or '.join(descriptors)}: give another one")
        curves = {name: hold(curve, defined) for name, curve in measured.items()}
    with capture_log() as messages:
        curves = {name: fit_to_range(codebook, name, curves[name], "shift") for name in descriptors}
    if GAIN in names:
        curves[GAIN] = gain * (MAX_GAIN / gain.max())
    return curves, "; ".join([*notes, *messages])


def page_drawing(drawing: Drawing, codebook: Codebook) -> dict:
    """Convert a drawing to what the page draws and needs to know of it, see `timbrelib.pad.target_pad.TargetPad`."""
    lanes = zip(drawing.axes(codebook), drawing.heights, strict=True)
    return {
        "lanes": [lane_state(axis, heights) for axis, heights in lanes],
        "seconds": drawing.seconds,
        "max_frequency": SAMPLE_RATE / 2,
        "can_undo": drawing.can_undo,
        "can_redo": drawing.can_redo,
    }


def page_result(rendering: Rendering, axes: Sequence[Axis]) -> dict:
    """Convert a rendering to what the page draws and plays.

    Parameters
    ----------
    rendering : Rendering
    axes : sequence of Axis
        Of the lanes, in their order.

    Returns
    -------
    dict
        ``lanes``: for each axis ``selected`` and ``measured`` heights (None where undefined)
        and the ``score`` as text; nothing is selected for the gain; ``sound``: a WAV file;
        ``spectrogram``: a PNG from 0 Hz to half the sample rate.
    """
    scores = rendering.score
    lanes = [
        {
            "selected": _screen_heights(axis, rendering.selected[axis.name]),
            "measured": _screen_heights(axis, rendering.measured[axis.name]),
            "score": str(scores[axis.name]),
        }
        if axis.name in scores
        else _level_lane(axis, rendering)
        for axis in axes
    ]
    return {
        "lanes": lanes,
        "sound": encode_audio(rendering.audio),
        "spectrogram": spectrogram_png(rendering.audio),
    }


def _level_lane(axis: Axis, rendering: Rendering) -> dict:
    """Describe the measured level to the page."""
    drawn, measured = rendering.gain, frame_gain(rendering.audio)[: len(rendering.gain)]
    audible = (drawn > axis.values(MIN_SCORED_HEIGHT)) & (measured > 0)
    error = np.abs(20 * np.log10(measured[audible] / drawn[audible])).mean() if audible.any() else 0.0
    return {"selected": [], "measured": _screen_heights(axis, measured), "score": f"error {error:.1f} dB"}


def _screen_heights(axis: Axis, values: np.ndarray) -> list[float | None]:
    """Heights of values, (n,), rounded for the screen; None where undefined."""
    return [round(float(height), 4) if np.isfinite(height) else None for height in axis.heights(values)]


def spectrogram_png(audio: np.ndarray) -> bytes:
    """Draw the spectrogram of a sound, float (n,), as a PNG without axes, one column per frame."""
    import librosa
    from matplotlib import colormaps
    from PIL import Image

    spectrum, height = spectra(audio)[:, 1:], (N_BINS - 1) // ROWS  # without 0 Hz, (frames, N_BINS - 1); bins a row
    rows = np.maximum.reduce([spectrum[:, place::height] for place in range(height)]).T  # (ROWS, frames)
    level = librosa.amplitude_to_db(rows, ref=max(rows.max(), MIN_PEAK), top_db=DYNAMIC_RANGE)
    shade = np.rint(255 * (level / DYNAMIC_RANGE + 1).clip(0, 1)).astype(np.uint8)  # of 256 colours
    image, content = Image.fromarray(shade[::-1]), BytesIO()
    image.putpalette(colormaps["magma"](np.arange(256), bytes=True)[:, :3].tobytes())
    image.save(content, "PNG", compress_level=1)  # a third of the bytes and a tenth of the time that RGBA would take
    return content.getvalue()


class _ThreadHandler(logging.Handler):
    """Collects the messages that one thread logs."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.messages.append(record.getMessage())


@contextmanager
def capture_log() -> Iterator[list[str]]:
    """Collect what the library logs in this thread, to show it in the pad, where no log is visible."""
    handler, logger = _ThreadHandler(), logging.getLogger("timbrelib")
    if not logger.isEnabledFor(logging.INFO):
        logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield handler.messages
    finally:
        logger.removeHandler(handler)
