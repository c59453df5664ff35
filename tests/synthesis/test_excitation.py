import tracemalloc

import numpy as np
import pytest
from conftest import sine

from timbrelib.audio.frames import HOP, SAMPLE_RATE, spectra, spectrum_gain
from timbrelib.synthesis import locked, noise
from timbrelib.synthesis.blending import BLOCK
from timbrelib.synthesis.excitation import EXCITATIONS, synthesise


def unit_spectra(*sounds):
    """One code for each steady sound: its unit-gain spectrum."""
    steady = np.stack([spectra(sound)[20] for sound in sounds])  # (codes, N_BINS)
    return steady / spectrum_gain(steady)[:, None]


def frequency(audio):
    """Frequency of a single sine at every sample but the outer ones, from its analytic phase."""
    from scipy.signal import hilbert

    phase = np.unwrap(np.angle(hilbert(audio.astype(np.float64))))
    return (np.diff(phase) * SAMPLE_RATE / 2 / np.pi)[6 * HOP : -6 * HOP]


@pytest.mark.parametrize("hertz", [440.0, 1003.3, 5000.0])
def test_a_held_code_is_a_steady_sound_at_its_own_frequency(hertz):
    audio = synthesise(unit_spectra(sine(hertz)), np.zeros(60, int), np.full(60, 0.1))
    assert np.median(frequency(audio)) == pytest.approx(hertz, abs=0.3)
    np.testing.assert_allclose(
        np.std(audio[4 * HOP : -4 * HOP]), 0.1 / np.sqrt(3 / 8), rtol=0.01
    )  # the gain is that under a Hann window


def test_a_partial_glides_from_code_to_code_without_a_jump():
    codes = np.repeat(np.arange(6), 8)
    audio = synthesise(unit_spectra(*(sine(1000 + 8 * step) for step in range(6))), codes, np.full(48, 0.1))
    measured = frequency(audio)
    assert measured.min() > 1000 - 4
    assert measured.max() < 1040 + 4
    assert np.abs(np.diff(measured)).max() < 0.2  # Hz from sample to sample
    requested = 1000 + 8 * np.repeat(codes, HOP)[6 * HOP :][: len(measured)]
    assert np.mean(np.abs(measured - requested)) < 2


def test_a_sound_begins_and_ends_without_a_click():
    audio = synthesise(unit_spectra(sine(997)), np.zeros(30, int), np.full(30, 0.1))
    largest_step = np.abs(np.diff(audio)).max()
    assert abs(audio[0]) < largest_step / 2
    assert abs(audio[-1]) < largest_step / 2


@pytest.mark.parametrize("excitation", EXCITATIONS)
@pytest.mark.parametrize("n_frames", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK])
def test_a_sound_does_not_depend_on_the_size_of_a_block(violin, monkeypatch, excitation, n_frames):
    rng = np.random.default_rng(n_frames)
    codes = np.repeat(rng.integers(0, 1024, n_frames), 3)[:n_frames]
    gain = rng.uniform(0, 0.1, n_frames)
    sounds = []
    for block in (BLOCK, 5, 2 * BLOCK + 1):
        for module in (locked, noise):
            monkeypatch.setattr(module, "BLOCK", block)
        sounds.append(synthesise(violin.model.spectra, codes, gain, excitation, seed=1))
    assert sounds[0].shape == (max(1, n_frames - 1) * HOP,)
    np.testing.assert_array_equal(sounds[0], sounds[1])
    np.testing.assert_array_equal(sounds[0], sounds[2])


@pytest.mark.parametrize("excitation", EXCITATIONS)
def test_memory_grows_with_the_sound_and_not_with_its_spectra(violin, excitation):
    peaks = []
    for n_frames in (1000, 3000):
        codes, gain = np.random.default_rng(0).integers(0, 1024, n_frames), np.full(n_frames, 0.05)
        synthesise(violin.model.spectra, codes[:10], gain[:10], excitation)
        tracemalloc.start()
        synthesise(violin.model.spectra, codes, gain, excitation)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 6 * 2000 * HOP * 4  # bytes: six times what the sound itself has grown


def test_an_unknown_excitation_is_refused_with_the_known_ones(violin):
    with pytest.raises(ValueError, match="'hum': choose one of locked, noise"):
        synthesise(violin.model.spectra, np.zeros(3, int), np.ones(3), "hum")
