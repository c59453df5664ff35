"""Fundamental and periodicity of frames: autocorrelation for the codebook table, pYIN to score.

Notebooks: 02_codebook_pca, 05_target_decode, 07_follow_a_line.
"""

from functools import cache

import numpy as np

from timbrelib.audio.frames import N_BINS, N_FFT, SAMPLE_RATE, framed, hann_window, spectrum_blocks, spectrum_gain
from timbrelib.audio.levels import SILENCE
from timbrelib.audio.parallel import in_threads
from timbrelib.audio.sound_files import check_audio
from timbrelib.descriptors.pyin import pyin

MIN_F0, MAX_F0 = 40.0, 4200.0  # Hz, range in which steady notes are found
SEARCHED = (39.0, 4415.0)  # Hz; wider, since a peak at the edge of the search cannot be found
OCTAVE_COST = 0.03  # Boersma's preference for the higher of two equally periodic pitches, per octave
LAG_OVERSAMPLING = 4  # lags per sample at which the autocorrelation is evaluated
LAG_RATE = LAG_OVERSAMPLING * SAMPLE_RATE  # lags per second
SUBHARMONIC = 0.02  # of the energy, gained after two periods, that counts as much as a higher pitch of equal strength
MAX_COMPETITOR = 0.75  # of the period, up to which a shorter one is another pitch
MIN_FUNDAMENTAL = -40.0  # dB relative to the strongest partial; fainter, it is the common period of a chord, not a note
LOW = 60.0  # Hz, below which recordings contain hum and rumble
LOW_FUNDAMENTAL, LOW_OVERTONE = -30.0, -20.0  # dB, likewise, for a note below LOW: the latter at its 2nd or 3rd partial
PYIN_BINS = 6  # pitches that pYIN distinguishes in a semitone, before they are refined
HALF_STEP = 2 ** (1 / PYIN_BINS / 24) - 1  # as a share of the period
PYIN_OVERSAMPLING = 2  # pYIN takes periods of whole samples, and that of the highest note has five
REACH = int(HALF_STEP * PYIN_OVERSAMPLING * SAMPLE_RATE / SEARCHED[0]) + 2  # lags around a period, to refine it
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
    sounding together also repeat, at a period that is not perceived as a note.  Below `LOW`, where
    recordings contain hum and rumble, it needs overtones too.

    Parameters
    ----------
    spectrum : ndarray, (frames, N_BINS)
        Magnitude spectra.

    Returns
    -------
    f0 : ndarray, float64, (frames,)
        Fundamental in Hz, from 40 Hz to 4.2 kHz (`MIN_F0`, `MAX_F0`) and slightly beyond; NaN where there is none.
    periodicity : ndarray, float64, (frames,)
        Share of the energy that repeats after one period, 0..1.
    """
    starts = range(0, max(1, len(spectrum)), BLOCK)  # at least one block, if only an empty one
    blocks = in_threads(lambda start: _block_pitch(spectrum[start : start + BLOCK]), starts)
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
    lags = np.arange(int(LAG_RATE / SEARCHED[0]) + 3)
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

    frame = irfft(power, n=LAG_OVERSAMPLING * N_FFT, axis=1)[:, :n_lags]  # (frames, lags)
    total = frame[:, :1]
    r = frame / np.where(total > 0, total, np.inf)  # (frames, lags), 0 in silence
    r /= _window_autocorrelation()[:n_lags]
    return r


@cache
def _window_autocorrelation() -> np.ndarray:
    """Autocorrelation of the window, float64 (lags,), 1 at lag 0."""
    from scipy.fft import irfft

    power = np.abs(np.fft.rfft(hann_window())) ** 2  # (N_BINS,)
    window = irfft(power, n=LAG_OVERSAMPLING * N_FFT)  # (lags,)
    return window / window[0]


def _first_crossing(r: np.ndarray) -> np.ndarray:
    """First lag at which each autocorrelation, (frames, lags), is negative, int64 (frames,)."""
    negative = r < 0
    return np.where(negative.any(axis=1), negative.argmax(axis=1), r.shape[1])


def _block_pitch(spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the pitch of a block of frames as `estimate_pitch` does."""
    shortest, longest = int(LAG_RATE / SEARCHED[1]), int(LAG_RATE / SEARCHED[0]) + 1  # lags
    power = np.square(spectrum, dtype=np.float32)
    r = _autocorrelation(power, longest + 2)  # (frames, lags)

    before, here, after = (r[:, shortest + step : longest + 1 + step] for step in (-1, 0, 1))  # (frames, lags)
    row, column = np.divmod(np.flatnonzero((here > before) & (here >= after)), here.shape[1])  # (peaks,) each
    beyond = column + shortest >= _first_crossing(r)[row]
    row, column = row[beyond], column[beyond]
    a, b, c = (x[row, column].astype(np.float64) for x in (before, here, after))  # (peaks,) each
    offset = 0.5 * (a - c) / (a - 2 * b + c)  # of the top of a parabola: the period of a high note is a few lags
    period, height = shortest + column + offset, b - 0.25 * (a - c) * offset
    counts = _is_note(power, row, period)
    row, column, period, height = row[counts], column[counts], period[counts], height[counts]

    score = np.full(here.shape, -np.inf)  # (frames, lags)
    score[row, column] = height - OCTAVE_COST * np.log2(period / shortest)
    best = score.argmax(axis=1)  # (frames,)
    chosen = column == best[row]  # (peaks,), one of each frame that has any
    f0, periodicity = np.full(len(score), np.nan), np.zeros(len(score))
    f0[row[chosen]], periodicity[row[chosen]] = LAG_RATE / period[chosen], height[chosen].clip(0, 1)
    return f0, periodicity


def _is_note(power: np.ndarray, row: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Whether periods, in lags, (peaks,), of frames have the partials of a note in the power, (frames, N_BINS)."""
    around = np.maximum(np.maximum(power[:, :-2], power[:, 2:]), power[:, 1:-1])  # (frames, N_BINS - 2)
    loudest = power.max(axis=1)  # (frames,)

    def exceeds(multiple: int, level: float) -> np.ndarray:
        bins = np.rint(multiple * LAG_OVERSAMPLING * N_FFT / period).astype(int)  # (peaks,)
        return around[row, bins.clip(max=N_BINS - 2) - 1] > loudest[row] * 10 ** (level / 10)

    low = period > LAG_RATE / LOW
    low_note = exceeds(1, LOW_FUNDAMENTAL) & (exceeds(2, LOW_OVERTONE) | exceeds(3, LOW_OVERTONE))
    return np.where(low, low_note, exceeds(1, MIN_FUNDAMENTAL))


def track_autocorrelation(audio: np.ndarray) -> np.ndarray:
    """Track the fundamental of a sound with `estimate_pitch`, several times as fast as pYIN.

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
    frequency estimator using probabilistic threshold distributions", ICASSP 2014).  It searches the
    same range.

    Parameters
    ----------
    audio : ndarray, float, (n,)

    Returns
    -------
    ndarray, float64, (frames,)
        Fundamental in Hz; NaN where the sound is unvoiced.
    """
    from scipy.signal import resample_poly

    audio = check_audio(audio)
    f0 = pyin(resample_poly(audio, PYIN_OVERSAMPLING, 1), *SEARCHED, PYIN_BINS, PYIN_OVERSAMPLING)
    return _refine(audio, f0)


def _refine(audio: np.ndarray, f0: np.ndarray) -> np.ndarray:
    """Move each pitch of pYIN, (frames,), by at most half a step, to where the frame differs least from itself.

    The difference function of YIN is weighted by the window at both times, so that a moving
    pitch is that of the middle of the frame.
    """
    frames, voiced = framed(audio), np.flatnonzero(np.isfinite(f0))

    def refine_block(start: int) -> np.ndarray:
        chosen = voiced[start : start + BLOCK]
        return _refine_frames(frames[chosen], f0[chosen])

    refined = f0.copy()
    refined[voiced] = np.concatenate([f0[:0], *in_threads(refine_block, range(0, len(voiced), BLOCK))])
    return refined


def _refine_frames(frames: np.ndarray, f0: np.ndarray) -> np.ndarray:
    """Refine the pitch of each of some frames, (frames, N_FFT), as `_refine` does: float64 (frames,)."""
    from scipy.fft import irfft, next_fast_len, rfft

    def correlation(product: np.ndarray) -> np.ndarray:
        return irfft(product, n=PYIN_OVERSAMPLING * size, axis=1)  # (frames, lags)

    window, rate = hann_window(), PYIN_OVERSAMPLING * SAMPLE_RATE  # lags per second
    longest = int(SAMPLE_RATE / SEARCHED[0]) + REACH  # samples
    size = next_fast_len(N_FFT + longest, real=True)  # no lag of these reaches around the end
    window_spectrum = rfft(window, n=size)  # (size // 2 + 1,)
    around = np.arange(-REACH, REACH + 1)  # lags
    frame, energy = (rfft(window * frames**power, n=size, axis=1) for power in (1, 2))
    product, mean = correlation(np.abs(frame) ** 2), correlation((energy * window_spectrum.conj()).real)
    period = rate / f0[:, None]  # (frames, 1)
    lags = np.rint(period).astype(int) + around  # (frames, around)
    similarity = np.take_along_axis(product, lags, 1) / np.take_along_axis(mean, lags, 1)  # 1 at a period
    near = np.abs(lags - period) <= np.maximum(1, period * HALF_STEP)
    best = np.where(near, similarity, -np.inf)[:, 1:-1].argmax(axis=1)[:, None] + 1  # (frames, 1)
    a, b, c = (np.take_along_axis(similarity, best + step, 1) for step in (-1, 0, 1))  # (frames, 1) each
    top = 0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-9)
    exact = np.take_along_axis(lags, best, 1) + top.clip(-0.5, 0.5)
    return rate / exact.clip(period * (1 - HALF_STEP), period * (1 + HALF_STEP))[:, 0]
