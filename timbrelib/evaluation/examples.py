"""Sounds to transfer: a phrase that a model plays, or a recording.

Notebook: 08_timbre_transfer.
"""

from pathlib import Path

import numpy as np

from timbrelib.audio.frames import HOP, SAMPLE_RATE
from timbrelib.control.curves import break_points, fade
from timbrelib.control.targets import Target
from timbrelib.control.timbre import Timbre
from timbrelib.descriptors.pitch import track_autocorrelation
from timbrelib.recordings.corpus import load_recordings

MELODY = (0, 4, 7, 12, 11, 7, 9, 5, 4, 2, 0)  # semitones above the lowest note
PAUSE = 7  # number of notes before the sound fades out and in again
NOTE, GLIDE = 0.6, 0.07  # seconds, of a note and from one note to the next
VIBRATO_DEPTH, VIBRATO_RATE = 15.0, 5.5  # cents and Hz
MAX_GAIN = 0.08
MAX_SECONDS = 10.0  # of a recording


def play_phrase(timbre: Timbre) -> np.ndarray:
    """Play a phrase: eleven notes in the octave of most codes, brightest in the middle.

    Parameters
    ----------
    timbre : Timbre

    Returns
    -------
    ndarray, float32, (n,)

    Raises
    ------
    ValueError
        Too few codes of the model are pitched.

    Examples
    --------
    >>> import timbrelib
    >>> phrase = timbrelib.play_phrase(timbrelib.load("viola"))
    >>> round(len(phrase) / 22050, 1)  # seconds
    6.5
    """
    low, high = timbre.codebook.fullest_octave()
    starts = NOTE * np.arange(len(MELODY))
    times = np.ravel([starts + GLIDE / 2, starts + NOTE - GLIDE / 2], order="F")  # (2 * notes,)
    pitch = break_points("fundamental", times, low * 2 ** (np.repeat(MELODY, 2) / 12))
    seconds = np.arange(len(pitch)) * HOP / SAMPLE_RATE
    pitch *= 2 ** (VIBRATO_DEPTH / 1200 * np.sin(2 * np.pi * VIBRATO_RATE * seconds))
    dark, bright = timbre.codebook.joint_range("centroid", "fundamental", low, high)
    brightness = dark + (bright - dark) * np.sin(np.pi * np.linspace(0, 1, len(pitch))) ** 2
    pause = int(np.searchsorted(seconds, PAUSE * NOTE))
    gain = [fade(n_frames, MAX_GAIN, rise_s=0.3, fall_s=0.4) for n_frames in (pause, len(pitch) - pause)]
    rendering = timbre.render(
        Target("fundamental", pitch.clip(low, high)),
        Target("centroid", brightness),
        gain=np.concatenate(gain),
        track_f0=track_autocorrelation,
    )
    # not rounded to 16 bits yet: a transfer filters and rounds what it is given
    return rendering.code_path.decode(timbre.model, rendering.gain, timbre.excitation, timbre.noise)


def longest_recording(source: str, folder: str | Path) -> np.ndarray:
    """Read the beginning of the longest test recording of a timbre, or of speech, float32 (n,).

    Parameters
    ----------
    source : str
        A timbre, or ``speech``: then a recording in ``inputs`` with that word in its name.
    folder : str or Path
        Folder of recordings, with a folder for each timbre.

    Returns
    -------
    ndarray, float32, (n,)
        At most ten seconds.

    Raises
    ------
    FileNotFoundError
        There is no such recording.

    Examples
    --------
    >>> import tempfile
    >>> import timbrelib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = timbrelib.write_strings(f"{folder}/strings", minutes=0.2)
    ...     sound = timbrelib.longest_recording("strings", folder)
    >>> len(sound) / 22050  # seconds
    4.0
    """
    found = load_recordings("inputs" if source == "speech" else source, "test", folder)
    if source == "speech":
        found = [recording for recording in found if source in recording.name]
        if not found:
            raise FileNotFoundError(f"no recording in {folder}/inputs has the word speech in its name: add one")
    longest = max(found, key=lambda recording: len(recording.audio))
    return longest.audio[: int(MAX_SECONDS * SAMPLE_RATE)]
