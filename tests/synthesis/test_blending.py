from functools import partial

import numpy as np
import pytest
from conftest import sine, unit_spectra, white_noise

from timbrelib.audio.frames import N_BINS, spectrum_gain
from timbrelib.synthesis.blending import CodeSpectra, blend_blocks
from timbrelib.synthesis.retuning import Retuner, with_neighbours


@pytest.fixture
def low_and_full():
    """Spectra of two codes: one has only low frequencies, the other all of them."""
    spectra = np.ones((2, N_BINS), np.float32)
    spectra[1, 100:] = 1e-3
    return spectra[::-1] / spectrum_gain(spectra[::-1])[:, None]


def blended(spectra, codes, move=None):
    """Blended partials of all frames, float32 (frames, N_BINS)."""
    blocks = blend_blocks(spectra, codes, np.ones(len(codes)), 100, move)
    return np.concatenate([block.partials[block.rows[1:]] for block in blocks])


def test_a_change_of_code_takes_three_frames(low_and_full):
    frames = blended(CodeSpectra(low_and_full, None), np.repeat([1, 0], 5))
    np.testing.assert_allclose(spectrum_gain(frames), 1, rtol=1e-5)
    np.testing.assert_allclose(frames[[0, 3, 6, 9]], low_and_full[[1, 1, 0, 0]], rtol=1e-5)  # codes that stay
    assert frames[3, 500] > frames[4, 500] > frames[5, 500] > frames[6, 500]


def test_partials_and_noise_have_unit_gain_together():
    (sound,), (hiss,) = unit_spectra(sine(440)), unit_spectra(white_noise())
    spectra = CodeSpectra(np.stack([sound, 0.6 * sound]), np.stack([0 * hiss, 0.8 * hiss]))
    (blends,) = blend_blocks(spectra, np.repeat([0, 1], 5), np.ones(10), 10)
    power = spectrum_gain(blends.partials) ** 2 + spectrum_gain(blends.noise) ** 2
    np.testing.assert_allclose(power, 1, rtol=1e-5)
    share = (spectrum_gain(blends.noise) ** 2)[blends.rows[1:]]
    np.testing.assert_allclose(share[[0, 3, 6, 9]], [0, 0, 0.64, 0.64], atol=1e-5)


def test_held_codes_are_blended_once(low_and_full):
    (blends,) = blend_blocks(CodeSpectra(low_and_full, None), np.repeat([0, 1, 0], 30), np.ones(90), 90)
    assert len(blends.partials) == 2 + 4  # both codes, and two frames of each change
    np.testing.assert_array_equal(blends.rows[1:30], blends.rows[1])


@pytest.mark.parametrize("cents", [None, 30])
def test_blocks_join_to_all_frames(low_and_full, cents):
    codes = np.random.default_rng(0).integers(0, 2, 127)
    gain = np.linspace(0, 1, len(codes))
    move = cents and partial(Retuner(low_and_full, codes).move, np.full((len(codes), 3), float(cents)))
    (whole,) = blend_blocks(CodeSpectra(low_and_full, None), codes, gain, 127, move)
    blocks = list(blend_blocks(CodeSpectra(low_and_full, None), codes, gain, 10, move))
    assert [len(block.gain) for block in blocks] == 12 * [10] + [7]
    np.testing.assert_array_equal(np.concatenate([block.gain for block in blocks]), whole.gain)
    frames = np.concatenate([block.partials[block.rows[1:]] for block in blocks])
    np.testing.assert_array_equal(frames, whole.partials[whole.rows[1:]])
    before = np.stack([block.partials[block.rows[0]] for block in blocks])  # the frame before each block
    np.testing.assert_array_equal(before, frames[[0, *range(9, 120, 10)]])


def test_a_frame_blends_its_neighbours_as_they_are_moved():
    spectra = CodeSpectra(unit_spectra(sine(1000), sine(1200)), None)
    codes = np.repeat([0, 1], 5)
    up, down = 1200 * np.log2(1.1), 1200 * np.log2(1.1 / 1.2)  # cents to 1100 Hz, from either code
    cents = np.where(with_neighbours(codes) == 0, up, down)
    peaks = blended(spectra, codes, partial(Retuner(spectra.partials, codes).move, cents)).argmax(axis=1)
    np.testing.assert_array_equal(peaks, round(1100 * 2048 / 22_050))
