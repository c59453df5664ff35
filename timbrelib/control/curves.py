"""Curves on the frame grid from elsewhere: break points, arrays and files of any rate, fades.

Notebook: 08_follow_a_line.
"""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from timbrelib.audio.frames import FRAME_RATE, frame_times
from timbrelib.descriptors import descriptor
from timbrelib.files import check_size, one_line

SLACK = 1e-3  # frames; times in a table are rounded
LONGEST = 3600.0  # s; a longer curve is taken for a mistake of units
LARGEST = 64 * 2**20  # bytes of a table
HIGHEST = 1e100  # of anything; between larger numbers a straight line cannot be computed


def break_points(name: str, seconds: ArrayLike, points: ArrayLike) -> np.ndarray:
    """Join points by straight lines; a fundamental's are straight in log frequency.

    Parameters
    ----------
    name : str
        A descriptor, or ``gain``.
    seconds : sequence of float, (n,)
        Rising.  The curve ends with the last; before the first it holds the first point.
    points : sequence of float, (n,)
        Values in the descriptor's unit.

    Returns
    -------
    ndarray, float64, (frames,)

    Raises
    ------
    ValueError
        The times do not rise or last longer than an hour, or the points are not finite
        numbers (positive for a fundamental), one a time.
    """
    seconds, points = (np.asarray(x, dtype=np.float64) for x in (seconds, points))
    if seconds.ndim != 1 or len(seconds) == 0 or seconds.shape != points.shape:
        raise ValueError(f"there are {seconds.size} times and {points.size} points: give one time for each point")
    if not (np.isfinite(seconds).all() and (np.diff(seconds) > 0).all() and 0 <= seconds[0] <= seconds[-1] <= LONGEST):
        raise ValueError(f"the times do not rise from 0 or later to at most {LONGEST:.0f} s: sort and check them")
    log_scale = name != "gain" and descriptor(name).log
    if not ((np.abs(points) < HIGHEST).all() and (points.min() > 0 or not log_scale)):  # NaN is not
        raise ValueError(f"the points are not finite{' positive' if log_scale else ''} numbers: leave those out")
    times = frame_times(int(np.floor(seconds[-1] * FRAME_RATE + SLACK)) + 1)
    if log_scale:
        return np.exp(np.interp(times, seconds, np.log(points)))
    return np.interp(times, seconds, points)


def resample_curve(name: str, curve: np.ndarray, rate: float) -> np.ndarray:
    """Bring an array of any rate onto the frame grid.

    Parameters
    ----------
    name : str
        A descriptor, or ``gain``.
    curve : ndarray, float, (n,)
    rate : float
        Its values a second; the first is at 0 s.

    Returns
    -------
    ndarray, float64, (frames,)

    Raises
    ------
    ValueError
        As `break_points` says, or the rate is not positive.
    """
    if not (np.isfinite(rate) and rate > 0):
        raise ValueError(f"a curve cannot have {rate} values a second: give a positive rate")
    return break_points(name, np.arange(len(curve)) / rate, curve)


def read_curve(path: str | Path, name: str, column: str | None = None) -> np.ndarray:
    """Read a curve from a CSV file with a header: times in the first column, values in another.

    Parameters
    ----------
    path : str or Path
        For example a ``.csv`` that `timbrelib.series.save_rendering` wrote, or a pitch track.
    name : str
        The descriptor that the values are of, or ``gain``.
    column : str, optional
        The header of the values; by default the second column's.

    Returns
    -------
    ndarray, float64, (frames,)
        On the frame grid; rows without a value are bridged by straight lines.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It has no such column or no numbers there, or `break_points` refuses them.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no curve {path}: check the name and the folder")
    try:
        check_size(path, LARGEST)
        with path.open(newline="", encoding="utf-8") as file:
            rows = (row for row in csv.reader(file) if row)
            header = next(rows, [])
            place = header.index(column) if column else 1
            pairs = ((float(row[0]), float(row[place])) for row in rows if row[place].strip())
            table = np.fromiter(pairs, dtype=np.dtype((np.float64, 2)))  # (rows, 2)
        if len(table) == 0:
            raise ValueError("it has no values")
    except (ValueError, IndexError, csv.Error) as error:
        raise ValueError(
            f"{path} is not a table of times and values{f' with a column {column}' if column else ''} "
            f"({one_line(error)}): give a CSV with a header, seconds in the first column and numbers in the next"
        ) from error
    return break_points(name, *table.T)


def fade(n_frames: int, gain: float, rise_s: float = 0.1, fall_s: float = 0.5) -> np.ndarray:
    """Let a gain rise from silence, stay, and fall to silence, along raised cosines.

    Parameters
    ----------
    n_frames : int
    gain : float
        Linear, in between.
    rise_s, fall_s : float
        Seconds that each takes; both fit into the whole.

    Returns
    -------
    ndarray, float64, (n_frames,)

    Raises
    ------
    ValueError
        They do not fit, or something is negative.
    """
    if min(rise_s, fall_s, gain) < 0 or (rise_s + fall_s) * FRAME_RATE > n_frames - 1:
        raise ValueError(
            f"a rise of {rise_s} s and a fall of {fall_s} s to and from a gain of {gain} do not fit into "
            f"{(n_frames - 1) / FRAME_RATE:.2f} s: shorten them"
        )
    times = frame_times(n_frames)
    rising = np.clip(times / max(rise_s, 1e-9), 0, 1)
    falling = np.clip((times[-1] - times) / max(fall_s, 1e-9), 0, 1)
    return gain * np.sin(np.pi / 2 * rising) ** 2 * np.sin(np.pi / 2 * falling) ** 2
