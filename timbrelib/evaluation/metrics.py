"""Measures: how well a sound follows its target, how clean it is, and how well a model rebuilds its timbre.

Notebooks: 01_train, 04_target_decode, 05_draw_target, 06_scorecard, 08_follow_a_line.
"""

from collections.abc import Iterable

import numpy as np

from timbrelib.audio.frames import spectra, spectrum_gain
from timbrelib.audio.levels import audible
from timbrelib.audio.sound_files import check_audio
from timbrelib.descriptors.pitch import VOICED, estimate_pitch
from timbrelib.model.vqvae import VQVAE
from timbrelib.recordings.corpus import Recording

LSD_SIZES = (512, 1024, 2048, 4096)  # FFT sizes over which the log-spectral distance is averaged
LSD_FLOOR = 60.0  # dB under the input's maximum below which magnitudes count as equal


def hnr_and_flux(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Harmonic-to-noise ratio and spectral flux of a sound: does it buzz, does it stutter.

    Parameters
    ----------
    audio : ndarray, float, (n,)

    Returns
    -------
    ratio : ndarray, float64, (pitched frames,), or of all audible ones where none is pitched
        Energy that repeats after a period over energy that does not, in dB (Boersma,
        "Accurate short-term analysis of the fundamental frequency and the
        harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17, 1993, eq. 4).
    flux : ndarray, float64, (pairs of audible frames,)
        Distance of each frame's magnitude spectrum, of unit gain, to that of the frame before.
    """
    spectrum = spectra(check_audio(audio))  # (frames, N_BINS)
    gain = spectrum_gain(spectrum)
    heard = audible(gain)  # (frames,)
    _, periodicity = estimate_pitch(spectrum[heard])
    pitched = periodicity >= VOICED
    periodic = np.clip(periodicity[pitched] if pitched.any() else periodicity, 1e-6, 1 - 1e-6)  # (pitched frames,)
    unit = spectrum / np.linalg.norm(spectrum, axis=1, keepdims=True).clip(1e-12)
    flux = np.linalg.norm(np.diff(unit, axis=0), axis=1)[heard[1:] & heard[:-1]]
    return 10 * np.log10(periodic / (1 - periodic)), flux.astype(np.float64)


def log_spectral_distance(original: np.ndarray, decoded: np.ndarray) -> float:
    """Log-spectral distance of two sounds in dB.

    Per frame the RMS over bins of the difference in dB, magnitudes floored `LSD_FLOOR` dB
    under the original's maximum; mean over frames, and over the FFT sizes `LSD_SIZES`
    with hops of a quarter; after matching the overall RMS.

    Parameters
    ----------
    original, decoded : ndarray, float, (n,)

    Returns
    -------
    float

    Raises
    ------
    ValueError
        The lengths differ, or one of them is silent.
    """
    import librosa

    if len(original) != len(decoded):
        raise ValueError(f"the sounds have {len(original)} and {len(decoded)} samples: cut them to the same length")
    if not (original.any() and decoded.any()):
        raise ValueError("one of the sounds is silent and has no spectrum to compare: leave it out")
    decoded = decoded * np.sqrt(np.mean(np.square(original)) / np.mean(np.square(decoded)))
    distances = []
    for size in LSD_SIZES:
        a, b = (np.abs(librosa.stft(x, n_fft=size, hop_length=size // 4)) for x in (original, decoded))
        floor = a.max() * 10 ** (-LSD_FLOOR / 20)
        difference = 20 * np.log10(np.maximum(a, floor) / np.maximum(b, floor))  # (bins, frames)
        distances.append(np.sqrt(np.square(difference).mean(axis=0)).mean())
    return float(np.mean(distances))


def reconstruction_distance(model: VQVAE, corpus: Iterable[Recording]) -> tuple[float, float]:
    """Log-spectral distance of a model's reconstructions of a corpus, in dB.

    Parameters
    ----------
    model : VQVAE
    corpus : iterable of Recording

    Returns
    -------
    weighted : float
        Mean weighted by the length of the recordings.
    plain : float
        Plain mean over recordings.
    """
    lengths, distances = [], []
    for recording in corpus:
        lengths.append(len(recording.audio))
        distances.append(log_spectral_distance(recording.audio, model.reconstruct(recording.audio)))
    return float(np.average(distances, weights=lengths)), float(np.mean(distances))
