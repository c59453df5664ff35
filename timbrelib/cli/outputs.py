"""What a command may write: nothing that it reads, and nothing that it did not make unless it is told to."""

from collections.abc import Callable, Iterable
from pathlib import Path


def check_outputs(
    outputs: Iterable[str | Path],
    inputs: Iterable[str | Path] = (),
    overwrite: bool = False,
    is_ours: Callable[[Path], bool] = lambda path: False,
) -> None:
    """Check, before any work, that a command may write its files.

    Parameters
    ----------
    outputs, inputs : iterable of str or Path
        Files that the command writes and reads.
    overwrite : bool
        Whether it may replace files that exist.
    is_ours : callable
        Tells whether an existing file was written by the same command, and may be replaced anyway.

    Raises
    ------
    ValueError
        An output is an input, also through a link.
    FileExistsError
        An output exists.
    """
    existing = [path for path in map(Path, outputs) if path.exists()]
    sources = [source for source in map(Path, inputs) if source.exists()]
    for path in existing:
        if any(path.samefile(source) for source in sources):
            raise ValueError(f"{path} is read by this command and would be lost: choose another --out")
    foreign = [str(path) for path in existing if not is_ours(path)]
    if foreign and not overwrite:
        raise FileExistsError(f"{', '.join(foreign)} would be replaced: add --overwrite, or choose another --out")


def starts_with(text: str) -> Callable[[Path], bool]:
    """Tell files of this library by how their text starts."""

    def is_ours(path: Path) -> bool:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(len(text)) == text

    return is_ours
