import numpy as np
import pytest
from conftest import sine, tone, white_noise

from timbrelib.audio import frames
from timbrelib.audio.frames import HOP, N_BINS, N_FFT, SAMPLE_RATE, spectrum_blocks
from timbrelib.recordings import noise_share
from timbrelib.recordings.noise_share import noise_share_blocks


def share(sound):
    """Mean share of noise of each bin over the inner frames of a sound, 0..1, (N_BINS,)."""
    return np.concatenate(list(noise_share_blocks(sound)))[4:-4].mean(axis=0) / 255


def lobe(hertz):
    """The bins around a frequency that are under the main lobe of a partial."""
    centre = round(hertz * N_FFT / SAMPLE_RATE)
    return slice(centre - 1, centre + 2)


@pytest.mark.parametrize("hertz", [440.0, 1003.3, 5000.0])
def test_a_sine_has_no_noise_in_its_main_lobe(hertz):
    assert share(sine(hertz))[lobe(hertz)].max() < 0.01


def test_white_noise_is_noise_in_all_bins():
    by_bin = share(white_noise(3.0))
    assert by_bin[5:-5].mean() > 0.75
    assert by_bin[5:-5].min() > 0.55


@pytest.mark.parametrize("loudness", [0.03, 0.1, 0.3])
def test_a_sine_in_noise_is_separated_from_it(loudness):
    """At RMS amplitudes of 0.35 and 0.003 to 0.03."""
    by_bin = share(sine(1000, 3.0) + loudness * white_noise(3.0))
    assert by_bin[lobe(1000)].max() < 0.02
    assert by_bin[200:].mean() > 0.75


def test_partials_have_less_noise_than_the_gaps_between_them():
    by_bin = share(tone(500, partials=10) + 0.05 * white_noise())
    partials = np.concatenate([by_bin[lobe(500 * k)] for k in range(1, 11)])
    gaps = np.concatenate([by_bin[lobe(500 * (k + 0.5))] for k in range(1, 10)])
    assert partials.max() < 0.05
    assert gaps.min() > 0.4


def test_the_share_does_not_depend_on_the_level():
    sound = tone(440) + 0.1 * white_noise()
    np.testing.assert_allclose(share(sound), share(0.125 * sound), atol=0.01)


def test_a_vibrato_is_not_mistaken_for_noise():
    seconds = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    f0 = 440 * 2 ** (40 / 1200 * np.sin(2 * np.pi * 5.5 * seconds))
    vibrato = (0.3 * np.sin(2 * np.pi * np.cumsum(f0) / SAMPLE_RATE)).astype(np.float32)
    assert share(vibrato + 0.01 * white_noise(2.0))[lobe(440)].mean() < 0.15


@pytest.mark.parametrize("n", [1, 300, 512, 22_050])
def test_there_is_a_byte_for_every_bin_of_every_frame(n):
    blocks = list(noise_share_blocks(white_noise()[:n]))
    assert [block.shape for block in blocks] == [block.shape for block in spectrum_blocks(white_noise()[:n])]
    assert {block.dtype for block in blocks} == {np.dtype(np.uint8)}


def test_blocks_are_those_of_the_spectra_and_join_to_all_frames(monkeypatch):
    sound = white_noise()[: 30 * HOP]
    whole = np.concatenate(list(noise_share_blocks(sound)))
    assert whole.shape == (31, N_BINS)
    for module in (frames, noise_share):
        monkeypatch.setattr(module, "BLOCK", 7)
        monkeypatch.setattr(module, "FFT_BLOCK", 3)
    blocks = list(noise_share_blocks(sound))
    assert [len(block) for block in blocks] == [len(block) for block in spectrum_blocks(sound)] == [7, 7, 7, 7, 3]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_silence_has_a_share_as_well():
    (silent,) = noise_share_blocks(np.zeros(5000, np.float32))
    assert silent.shape == (10, N_BINS)
