"""Periodic sounds of codes for other instruments: harmonics, exact loops, and which codes are clear notes."""

from typing import TYPE_CHECKING, Any

import numpy as np

from timbrelib.audio.frames import N_BINS, N_FFT, SAMPLE_RATE
from timbrelib.audio.wav_chunks import RATE
from timbrelib.control.matching import CLEAR

if TYPE_CHECKING:
    from timbrelib.control.timbre import Timbre

BIN = SAMPLE_RATE / N_FFT  # Hz
WINDOW_ENERGY = 3 / 8 * N_FFT  # sum of the squared Hann window
LICENCE_ADDRESSES = {"CC BY-SA 4.0": "https://creativecommons.org/licenses/by-sa/4.0/"}


def clear_codes(timbre: "Timbre") -> np.ndarray:
    """Codes whose pitch is clear and no octave away from another one, int64 (n,).

    Raises
    ------
    ValueError
        There are none.
    """
    codebook = timbre.codebook
    clear = np.isfinite(codebook["fundamental"]) & (codebook["ambiguity"] <= CLEAR)
    if not clear.any():
        raise ValueError(f"{timbre.name} has no code with a clear pitch to make an instrument of: choose another model")
    return codebook["code"][clear]


def partials_and_noise(timbre: "Timbre") -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes of the partials and of the noise of a timbre's codes, float32 (n_codes, N_BINS) each.

    Raises
    ------
    ValueError
        The timbre is played by noise alone.
    """
    spectra = timbre.model.code_spectra(timbre.excitation, timbre.noise)
    if spectra.partials is None:
        raise ValueError(f"an instrument needs partials: load {timbre.name} with mixed or locked excitation")
    return spectra.partials, np.zeros_like(spectra.partials) if spectra.noise is None else spectra.noise


def harmonic_amplitudes(spectra: np.ndarray, f0: np.ndarray) -> np.ndarray:
    """Amplitudes of the harmonics of notes: the energy of all bins that are nearest to each.

    Parameters
    ----------
    spectra : ndarray, float, (n, N_BINS)
        Magnitude spectra.
    f0 : ndarray, float, (n,)
        Their fundamentals in Hz.

    Returns
    -------
    ndarray, float64, (n, harmonics)
        Of sines, the fundamental first; 0 above 11,025 Hz.
    """
    nearest = np.rint(np.arange(N_BINS) * BIN / f0[:, None]).astype(int)  # (n, N_BINS)
    size = nearest.max() + 1
    place = nearest + size * np.arange(len(spectra))[:, None]
    power = np.square(spectra, dtype=np.float64).ravel()  # (n, N_BINS) -> (n * N_BINS,)
    energy = np.bincount(place.ravel(), power, size * len(spectra))  # (n * size,)
    # half the energy of a sine's transform lies at positive frequencies (Parseval): amplitude^2 N_FFT sum(window^2) / 4
    amplitude = np.sqrt(4 * energy / (N_FFT * WINDOW_ENERGY))
    return amplitude.reshape(len(spectra), size)[:, 1:]  # (n * size,) -> (n, harmonics)


def make_loop(
    amplitude: np.ndarray, periods: int, length: int, phase: np.ndarray, noise: np.ndarray | None = None
) -> np.ndarray:
    """Synthesise sounds that repeat exactly, by one inverse transform of their whole length.

    Parameters
    ----------
    amplitude : ndarray, float, (n, harmonics)
    periods : int
        Periods of the fundamental in the loop.
    length : int
        Samples of the loop at `timbrelib.audio.wav_chunks.RATE`.
    phase : ndarray, float, (harmonics,) or larger
        Phases of the harmonics in cycles: 0 is a sine.
    noise : ndarray, float, (n, N_BINS), optional
        Magnitudes of noise, as of `timbrelib.synthesis.blending.CodeSpectra`; all n take the same draw of it.

    Returns
    -------
    ndarray, float64, (n, length)
    """
    from scipy.fft import irfft

    spectrum = np.zeros((len(amplitude), length // 2 + 1), dtype=np.complex128)
    if noise is not None:
        bins = np.arange(spectrum.shape[1]) * RATE / length / BIN  # frequencies of the loop's transform, in bins
        within = bins <= N_BINS - 1
        low = np.minimum(bins[within].astype(int), N_BINS - 2)  # (frequencies,)
        weight = bins[within] - low
        level = (1 - weight) * noise[:, low] + weight * noise[:, low + 1]  # (n, frequencies)
        drawn = np.random.default_rng(0).standard_normal((2, within.sum()))
        # twice the power density, since the noise of the model fills half the band
        white = (drawn[0] + 1j * drawn[1]) / np.sqrt(2) * np.sqrt(length / WINDOW_ENERGY * RATE / SAMPLE_RATE)
        spectrum[:, within] = level * white
        spectrum[:, 0] = 0
    harmonics = np.arange(1, amplitude.shape[1] + 1)
    harmonics = harmonics[harmonics * periods < length / 2]
    turn = np.exp(2j * np.pi * (phase[: len(harmonics)] - 0.25))  # of a cosine to a sine
    spectrum[:, harmonics * periods] += length / 2 * amplitude[:, : len(harmonics)] * turn
    return irfft(spectrum, n=length, axis=1)


def level_loop(loop: np.ndarray) -> np.ndarray:
    """Scale a loop over time to an RMS of 1 in windows of the length of a frame, float64 (n,) -> (n,).

    The noise near a partial is narrow, so its level fluctuates; renderings are levelled, too.
    """
    from scipy.fft import irfft, rfft
    from scipy.signal import get_window

    width = N_FFT * RATE // SAMPLE_RATE
    window = np.zeros(len(loop))
    window[:width] = get_window("hann", width)
    window = np.roll(window / window.sum(), -width // 2)
    power = irfft(rfft(np.square(loop)) * rfft(window), n=len(loop))  # circular: it repeats as the loop does
    return loop / np.sqrt(np.maximum(power, 1e-6 * power.max()))


def credits_text(card: dict[str, Any]) -> str:
    """Licence and sources of a model, from its `card`, as text to pass on with sounds made with it."""
    licence = card["licence"]
    address = f" ({LICENCE_ADDRESSES[licence]})" if licence in LICENCE_ADDRESSES else ""
    sources = "\n".join(f"- {source}" for source in card["sources"])
    return (
        f"Made with timbrelib's model of {card['name']}.  Licence: {licence}{address}.\n"
        "If you pass these files on, keep this licence and these credits.\n\n"
        f"The model learned from recordings by:\n{sources}\n"
    )
