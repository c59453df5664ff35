"""The codebook in two dimensions: click a code to hear it.

Notebook: 06_draw_target.
"""

from pathlib import Path

import anywidget
import numpy as np
import traitlets

from timbrelib.audio.frames import seconds_to_frames
from timbrelib.audio.sound_output import encode_audio
from timbrelib.codebook.table import Codebook
from timbrelib.control.curves import fade
from timbrelib.control.timbre import load
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.model.vqvae import DEFAULT_GAIN
from timbrelib.pad.messages import read_integer
from timbrelib.pad.modules import join_modules, read_style
from timbrelib.plots import label

SECONDS = 1.0  # duration of a played code
BAR_STEPS = 32  # of the colour bar
FADE_IN, FADE_OUT = 0.02, 0.2  # s


class CodeScatter(anywidget.AnyWidget):
    """The first two principal components of a codebook; click a point to hear its code.

    Parameters
    ----------
    model : str or Path
        A name, or the folder of a model.
    descriptor : str
        Colours the points, dark where it is low; codes without it are hollow.

    Attributes
    ----------
    codebook : dict
        ``codes``: x and y from 0 to 1 and the colour of every code; ``label``: the title;
        ``scale``: the ``colours`` of the colour bar, and what its ends, ``low`` and ``high``, mean.
    played : dict
        The ``code`` played last (-1 if none), its ``sound`` (a WAV file), a ``text`` with its
        values, and a ``number``, so that the same code can be played twice.

    Raises
    ------
    FileNotFoundError
        The model does not exist.
    ValueError
        The descriptor does not exist, or no code has it.

    Examples
    --------
    >>> import timbrelib
    >>> scatter = timbrelib.CodeScatter("viola", "centroid")
    >>> scatter
    CodeScatter: viola, centroid; run this cell to play codes
    >>> scatter.play(7).shape  # one second of code 7
    (22016,)
    >>> scatter.set_state({"codebook": {}})  # what a page would send
    >>> scatter.played["text"]
    'the page must not change the codebook: reload it'
    """

    _esm = join_modules("frontend/plot.js", "frontend/scatter.js")
    _css = read_style()
    codebook = traitlets.Dict().tag(sync=True)
    played: traitlets.Dict = traitlets.Dict({"number": 0, "code": -1, "sound": b"", "text": ""}).tag(sync=True)

    def __init__(self, model: str | Path = "violin", descriptor: str = "centroid") -> None:
        super().__init__()
        self._timbre, self._descriptor = load(model), descriptor
        codebook = self._timbre.codebook
        points, _ = codebook.pca
        points = (points - points.min(axis=0)) / np.maximum(np.ptp(points, axis=0), 1e-9)  # (n_codes, 2)
        low, high = codebook.percentile_range(descriptor)
        self.codebook = {
            "label": f"{self._timbre.name}: {label(descriptor)} from {low:.4g} (dark) to {high:.4g} (bright)",
            "scale": {
                "low": f"{low:.4g} {DESCRIPTORS[descriptor].unit}".strip(),
                "high": f"{high:.4g} {DESCRIPTORS[descriptor].unit}".strip(),
                "colours": [shade_colour(share) for share in np.linspace(0, 1, BAR_STEPS)],
            },
            "codes": [
                [round(float(x), 4), round(float(y), 4), colour]
                for (x, y), colour in zip(points, code_colours(codebook, descriptor), strict=True)
            ],
        }
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        return f"CodeScatter: {self._timbre.name}, {self._descriptor}; run this cell to play codes"

    def set_state(self, sync_data: dict) -> None:
        """Reject every change of state that the page sends as `sync_data`."""
        self._publish(-1, b"", "the page must not change the codebook: reload it")

    def play(self, code: int) -> np.ndarray:
        """Play a `code` for a second and show its values.

        Returns
        -------
        ndarray, float32, (n,)

        Raises
        ------
        ValueError
            The code does not exist.
        """
        n_frames = seconds_to_frames(SECONDS)
        gain = fade(n_frames, DEFAULT_GAIN, FADE_IN, FADE_OUT)
        audio = self._timbre.model.decode(np.full(n_frames, code), gain)
        row = self._timbre.codebook.columns[code]
        values = [
            f"{name} {row[name]:.4g} {DESCRIPTORS[name].unit}".strip() for name in DESCRIPTORS if np.isfinite(row[name])
        ]
        text = f"code {code}: {', '.join(values)}; assigned to {row['count']} training frames"
        self._publish(int(code), encode_audio(audio), text)
        return audio

    def _publish(self, code: int, sound: bytes, text: str) -> None:
        self.played = {"number": self.played["number"] + 1, "code": code, "sound": sound, "text": text}

    def _on_message(self, _widget: anywidget.AnyWidget, message: object, _parts: list) -> None:
        try:
            self.play(read_integer(message, "code", len(self._timbre.codebook)))
        except ValueError as error:
            self._publish(-1, b"", str(error))


def code_colours(codebook: Codebook, descriptor: str) -> list[str]:
    """Colours of all codes by a descriptor, as #rrggbb; empty where a code does not have it."""
    low, high = codebook.percentile_range(descriptor)
    value = codebook[descriptor]
    if DESCRIPTORS[descriptor].log:
        low, high, value = np.log(low), np.log(high), np.log(value)
    shade = np.clip((value - low) / max(high - low, 1e-9), 0, 1)
    return [shade_colour(share) if np.isfinite(share) else "" for share in shade]


def shade_colour(share: float) -> str:
    """Colour of a share from 0 (dark) to 1, as #rrggbb."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return to_hex(colormaps["cividis"](float(share)))
