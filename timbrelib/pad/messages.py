"""What comes from the front end of the drawing pad, checked before anything is done with it.

Notebook: 05_draw_target.
"""

import re
import reprlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import seconds_to_frames
from timbrelib.audio.sound_files import load_audio
from timbrelib.control.targets import SHAPES
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.files import NAME, one_line
from timbrelib.pad.drawing import LANES

SHORTEST, LONGEST = 0.5, 60.0  # s, of a drawing
LARGEST = 100 * 2**20  # bytes of a sound file taken as a target
FLAT = "clear"  # the shape that is none


def whole(message: object, key: str, end: int) -> int:
    """Take a whole number from 0 to below `end` out of a message.

    Raises
    ------
    ValueError
        There is none.
    """
    number = entry(message, key)
    if type(number) is not int or not 0 <= number < end:
        raise ValueError(f"the page sent {quoted(number)} as {key}, not a number from 0 to {end - 1}: reload the page")
    return number


def entry(message: object, key: str) -> object:
    """Take whatever a message has under a key, None where it has nothing or is no dict."""
    return message.get(key) if isinstance(message, dict) else None


def quoted(sent: object) -> str:
    """Quote something of any kind and size, in at most 40 characters."""
    return reprlib.repr(sent)[:40]


def read_version(message: object) -> int:
    """Take the number that the front end gave to a drawing; errors as `whole`."""
    return whole(message, "version", 2**53)


def read_heights(message: object) -> np.ndarray:
    """Take the curve that was drawn out of a message.

    Returns
    -------
    ndarray, float64, (n,)
        Heights from 0 to 1.

    Raises
    ------
    ValueError
        It is none: of wrong types, NaN, too long, outside its lane.
    """
    heights, most = entry(message, "heights"), seconds_to_frames(LONGEST)
    if not isinstance(heights, list) or not 2 <= len(heights) <= most:
        raise ValueError(f"a drawing has from 2 to {most} points, this one has not: draw it again")
    if not all(type(height) in (int, float) and 0 <= height <= 1 for height in heights):  # NaN is not
        raise ValueError("the drawing holds points that are outside of its lane, or no numbers: draw it again")
    return np.array(heights, dtype=np.float64)


def read_shape(message: object) -> str:
    """Take the name of a shape, one of `SHAPES` or ``clear``, out of a message.

    Raises
    ------
    ValueError
        It is none.
    """
    shape = entry(message, "shape")
    if not isinstance(shape, str) or shape not in {*SHAPES, FLAT}:
        raise ValueError(f"there is no shape {quoted(shape)}: choose one of {', '.join([*SHAPES, FLAT])}")
    return shape


class Upload:
    """A sound file that arrives in parts, since one long message would break the connection."""

    def __init__(self) -> None:
        self._content = bytearray()
        self._file: tuple[str, int] | None = None

    def add(self, message: object, parts: object) -> tuple[str, bytes] | None:
        """Take a part of the file.

        Parameters
        ----------
        message : object
            A dict with ``name`` and ``size`` of the file, and ``start``, the first byte of the part.
        parts : object
            A list of one bytes-like object.

        Returns
        -------
        tuple of str and bytes, or None
            Name and content once the file is whole.

        Raises
        ------
        ValueError
            The file is too large, or the parts do not fit together.
        """
        size, start = (whole(message, key, 2**53) for key in ("size", "start"))
        if size > LARGEST:
            raise ValueError(f"the file has {size / 2**20:.0f} MB: give one of at most {LARGEST // 2**20}")
        name = entry(message, "name")
        part = parts[0] if isinstance(parts, list) and len(parts) == 1 else None
        if not isinstance(name, str) or not isinstance(part, bytes | bytearray | memoryview):
            raise ValueError("the parts of the file do not fit together: choose it again")
        part = bytes(part)  # whose length is in bytes, unlike a memoryview's
        if start == 0:
            self._content, self._file = bytearray(), (name, size)
        if self._file != (name, size) or start != len(self._content) or not len(part) <= size - start:
            raise ValueError("the parts of the file do not fit together: choose it again")
        self._content += part
        if len(self._content) < size:
            return None
        content, self._content, self._file = bytes(self._content), bytearray(), None
        return name, content


def read_sound(name: str, content: bytes) -> np.ndarray:
    """Decode a sound file that the front end has sent, float32 (n,) mono at 22,050 Hz.

    No more of it is decoded than a second beyond what a drawing can hold.

    Raises
    ------
    ValueError
        As `timbrelib.load_audio` says.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("sound" + re.sub(r"[^\w.]", "_", Path(name).suffix)[:16])
        path.write_bytes(content)
        try:
            return load_audio(path, LONGEST + 1)
        except ValueError as error:
            raise ValueError(str(error).replace(str(path), f"{name!r:.80}")) from error


def checked_drawing(curves: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Check that curves can be drawn: one or two of one length, the first of a descriptor.

    Returns
    -------
    dict of str to ndarray, float64, (frames,)

    Raises
    ------
    ValueError
        They cannot.
    """
    names = list(curves) if isinstance(curves, Mapping) else []
    if not 1 <= len(names) <= LANES or names[0] not in DESCRIPTORS:
        raise ValueError(
            f"curves of {', '.join(map(quoted, names[:3])) or 'nothing'} are no drawing: "
            "give one of a descriptor, and perhaps one of a second lane"
        )
    try:
        curves = {name: np.asarray(curve, dtype=np.float64) for name, curve in curves.items()}
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the curves of a drawing are not numbers ({one_line(error)}): give an array each") from error
    least, most = seconds_to_frames(SHORTEST), seconds_to_frames(LONGEST)
    shapes = {curve.shape for curve in curves.values()}
    if len(shapes) > 1 or len(shape := shapes.pop()) != 1 or not least <= shape[0] <= most:
        raise ValueError(
            f"the curves of a drawing are of different lengths, or not from {SHORTEST} to {LONGEST} s long: "
            f"give each the same number of frames, {least} to {most}"
        )
    for name, curve in curves.items():
        log_scale = name in DESCRIPTORS and DESCRIPTORS[name].log
        if not (np.isfinite(curve).all() and (curve.min() > 0 or not log_scale)):
            raise ValueError(f"the curve {quoted(name)} holds values that are undefined or impossible: fill them first")
    return curves


def saved_names(folder: Path) -> list[str]:
    """List the drawings saved in a folder."""
    return sorted(path.stem for path in folder.glob("*.json") if NAME.fullmatch(path.stem))
