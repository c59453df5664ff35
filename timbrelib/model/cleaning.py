"""Codes without what lies below their fundamental: noise of the room and of the recording.

A recording of a note has noise below its fundamental, and the codes learn it.  In some timbres
it belongs to the sound of the instrument (the bow of a violin), in others it makes a pitch
hard to tell (docs/experiments.md), so that a model says which it is
(`VQVAE.noise_below_fundamental`).

Notebook: 02_codebook_pca.
"""

import numpy as np

from timbrelib.audio.frames import N_BINS, N_FFT, SAMPLE_RATE
from timbrelib.descriptors.pitch import VOICED, estimate_pitch

MAIN_LOBE = 2.5  # bins below the fundamental that belong to it: the main lobe of a Hann window, and half a bin
ATTENUATION = 0.03  # 30 dB


def remove_below_fundamental(spectra: np.ndarray) -> np.ndarray:
    """Attenuate what lies below the fundamental of periodic spectra.

    Parameters
    ----------
    spectra : ndarray, float32, (n, N_BINS)
        Magnitudes.

    Returns
    -------
    ndarray, float32, (n, N_BINS)
        By 30 dB where a bin is more than `MAIN_LOBE` below the fundamental; aperiodic spectra
        stay as they are.
    """
    f0, periodicity = estimate_pitch(spectra)  # (n,) each
    fundamental = np.where(periodicity >= VOICED, f0 * N_FFT / SAMPLE_RATE, 0)  # in bins, (n,)
    below = np.arange(N_BINS) < (fundamental - MAIN_LOBE)[:, None]  # (n, N_BINS)
    return np.where(below, np.float32(ATTENUATION) * spectra, spectra)
