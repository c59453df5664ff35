"""Join modules of JavaScript into one text, since a notebook and a page that is opened from disk can import none.

Notebook: 06_draw_target.
"""

import json
import re
from importlib.resources import files

ENGINE = (
    "frames", "fft", "table", "locked", "noise", "synthesis", "candidates", "path", "instrument",
)  # fmt: skip
PAD = ("plot", "download", "notes", "lane", "settings", "player", "midi", "files", "view", "live", "pad")
WORKLET = ("frames", "fft", "table", "locked", "noise", "synthesis", "voices", "worklet")


def join_modules(*names: str) -> str:
    """Join modules into one.

    Parameters
    ----------
    names : str
        Paths below ``timbrelib/pad``; a module comes after those that it imports.

    Returns
    -------
    str
        Without imports, and exporting only what is exported by default.
    """
    texts = [(files("timbrelib.pad") / name).read_text(encoding="utf-8") for name in names]
    return re.sub(r"^import .*;\n|^export (?!default)", "", "\n".join(texts), flags=re.MULTILINE)


def read_style() -> str:
    """Read the CSS of the widgets."""
    return (files("timbrelib.pad") / "frontend" / "pad.css").read_text(encoding="utf-8")


def engine_source() -> str:
    """Join the modules of the engine; the text of its worklet is the constant ``WORKLET_SOURCE``."""
    worklet = json.dumps(join_modules(*(f"engine/{name}.js" for name in WORKLET)))
    worklet = worklet.replace("</", "<\\/")  # which would end the script of a page
    return f"const WORKLET_SOURCE = {worklet};\n" + join_modules(*(f"engine/{name}.js" for name in ENGINE))


def pad_source() -> str:
    """Join the modules of the drawing pad and its engine."""
    return "\n".join([engine_source(), join_modules(*(f"frontend/{name}.js" for name in PAD))])
