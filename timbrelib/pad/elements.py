"""The JavaScript and CSS of the pad: plain ES modules, without a build step.

Notebook: 06_draw_target.
"""

import re
from importlib.resources import files

PAD_MODULES = (
    "plot.js", "notes.js", "lane.js", "settings.js", "player.js", "midi.js", "files.js", "view.js", "pad.js",
)  # fmt: skip
IMPORT = re.compile(r"^import .*;\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=(async )?(function|class|const|let) ?)", re.MULTILINE)


def join_modules(folder: str, *names: str) -> str:
    """Join ES modules of a folder of the package into one, since a notebook cannot import one from another.

    Parameters
    ----------
    folder : {"frontend", "engine"}
    *names : str
        Files, each after those that it imports from; imports are single lines, and names are unique.

    Returns
    -------
    str
        Their text without imports and without the word export, except in ``export default``.
    """
    texts = ((files("timbrelib.pad") / folder / name).read_text(encoding="utf-8") for name in names)
    return "\n".join(EXPORT.sub("", IMPORT.sub("", text)) for text in texts)


def read_style() -> str:
    """Read the CSS of the widgets."""
    return (files("timbrelib.pad") / "frontend" / "pad.css").read_text(encoding="utf-8")
