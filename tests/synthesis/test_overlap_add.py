import librosa
import numpy as np
import pytest
from conftest import sine

from timbrelib.audio.frames import HOP, frame_gain
from timbrelib.synthesis.blending import blend_blocks
from timbrelib.synthesis.excitation import BLOCK
from timbrelib.synthesis.locked import Oscillators
from timbrelib.synthesis.noise import filter_noise, white_noise
from timbrelib.synthesis.overlap_add import EDGE, fade_ends, overlap_add, restore_gain


@pytest.mark.parametrize("excitation", ["locked", "noise"])
def test_a_sound_is_the_inverse_stft_of_its_frames(violin, excitation):
    n_frames = 3 * BLOCK + 7
    codes, gain = np.random.default_rng(0).integers(0, len(violin.codebook), n_frames), np.full(n_frames, 0.05)
    oscillators, white = Oscillators(), white_noise(0, n_frames, BLOCK)
    blocks = [
        oscillators.play(blends.partials, blends.rows, blends.gain)
        if excitation == "locked"
        else filter_noise(white, blends.noise, blends.rows[1:], blends.gain)
        for blends in blend_blocks(violin.model.code_spectra(excitation, 0), codes, gain, BLOCK)
    ]
    expected = librosa.istft(np.concatenate(blocks).T, n_fft=2048, hop_length=HOP, length=(len(codes) - 1) * HOP)
    np.testing.assert_allclose(overlap_add(blocks, len(codes)), expected, atol=1e-6)


def test_a_short_sound_fades_over_at_most_half_of_it():
    np.testing.assert_allclose(fade_ends(np.ones(5, np.float32)) * EDGE, [0.5, 1.5, EDGE, 1.5, 0.5])


def test_a_changing_gain_is_restored():
    gain = np.linspace(0.1, 0.4, 44)
    restored = restore_gain(sine(440, amplitude=0.7)[: 43 * HOP], gain)
    np.testing.assert_allclose(frame_gain(restored)[5:-5], gain[5:-5], rtol=1e-3)
