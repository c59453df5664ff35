"""Synthetic bowed strings: recordings whose exact fundamental is known.

They replace real recordings in notebook 01_train and in the tests.  Each phrase is a sum of
harmonics with glides, vibrato, changing brightness and bow noise, through a fixed body.

Notebooks: 01_train, 07_follow_a_line.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.audio.sound_output import save_audio
from timbrelib.recordings.corpus import Recording

LOWEST, HIGHEST = 196.0, 1568.0  # Hz: G3 to G6, three octaves of a violin
BODY = ((280, 40, 6), (460, 60, 8), (1100, 250, 5), (2600, 700, 9))  # resonances: centre Hz, width Hz, height dB


@dataclass(frozen=True)
class Phrase(Recording):
    """A synthetic recording.

    Attributes
    ----------
    f0 : ndarray, float64, (n,)
        Fundamental of every sample in Hz.
    """

    f0: np.ndarray


def bowed_string(f0: np.ndarray, slope: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Synthesise a bowed string.

    Parameters
    ----------
    f0 : ndarray, float, (n,)
        Fundamental of every sample in Hz.
    slope : ndarray, float, (n,)
        Decay of the harmonics in dB per octave: 6 is bright, 14 is dark.
    noise : float
        RMS of the bow noise relative to that of the harmonics, linear.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, float32, (n,)
        With a peak of 0.25.
    """
    from scipy.signal import lfilter

    phase = 2 * np.pi * np.cumsum(f0) / SAMPLE_RATE
    sound = np.zeros(len(f0))
    for harmonic in range(1, int(SAMPLE_RATE / 2 / f0.min()) + 1):
        frequency = harmonic * f0
        level = body(frequency) - slope * np.log2(harmonic)  # dB
        level = np.where(frequency < 0.48 * SAMPLE_RATE, level, -np.inf)  # avoids aliasing
        sound += 10 ** (level / 20) * np.sin(harmonic * phase)
    hiss = lfilter([1], [1, -0.9], rng.standard_normal(len(f0)))
    sound += hiss * noise * sound.std() / hiss.std()
    return (0.25 * sound / np.abs(sound).max()).astype(np.float32)


def body(frequency: np.ndarray) -> np.ndarray:
    """Frequency response of the body in dB, at frequencies in Hz, with their shape."""
    resonances = (height / (1 + ((frequency - centre) / width) ** 2) for centre, width, height in BODY)
    return sum(resonances, start=np.zeros_like(frequency))


def string_corpus(minutes: float = 1.0, seed: int = 0) -> list[Phrase]:
    """Synthesise phrases of 4 seconds each.

    Parameters
    ----------
    minutes : float
        Total duration.
    seed : int
        Use different seeds for training and testing: the phrases differ.

    Returns
    -------
    list of Phrase
    """
    rng = np.random.default_rng(seed)
    return [phrase(f"phrase {number}", rng) for number in range(max(1, round(minutes * 60 / 4)))]


def write_strings(folder: str | Path, minutes: float = 1.0, seed: int = 0) -> Path:
    """Write synthetic strings into a folder, as 16-bit WAV files of 4 seconds each.

    Parameters
    ----------
    folder : str or Path
    minutes : float
        Total duration.
    seed : int
        Other seeds give other phrases.

    Returns
    -------
    Path
        `folder`.

    Examples
    --------
    >>> import tempfile
    >>> import timbrelib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = timbrelib.write_strings(f"{folder}/strings", minutes=0.2)
    ...     print(sorted(path.name for path in written.iterdir()))
    ['phrase 0.wav', 'phrase 1.wav', 'phrase 2.wav']
    """
    for recording in string_corpus(minutes, seed):
        save_audio(Path(folder) / f"{recording.name}.wav", recording.audio)
    return Path(folder)


def string_melody() -> np.ndarray:
    """Synthesise a melody to follow, float32 (n,): two phrases below the violin's range, with a rest between.

    Examples
    --------
    >>> import timbrelib
    >>> round(len(timbrelib.string_melody()) / 22050, 1)  # seconds
    8.5
    """
    rng = np.random.default_rng(0)
    first, second = (
        bowed_string(played.f0 / 2, np.linspace(8, 12, len(played.f0)), 0.01, rng)
        for played in string_corpus(0.14, seed=8)
    )
    return np.concatenate([first, np.zeros(SAMPLE_RATE // 2, np.float32), second])


def phrase(name: str, rng: np.random.Generator) -> Phrase:
    """Synthesise a phrase of four seconds: three notes with glides, vibrato and a change of brightness."""
    n = 4 * SAMPLE_RATE
    seconds = np.arange(n) / SAMPLE_RATE
    span = np.log2(HIGHEST / LOWEST)
    notes = np.clip(rng.uniform(0, span) + np.cumsum(rng.uniform(-0.6, 0.6, 3)), 0, span)  # octaves above LOWEST
    onsets = [0, 1.2, 1.5, 2.5, 2.9, 4]  # seconds; each note is held, then glides to the next
    pitch = np.interp(seconds, onsets, [notes[0], notes[0], notes[1], notes[1], notes[2], notes[2]])
    vibrato = rng.uniform(0, 0.25) / 12 * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * seconds)
    f0 = LOWEST * 2 ** (pitch + vibrato)
    slope = np.interp(seconds, [0, 2, 4], rng.uniform(6, 14, 3))
    swell = np.interp(seconds, [0, 0.08, 2, 3.9, 4], [0, *rng.uniform(0.4, 1, 3), 0])
    sound = bowed_string(f0, slope, rng.uniform(0.003, 0.03), rng) * swell
    return Phrase(name, sound.astype(np.float32), f0)
