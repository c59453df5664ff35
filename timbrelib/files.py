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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise PermissionError(
            f"cannot write into {path.parent} ({error.strerror}): choose a folder that you may write to"
        ) from error
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
