"""From unit-gain spectra and gains to sound: two ways to give magnitudes a phase.

``noise`` filters white noise, as the paper does (Bitton, Esling, Harada, "Vector-Quantized
Timbre Representation", arXiv 2007.06349, section 3).  ``locked`` runs the spectral peaks as
oscillators: the phase of each peak advances by its interpolated frequency, and the bins
around it lock to it, as in the phase vocoder of Laroche and Dolson, "Improved phase vocoder
time-scale modification of audio", IEEE Trans. Speech and Audio Processing 7(3), 1999.

Frames are made a block at a time, and what runs on is handed from block to block, so that no
seam is heard and no more than a few times the sound itself is held in memory.

Notebook: 04_target_decode.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from timbrelib.synthesis.locked import locked_spectra
from timbrelib.synthesis.noise import noise_spectra
from timbrelib.synthesis.overlap_add import overlap_add, restore_gain, fade_ends

EXCITATIONS = ("locked", "noise")


def synthesise(
    table: np.ndarray, codes: np.ndarray, gain: np.ndarray, excitation: str = "locked", seed: int = 0
) -> np.ndarray:
    """Make sound from a series of codes.

    Parameters
    ----------
    table : ndarray, float32, (n_codes, N_BINS)
        Unit-gain magnitude spectra of all codes.
    codes : ndarray, int, (frames,)
    gain : ndarray, float, (frames,)
        Linear gain (RMS of the windowed samples) that each frame shall have.
    excitation : {"locked", "noise"}
    seed : int
        Seed of the white noise; ``locked`` draws nothing.

    Returns
    -------
    ndarray, float32, ((frames - 1) * HOP,)
        Sound whose centred STFT has just the given frames; one hop for a single frame.

    Raises
    ------
    ValueError
        The excitation does not exist.
    """
    if excitation not in EXCITATIONS:
        raise ValueError(f"there is no excitation {excitation!r}: choose one of {', '.join(EXCITATIONS)}")
    fades = sliding_window_view(np.pad(codes, 1, mode="edge"), 3)  # (frames, 3): a code and those beside it
    made = locked_spectra(table, fades, gain) if excitation == "locked" else noise_spectra(table, fades, gain, seed)
    return restore_gain(fade_ends(overlap_add(made, len(codes))), gain)
