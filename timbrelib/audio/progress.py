"""A progress bar for what takes a long sound more than a moment.

Notebook: 08_timbre_transfer.
"""

from collections.abc import Iterable
from typing import TypeVar

DELAY = 2.0  # seconds before a bar appears, so that short sounds show none

Step = TypeVar("Step")


def progress(steps: Iterable[Step], description: str, total: int | None = None) -> Iterable[Step]:
    """Iterate over steps; if they take long and stderr is a terminal, with a progress bar that vanishes in the end.

    Parameters
    ----------
    steps : iterable
    description : str
    total : int, optional
        Number of steps, if `steps` does not know it.

    Returns
    -------
    iterable
        The steps.
    """
    from tqdm import tqdm

    return tqdm(steps, description, total, leave=False, disable=None, delay=DELAY)
