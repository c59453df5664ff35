"""Sound in a notebook, linked rather than embedded.

Notebooks: 01_train, 04_target_decode.
"""

from html import escape
from pathlib import Path
from urllib.parse import quote

from IPython.display import HTML


def player(path: str | Path, label: str) -> HTML:
    """Show a player and a link for a sound file.

    The notebook stays small, and the link works where the player does not.

    Parameters
    ----------
    path : str or Path
        Relative to the notebook.
    label : str
        What is to be heard.

    Returns
    -------
    HTML
    """
    address = quote(Path(path).as_posix())
    return HTML(
        f'{escape(label)}: <a href="{address}">{escape(Path(path).name)}</a><br>'
        f'<audio controls preload="none" src="{address}"></audio>'
    )
