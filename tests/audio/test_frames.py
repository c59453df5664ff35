import numpy as np
import pytest
from conftest import sine

from timbrelib.audio import frames
from timbrelib.audio.frames import FRAME_RATE, HOP, SAMPLE_RATE


def test_gain_of_a_sine_is_its_windowed_rms():
    # mean of Hann squared is 3/8, of a unit sine squared 1/2
    gain = frames.frame_gain(sine(1000, amplitude=0.8))
    np.testing.assert_allclose(gain[4:-4], 0.8 * np.sqrt(3 / 16), rtol=1e-3)


@pytest.mark.parametrize("n", [300, 512, 2048, 22_050, 22_051])
def test_gain_is_the_same_from_samples_and_from_spectra(n):
    noise = np.random.default_rng(0).standard_normal(n).astype(np.float32)
    gain = frames.frame_gain(noise)
    assert len(gain) == frames.frame_count(n)
    np.testing.assert_allclose(gain, frames.spectrum_gain(frames.spectra(noise)), rtol=1e-5)


@pytest.mark.parametrize("n", [1, 511, 512, 513, 22_050])
def test_times_and_spectra_have_one_entry_per_frame(n):
    count = frames.frame_count(n)
    assert count == 1 + n // HOP == len(frames.spectra(np.ones(n, np.float32)))
    np.testing.assert_allclose(frames.frame_times(count), np.arange(count) / FRAME_RATE)


def test_seconds_convert_to_the_frames_that_they_contain():
    assert [frames.seconds_to_frames(seconds) for seconds in (0, 0.02, HOP / SAMPLE_RATE, 2)] == [1, 1, 2, 87]


def test_blocks_of_spectra_join_to_all_frames(monkeypatch):
    noise = np.random.default_rng(0).standard_normal(30 * HOP).astype(np.float32)
    whole = frames.spectra(noise)
    monkeypatch.setattr(frames, "BLOCK", 7)
    blocks = list(frames.spectrum_blocks(noise))
    assert [len(block) for block in blocks] == [7, 7, 7, 7, 3]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_frames_are_centred_where_they_are_asked_for():
    steps = np.repeat([0, 1], 4096).astype(np.float32)
    (spectrum,) = frames.spectrum_blocks(steps, np.array([2048, 4096, 6144]))
    np.testing.assert_allclose(frames.spectrum_gain(spectrum), np.sqrt(3 / 8) * np.sqrt([0, 0.5, 1]), atol=1e-3)
