"""Sound quality and reconstruction: pitch jumps, harmonic-to-noise ratio, spectral flux, log-spectral distance.

Notebooks: 01_train, 10_evaluation.
"""

from collections.abc import Iterable

import numpy as np

from timbrelib.audio.frames import FRAME_RATE, spectra, spectrum_gain
from timbrelib.audio.levels import audible_frames
from timbrelib.audio.sound_files import check_audio
from timbrelib.descriptors.pitch import VOICED, estimate_pitch, track_autocorrelation
from timbrelib.model.vqvae import VQVAE
from timbrelib.recordings.corpus import Recording

JUMP = 100.0  # cents from one frame to the next, beyond which a pitch jumps
LSD_SIZES = (512, 1024, 2048, 4096)  # FFT sizes over which the log-spectral distance is averaged
LSD_FLOOR = 60.0  # dB below the original's maximum, to which fainter magnitudes are raised


def pitch_jumps(audio: np.ndarray) -> float:
    """Count the frames whose pitch is more than a semitone from that of the frame before, per second of voiced sound.

    The pitch is tracked by autocorrelation, since its jumps agree best with those of a tracker
    from outside this library (SwiftF0): over 27 example sounds they differ by 0.6 jumps per
    second on average, and over 10 published ones by 1.1; those of pYIN by 1.1 and 2.2.

    Parameters
    ----------
    audio : ndarray, float, (n,)

    Returns
    -------
    float
        NaN if no frame is voiced.

    Raises
    ------
    ValueError
        `audio` is not finite mono.

    Examples
    --------
    >>> import timbrelib
    >>> timbrelib.pitch_jumps(timbrelib.string_melody()) < 1  # per second
    True
    """
    f0 = track_autocorrelation(audio)
    voiced = np.isfinite(f0).sum()
    if not voiced:
        return np.nan
    jumps = np.abs(1200 * np.diff(np.log2(f0))) > JUMP  # False where one of the two frames is unvoiced
    return float(jumps.sum() * FRAME_RATE / voiced)


def hnr_and_flux(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure how much a sound buzzes (harmonic-to-noise ratio) and stutters (spectral flux).

    Parameters
    ----------
    audio : ndarray, float, (n,)

    Returns
    -------
    hnr : ndarray, float64, (pitched frames,), or (audible frames,) if none is pitched
        Energy that repeats after one period relative to the energy that does not, in dB
        (Boersma, "Accurate short-term analysis of the fundamental frequency and the
        harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17, 1993, eq. 4).
    flux : ndarray, float64, (pairs of consecutive audible frames,)
        Distance between the magnitude spectra of the two frames, each normalised to length 1.

    Raises
    ------
    ValueError
        `audio` is not finite mono.

    Examples
    --------
    >>> import numpy as np
    >>> import timbrelib
    >>> hnr, flux = timbrelib.hnr_and_flux(timbrelib.string_melody())
    >>> noise, _ = timbrelib.hnr_and_flux(np.random.default_rng(0).standard_normal(22050))
    >>> print(np.median(hnr) > 20, np.median(noise) < 0)  # dB
    True True
    """
    spectrum = spectra(check_audio(audio))  # (frames, N_BINS)
    audible = audible_frames(spectrum_gain(spectrum))  # (frames,)
    _, periodicity = estimate_pitch(spectrum[audible])
    pitched = periodicity >= VOICED
    periodic = np.clip(periodicity[pitched] if pitched.any() else periodicity, 1e-6, 1 - 1e-6)  # (pitched frames,)
    unit = spectrum / np.linalg.norm(spectrum, axis=1, keepdims=True).clip(1e-12)
    flux = np.linalg.norm(np.diff(unit, axis=0), axis=1)[audible[1:] & audible[:-1]]
    return 10 * np.log10(periodic / (1 - periodic)), flux.astype(np.float64)


def log_spectral_distance(original: np.ndarray, decoded: np.ndarray) -> float:
    """Log-spectral distance of two sounds in dB.

    For each frame, the RMS over bins of the difference in dB, with magnitudes limited to
    `LSD_FLOOR` dB below the original's maximum; then the mean over frames, and over the FFT
    sizes `LSD_SIZES` with hops of a quarter.  The overall RMS is matched first.

    Parameters
    ----------
    original, decoded : ndarray, float, (n,)

    Returns
    -------
    float

    Raises
    ------
    ValueError
        The lengths differ, or one of the sounds is silent.

    Examples
    --------
    >>> import timbrelib
    >>> sound = timbrelib.string_melody()
    >>> timbrelib.log_spectral_distance(sound, 0.5 * sound) < 0.01  # dB; the level does not count
    True
    >>> timbrelib.log_spectral_distance(sound, sound[::-1]) > 5
    True
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
    """Log-spectral distance of a model's reconstructions from the recordings, in dB.

    Parameters
    ----------
    model : VQVAE
    corpus : iterable of Recording

    Returns
    -------
    weighted : float
        Mean weighted by the lengths of the recordings.
    plain : float
        Plain mean over the recordings.
    """
    lengths, distances = [], []
    for recording in corpus:
        lengths.append(len(recording.audio))
        distances.append(log_spectral_distance(recording.audio, model.reconstruct(recording.audio)))
    return float(np.average(distances, weights=lengths)), float(np.mean(distances))
