"""From unit-gain spectra and gains to sound: two ways to give magnitudes a phase.

``noise`` filters white noise, as the paper does (Bitton, Esling, Harada, "Vector-Quantized
Timbre Representation", arXiv 2007.06349, section 3).  ``locked`` runs the spectral peaks as
oscillators: the phase of each peak advances by its interpolated frequency, and the bins
around it lock to it, as in the phase vocoder of Laroche and Dolson, "Improved phase vocoder
time-scale modification of audio", IEEE Trans. Speech and Audio Processing 7(3), 1999.

Notebook: 04_target_decode.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from timbrelib.audio import HOP, N_BINS, N_FFT, frame_gain, spectrum_gain

EXCITATIONS = ("locked", "noise")
EDGE = 16  # samples (0.7 ms) over which a sound begins and ends
GAIN_ROUNDS = 5  # corrections of the gain that the overlap of unlike frames has changed


def synthesise(
    table: np.ndarray, codes: np.ndarray, gain: np.ndarray, excitation: str = "locked", seed: int = 0
) -> np.ndarray:
    """Make sound from a series of codes.

    Parameters
    ----------
    table : ndarray, float32, (n_codes, N_BINS)
        Unit-gain magnitude spectra of all codes.
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
    spectra, rows = fade_changes(table, codes)
    magnitude = spectra[rows] * gain[:, None].astype(np.float32)  # (frames, N_BINS)
    if excitation == "locked":
        phase = 2 * np.pi * locked_turns(spectra, rows)  # (frames, N_BINS)
        spectrum = np.empty(magnitude.shape, dtype=np.complex64)
        np.multiply(magnitude, np.cos(phase), out=spectrum.real)
        np.multiply(magnitude, np.sin(phase), out=spectrum.imag)
    else:
        spectrum = magnitude * noise_spectrum(len(codes), seed)
    n_samples = max(1, len(codes) - 1) * HOP
    audio = librosa.istft(spectrum.T, n_fft=N_FFT, hop_length=HOP, length=n_samples)
    return restore_gain(without_clicks(audio), gain)


def fade_changes(table: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Blend the spectra of neighbouring frames, so that codes fade into one another.

    A change at once would splatter energy over all frequencies.  Where a code stays, its
    spectrum stays as it is.

    Parameters
    ----------
    table : ndarray, float32, (n_codes, N_BINS)
    codes : ndarray, int, (frames,)

    Returns
    -------
    spectra : ndarray, float32, (distinct, N_BINS)
        The distinct blends, of unit gain.
    rows : ndarray, int64, (frames,)
        Which of them each frame has.
    """
    padded = np.concatenate([codes[:1], codes, codes[-1:]])
    triples, rows = np.unique(sliding_window_view(padded, 3), axis=0, return_inverse=True)  # (distinct, 3), (frames,)
    before, here, after = triples.T
    spectra = table[before] + table[after]  # (distinct, N_BINS)
    spectra += 2 * table[here]
    spectra /= spectrum_gain(spectra)[:, None]
    return spectra, rows


def locked_turns(spectra: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Phases of a series of spectra whose peaks run on from frame to frame.

    Parameters
    ----------
    spectra : ndarray, float32, (distinct, N_BINS)
    rows : ndarray, int, (frames,)
        Which of them each frame has.

    Returns
    -------
    ndarray, float32, (frames, N_BINS)
        In turns, 0..1.
    """
    peak, advance = peak_regions(spectra)
    # a window centred on its frame flips the sign of the transform from bin to bin
    flip = np.float32(0.5) * ((np.arange(N_BINS) - peak) % 2)  # (distinct, N_BINS)
    turns = np.empty((len(rows), N_BINS), dtype=np.float32)
    current = np.zeros(N_BINS, dtype=np.float32)
    before = rows[0]
    for frame, row in enumerate(rows):
        # half way at the old frequency, half way at the new one, so that two frames agree where they overlap
        mean_advance = 0.5 * (advance[before, peak[row]] + advance[row])
        current = current[peak[row]] + mean_advance + flip[row]
        current -= np.floor(current)
        turns[frame] = current
        before = row
    return turns


def peak_regions(spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share the bins of each spectrum out among its peaks, each to the nearest.

    Parameters
    ----------
    spectra : ndarray, float32, (n, N_BINS)

    Returns
    -------
    peak : ndarray, int64, (n, N_BINS)
        Bin of the peak that each bin belongs to.
    advance : ndarray, float32, (n, N_BINS)
        Turns that its peak makes in a hop.
    """
    log = np.log(np.maximum(spectra, 1e-9))
    rising = log[:, 1:] > log[:, :-1]  # (n, N_BINS - 1)
    is_peak = np.zeros(spectra.shape, dtype=bool)
    is_peak[:, 1:-1] = rising[:, :-1] & ~rising[:, 1:]
    is_peak[np.arange(len(spectra)), log[:, 1:-1].argmax(axis=1) + 1] = True  # no spectrum is without any
    row, place = np.nonzero(is_peak)  # (peaks,) each, row by row

    # the frequency of a peak, in bins, is that of a parabola through its bin and the two beside it
    left, top, right = (log[row, place + step] for step in (-1, 0, 1))
    curvature = left - 2 * top + right
    offset = np.divide(0.5 * (left - right), curvature, out=np.zeros_like(top), where=curvature < 0)
    turns_of_peak = (place + np.clip(offset, -0.5, 0.5)).astype(np.float32) * (HOP / N_FFT)  # a hop

    # regions meet half way between two peaks of a row
    meeting = (np.concatenate([[0], place[:-1]]) + place) // 2 + 1
    is_first = np.concatenate([[True], row[1:] != row[:-1]])
    start = row * N_BINS + np.where(is_first, 0, meeting)  # (peaks,) in the flattened spectra
    owner = np.repeat(np.arange(len(place)), np.diff(start, append=spectra.size))
    peak = place[owner].reshape(spectra.shape)  # (n * N_BINS,) -> (n, N_BINS)
    advance = turns_of_peak[owner].reshape(spectra.shape)  # (n * N_BINS,) -> (n, N_BINS)
    return peak, advance


def noise_spectrum(n_frames: int, seed: int) -> np.ndarray:
    """STFT of white noise with RMS magnitude 1, complex64 (n_frames, N_BINS)."""
    import librosa

    noise = np.random.default_rng(seed).standard_normal((n_frames - 1) * HOP + N_FFT).astype(np.float32)
    spectrum = librosa.stft(noise, n_fft=N_FFT, hop_length=HOP, center=False).T  # (n_frames, N_BINS)
    return spectrum / np.sqrt(np.mean(np.square(np.abs(spectrum))))


def without_clicks(audio: np.ndarray) -> np.ndarray:
    """Let a sound, float32 (n,), begin and end at zero: a wave cut off anywhere else clicks over all frequencies."""
    ramp = (np.arange(min(EDGE, len(audio) // 2), dtype=np.float32) + 0.5) / EDGE
    audio[: len(ramp)] *= ramp
    audio[len(audio) - len(ramp) :] *= ramp[::-1]
    return audio


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
    hops = audio.reshape(-1, HOP)  # (n,) -> (hops, HOP)
    across = np.arange(HOP, dtype=np.float32) / HOP  # of the way from one frame to the next
    wanted = np.append(gain, gain[-1])[: len(hops) + 1]  # (hops + 1,): a single frame lasts a hop as well
    for _ in range(GAIN_ROUNDS):
        measured = frame_gain(hops.ravel())
        ratio = np.divide(wanted, measured, out=np.zeros(len(wanted)), where=measured > 1e-9).astype(np.float32)
        hops = hops * (ratio[:-1, None] + np.diff(ratio)[:, None] * across)
    return hops.ravel()
