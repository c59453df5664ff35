"""Curves from other sources on the frame grid: break points, arrays and files at any rate, fades.

Notebook: 07_follow_a_line.
"""

import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from timbrelib.audio.frames import FRAME_RATE, frame_times
from timbrelib.descriptors import descriptor
from timbrelib.files import check_size, one_line

TIME_TOLERANCE = 1e-3  # frames, since the times in a table are rounded
MAX_SECONDS = 3600.0  # a longer curve is taken to be in another unit
MAX_BYTES = 64 * 2**20  # of a table
SEPARATORS = (";", "\t", ",", " ")
MAX_VALUE = 1e100  # the interpolation between larger values can overflow


def break_points(name: str, seconds: ArrayLike, points: ArrayLike) -> np.ndarray:
    """Interpolate between points linearly, or in log frequency for a fundamental.

    Parameters
    ----------
    name : str
        A descriptor, or ``gain``.
    seconds : sequence of float, (n,)
        Ascending times; at two equal times the curve steps from the first point to the second.
        The curve ends at the last time, and before the first one it has the value of the first
        point.
    points : sequence of float, (n,)
        Values in the descriptor's unit.

    Returns
    -------
    ndarray, float64, (frames,)

    Raises
    ------
    ValueError
        There are not as many points as times, the times do not ascend from 0 or later to at
        most one hour, or the points are not finite (and positive for a fundamental).

    Examples
    --------
    >>> import timbrelib
    >>> curve = timbrelib.break_points("fundamental", [0, 1, 2], [200, 400, 400])  # an octave in a second
    >>> print(curve.shape, curve[[0, 43, -1]].round())
    (87,) [200. 400. 400.]
    """
    seconds, points = (np.asarray(x, dtype=np.float64) for x in (seconds, points))
    if seconds.ndim != 1 or len(seconds) == 0 or seconds.shape != points.shape:
        raise ValueError(f"there are {seconds.size} times and {points.size} points: give one time per point")
    if not (
        np.isfinite(seconds).all() and (np.diff(seconds) >= 0).all() and 0 <= seconds[0] <= seconds[-1] <= MAX_SECONDS
    ):
        raise ValueError(f"the times do not ascend from 0 or later to at most {MAX_SECONDS:.0f} s: sort and check them")
    log_scale = name != "gain" and descriptor(name).log
    if not ((np.abs(points) < MAX_VALUE).all() and (points.min() > 0 or not log_scale)):  # NaN compares as False
        raise ValueError(f"the points are not finite{' positive' if log_scale else ''} numbers: leave the others out")
    times = frame_times(int(np.floor(seconds[-1] * FRAME_RATE + TIME_TOLERANCE)) + 1)
    if log_scale:
        return np.exp(np.interp(times, seconds, np.log(points)))
    return np.interp(times, seconds, points)


def resample_curve(name: str, curve: np.ndarray, rate: float) -> np.ndarray:
    """Resample a curve of any rate to the frame grid.

    Parameters
    ----------
    name : str
        A descriptor, or ``gain``.
    curve : ndarray, float, (n,)
    rate : float
        Values per second; the first value is at 0 s.

    Returns
    -------
    ndarray, float64, (frames,)

    Raises
    ------
    ValueError
        The rate is not positive, or the values are invalid, see `break_points`.

    Examples
    --------
    >>> import numpy as np
    >>> import timbrelib
    >>> timbrelib.resample_curve("fundamental", np.full(201, 440.0), rate=100).shape  # two seconds
    (87,)
    """
    if not (np.isfinite(rate) and rate > 0):
        raise ValueError(f"a curve cannot have {rate} values per second: give a positive rate")
    return break_points(name, np.arange(len(curve)) / rate, curve)


def read_curve(path: str | Path, name: str, column: str | None = None) -> np.ndarray:
    r"""Read a curve from a table in a text file: times in the first column, values in another.

    Columns are separated by semicolons, tabs, commas or spaces, whichever comes first in this
    order in the first row.  Unless commas separate columns, they may be decimal commas.  A
    first row that begins with something other than a number is a header.  Two rows with the
    same time are a step.

    Parameters
    ----------
    path : str or Path
        For example a pitch track, an automation curve, or the CSV of a saved rendering.
    name : str
        The descriptor of the values, or ``gain``.
    column : str, optional
        Header of the column of values; by default the second column is read.

    Returns
    -------
    ndarray, float64, (frames,)
        On the frame grid; gaps (rows without a value) are interpolated.

    Raises
    ------
    FileNotFoundError
        The file does not exist.
    ValueError
        The column does not exist or contains something other than numbers, or the curve is
        invalid, see `break_points`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import timbrelib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = Path(folder, "curve.csv").write_text("time_s,Hz\n0,1500\n1,2500\n")
    ...     curve = timbrelib.read_curve(f"{folder}/curve.csv", "centroid", column="Hz")
    >>> print(curve.shape, curve[[0, -1]].round())
    (44,) [1500. 2498.]
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no curve {path}: check the name and the folder")
    try:
        check_size(path, MAX_BYTES)
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = next((line for line in file if line.strip()), "")
            separator = next((mark for mark in SEPARATORS if mark in first.strip()), ",")
            file.seek(0)
            table_rows = csv.reader(file, delimiter=separator, skipinitialspace=True)
            rows: Iterator[list[str]] = (row for row in table_rows if any(row))
            head = next(rows, [])
            index = [cell.strip() for cell in head].index(column) if column else 1
            if not column and head and _is_number(head[0], separator):
                rows = chain([head], rows)
            pairs = ((_number(row[0], separator), _number(row[index], separator)) for row in rows if row[index].strip())
            table = np.fromiter(pairs, dtype=np.dtype((np.float64, 2)))  # (rows, 2)
        if len(table) == 0:
            raise ValueError("it has no values")
    except (ValueError, IndexError, csv.Error) as error:
        raise ValueError(
            f"{path} is not a table of times and values{f' with a column {column}' if column else ''} "
            f"({one_line(error)}): give a CSV with seconds in the first column and numbers in the next"
        ) from error
    return break_points(name, *table.T)


def _number(cell: str, separator: str) -> float:
    """Read a number, with a decimal comma unless commas separate columns."""
    return float(cell if separator == "," else cell.replace(",", "."))


def _is_number(cell: str, separator: str) -> bool:
    """Whether a cell holds a number."""
    try:
        _number(cell, separator)
    except ValueError:
        return False
    return True


def fade(n_frames: int, gain: float, rise_s: float = 0.1, fall_s: float = 0.5) -> np.ndarray:
    """Fade a gain in from silence and out to silence, along raised cosines.

    Parameters
    ----------
    n_frames : int
    gain : float
        Linear gain between the fades.
    rise_s, fall_s : float
        Lengths of the fades in seconds.

    Returns
    -------
    ndarray, float64, (n_frames,)

    Raises
    ------
    ValueError
        The fades are longer than the curve, or an argument is negative.

    Examples
    --------
    >>> import timbrelib
    >>> gain = timbrelib.fade(87, 0.05, rise_s=0.5, fall_s=0.5)  # two seconds
    >>> print(gain[[0, 43, -1]].round(3))
    [0.   0.05 0.  ]
    """
    if min(rise_s, fall_s, gain) < 0 or (rise_s + fall_s) * FRAME_RATE > n_frames - 1:
        raise ValueError(
            f"fades of {rise_s} and {fall_s} s to a gain of {gain} do not fit into "
            f"{(n_frames - 1) / FRAME_RATE:.2f} s: shorten them, and give no negative numbers"
        )
    times = frame_times(n_frames)
    rising = np.clip(times / max(rise_s, 1e-9), 0, 1)
    falling = np.clip((times[-1] - times) / max(fall_s, 1e-9), 0, 1)
    return gain * np.sin(np.pi / 2 * rising) ** 2 * np.sin(np.pi / 2 * falling) ** 2
