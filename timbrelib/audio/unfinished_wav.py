"""Open sound files, also WAVs whose recorder was stopped before it wrote their length.

Notebook: 01_train.
"""

import os
import re
import struct
from collections.abc import Callable
from io import SEEK_SET, FileIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soundfile import SoundFile


def open_sound(path: Path, remark: Callable[[str], None]) -> "SoundFile":
    """Open a sound file; of a WAV whose recorder did not come to write its length, everything is read.

    Parameters
    ----------
    path : Path
    remark : callable
        Takes a sentence that says so.

    Returns
    -------
    soundfile.SoundFile
    """
    from soundfile import SoundFile

    file = SoundFile(os.fsencode(path))  # as bytes, since not every name is UTF-8
    start = _unclaimed_samples(path) if file.format in ("WAV", "WAVEX") else None
    if start is None:
        return file
    file.close()
    remark(f"{path} has a header with a wrong length and is read to its end")
    rate, channels, subtype, endian = file.samplerate, file.channels, file.subtype, file.endian
    return SoundFile(_Rest(path, start), "r", rate, channels, subtype, endian, "RAW")


def _unclaimed_samples(path: Path) -> int | None:
    """Place in a WAV where its samples begin, if more bytes than its header claims follow them, else None."""
    size = path.stat().st_size
    with path.open("rb") as file:
        place, order = 12, ">" if file.read(4) == b"RIFX" else "<"
        while place + 8 <= size:
            file.seek(place)
            name, claimed = struct.unpack(f"{order}4sI", file.read(8))
            if name == b"data":
                start, place = place + 8, place + 8 + claimed + claimed % 2
                file.seek(min(place, size))
                another_chunk = re.fullmatch(rb"[\w ]{4}", file.read(4))
                return start if size - place > claimed and not another_chunk else None
            place += 8 + claimed + claimed % 2
    return None


class _Rest(FileIO):
    """A file without its first bytes."""

    def __init__(self, path: Path, start: int) -> None:
        super().__init__(path)
        self._start = start
        self.seek(0)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return super().seek(offset + (self._start if whence == SEEK_SET else 0), whence) - self._start

    def tell(self) -> int:
        return super().tell() - self._start
