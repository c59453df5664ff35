"""Play sounds in a notebook.

Notebooks: all that make sound.
"""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.files import require_packages

if TYPE_CHECKING:
    from IPython.display import HTML, Audio


def play(sound: str | Path | np.ndarray, label: str = "") -> "HTML | Audio":
    """Show a player for a sound file, or for samples.

    A file is linked rather than embedded, so that the notebook stays small and the link works
    where the player does not.

    Parameters
    ----------
    sound : str, Path or ndarray, float, (n,)
        A file, relative to the notebook, or samples at 22,050 Hz, which are embedded.
    label : str
        Shown in front of the link to a file.

    Returns
    -------
    IPython.display.HTML or IPython.display.Audio

    Examples
    --------
    >>> import numpy as np
    >>> import timbrelib
    >>> player = timbrelib.play(np.zeros(22050))  # the last line of a cell shows it
    >>> "take.wav" in timbrelib.play("sounds/take.wav", "a take").data
    True
    """
    require_packages("IPython")
    from IPython.display import HTML, Audio

    if isinstance(sound, np.ndarray):
        return Audio(sound, rate=SAMPLE_RATE, normalize=False)
    address, name = quote(Path(sound).as_posix()), escape(Path(sound).name)
    return HTML(
        f'{f"{escape(label)}: " if label else ""}<a href="{address}">{name}</a><br>'
        f'<audio controls preload="none" src="{address}"></audio>'
    )
