"""pYIN: the same pitches as `librosa.pyin`, bit for bit, many times as fast.

Mauch and Dixon, "pYIN: A fundamental frequency estimator using probabilistic threshold
distributions", ICASSP 2014.  librosa searches all pairs of states of consecutive frames, although
a pitch moves little from one to the next: all pairs farther apart are equally improbable, so that
the best of them is found once for a frame, not once for a state.  And a change between voiced and
unvoiced costs the same at all pitches, so that it is added after the search.

Notebooks: 05_target_decode, 07_follow_a_line.
"""

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from timbrelib.audio.frames import FRAME_RATE, HOP, N_FFT, SAMPLE_RATE
from timbrelib.audio.parallel import in_threads
from timbrelib.audio.progress import progress

THRESHOLDS = np.linspace(0, 1, 101)  # of the aperiodicity
THRESHOLD_PRIOR = (2, 18)  # parameters of the beta distribution of the thresholds
TROUGH_PRIOR = 2  # parameter of the Boltzmann distribution of the troughs; the first ones are preferred
NO_TROUGH = 0.01  # probability of the deepest trough if none is below the threshold
MAX_RATE = 35.92  # octaves per second, between the extremes of the pitches that may follow one
SWITCH = 0.01  # probability of going from voiced to unvoiced, or back
TINY = np.finfo(np.float64).tiny  # added to probabilities, so that 0 has a logarithm
BLOCK = 256  # frames analysed at a time, to bound the memory


def pyin(audio: np.ndarray, low: float, high: float, bins: int, oversampling: int = 1) -> np.ndarray:
    """Track the fundamental of a sound.

    Parameters
    ----------
    audio : ndarray, float32, (n,)
        At `oversampling` times 22,050 Hz.
    low, high : float
        Range of the fundamental in Hz.
    bins : int
        Pitches that are distinguished in a semitone.
    oversampling : int
        Periods are whole samples at first, so that those of high notes need short ones.

    Returns
    -------
    ndarray, float64, (frames,)
        In Hz; NaN where the sound is unvoiced.
    """
    n_pitches = int(12 * bins * np.log2(high / low)) + 1
    size, rate = oversampling * N_FFT, oversampling * SAMPLE_RATE
    frames = sliding_window_view(np.pad(audio, size // 2), size)[:: oversampling * HOP]  # (frames, size)
    starts = progress(range(0, len(frames), BLOCK), "tracking the pitch")
    blocks = in_threads(lambda start: _observe(frames[start : start + BLOCK], rate, low, high, bins), starts)
    states = _likeliest_states(blocks, len(frames), n_pitches, bins)
    pitches = low * 2 ** (np.arange(n_pitches) / (12 * bins))  # (n_pitches,)
    return np.where(states < n_pitches, pitches[states % n_pitches], np.nan)


def _observe(frames: np.ndarray, rate: int, low: float, high: float, bins: int) -> np.ndarray:
    """Probabilities of the pitches in frames, (frames, size), and of none: float64 (frames, 2 * n_pitches)."""
    n_pitches = int(12 * bins * np.log2(high / low)) + 1
    shortest, longest = int(rate / high), int(np.ceil(rate / low))  # periods in samples
    aperiodicity = _aperiodicity(frames, shortest, longest)  # (frames, periods)
    probability = _trough_probabilities(aperiodicity)  # (frames, periods)
    frame, period = np.nonzero(probability)  # (troughs,) each
    f0 = rate / (shortest + period + _parabolic_shift(aperiodicity, frame, period))
    pitch = np.clip(np.round(12 * bins * np.log2(f0 / low)), 0, n_pitches).astype(int)  # (troughs,)
    observed = np.zeros((len(frames), 2 * n_pitches))
    observed[frame, pitch] = probability[frame, period]
    # added one after the other: if nearly all is voiced, what remains depends on the order
    voiced = np.cumsum(observed[:, :n_pitches], axis=1)[:, -1:].clip(0, 1)  # (frames, 1)
    observed[:, n_pitches:] = (1 - voiced) / n_pitches
    return observed


def _aperiodicity(frames: np.ndarray, shortest: int, longest: int) -> np.ndarray:
    """Cumulative mean normalised difference of frames, (frames, size), from their copies one period later.

    De Cheveigné and Kawahara, "YIN, a fundamental frequency estimator for speech and music",
    J. Acoust. Soc. Am. 111(4), 2002, eq. 8: float64 (frames, periods from `shortest` to `longest`).
    """
    from scipy.fft import irfft, next_fast_len, rfft

    n = next_fast_len(2 * frames.shape[1] - 1, real=True)  # no lag reaches around the end
    spectrum = rfft(frames, n=n, axis=1)  # (frames, n // 2 + 1)
    r = irfft(spectrum.real**2 + spectrum.imag**2, n=n, axis=1)[:, : longest + 1]  # (frames, longest + 1)
    lost = np.cumsum(np.square(frames[:, :longest]), axis=1)  # energy, (frames, longest)
    difference = 2 * (r[:, :1] - r[:, 1:]) - lost  # (frames, longest)
    mean = np.cumsum(difference, axis=1) / np.arange(1, longest + 1)
    return difference[:, shortest - 1 :] / (mean[:, shortest - 1 :] + TINY)


def _trough_probabilities(aperiodicity: np.ndarray) -> np.ndarray:
    """Probability of each period, (frames, periods): of troughs, that they are the first below the threshold."""
    falls = np.ones(aperiodicity.shape, dtype=bool)  # (frames, periods)
    rises = np.ones(aperiodicity.shape, dtype=bool)
    falls[:, 1:] = aperiodicity[:, 1:] < aperiodicity[:, :-1]
    rises[:, :-1] = aperiodicity[:, :-1] <= aperiodicity[:, 1:]
    rises[:, 0] = aperiodicity[:, 0] < aperiodicity[:, 1]
    weights, sums = _threshold_weights()
    probability = np.zeros(aperiodicity.shape)
    for frame, trough in enumerate(falls & rises):
        (periods,) = np.nonzero(trough)
        if not len(periods):
            continue
        heights = aperiodicity[frame, periods]  # (troughs,)
        below = heights[:, None] < THRESHOLDS[1:]  # (troughs, thresholds)
        count = np.cumsum(below, axis=0)
        prior = _trough_prior(aperiodicity.shape[1])[count[-1], count - 1]  # (troughs, thresholds)
        prior[~below] = 0
        share = prior.dot(weights)  # (troughs,)
        deepest = heights.argmin()
        share[deepest] += NO_TROUGH * sums[np.count_nonzero(~below[deepest])]
        probability[frame, periods] = share
    return probability


@cache
def _threshold_weights() -> tuple[np.ndarray, np.ndarray]:
    """Probability of each threshold, float64 (thresholds,), and the sums of the first 0, 1, ... of them."""
    from scipy.stats import beta

    weights = np.diff(beta.cdf(THRESHOLDS, *THRESHOLD_PRIOR))
    return weights, np.array([np.sum(weights[:count]) for count in range(len(THRESHOLDS))])


@cache
def _trough_prior(n: int) -> np.ndarray:
    """Probability of the second of three troughs in row 3, column 1; float64 (n + 1, n)."""
    from scipy.stats import boltzmann

    return boltzmann.pmf(np.arange(n), TROUGH_PRIOR, np.arange(n + 1)[:, None])


def _parabolic_shift(values: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Distance of the vertex of the parabola through three values from the one at `column`, float64 (n,); under 1."""
    inner = (column > 0) & (column < values.shape[1] - 1)
    before, here, after = (values[row, np.where(inner, column + step, 0)] for step in (-1, 0, 1))  # (n,) each
    curvature, slope = after + before - 2 * here, (after - before) / 2
    near = inner & (np.abs(slope) < np.abs(curvature))
    return np.divide(-slope, curvature, out=np.zeros(len(row)), where=near)


def _likeliest_states(blocks: Iterable[np.ndarray], n_frames: int, n_pitches: int, bins: int) -> np.ndarray:
    """Find the likeliest sequence of states, int64 (n_frames,): pitches, or from `n_pitches` on unvoiced ones.

    Dynamic programming, as in `timbrelib.control.viterbi.cheapest_path`.

    Parameters
    ----------
    blocks : iterable of ndarray, float64, (frames, 2 * n_pitches)
        Probabilities of the states in consecutive frames.
    n_frames, n_pitches, bins : int
    """
    step, glide = _transitions(n_pitches, bins)  # (states now, states before), (width, n_pitches)
    far, change, width = np.log(TINY), np.log(SWITCH / (1 - SWITCH)), len(glide)
    padded = np.full((2, n_pitches + width - 1), -np.inf)  # the pitches before, and none beyond their ends
    before = padded[:, width // 2 : width // 2 + n_pitches]  # (2, n_pitches)
    windows = sliding_window_view(padded, n_pitches, axis=1)  # (2, width, n_pitches)
    sums = np.empty(windows.shape)
    best = np.full((2, n_pitches), np.log(1 / (2 * n_pitches) + TINY))
    reached = np.empty((n_frames, 2 * n_pitches))  # log probability of the likeliest sequence up to each state
    frame = 0
    for block in blocks:
        for observed in np.log(block + TINY):  # (states,)
            if frame:
                np.add(glide, windows, out=sums)
                stay = sums.max(axis=1)  # (2, n_pitches)
                best = np.maximum(np.maximum(stay, stay[::-1] + change), before.max() + far)
            reached[frame] = observed + best.ravel()  # (2, n_pitches) -> (states,)
            before[:] = reached[frame].reshape(2, n_pitches)  # (states,) -> (2, n_pitches)
            frame += 1
    states = np.empty(n_frames, dtype=np.int64)
    states[-1] = reached[-1].argmax()
    for frame in range(n_frames - 1, 0, -1):
        states[frame - 1] = (reached[frame - 1] + step[states[frame]]).argmax()
    return states


@cache
def _transitions(n_pitches: int, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Log probabilities of going from one state to another.

    Returns
    -------
    every : ndarray, float64, (states now, states before)
        All of them; those of distant pitches are log `TINY`.
    near : ndarray, float64, (width, n_pitches now)
        Those between near pitches, both voiced or both unvoiced; -inf beyond the ends of the range.
    """
    from scipy.signal.windows import triang

    half = round(MAX_RATE * 12 / FRAME_RATE) * bins // 2
    now = np.arange(n_pitches)
    distance = now - now[:, None]  # (pitches before, pitches now)
    glide = np.where(np.abs(distance) <= half, triang(2 * half + 1)[(distance + half).clip(0, 2 * half)], 0)
    glide /= glide.sum(axis=1, keepdims=True)
    switch = np.array([[1 - SWITCH, SWITCH], [SWITCH, 1 - SWITCH]])
    every = np.log(np.kron(switch, glide) + TINY).T.copy()
    before = now + np.arange(-half, half + 1)[:, None]  # (width, n_pitches now)
    exists = (before >= 0) & (before < n_pitches)
    return every, np.where(exists, every[now, before * exists], -np.inf)
