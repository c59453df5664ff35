"""The codebook in two dimensions, to click on and hear.

Notebook: 05_draw_target.
"""

from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from timbrelib.audio.frames import seconds_to_frames
from timbrelib.audio.sound_files import encode_wav
from timbrelib.codebook import analyse_codebook, project
from timbrelib.control.curves import fade
from timbrelib.control.targets import span
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.model.checkpoint import load_model
from timbrelib.model.vqvae import DEFAULT_GAIN
from timbrelib.pad.elements import script
from timbrelib.pad.messages import whole
from timbrelib.plots import label

SECONDS = 1.0  # for which a code is heard


class CodeScatter(anywidget.AnyWidget):
    """The first two principal components of a codebook; click a point to hear its code.

    Parameters
    ----------
    model : str or Path
        A shipped model, or the folder of a trained one.
    descriptor : str
        By which the points are coloured, dark for low; codes without it are hollow.

    Attributes
    ----------
    codebook : dict
        ``codes``: place from 0 to 1 across and up, and colour, of every code; ``label``.
    heard : dict
        ``code``, ``sound`` (a wav), ``said``, the values of the code in words, and a
        ``number`` that tells a code heard again from one that is there still.

    Raises
    ------
    FileNotFoundError
        There is no such model.
    ValueError
        The descriptor does not exist, or no code has it.

    Examples
    --------
    >>> from timbrelib.scatter import CodeScatter
    >>> CodeScatter("violin", "centroid")
    """

    _esm = script("plot.js", "scatter.js")
    _css = script("pad.css")
    codebook = traitlets.Dict().tag(sync=True)
    heard: "traitlets.Dict[str, Any]" = traitlets.Dict({"number": 0, "code": -1, "sound": b"", "said": ""}).tag(
        sync=True
    )

    def __init__(self, model: str | Path = "violin", descriptor: str = "centroid") -> None:
        super().__init__()
        self._model = load_model(model)
        self._table = analyse_codebook(self._model)
        points, _ = project(self._model)
        points = (points - points.min(axis=0)) / np.maximum(np.ptp(points, axis=0), 1e-9)  # (n_codes, 2)
        shades = colours(self._table, descriptor)
        low, high = span(self._table, descriptor)
        text = f"{self._model.name}: {label(descriptor)} from {low:.4g} (dark) to {high:.4g} (bright)"
        self.codebook = {
            "label": text,
            "codes": [
                [round(float(x), 4), round(float(y), 4), shade] for (x, y), shade in zip(points, shades, strict=True)
            ],
        }
        self._descriptor = descriptor
        self.on_msg(self._asked)

    def __repr__(self) -> str:
        return f"CodeScatter: {self._model.name}, {self._descriptor}; run this cell to hear codes"

    def set_state(self, sync_data: dict) -> None:
        """Refuse to be set by the page."""
        self._show(-1, b"", "the page tried to set the codebook, which it must not: reload it")

    def hear(self, code: int) -> np.ndarray:
        """Let a code sound for a second, float32 (n,), and show its values.

        Raises
        ------
        ValueError
            There is no such code.
        """
        n_frames = seconds_to_frames(SECONDS)
        audio = self._model.decode(np.full(n_frames, code), fade(n_frames, DEFAULT_GAIN, 0.02, 0.2))
        row = self._table[code]
        has = [f"{name} {row[name]:.4g} {DESCRIPTORS[name].unit}" for name in DESCRIPTORS if np.isfinite(row[name])]
        said = f"code {code}: {', '.join(text.strip() for text in has)}; stood for {row['use']} training frames"
        self._show(int(code), encode_wav(audio), said)
        return audio

    def _show(self, code: int, sound: bytes, said: str) -> None:
        self.heard = {"number": self.heard["number"] + 1, "code": code, "sound": sound, "said": said}

    def _asked(self, _widget: anywidget.AnyWidget, message: object, _parts: list) -> None:
        try:
            self.hear(whole(message, "code", len(self._table)))
        except ValueError as error:
            self._show(-1, b"", str(error))


def colours(table: np.ndarray, descriptor: str) -> list[str]:
    """Colour every code by its descriptor, as #rrggbb; empty where a code has none."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    low, high = span(table, descriptor)
    value = table[descriptor]
    if DESCRIPTORS[descriptor].log:
        low, high, value = np.log(low), np.log(high), np.log(value)
    shade = np.clip((value - low) / max(high - low, 1e-9), 0, 1)
    return [to_hex(colormaps["cividis"](float(share))) if np.isfinite(share) else "" for share in shade]
