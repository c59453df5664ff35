"""Move the partials of codes to another pitch, so that a glide does not step from code to code.

The magnitude spectrum is moved along frequency by a ratio.  Its logarithm is interpolated by a
cubic spline: linear interpolation would fill the valleys between partials and so make the
sound brighter (docs/experiments.md).

Notebook: 07_follow_a_line.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from timbrelib.audio.frames import N_BINS

OVERSAMPLING = 8  # points per bin at which the cubic spline is tabulated; between them magnitudes are linear
FLOOR = 1e-9  # magnitude below which a logarithm would be undefined


def with_neighbours(values: np.ndarray) -> np.ndarray:
    """View values, (frames,), as those of the frame before, of the frame itself and of the frame after: (frames, 3)."""
    return sliding_window_view(np.pad(values, 1, mode="edge"), 3)


class Retuner:
    """The spectra of the codes of a sound, moved by cents.

    Parameters
    ----------
    partials : ndarray, float32, (n_codes, N_BINS)
        Magnitude spectra of all codes.
    codes : ndarray, int, (frames,)
    """

    def __init__(self, partials: np.ndarray, codes: np.ndarray) -> None:
        from scipy.interpolate import make_interp_spline

        used, rows = np.unique(codes, return_inverse=True)  # (used,), (frames,)
        fine = np.arange((N_BINS - 1) * OVERSAMPLING + 1) / OVERSAMPLING  # (points,), in bins
        spline = make_interp_spline(np.arange(N_BINS), np.log(np.maximum(partials[used], FLOOR)), axis=1)
        # the spline's values are not contiguous, and `take` would copy all of them for each block
        self.table = np.ascontiguousarray(np.exp(spline(fine).astype(np.float32)))  # (used, points)
        self.triples = with_neighbours(rows)  # (frames, 3)

    def move(self, cents: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """Move the spectra of the codes before, of and after some frames.

        Parameters
        ----------
        cents : ndarray, float, (frames of the sound, 3)
            By how much each of the three codes is moved up or down.
        frames : ndarray, int, (n,)

        Returns
        -------
        ndarray, float32, (3, n, N_BINS)
        """
        points = self.table.shape[1]
        # a code that is held is moved to the same pitch three times: one number per code and move
        move, place = np.unique(self.triples[frames].T + 1j * cents[frames].T, return_inverse=True)  # (moves,)
        step = OVERSAMPLING * 2 ** (-move.imag / 1200)  # points of the table per bin, (moves,)
        position = np.minimum(np.arange(N_BINS) * step[:, None], points - 1).astype(np.float32)  # (moves, N_BINS)
        below = np.minimum(position.astype(np.int32), points - 2)
        weight = np.subtract(position, below, dtype=np.float32)
        index = below + points * move.real.astype(np.int64)[:, None]
        low, high = self.table.take(index), self.table.take(index + 1)
        return (low + weight * (high - low))[place.reshape(3, -1)]  # (moves, N_BINS) -> (3, n, N_BINS)
