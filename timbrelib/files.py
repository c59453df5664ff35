"""Write files whole or not at all; read what somebody else may have written."""

import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

NAME = re.compile(r"\w([\w .-]{0,78}[\w-])?")
MAX_NAME_BYTES = 240  # file systems allow 255, and suffixes are added


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, renamed to `path` when the block ends well.

    A reader sees the old file or the new one, never half of one.  Used wherever the
    library writes: sounds, tables, figures, models.

    Parameters
    ----------
    path : str or Path
        The file to write.  Its folder is made where it is missing.

    Yields
    ------
    Path
        Where to write; it has the suffix of `path`.

    Raises
    ------
    PermissionError
        The folder cannot be made or written to.
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=writable_folder(path.parent))
    os.close(handle)
    part = Path(name)
    try:
        yield part
        umask = os.umask(0)
        os.umask(umask)
        part.chmod(0o666 & ~umask)  # mkstemp makes private files
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def writable_folder(folder: str | Path) -> Path:
    """Make a folder where it is missing, and see at once whether it can be written to.

    Raises
    ------
    PermissionError
        It cannot.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise PermissionError(
            f"cannot write into {folder} ({error.strerror}): choose a folder that you may write to"
        ) from error
    return folder


def check_size(path: Path, largest: int) -> None:
    """See that a file has at most `largest` bytes, before any memory is taken for it.

    Raises
    ------
    ValueError
        It has more.
    """
    size = path.stat().st_size
    if size > largest:
        raise ValueError(f"{path.name} has {size / 2**20:.1f} MB, more than the {largest / 2**20:.0f} MB it may have")


def load_json(path: Path, largest: int) -> Any:
    """Read JSON of at most `largest` bytes, without NaN and infinity, which JSON has not.

    Raises
    ------
    ValueError
        It is larger, or no such JSON.
    """
    check_size(path, largest)
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"it has {constant} for a number")


def number_column(column: object) -> np.ndarray:
    """Take a column of a JSON file, float64 (n,), NaN where it has null.

    Raises
    ------
    ValueError
        It is no list of numbers and nulls, or one of them is too large to be held.
    """
    if not isinstance(column, list) or not all(value is None or type(value) in (int, float) for value in column):
        raise ValueError("it has something else where a list of numbers belongs")
    try:
        values = np.array(column, dtype=np.float64)
    except OverflowError as error:
        raise ValueError("it has a number that is too large") from error
    if np.isinf(values).any():
        raise ValueError("it has a number that is too large")
    return values


def one_line(error: Exception) -> str:
    """Say what an error says in one line of at most 200 characters, to quote it in another."""
    return " ".join(str(error).split())[:200]


def checked_name(name: str) -> str:
    """Check a name under which a drawing, or a model, is to be saved or was saved.

    Raises
    ------
    ValueError
        It would lead out of its folder, or is no name for a file.
    """
    name = name.strip() if isinstance(name, str) else ""
    if not NAME.fullmatch(name) or len(name.encode()) > MAX_NAME_BYTES:
        raise ValueError(
            f"{name!r:.90} is no name for a file: take up to 80 letters, digits, spaces, dots, - and _, "
            "the first a letter or a digit"
        )
    return name


def user_cache_folder() -> Path:
    """Folder of what can be computed again, ``$XDG_CACHE_HOME/timbrelib`` on Linux."""
    import platformdirs

    return platformdirs.user_cache_path("timbrelib", appauthor=False)


def user_data_folder() -> Path:
    """Folder of the user's own data, ``$XDG_DATA_HOME/timbrelib`` on Linux."""
    import platformdirs

    return platformdirs.user_data_path("timbrelib", appauthor=False)
