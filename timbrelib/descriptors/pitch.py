"""Fundamental and periodicity of frames: autocorrelation for the codebook table, pYIN to score.

Notebooks: 02_codebook_pca, 04_target_decode, 08_follow_a_line.
"""

from functools import cache

import numpy as np

from timbrelib.audio.frames import HOP, N_FFT, SAMPLE_RATE, spectrum_blocks, spectrum_gain
from timbrelib.audio.levels import SILENCE
from timbrelib.audio.sound_files import check_audio

MIN_F0, MAX_F0 = 60.0, 4200.0  # Hz, range in which a fundamental is searched for
OCTAVE_COST = 0.03  # Boersma's preference for the higher of two equally periodic pitches, per octave
LAG_OVERSAMPLING = 4  # lags per sample at which the autocorrelation is evaluated
LAG_RATE = LAG_OVERSAMPLING * SAMPLE_RATE  # lags per second
SUBHARMONIC = 0.02  # of the energy, gained after two periods, that counts as much as a higher pitch of equal strength
MAX_COMPETITOR = 0.75  # of the period, up to which a shorter one is another pitch
MIN_FUNDAMENTAL = -40.0  # dB relative to the strongest partial; fainter, it is the common period of a chord, not a note
PYIN_STEP = 0.15  # semitones; at 0.1 pYIN takes six times as long, since its transitions outgrow the processor's cache
BLOCK = 128  # frames at a time, few enough for the processor's cache
VOICED = 0.9  # periodicity from which a code counts as pitched
TRACKED = 0.7  # periodicity from which a frame of a sound counts as voiced: as many frames as with pYIN


def estimate_pitch(spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fundamental and periodicity of frames, from their autocorrelation.

    The inverse transform of the power spectrum is the autocorrelation of the windowed
    frame; divided by that of the window it estimates that of the sound (Boersma, "Accurate
    short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
    sampled sound", IFA Proceedings 17, 1993, eqs. 7-9 and 23-24).  Peaks
    count only beyond the first zero crossing, since near lag zero the autocorrelation of a
    dull sound is high and rippled (McLeod and Wyvill, "A smarter way to find pitch", ICMC
    2005).  A period counts only if its fundamental is itself in the spectrum: two notes
    sounding together also repeat, at a period that is not perceived as a note.

    Parameters
    ----------
    spectrum : ndarray, (frames, N_BINS)
        Magnitude spectra.

    Returns
    -------
    f0 : ndarray, float64, (frames,)
        Fundamental in Hz between `MIN_F0` and `MAX_F0`; NaN for a silent frame.
    periodicity : ndarray, float64, (frames,)
        Share of the energy that repeats after one period, 0..1.
    """
    starts = range(0, max(1, len(spectrum)), BLOCK)  # at least one block, if only an empty one
    blocks = (_block_pitch(spectrum[start : start + BLOCK]) for start in starts)
    f0, periodicity = zip(*blocks, strict=True)
    return np.concatenate(f0), np.concatenate(periodicity)


def octave_ambiguity(spectrum: np.ndarray, f0: np.ndarray) -> np.ndarray:
    """How strongly a pitch an octave or more away competes with that of frames.

    A higher one competes if a fourth partial, for instance, is louder than the rest; a lower one
    if more of the energy repeats after two periods than after one.

    Parameters
    ----------
    spectrum : ndarray, (frames, N_BINS)
        Magnitude spectra.
    f0 : ndarray, float, (frames,)
        Their fundamentals in Hz, from `estimate_pitch`; NaN where there is none.

    Returns
    -------
    ndarray, float64, (frames,)
        0 where nothing competes; of a higher pitch, the share of the energy that repeats after
        its period; of a lower one, what is gained after two periods, relative to `SUBHARMONIC`.
    """
    ambiguity = np.zeros(len(spectrum))
    lags = np.arange(int(LAG_RATE / MIN_F0) + 3)
    around = np.arange(-2, 3)  # lags, to find a peak near a rounded period
    for start in range(0, len(spectrum), BLOCK):
        frames = slice(start, start + BLOCK)
        r = _autocorrelation(np.square(spectrum[frames], dtype=np.float32), len(lags))  # (block, lags)
        below = MAX_COMPETITOR * LAG_RATE / f0[frames, None]  # (block, 1)
        competes = (lags >= _first_crossing(r)[:, None]) & (lags < below)  # False for NaN
        higher = np.where(competes, r, 0).max(axis=1)  # (block,)
        period = np.nan_to_num(LAG_RATE / f0[frames], nan=lags[-1])
        once, twice = (
            np.take_along_axis(r, (near + around).clip(0, lags[-1]), axis=1).max(axis=1)
            for near in (np.rint(n * period)[:, None].astype(int) for n in (1, 2))
        )  # (block,) each
        lower = np.where(2 * period < lags[-1], (twice - once) / SUBHARMONIC, 0)
        ambiguity[frames] = np.maximum(higher, lower)
    return ambiguity


def _autocorrelation(power: np.ndarray, n_lags: int) -> np.ndarray:
    """Autocorrelation of the sound in frames, from their power spectra, (frames, N_BINS): float32 (frames, n_lags)."""
    from scipy.fft import irfft

    frame = irfft(power, n=LAG_OVERSAMPLING * N_FFT, axis=1, workers=-1)[:, :n_lags]  # (frames, lags)
    total = frame[:, :1]
    r = np.divide(frame, total, out=np.zeros_like(frame), where=total > 0)  # (frames, lags)
    r /= _window_autocorrelation()[:n_lags]
    return r


@cache
def _window_autocorrelation() -> np.ndarray:
    """Autocorrelation of the window, float64 (lags,), 1 at lag 0."""
    from scipy.fft import irfft
    from scipy.signal import get_window

    power = np.abs(np.fft.rfft(get_window("hann", N_FFT))) ** 2  # (N_BINS,)
    window = irfft(power, n=LAG_OVERSAMPLING * N_FFT)  # (lags,)
    return window / window[0]


def _first_crossing(r: np.ndarray) -> np.ndarray:
    """First lag at which each autocorrelation, (frames, lags), is negative, int64 (frames,)."""
    negative = r < 0
    return np.where(negative.any(axis=1), negative.argmax(axis=1), r.shape[1])


def _block_pitch(spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the pitch of a block of frames as `estimate_pitch` does."""
    shortest, longest = int(LAG_RATE / MAX_F0), int(LAG_RATE / MIN_F0) + 1  # lags
    power = np.square(spectrum, dtype=np.float32)
    r = _autocorrelation(power, longest + 2)  # (frames, lags)

    lags = np.arange(shortest, longest + 1)
    before, here, after = (r[:, shortest + step : longest + 1 + step] for step in (-1, 0, 1))  # (frames, lags)
    row, column = np.divmod(np.flatnonzero((here > before) & (here >= after)), len(lags))  # (peaks,) each
    bins = np.rint(LAG_OVERSAMPLING * N_FFT / lags).astype(int)[column]  # (peaks,), of the fundamental of each period
    around = np.maximum(np.maximum(power[:, :-2], power[:, 2:]), power[:, 1:-1])  # (frames, N_BINS - 2)
    faint = power.max(axis=1) * 10 ** (MIN_FUNDAMENTAL / 10)  # (frames,)
    counts = (lags[column] >= _first_crossing(r)[row]) & (around[row, bins - 1] > faint[row])
    row, column = row[counts], column[counts]
    score = np.full(here.shape, -np.inf)  # (frames, lags)
    score[row, column] = here[row, column] - OCTAVE_COST * np.log2(lags / shortest)[column]
    best = score.argmax(axis=1)[:, None]  # (frames, 1)
    found = np.isfinite(np.take_along_axis(score, best, axis=1)[:, 0])  # (frames,)
    a, b, c = (np.take_along_axis(x, best, axis=1)[:, 0] for x in (before, here, after))
    curvature = a - 2 * b + c
    offset = np.divide(0.5 * (a - c), curvature, out=np.zeros_like(curvature), where=found & (curvature < 0))
    f0 = LAG_RATE / (lags[best[:, 0]] + offset)
    periodicity = np.clip(b - 0.25 * (a - c) * offset, 0, 1)
    return np.where(found, f0, np.nan), np.where(found, periodicity, 0.0)


def track_autocorrelation(audio: np.ndarray) -> np.ndarray:
    """Track the fundamental of a sound with `estimate_pitch`, a hundred times as fast as pYIN.

    Parameters
    ----------
    audio : ndarray, float, (n,)

    Returns
    -------
    ndarray, float64, (frames,)
        Fundamental in Hz; NaN where the periodicity is below `TRACKED` or the sound is silent.
    """
    blocks = []
    for spectrum in spectrum_blocks(check_audio(audio)):  # (block, N_BINS)
        f0, periodicity = estimate_pitch(spectrum)
        voiced = (periodicity >= TRACKED) & (spectrum_gain(spectrum) > SILENCE)
        blocks.append(np.where(voiced, f0, np.nan))
    return np.concatenate(blocks).astype(np.float64)


def track_pyin(audio: np.ndarray) -> np.ndarray:
    """Track the fundamental of a sound with pYIN, the estimator that scores.

    It shares nothing with `estimate_pitch`, which builds the codebook table, so that the
    errors of one estimator do not bias the score (Mauch and Dixon, "pYIN: A fundamental
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
        fmin=MIN_F0,
        fmax=MAX_F0,
        sr=SAMPLE_RATE,
        frame_length=N_FFT,
        hop_length=HOP,
        resolution=PYIN_STEP,
    )
    return np.where(voiced, f0, np.nan)
