"""Sounds to transfer from: a phrase that one of the models plays, or a recording at hand.

Notebook: 07_timbre_transfer.
"""

from pathlib import Path

import numpy as np

from timbrelib.audio.frames import HOP, SAMPLE_RATE
from timbrelib.codebook import joint_range, fullest_octave
from timbrelib.control.curves import break_points, fade
from timbrelib.control.matching import match
from timbrelib.model.vqvae import VQVAE
from timbrelib.recordings.corpus import recordings

MELODY = (0, 4, 7, 12, 11, 7, 9, 5, 4, 2, 0)  # semitones above the lowest note
REST = 7  # place in the melody before which it breathes
NOTE, GLIDE = 0.6, 0.07  # seconds of a note, and from one to the next
VIBRATO, RATE = 15.0, 5.5  # cents and Hz
LOUDEST = 0.08  # gain
LONGEST = 10.0  # seconds of a recording


def played(model: VQVAE, table: np.ndarray) -> np.ndarray:
    """Let a model play a phrase: eleven notes in the octave of its fullest codes, brighter in the middle.

    Parameters
    ----------
    model : VQVAE
    table : ndarray, structured, (n_codes,)
        Its own, from `timbrelib.analyse_codebook`.

    Returns
    -------
    ndarray, float32, (n,)

    Raises
    ------
    ValueError
        Too few codes of the model are pitched.
    """
    low, high = fullest_octave(table)
    starts = NOTE * np.arange(len(MELODY))
    times = np.ravel([starts + GLIDE / 2, starts + NOTE - GLIDE / 2], order="F")  # (2 * notes,)
    pitch = break_points("fundamental", times, low * 2 ** (np.repeat(MELODY, 2) / 12))
    seconds = np.arange(len(pitch)) * HOP / SAMPLE_RATE
    pitch *= 2 ** (VIBRATO / 1200 * np.sin(2 * np.pi * RATE * seconds))
    dark, bright = joint_range(table, "centroid", "fundamental", low, high)
    brightness = dark + (bright - dark) * np.sin(np.pi * np.linspace(0, 1, len(pitch))) ** 2
    curves = {"fundamental": pitch.clip(low, high), "centroid": brightness}
    codes = match(model, table, curves, weights={"centroid": 0.1})
    breath = int(np.searchsorted(seconds, REST * NOTE))
    gain = [fade(n, LOUDEST, rise_s=0.3, fall_s=0.4) for n in (breath, len(pitch) - breath)]
    return model.decode(codes, np.concatenate(gain))


def recorded(source: str, folder: str | Path) -> np.ndarray:
    """Take the beginning of the longest test recording of a timbre, or of speech, float32 (n,).

    Parameters
    ----------
    source : str
        A timbre, or ``speech``, which is looked for by that word among the ``inputs``.
    folder : str or Path
        Of recordings.

    Raises
    ------
    FileNotFoundError
        There is no such recording.
    """
    found = recordings("inputs" if source == "speech" else source, "test", folder)
    if source == "speech":
        found = [recording for recording in found if source in recording.name]
        if not found:
            raise FileNotFoundError(f"no recording in {folder}/inputs has the word speech in its name: add one")
    longest = max(found, key=lambda recording: len(recording.audio))
    return longest.audio[: int(LONGEST * SAMPLE_RATE)]
