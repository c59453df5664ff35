"""Blend the spectra of neighbouring frames, so that codes crossfade.

In the vector-quantized timbre model of Bitton, Esling and Harada, "Vector-Quantized Timbre
Representation", 2020 (arXiv 2007.06349), a frame has exactly one code.  An abrupt change
from one magnitude spectrum to another splatters energy over all frequencies; here every
frame has the mean of its own spectrum (weight 1/2) and its neighbours' (1/4 each), so that
a change takes three frames.

Notebook: 04_target_decode.
"""

import numpy as np

from timbrelib.audio.frames import spectrum_gain

BLOCK = 128  # frames synthesised at a time, few enough for the processor's cache


def blend_neighbours(spectra: np.ndarray, triples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Blend the spectrum of each frame with those of its neighbours; a code that stays keeps its spectrum.

    Parameters
    ----------
    spectra : ndarray, float32, (n_codes, N_BINS)
        Unit-gain magnitude spectra of all codes.
    triples : ndarray, int, (frames, 3)
        Codes of the frame before, the frame itself and the frame after.

    Returns
    -------
    blends : ndarray, float32, (distinct, N_BINS)
        The distinct blends, at unit gain; held codes make most frames equal.
    rows : ndarray, int64, (frames,)
        Index of each frame's blend.
    """
    key = np.ravel_multi_index(tuple(triples.T), (len(spectra),) * 3)  # (frames,), one number per triple
    _, first, rows = np.unique(key, return_index=True, return_inverse=True)
    before, here, after = triples[first].T  # (distinct,) each
    blends = spectra[before] + spectra[after]  # (distinct, N_BINS)
    blends += 2 * spectra[here]
    blends /= spectrum_gain(blends)[:, None]
    return blends, rows
