"""The script of the page, and the models that it loads, as files for the browser."""

import base64
import json
from pathlib import Path

from timbrelib.control.instruments.compact_table import write_compact_table
from timbrelib.control.timbre import load
from timbrelib.files import write_text
from timbrelib.model.checkpoint import load_card
from timbrelib.pad.modules import engine_source, join_modules

# In an order in which no module needs one that follows while it loads.
MODULES = (
    "scales.js", "player.js", "models.js", "surface.js", "field.js", "code_map.js", "keys.js",
    "lane_axis.js", "play_panel.js", "draw_panel.js", "main.js", "chart.js", "showcase.js", "page.js",
)  # fmt: skip


def page_script() -> str:
    """Join the engine, the pad's plots and lanes, and the modules of the page into one script."""
    frontend = join_modules(*(f"frontend/{name}.js" for name in ("plot", "download", "notes", "lane")))
    return engine_source() + frontend + join_modules(*(f"../page/instrument/{name}" for name in MODULES))


def write_model(name: str, folder: Path) -> Path:
    """Write a model's compact table as a script, which a page that is opened from disk may load.

    Parameters
    ----------
    name : str
        Of a model.
    folder : Path

    Returns
    -------
    Path
        ``NAME.js``.
    """
    timbre = load(name)
    content = base64.b64encode(write_compact_table(timbre.model, timbre.codebook, load_card(name))).decode()
    path = folder / f"{timbre.name}.js"
    write_text(path, f'window.timbreTable({json.dumps(timbre.name)}, "{content}");\n')
    return path
