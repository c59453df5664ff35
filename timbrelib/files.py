"""Write files whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
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
