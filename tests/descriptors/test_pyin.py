"""pYIN: the same as that of librosa, which is slow but shares none of its search."""

import librosa
import numpy as np
import pytest
from conftest import sine, white_noise
from scipy.signal import resample_poly

from timbrelib.audio.frames import HOP, N_FFT, SAMPLE_RATE
from timbrelib.descriptors import pyin


def jumping_notes() -> np.ndarray:
    """Clear notes of a tenth of a second that jump over octaves, where distant transitions are the likeliest."""
    notes = np.random.default_rng(1).uniform(80, 2000, 12)
    return np.concatenate([sine(note, 0.1) for note in notes])


SOUNDS = {
    "jumping notes": jumping_notes(),
    "a note after silence": np.concatenate([sine(220, 0.3), np.zeros(3000, np.float32), sine(1500, 0.3)]),
    "noise": white_noise(0.5),
    "silence": np.zeros(5000, np.float32),
    "a sound of one frame": sine(300, 0.02),
    "a square": np.sign(sine(130, 0.4)),
}


@pytest.mark.parametrize("oversampling", [1, 2])
@pytest.mark.parametrize("sound", SOUNDS.values(), ids=SOUNDS)
def test_pitches_are_those_of_librosa_bit_for_bit(sound, oversampling, phrases, monkeypatch):
    monkeypatch.setattr(pyin, "BLOCK", 17)
    sound = np.concatenate([sound, phrases[0].audio[: SAMPLE_RATE // 2]]) if len(sound) > HOP else sound
    sound, scale = resample_poly(sound, oversampling, 1), oversampling
    f0, voiced, _ = librosa.pyin(
        sound, fmin=39, fmax=4400, sr=scale * SAMPLE_RATE, frame_length=scale * N_FFT, hop_length=scale * HOP,
        resolution=1 / 6,
    )  # fmt: skip
    np.testing.assert_array_equal(pyin.pyin(sound, 39, 4400, 6, oversampling), np.where(voiced, f0, np.nan))
