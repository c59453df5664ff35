"""Write files atomically; read files that may be damaged or of foreign origin.

Notebooks: all.
"""

import importlib.util
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import numpy as np

NAME = re.compile(r"\w([\w .-]{0,78}[\w-])?")
MAX_NAME_BYTES = 240  # file systems allow 255, and a suffix is appended
DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE)  # no file can have it on Windows


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`, and rename it to `path` if the block succeeds.

    A reader sees the old file or the new one, never a part of one.  The library writes all its
    files in this way: sounds, tables, figures, models.

    Parameters
    ----------
    path : str or Path
        The file to write.  Its folder is created if it is missing.

    Yields
    ------
    Path
        Where to write; it has the suffix of `path`.

    Raises
    ------
    PermissionError
        The folder cannot be created or is not writable.
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=writable_folder(path.parent))
    os.close(handle)
    part = Path(name)
    try:
        yield part
        umask = os.umask(0)
        os.umask(umask)
        part.chmod(0o666 & ~umask)  # mkstemp creates files that only their owner can read
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    r"""Write a text file atomically, in UTF-8 with ``\n`` at the end of lines: the same bytes on every system."""
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def remove_partial(*folders: Path) -> None:
    """Remove what `atomic_write` had not completed in folders when its process was killed."""
    for path in (path for folder in folders for path in folder.glob(".*-????????.*")):
        path.unlink(missing_ok=True)


def writable_folder(folder: str | Path) -> Path:
    """Create a folder if it is missing, and check that it is writable.

    Raises
    ------
    PermissionError
        The folder cannot be created or is not writable.
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


def check_size(path: Path, max_bytes: int) -> None:
    """Check the size of a file before it is read into memory.

    Raises
    ------
    ValueError
        The file is larger than `max_bytes`.
    """
    size = path.stat().st_size
    if size > max_bytes:
        raise ValueError(f"{path.name} is {size / 2**20:.1f} MB; the limit is {max_bytes / 2**20:.0f} MB")


def load_json(path: Path, max_bytes: int) -> Any:
    """Read JSON, strictly: NaN and infinity, which Python would accept, are not part of the format.

    Raises
    ------
    ValueError
        The file is larger than `max_bytes`, or is not JSON.
    """
    check_size(path, max_bytes)
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"it contains {constant}")


def number_column(column: object) -> "np.ndarray":
    """Convert a list from a JSON file to float64 (n,), with NaN for null.

    Raises
    ------
    ValueError
        It is not a list of numbers and nulls, or a number exceeds the range of float64.
    """
    import numpy as np

    if not isinstance(column, list) or not all(value is None or type(value) in (int, float) for value in column):
        raise ValueError("it has something else where a list of numbers is expected")
    try:
        values = np.array(column, dtype=np.float64)
    except OverflowError as error:
        raise ValueError("it has a number that is too large for float64") from error
    if np.isinf(values).any():
        raise ValueError("it has a number that is too large for float64")
    return values


def one_line(error: Exception) -> str:
    """Return the message of an error as one line of at most 200 characters, to quote it in another error."""
    return " ".join(str(error).split())[:200]


def printable(name: str | Path) -> str:
    """Return the name of a file as text for files and figures; bytes of it that are not UTF-8 are escaped."""
    return os.fsencode(name).decode(errors="backslashreplace")


def checked_name(name: str) -> str:
    """Return the name of a model or a drawing without surrounding spaces, if it can be the name of a file.

    It is the same on every system, so that models and drawings can be copied to another one.

    Raises
    ------
    ValueError
        The name is not valid for a file, would lead out of its folder, or is that of a device on Windows.
    """
    name = name.strip() if isinstance(name, str) else ""
    if not NAME.fullmatch(name) or len(name.encode()) > MAX_NAME_BYTES:
        raise ValueError(
            f"{name!r:.90} is not a name for a file: use up to 80 letters, digits, spaces, dots, - and _, "
            "starting with a letter, a digit or _"
        )
    if DEVICE.fullmatch(name):
        raise ValueError(f"{name!r} is not a name for a file: it denotes a device on Windows; choose another one")
    return name


def prepare_user_folders() -> None:
    """Move the user's folders for caches and settings into a temporary folder if they are not writable.

    They are not in a container that runs under a foreign user, without a home.  numba, which librosa is
    compiled with, and matplotlib fail without these folders; programs that this one starts inherit them.
    """
    for variable, usual in (("XDG_CACHE_HOME", "~/.cache"), ("XDG_CONFIG_HOME", "~/.config")):
        folder = os.environ.get(variable) or os.path.expanduser(usual)
        if not os.path.isabs(folder) or not _is_writable(folder):
            os.environ[variable] = str(_temporary_folder() / usual.removeprefix("~/."))


def _is_writable(folder: str) -> bool:
    try:
        writable_folder(folder)
    except PermissionError:
        return False
    return True


def _temporary_folder() -> Path:
    """Folder in the system's temporary one that nobody else can write to, the same one every time if possible."""
    folder = Path(tempfile.gettempdir(), f"timbrelib-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
        return folder
    return Path(tempfile.mkdtemp(prefix="timbrelib-"))  # the name belongs to somebody else, who may put code into it


def user_cache_folder() -> Path:
    """Folder of files that can be computed again, ``$XDG_CACHE_HOME/timbrelib`` on Linux."""
    import platformdirs

    return platformdirs.user_cache_path("timbrelib", appauthor=False)


def user_data_folder() -> Path:
    """Folder of the user's own data, ``$XDG_DATA_HOME/timbrelib`` on Linux.

    Raises
    ------
    FileNotFoundError
        The user has no home.
    """
    import platformdirs

    try:
        return platformdirs.user_data_path("timbrelib", appauthor=False)
    except RuntimeError as error:
        raise FileNotFoundError(
            "there is no home folder to keep models in: set TIMBRE_MODELS to a folder, or HOME"
        ) from error


def require_packages(*names: str) -> None:
    """Check that packages of the ``notebooks`` extra are installed.

    Raises
    ------
    ModuleNotFoundError
        One is not; the message says how to install them.
    """
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(
                f"{name} is not installed: install the packages of the notebooks extra, as 'make install' or "
                "pip install 'timbrelib[notebooks]' do",
                name=name,
            )
