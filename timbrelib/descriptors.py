"""Acoustic descriptors of frames: what a target curve can ask for.

Each descriptor is one function from magnitude spectra to one value a frame, entered in
`DESCRIPTORS`; a new entry there appears in the codebook table, the targets and the figures.

Notebooks: 02_codebook_pca, 03_descriptor_histogram, 04_target_decode.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from timbrelib.audio import HOP, N_FFT, SAMPLE_RATE, check_audio, spectrum_blocks, spectrum_gain

LOWEST, HIGHEST = 60.0, 4200.0  # Hz, where a fundamental is looked for
SILENCE = 1e-4  # gain (-80 dB) under which a 16-bit file holds more of its own rounding than of any timbre
OCTAVE_COST = 0.03  # Boersma's preference for the higher of two equally periodic pitches, per octave
FINER = 4  # lags a sample at which the autocorrelation is known
FAINT_FUNDAMENTAL = -40.0  # dB under the strongest partial: less is the common period of a chord, not a note
PYIN_STEP = 0.15  # semitones; at 0.1 pYIN takes six times as long, for its transitions outgrow the processor's cache
BLOCK = 128  # frames measured at a time: few enough for the processor's cache
VOICED = 0.9  # periodicity from which a frame counts as clearly pitched


@dataclass(frozen=True)
class Descriptor:
    """One acoustic descriptor.

    Attributes
    ----------
    unit : str
        Unit for axis labels; empty for a ratio.
    log : bool
        Whether distances are heard on a logarithmic scale (a fundamental).
    measure : callable
        From magnitude spectra, float (frames, N_BINS), to values, float (frames,).
    """

    unit: str
    log: bool
    measure: Callable[[np.ndarray], np.ndarray]


def centroid(spectrum: np.ndarray) -> np.ndarray:
    """Spectral centroid in Hz, (frames, N_BINS) -> (frames,): the mean frequency, weighted by magnitude."""
    import librosa

    return librosa.feature.spectral_centroid(S=spectrum.T, sr=SAMPLE_RATE)[0]


def bandwidth(spectrum: np.ndarray) -> np.ndarray:
    """Spectral bandwidth in Hz, (frames, N_BINS) -> (frames,): the standard deviation around the centroid."""
    import librosa

    return librosa.feature.spectral_bandwidth(S=spectrum.T, sr=SAMPLE_RATE)[0]


def rolloff(spectrum: np.ndarray) -> np.ndarray:
    """Spectral rolloff in Hz, (frames, N_BINS) -> (frames,): 85 % of the magnitude lies below."""
    import librosa

    return librosa.feature.spectral_rolloff(S=spectrum.T, sr=SAMPLE_RATE)[0]


def flatness(spectrum: np.ndarray) -> np.ndarray:
    """Spectral flatness in 0..1, (frames, N_BINS) -> (frames,): geometric over arithmetic mean of the power."""
    import librosa

    return librosa.feature.spectral_flatness(S=spectrum.T)[0]


def fundamental(spectrum: np.ndarray) -> np.ndarray:
    """Fundamental in Hz, (frames, N_BINS) -> (frames,); NaN where the frame is not clearly pitched."""
    f0, strength = pitch(spectrum)
    return np.where(strength >= VOICED, f0, np.nan)


DESCRIPTORS = {
    "centroid": Descriptor("Hz", False, centroid),
    "bandwidth": Descriptor("Hz", False, bandwidth),
    "rolloff": Descriptor("Hz", False, rolloff),
    "flatness": Descriptor("", False, flatness),
    "fundamental": Descriptor("Hz", True, fundamental),
}


def descriptor(name: str) -> Descriptor:
    """Look a descriptor up by name.

    Raises
    ------
    ValueError
        There is none of that name; the message lists those that exist.
    """
    if name not in DESCRIPTORS:
        raise ValueError(f"there is no descriptor {name!r}: choose one of {', '.join(DESCRIPTORS)}")
    return DESCRIPTORS[name]


def pitch(spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fundamental and periodicity of frames, from their autocorrelation.

    The inverse transform of the power spectrum is the autocorrelation of the windowed
    frame; divided by that of the window it estimates the sound's own (Boersma, "Accurate
    short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
    sampled sound", IFA Proceedings 17, 1993, eqs. 7-9 and 23-24).  It has to fall below zero
    before a peak counts, for near lag zero that of a dull sound is high and rippled (McLeod
    and Wyvill, "A smarter way to find pitch", ICMC 2005).  A period counts only if its
    fundamental is itself in the spectrum: two notes sounding together also repeat, at a
    period that nobody hears as a note.

    Parameters
    ----------
    spectrum : ndarray, (frames, N_BINS)
        Magnitude spectra.

    Returns
    -------
    f0 : ndarray, float64, (frames,)
        Fundamental in Hz between `LOWEST` and `HIGHEST`; NaN for a silent frame.
    periodicity : ndarray, float64, (frames,)
        Share of the energy that repeats after one period, 0..1.
    """
    from scipy.fft import irfft
    from scipy.signal import get_window

    of_window = irfft(np.abs(np.fft.rfft(get_window("hann", N_FFT))) ** 2, n=FINER * N_FFT)
    starts = range(0, max(1, len(spectrum)), BLOCK)  # one, of no frames, where there are none
    blocks = (spectrum[start : start + BLOCK] for start in starts)
    f0, periodicity = zip(*(pitch_of_block(block, of_window / of_window[0]) for block in blocks), strict=True)
    return np.concatenate(f0), np.concatenate(periodicity)


def pitch_of_block(spectrum: np.ndarray, of_window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the pitch of a few frames as `pitch` does, given the autocorrelation of the window, (FINER * N_FFT,)."""
    from scipy.fft import irfft

    shortest, longest = int(FINER * SAMPLE_RATE / HIGHEST), int(FINER * SAMPLE_RATE / LOWEST) + 1  # lags
    power = np.square(spectrum, dtype=np.float32)
    of_frame = irfft(power, n=FINER * N_FFT, axis=1, workers=-1)[:, : longest + 2]  # (frames, lags)
    total = of_frame[:, :1]
    r = np.divide(of_frame, total, out=np.zeros_like(of_frame), where=total > 0)
    r /= of_window[: longest + 2]

    lags = np.arange(shortest, longest + 1)
    before, here, after = (r[:, shortest + step : longest + 1 + step] for step in (-1, 0, 1))  # (frames, lags)
    row, place = np.divmod(np.flatnonzero((here > before) & (here >= after)), len(lags))  # (peaks,) each
    nearest_bin = np.rint(FINER * N_FFT / lags).astype(int)[place]  # (peaks,) of the fundamental with that period
    around = np.maximum(np.maximum(power[:, :-2], power[:, 2:]), power[:, 1:-1])  # (frames, N_BINS - 2)
    faint = power.max(axis=1) * 10 ** (FAINT_FUNDAMENTAL / 10)  # (frames,)
    below = r < 0
    fall = np.where(below.any(axis=1), below.argmax(axis=1), r.shape[1])  # (frames,) first lag below zero
    counts = (lags[place] >= fall[row]) & (around[row, nearest_bin - 1] > faint[row])
    row, place = row[counts], place[counts]
    score = np.full(here.shape, -np.inf)
    score[row, place] = here[row, place] - OCTAVE_COST * np.log2(lags / shortest)[place]
    best = score.argmax(axis=1)[:, None]
    found = np.isfinite(np.take_along_axis(score, best, axis=1)[:, 0])  # (frames,)
    a, b, c = (np.take_along_axis(x, best, axis=1)[:, 0] for x in (before, here, after))
    curvature = a - 2 * b + c
    offset = np.divide(0.5 * (a - c), curvature, out=np.zeros_like(curvature), where=found & (curvature < 0))
    f0 = FINER * SAMPLE_RATE / (lags[best[:, 0]] + offset)
    periodicity = np.clip(b - 0.25 * (a - c) * offset, 0, 1)
    return np.where(found, f0, np.nan), np.where(found, periodicity, 0.0)


def measure(audio: np.ndarray, name: str) -> np.ndarray:
    """Measure one descriptor on every frame of a sound, float64 (frames,); else as `measure_all`."""
    return measure_all(audio, [name])[name]


def measure_all(audio: np.ndarray, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Measure descriptors on every frame of a sound.

    Parameters
    ----------
    audio : ndarray, float, (n,)
    names : iterable of str
        Keys of `DESCRIPTORS`.

    Returns
    -------
    dict of str to ndarray, float64, (frames,)
        Values in the descriptor's unit; NaN where it is undefined (silence, no pitch).
    """
    values_of = {name: descriptor(name).measure for name in names}
    blocks: dict[str, list[np.ndarray]] = {name: [] for name in values_of}
    for spectrum in spectrum_blocks(check_audio(audio)):
        for start in range(0, len(spectrum), BLOCK):
            part = spectrum[start : start + BLOCK]  # (frames, N_BINS)
            sounds = spectrum_gain(part) > SILENCE  # (frames,)
            for name, block in blocks.items():
                block.append(np.where(sounds, values_of[name](part), np.nan))
    return {name: np.concatenate(block).astype(np.float64) for name, block in blocks.items()}


def track_fundamental(audio: np.ndarray) -> np.ndarray:
    """Follow the fundamental of a sound with pYIN, the estimator that scores.

    It shares nothing with `pitch`, which builds the map of the codebook, so that one
    estimator's mistakes cannot vouch for themselves (Mauch and Dixon, "pYIN: A fundamental
    frequency estimator using probabilistic threshold distributions", ICASSP 2014).

    Parameters
    ----------
    audio : ndarray, float, (n,)

    Returns
    -------
    ndarray, float64, (frames,)
        Fundamental in Hz; NaN where the sound is unvoiced.
    """
    import librosa

    f0, voiced, _ = librosa.pyin(
        check_audio(audio),
        fmin=LOWEST,
        fmax=HIGHEST,
        sr=SAMPLE_RATE,
        frame_length=N_FFT,
        hop_length=HOP,
        resolution=PYIN_STEP,
    )
    return np.where(voiced, f0, np.nan)
