"""synthesis.blending."""

import numpy as np

from timbrelib.audio.frames import spectrum_gain

BLOCK = 128  # frames made at a time: few enough for the processor's cache


def fade_changes(table: np.ndarray, fades: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Blend the spectra of neighbouring frames, so that codes fade into one another.

    A change at once would splatter energy over all frequencies.  Where a code stays, its
    spectrum stays as it is.

    Parameters
    ----------
    table : ndarray, float32, (n_codes, N_BINS)
    fades : ndarray, int, (frames, 3)
        The code of each frame, between those of the frame before and the frame after.

    Returns
    -------
    spectra : ndarray, float32, (distinct, N_BINS)
        The distinct blends, of unit gain.
    rows : ndarray, int64, (frames,)
        Which of them each frame has.
    """
    number = np.ravel_multi_index(tuple(fades.T), (len(table),) * 3)  # (frames,), one for each three codes
    _, known, rows = np.unique(number, return_index=True, return_inverse=True)
    before, here, after = fades[known].T  # (distinct,) each
    spectra = table[before] + table[after]  # (distinct, N_BINS)
    spectra += 2 * table[here]
    spectra /= spectrum_gain(spectra)[:, None]
    return spectra, rows
