"""From unit-gain spectra and gains to sound: three ways to give magnitudes a phase.

``noise`` filters white noise, as the paper does (Bitton, Esling and Harada, "Vector-Quantized
Timbre Representation", 2020, arXiv 2007.06349, section 3).  ``locked`` lets each spectral
peak drive an oscillator with continuous phase, to which the bins around it are locked, as in
a phase vocoder (Laroche and Dolson, "Improved phase vocoder time-scale modification of
audio", IEEE Trans. Speech and Audio Processing 7(3), 1999).  ``mixed`` does both: partials
are oscillators and the rest is noise, as in Serra and Smith, "Spectral modeling synthesis",
Computer Music Journal 14(4), 1990.

Frames are synthesised in blocks, and the state (phases, noise, overlap) is passed from block
to block: the sound does not depend on the size of a block, and memory stays within a few
times the sound itself.

Notebook: 05_target_decode.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import partial
from itertools import tee

import numpy as np

from timbrelib.audio.frames import N_BINS, N_FFT, SAMPLE_RATE
from timbrelib.synthesis.blending import CodeSpectra, blend_blocks
from timbrelib.synthesis.locked import Oscillators
from timbrelib.synthesis.noise import filter_noise, white_noise
from timbrelib.synthesis.overlap_add import fade_ends, overlap_add, restore_gain
from timbrelib.synthesis.retuning import Retuner, with_neighbours

PIVOT = 1000 * N_FFT / SAMPLE_RATE  # bin at which a tilt changes nothing
MAX_CENTS, MAX_TILT = 1200.0, 24.0  # by which a code can be moved (an octave) and tilted (dB per octave)
EXCITATIONS = ("mixed", "locked", "noise")
BLOCK = 128  # frames synthesised at a time, few enough for the processor's cache
KEPT = 2**13  # frames that a synthesiser keeps at most, three minutes in 140 MB
# A model predicts the mean level of a bin in dB, which for noise is 10 log10(e) times Euler's constant, 2.5 dB, below
# the level of its mean power (the power of a bin of white noise is exponentially distributed).
NOISE_LEVEL = np.float32(np.exp(np.euler_gamma / 2))


def check_excitation(excitation: str, noise: float) -> None:
    """Check an excitation and its amount of noise.

    Raises
    ------
    ValueError
        The excitation does not exist, or the amount is not between 0 and 1.
    """
    if excitation not in EXCITATIONS:
        raise ValueError(f"there is no excitation {excitation!r}: choose one of {', '.join(EXCITATIONS)}")
    if not 0 <= noise <= 1:
        raise ValueError(f"the noise cannot be {noise}: give a number from 0 (locked) to 1 (as in the recordings)")


def check_cents(cents: np.ndarray | None, n_frames: int) -> np.ndarray | None:
    """Check cents and return those of the three codes of each frame, float64 (frames, 3); see `synthesise`.

    Raises
    ------
    ValueError
        They have another shape, or more than `MAX_CENTS`.
    """
    if cents is None:
        return None
    cents = np.asarray(cents, dtype=np.float64)
    if cents.shape not in ((n_frames,), (n_frames, 3)):
        raise ValueError(f"the cents have shape {cents.shape} for {n_frames} codes: give one number or three per frame")
    if not (np.abs(cents) <= MAX_CENTS).all():  # False for NaN
        raise ValueError(f"the cents exceed {MAX_CENTS:.0f}: give numbers from -{MAX_CENTS:.0f} to {MAX_CENTS:.0f}")
    return with_neighbours(cents) if cents.ndim == 1 else cents  # (frames, 3)


def check_tilt(tilt: np.ndarray | None, n_frames: int) -> np.ndarray | None:
    """Check and return the tilt of each frame, float64 (frames,), see `synthesise`.

    Raises
    ------
    ValueError
        It has another shape, or exceeds `MAX_TILT`.
    """
    if tilt is None:
        return None
    if np.shape(tilt) != (n_frames,):
        raise ValueError(f"the tilt has shape {np.shape(tilt)} for {n_frames} codes: give one number per frame")
    if not (np.abs(tilt) <= MAX_TILT).all():  # False for NaN
        raise ValueError(
            f"the tilt exceeds {MAX_TILT:.0f} dB per octave: give numbers from -{MAX_TILT:.0f} to {MAX_TILT:.0f}"
        )
    return np.asarray(tilt, dtype=np.float64)


def split_spectra(spectra: np.ndarray, noise_share: np.ndarray, excitation: str, noise: float) -> CodeSpectra:
    """Split the spectra of codes into partials and noise.

    Parameters
    ----------
    spectra : ndarray, float32, (n_codes, N_BINS)
        Magnitudes at unit gain.
    noise_share : ndarray, float32, (n_codes, N_BINS)
        Share of noise in each bin, 0..1.
    excitation : {"mixed", "locked", "noise"}
    noise : float
        Amount of noise of ``mixed``, from 0 (locked) to 1 (as in the recordings).

    Returns
    -------
    CodeSpectra
    """
    if excitation == "noise":
        return CodeSpectra(None, spectra)
    if excitation == "locked" or noise == 0:
        return CodeSpectra(spectra, None)
    # squared, since a code is the mean of many frames, which blurs the share of noise at the partials
    share = np.float32(noise) * np.square(noise_share)
    return CodeSpectra(spectra * np.sqrt(1 - share), NOISE_LEVEL * spectra * np.sqrt(share))


def synthesise(
    spectra: CodeSpectra,
    codes: np.ndarray,
    gain: np.ndarray,
    cents: np.ndarray | None = None,
    tilt: np.ndarray | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Synthesise a sequence of codes.

    Parameters
    ----------
    spectra : CodeSpectra
    codes : ndarray, int, (frames,)
    gain : ndarray, float, (frames,)
        Linear gain of each frame: RMS of its windowed samples.
    cents : ndarray, float, (frames, 3), optional
        By how much three codes are moved in each frame: those of the frame before, of the frame itself, and of the
        frame after.
    tilt : ndarray, float, (frames,), optional
        Spectral tilt of each frame in dB per octave; above 0 it is brighter than its code.
    seed : int
        Seed of the noise.

    Returns
    -------
    ndarray, float32, ((frames - 1) * HOP,)
        Sound whose centred STFT has exactly these frames; one hop for a single frame.
    """
    return Synthesiser(spectra, codes, gain, seed, keep=False).play(cents, tilt)


class Synthesiser:
    """A sequence of codes that is synthesised again and again, while its adjustments are searched.

    What does not change from time to time is kept: with another tilt the frames, with other cents their white noise
    and the table with which codes are moved.

    Parameters
    ----------
    spectra : CodeSpectra
    codes : ndarray, int, (frames,)
    gain : ndarray, float, (frames,)
    seed : int
    keep : bool
        Whether to keep anything; more than `KEPT` frames are never kept.
    """

    def __init__(
        self, spectra: CodeSpectra, codes: np.ndarray, gain: np.ndarray, seed: int = 0, keep: bool = True
    ) -> None:
        self._spectra, self._codes, self._gain, self._seed = spectra, codes, gain, seed
        self._keep = keep and len(codes) <= KEPT
        self._kept_frames: list[np.ndarray] = []
        self._cents: np.ndarray | None = None  # of these frames
        self._retuner: Retuner | None = None
        (self._kept_white,) = tee(self._white(), 1)

    def play(self, cents: np.ndarray | None = None, tilt: np.ndarray | None = None) -> np.ndarray:
        """Synthesise with adjustments, see `synthesise`: float32 ((frames - 1) * HOP,)."""
        frames: Iterable[np.ndarray]
        if self._kept_frames and _are_equal(cents, self._cents):
            frames = self._kept_frames
        elif self._keep:
            frames = self._kept_frames = list(self._frames(cents))
            self._cents = cents
        else:
            frames = self._frames(cents)
        if tilt is not None:
            frames = tilt_blocks(frames, tilt)
        return restore_gain(fade_ends(overlap_add(frames, len(self._gain))), self._gain)

    def _move(self, cents: np.ndarray | None) -> Callable[[np.ndarray], np.ndarray] | None:
        """Return what moves the partials of frames by cents, for `blend_blocks`; None if nothing moves."""
        if cents is None or self._spectra.partials is None:
            return None
        self._retuner = self._retuner or Retuner(self._spectra.partials, self._codes)
        return partial(self._retuner.move, cents)

    def _white(self) -> Iterator[np.ndarray]:
        """White noise, block by block, complex64 (frames in the block, N_BINS)."""
        return white_noise(self._seed, len(self._codes), BLOCK)

    def _frames(self, cents: np.ndarray | None) -> Iterator[np.ndarray]:
        """Spectra of the frames of the sound, block by block, complex64 (frames in the block, N_BINS)."""
        # a copy of what `tee` returns begins at the first block, and leaves those that it draws to the next copy
        oscillators, white = Oscillators(), copy(self._kept_white) if self._keep else self._white()
        with ThreadPoolExecutor(1) as pool:  # which makes the noise of a block while its partials are made here
            for blends in blend_blocks(self._spectra, self._codes, self._gain, BLOCK, self._move(cents)):
                if blends.partials is not None and blends.noise is not None:
                    made = pool.submit(filter_noise, white, blends.noise, blends.rows[1:], blends.gain)
                    block = oscillators.play(blends.partials, blends.rows, blends.gain)
                    block += made.result()
                    yield block
                elif blends.partials is not None:
                    yield oscillators.play(blends.partials, blends.rows, blends.gain)
                elif blends.noise is not None:
                    yield filter_noise(white, blends.noise, blends.rows[1:], blends.gain)


def _are_equal(cents: np.ndarray | None, others: np.ndarray | None) -> bool:
    """Whether two adjustments in pitch are the same; None is none."""
    return cents is others or (cents is not None and others is not None and np.array_equal(cents, others))


def tilt_blocks(blocks: Iterable[np.ndarray], tilt: np.ndarray) -> Iterator[np.ndarray]:
    """Tilt the spectra of consecutive blocks of frames, complex64 (block, N_BINS), by dB per octave, (frames,)."""
    start = 0
    for block in blocks:
        yield tilt_spectra(block, tilt[start : start + len(block)])
        start += len(block)


def tilt_spectra(spectra: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """Make spectra, (frames, N_BINS), brighter or darker by dB per octave, (frames,), around 1 kHz."""
    octaves = np.log2(np.maximum(np.arange(N_BINS), 1) / PIVOT).astype(np.float32)  # (N_BINS,)
    slope = (np.log(10) / 20 * tilt).astype(np.float32)  # nepers per octave
    return spectra * np.exp(slope[:, None] * octaves)
