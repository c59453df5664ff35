"""Wavetables for synthesisers: one period of each of a series of codes, along a descriptor."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from timbrelib.audio.frames import N_FFT, SAMPLE_RATE, hann_window
from timbrelib.audio.wav_chunks import encode_instrument_wav, text_chunk, wavetable_chunk
from timbrelib.codebook.table import INNER
from timbrelib.control.instruments.periodic import (
    clear_codes,
    credits_text,
    harmonic_amplitudes,
    make_loop,
    partials_and_noise,
)
from timbrelib.control.viterbi import Transitions, cheapest_path, select_candidates
from timbrelib.descriptors import descriptor as check_descriptor
from timbrelib.files import atomic_write

if TYPE_CHECKING:
    from timbrelib.control.timbre import Timbre

FRAME = 2048  # samples in a frame, the only number that every wavetable synthesiser reads
MAX_FRAMES = 256  # that Serum and Vital load
PEAK = 0.98  # of the table
CANDIDATES = 24  # codes among which each frame chooses


def save_wavetable(
    path: str | Path,
    timbre: "Timbre",
    card: dict[str, Any],
    descriptor: str = "centroid",
    note: str | None = None,
    count: int = 64,
) -> np.ndarray:
    """Write pitched codes as a wavetable: one period of each, in the order of a descriptor.

    A frame holds the harmonics of one code, all as sines that start together, so that frames do not
    cancel where a synthesiser blends them.  All frames have the same RMS.  Noise cannot repeat with
    a period and is left out.

    Parameters
    ----------
    path : str or Path
        The WAV file: `count` frames of 2,048 samples of 16 bits, with the chunk ``clm `` by which
        synthesisers know a wavetable, and the credits.
    timbre : Timbre
    card : dict
        Of the model, from `timbrelib.load_card`: its licence and sources.
    descriptor : str
        Measured of each frame played at the pitch of `note`; along ``fundamental``, frames are the codes
        of all pitches, from low to high.
    note : str, optional
        Name of a note: the codes are from the octave around it.  By default, the octave that contains
        most codes.
    count : int
        Frames, 2 to 256.

    Returns
    -------
    ndarray, int64, (count,)
        The code of each frame.

    Raises
    ------
    ValueError
        The timbre has no partials, no pitched codes, or none around the note; the descriptor or the note does
        not exist, no code has the descriptor, or the count is out of range.

    Examples
    --------
    >>> import tempfile
    >>> import timbrelib
    >>> viola, card = timbrelib.load("viola"), timbrelib.load_card("viola")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     codes = timbrelib.save_wavetable(f"{folder}/viola.wav", viola, card, "centroid", note="A4", count=32)
    >>> codes.shape
    (32,)
    """
    check_descriptor(descriptor)
    if not 2 <= count <= MAX_FRAMES:
        raise ValueError(f"a wavetable cannot have {count} frames: give 2 to {MAX_FRAMES}")
    partials, _ = partials_and_noise(timbre)
    codes, pitch = clear_codes(timbre), timbre.codebook["fundamental"]
    if descriptor != "fundamental" or note is not None:
        low, high = _octave(timbre, note)
        codes = codes[(pitch[codes] >= low) & (pitch[codes] <= high)]
        if not len(codes):
            raise ValueError(f"{timbre.name} has no code with a clear pitch around {note}: choose another note")
    amplitude = harmonic_amplitudes(partials[codes], pitch[codes])  # (codes, harmonics)
    amplitude /= np.sqrt(np.square(amplitude).sum(axis=1, keepdims=True) / 2)  # RMS 1
    if descriptor == "fundamental":
        value = 12 * np.log2(pitch[codes])
    else:
        value = _measure_at(descriptor, amplitude, np.sqrt(low * high))
    known = np.isfinite(value)
    if not known.any():
        raise ValueError(f"no code of {timbre.name} has a {descriptor}: choose another descriptor")
    codes, amplitude, value = codes[known], amplitude[known], value[known]
    places = _choose(value, timbre.model.cepstra[codes], count)
    frames = make_loop(amplitude[places], 1, FRAME, np.zeros(amplitude.shape[1]))  # (count, FRAME)
    table = frames.ravel() * (PEAK / np.abs(frames).max())  # (count, FRAME) -> (count * FRAME,)
    credit = credits_text(card)
    chunks = {"clm ": wavetable_chunk(FRAME), "LIST": text_chunk(card["licence"], credit)}
    with atomic_write(path) as part:
        part.write_bytes(encode_instrument_wav(table, chunks))
    return codes[places]


def _octave(timbre: "Timbre", note: str | None) -> tuple[float, float]:
    """Return the ends in Hz of the octave around a note, by default of the one that contains most codes."""
    if note is None:
        return timbre.codebook.fullest_octave()
    import librosa

    try:
        middle = librosa.note_to_hz(note)
    except librosa.ParameterError as error:
        raise ValueError(f"{note!r:.40} is not a note: give a letter and an octave, such as A4 or F#3") from error
    return middle / np.sqrt(2), middle * np.sqrt(2)


def _measure_at(name: str, amplitude: np.ndarray, f0: float) -> np.ndarray:
    """Measure a descriptor of harmonics, (n, harmonics), played at one fundamental in Hz: float64 (n,)."""
    from scipy.fft import rfft

    harmonics = np.arange(1, amplitude.shape[1] + 1)
    audible = harmonics * f0 < SAMPLE_RATE / 2
    times = np.arange(N_FFT) / SAMPLE_RATE
    sines = np.sin(2 * np.pi * f0 * np.outer(harmonics[audible], times))  # (harmonics, N_FFT)
    frames = amplitude[:, audible] @ sines * hann_window()  # (n, N_FFT)
    return check_descriptor(name).measure(np.abs(rfft(frames, axis=1)))


def _choose(value: np.ndarray, cepstra: np.ndarray, count: int) -> np.ndarray:
    """Choose codes whose value rises in equal steps and whose spectra change smoothly, by the path search.

    Parameters
    ----------
    value : ndarray, float, (n,)
    cepstra : ndarray, float32, (n, dimensions)
    count : int

    Returns
    -------
    ndarray, int64, (count,)
        Indices of the codes, in the order of their values.
    """
    low, high = np.percentile(value, INNER)
    step = max((high - low) / (count - 1), 1e-9)
    error = ((value - np.linspace(low, high, count)[:, None]) / step).astype(np.float32)  # in steps, (count, n)
    candidates = select_candidates(np.square(error), min(CANDIDATES, len(value)))
    error = np.take_along_axis(error, candidates, axis=1)  # (count, candidates)
    transitions = Transitions(cepstra, np.full(len(value), np.nan), smoothness=1.0, continuity=0.0)
    path = cheapest_path(candidates, error[None], [0.0], transitions)
    chosen = candidates[np.arange(count), path]
    return chosen[value[chosen].argsort(kind="stable")]
