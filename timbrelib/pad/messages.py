"""Messages from the page to the pad, checked before anything is done with them.

A message is ``{"action": ..., ...}``: ``draw`` (with ``lane`` and ``heights``), ``shape`` (with
``lane`` and ``shape``), ``undo`` and ``redo``, ``set`` (with the ``name`` and ``value`` of a
setting), ``save`` (with ``name`` and ``overwrite``), ``load`` (with ``name``), ``keep`` and
``export`` (with ``kind``), each with the ``version`` of the page's last change; or ``upload``
(with ``name``, ``start`` and ``size``), which carries a part of a sound file.

Notebook: 06_draw_target.
"""

import re
import tempfile
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import seconds_to_frames
from timbrelib.audio.sound_files import load_audio
from timbrelib.control.targets import SHAPES
from timbrelib.pad.axes import FLAT
from timbrelib.pad.drawing import MAX_SECONDS, Edit, quote

ACTIONS = ("draw", "shape", "undo", "redo")
MAX_UPLOAD = 100 * 2**20  # bytes of a sound file
MAX_INTEGER = 2**53  # up to which JavaScript has every integer
MAX_SUFFIX = 16  # characters
MAX_TEXT = 200  # characters, more than a name may have


def read_action(message: object) -> object:
    """Read what a message asks for; None if it asks for nothing."""
    return _entry(message, "action")


def read_edit(message: object, n_lanes: int) -> Edit:
    """Read a change of a drawing of `n_lanes` lanes.

    Raises
    ------
    ValueError
        The message asks for something else, or a part of it is missing or wrong.
    """
    action = read_action(message)
    if action not in ACTIONS:
        raise ValueError(f"the page asked for {quote(action)}, which does not exist: reload the page")
    if action == "draw":
        return Edit("draw", read_integer(message, "lane", n_lanes), heights=read_heights(message))
    if action == "shape":
        return Edit("shape", read_integer(message, "lane", n_lanes), shape=read_shape(message))
    return Edit(str(action))


def read_integer(message: object, key: str, end: int) -> int:
    """Read an integer from 0 to below `end`.

    Raises
    ------
    ValueError
        There is none under that key.
    """
    number = _entry(message, key)
    if type(number) is not int or not 0 <= number < end:
        raise ValueError(f"the page sent {quote(number)} as {key}, not a number from 0 to {end - 1}: reload the page")
    return number


def read_lane(message: object, n_lanes: int) -> int | None:
    """Read the lane on which a file was dropped, None if on none; raises like `read_integer`."""
    return None if _entry(message, "lane") is None else read_integer(message, "lane", n_lanes)


def read_version(message: object) -> int:
    """Read the page's number of a change; raises like `read_integer`."""
    return read_integer(message, "version", MAX_INTEGER)


def read_string(message: object, key: str) -> str:
    """Read a text of at most `MAX_TEXT` characters.

    Raises
    ------
    ValueError
        There is none under that key, or it is longer.
    """
    text = _entry(message, key)
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise ValueError(
            f"the page sent {quote(text)} as {key}, not a text of at most {MAX_TEXT} characters: reload it"
        )
    return text


def read_setting(message: object) -> tuple[str, object]:
    """Read name and value of a setting, for `timbrelib.pad.settings.Settings.change` to check."""
    return read_string(message, "name"), _entry(message, "value")


def read_flag(message: object, key: str) -> bool:
    """Read whether something is asked for; only True counts."""
    return _entry(message, key) is True


def read_heights(message: object) -> np.ndarray:
    """Read a drawn curve.

    Returns
    -------
    ndarray, float64, (n,)
        Heights from 0 to 1.

    Raises
    ------
    ValueError
        It is not a list of numbers from 0 to 1, or is too short or too long.
    """
    heights, most = _entry(message, "heights"), seconds_to_frames(MAX_SECONDS)
    if not isinstance(heights, list) or not 2 <= len(heights) <= most:
        raise ValueError(f"a curve has 2 to {most} points, and this one does not: draw it again")
    if not all(type(height) in (int, float) and 0 <= height <= 1 for height in heights):  # NaN compares as False
        raise ValueError("the curve contains points that are outside its lane or are not numbers: draw it again")
    return np.array(heights, dtype=np.float64)


def read_shape(message: object) -> str:
    """Read the name of a shape.

    Raises
    ------
    ValueError
        There is no such shape.
    """
    shape, known = _entry(message, "shape"), [*SHAPES, FLAT]
    if not isinstance(shape, str) or shape not in known:
        raise ValueError(f"there is no shape {quote(shape)}: choose one of {', '.join(known)}")
    return shape


def _entry(message: object, key: str) -> object:
    """Return what a message has under a key; None if it has nothing or is not a dict."""
    return message.get(key) if isinstance(message, dict) else None


class Upload:
    """A sound file that arrives in parts, since one long message would break the connection."""

    def __init__(self) -> None:
        self._content = bytearray()
        self._file: tuple[str, int] | None = None

    def add(self, message: object, parts: object) -> tuple[str, bytes] | None:
        """Add a part of the file; one that starts at 0 begins another file.

        Parameters
        ----------
        message : object
            A dict with ``name`` and ``size`` of the file, and ``start``, the first byte of the part.
        parts : object
            A list of one bytes-like object.

        Returns
        -------
        tuple of str and bytes, or None
            Name and content once the file is complete.

        Raises
        ------
        ValueError
            The file is too large, or the parts do not fit together.
        """
        size, start = (read_integer(message, key, MAX_INTEGER) for key in ("size", "start"))
        if size > MAX_UPLOAD:
            raise ValueError(f"the file is {size / 2**20:.0f} MB: give one of at most {MAX_UPLOAD // 2**20} MB")
        name = _entry(message, "name")
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
    """Decode an uploaded sound file, float32 (n,) mono at 22,050 Hz.

    Decoding stops one second after the longest drawing.

    Raises
    ------
    ValueError
        See `timbrelib.load_audio`.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("sound" + re.sub(r"[^\w.]", "_", Path(name).suffix)[:MAX_SUFFIX])
        path.write_bytes(content)
        try:
            return load_audio(path, MAX_SECONDS + 1)
        except ValueError as error:
            raise ValueError(str(error).replace(str(path), f"{name!r:.80}")) from error
