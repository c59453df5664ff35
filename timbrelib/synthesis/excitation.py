"""From unit-gain spectra and gains to sound: two ways to give magnitudes a phase.

``noise`` filters white noise, as the paper does (Bitton, Esling and Harada, "Vector-Quantized
Timbre Representation", 2020, arXiv 2007.06349, section 3).  ``locked`` lets each spectral
peak drive an oscillator with continuous phase, to which the bins around it are locked, as in
a phase vocoder (Laroche and Dolson, "Improved phase vocoder time-scale modification of
audio", IEEE Trans. Speech and Audio Processing 7(3), 1999).

Frames are synthesised in blocks, and the state (phases, noise, overlap) is passed from block
to block: the sound does not depend on the size of a block, and memory stays within a few
times the sound itself.

Notebook: 04_target_decode.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from timbrelib.synthesis.locked import locked_spectra
from timbrelib.synthesis.noise import noise_spectra
from timbrelib.synthesis.overlap_add import fade_ends, overlap_add, restore_gain

EXCITATIONS = ("locked", "noise")


def synthesise(
    spectra: np.ndarray, codes: np.ndarray, gain: np.ndarray, excitation: str = "locked", seed: int = 0
) -> np.ndarray:
    """Synthesise a sequence of codes.

    Parameters
    ----------
    spectra : ndarray, float32, (n_codes, N_BINS)
        Unit-gain magnitude spectra of all codes.
    codes : ndarray, int, (frames,)
    gain : ndarray, float, (frames,)
        Linear gain of each frame: RMS of its windowed samples.
    excitation : {"locked", "noise"}
    seed : int
        Seed of the white noise; ``locked`` is deterministic.

    Returns
    -------
    ndarray, float32, ((frames - 1) * HOP,)
        Sound whose centred STFT has exactly these frames; one hop for a single frame.

    Raises
    ------
    ValueError
        The excitation does not exist.
    """
    if excitation not in EXCITATIONS:
        raise ValueError(f"there is no excitation {excitation!r}: choose one of {', '.join(EXCITATIONS)}")
    triples = sliding_window_view(np.pad(codes, 1, mode="edge"), 3)  # (frames,) -> (frames, 3)
    if excitation == "locked":
        blocks = locked_spectra(spectra, triples, gain)
    else:
        blocks = noise_spectra(spectra, triples, gain, seed)
    return restore_gain(fade_ends(overlap_add(blocks, len(codes))), gain)
