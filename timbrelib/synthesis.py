"""From unit-gain spectra and gains to sound: two ways to give magnitudes a phase.

``noise`` filters white noise, as the paper does (Bitton, Esling, Harada, "Vector-Quantized
Timbre Representation", arXiv 2007.06349, section 3).  ``locked`` runs the spectral peaks as
oscillators: the phase of each peak advances by its interpolated frequency, and the bins
around it lock to it, as in the phase vocoder of Laroche and Dolson, "Improved phase vocoder
time-scale modification of audio", IEEE Trans. Speech and Audio Processing 7(3), 1999.

Notebook: 04_target_decode.
"""

from dataclasses import dataclass

import numpy as np

from timbrelib.audio import HOP, N_BINS, N_FFT, frame_gain

EXCITATIONS = ("locked", "noise")
GAIN_ROUNDS = 5  # corrections of the gain that the overlap of unlike frames has changed


@dataclass(frozen=True)
class Voice:
    """A codebook made ready to sound.

    Attributes
    ----------
    spectra : ndarray, float32, (n_codes, N_BINS)
        Unit-gain magnitude spectra.
    peak : ndarray, int, (n_codes, N_BINS)
        Bin of the spectral peak to whose region each bin belongs.
    advance : ndarray, float32, (n_codes, N_BINS)
        Turns of that bin's phase, relative to its peak's, from one frame to the next.
    """

    spectra: np.ndarray
    peak: np.ndarray
    advance: np.ndarray


def voice(spectra: np.ndarray) -> Voice:
    """Find the peaks of a codebook's spectra, and how fast each turns.

    The frequency of a peak is read off a parabola through the log magnitudes of its bin and
    the two beside it.

    Parameters
    ----------
    spectra : ndarray, float32, (n_codes, N_BINS)

    Returns
    -------
    Voice
    """
    log = np.log(np.maximum(spectra, 1e-9))
    inner = log[:, 1:-1]
    is_peak = np.zeros(spectra.shape, dtype=bool)
    is_peak[:, 1:-1] = (inner > log[:, :-2]) & (inner >= log[:, 2:])
    is_peak[np.arange(len(spectra)), log.argmax(axis=1)] = True  # a spectrum without inner peaks keeps its largest bin

    bins = np.arange(N_BINS)
    below = np.maximum.accumulate(np.where(is_peak, bins, -N_BINS), axis=1)
    above = np.minimum.accumulate(np.where(is_peak, bins, 3 * N_BINS)[:, ::-1], axis=1)[:, ::-1]
    peak = np.where(bins - below <= above - bins, below, above)  # (n_codes, N_BINS)

    curvature = log[:, :-2] - 2 * inner + log[:, 2:]
    slope = 0.5 * (log[:, :-2] - log[:, 2:])
    offset = np.zeros_like(log)
    np.divide(slope, curvature, out=offset[:, 1:-1], where=curvature < 0)
    frequency = bins + np.clip(offset, -0.5, 0.5)  # (n_codes, N_BINS), in bins
    turns = np.take_along_axis(frequency, peak, axis=1) * (HOP / N_FFT)
    # a window centred on its frame flips the sign of the transform from bin to bin
    turns += 0.5 * ((bins - peak) % 2)
    return Voice(spectra, peak, np.mod(turns, 1).astype(np.float32))


def synthesise(
    source: Voice, codes: np.ndarray, gain: np.ndarray, excitation: str = "locked", seed: int = 0
) -> np.ndarray:
    """Make sound from a series of codes.

    Parameters
    ----------
    source : Voice
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
    import librosa

    if excitation not in EXCITATIONS:
        raise ValueError(f"there is no excitation {excitation!r}: choose one of {', '.join(EXCITATIONS)}")
    magnitude = source.spectra[codes] * gain[:, None].astype(np.float32)  # (frames, N_BINS)
    if excitation == "locked":
        phase = 2 * np.pi * locked_turns(source, codes)  # (frames, N_BINS)
        spectrum = np.empty(magnitude.shape, dtype=np.complex64)
        np.multiply(magnitude, np.cos(phase), out=spectrum.real)
        np.multiply(magnitude, np.sin(phase), out=spectrum.imag)
    else:
        spectrum = magnitude * noise_spectrum(len(codes), seed)
    n_samples = max(1, len(codes) - 1) * HOP
    audio = librosa.istft(spectrum.T, n_fft=N_FFT, hop_length=HOP, length=n_samples)
    return restore_gain(audio, gain)


def locked_turns(source: Voice, codes: np.ndarray) -> np.ndarray:
    """Phases of a series of codes whose peaks run on from frame to frame.

    Returns
    -------
    ndarray, float32, (frames, N_BINS)
        In turns, 0..1.
    """
    turns = np.empty((len(codes), N_BINS), dtype=np.float32)
    current = np.zeros(N_BINS, dtype=np.float32)
    for frame, code in enumerate(codes):
        current = current[source.peak[code]] + source.advance[code]
        current -= np.floor(current)
        turns[frame] = current
    return turns


def noise_spectrum(n_frames: int, seed: int) -> np.ndarray:
    """STFT of white noise with RMS magnitude 1, complex64 (n_frames, N_BINS)."""
    import librosa

    noise = np.random.default_rng(seed).standard_normal((n_frames - 1) * HOP + N_FFT).astype(np.float32)
    spectrum = librosa.stft(noise, n_fft=N_FFT, hop_length=HOP, center=False).T  # (n_frames, N_BINS)
    return spectrum / np.sqrt(np.mean(np.square(np.abs(spectrum))))


def restore_gain(audio: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Scale a sound along time until its frames have the gain that was asked for.

    Where neighbouring frames differ, their overlap interferes and changes the loudness.

    Parameters
    ----------
    audio : ndarray, float32, (n,)
    gain : ndarray, float, (frames,)

    Returns
    -------
    ndarray, float32, (n,)
    """
    centres = np.arange(len(gain)) * HOP
    samples = np.arange(len(audio))
    for _ in range(GAIN_ROUNDS):
        measured = frame_gain(audio)[: len(gain)]
        ratio = np.divide(gain[: len(measured)], measured, out=np.zeros(len(measured)), where=measured > 1e-9)
        audio = audio * np.interp(samples, centres[: len(ratio)], ratio).astype(np.float32)
    return audio
