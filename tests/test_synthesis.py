import numpy as np
import pytest
from conftest import sine

from timbrelib.audio import HOP, SAMPLE_RATE, spectra, spectrum_gain
from timbrelib.synthesis import synthesise


def table_of(*sounds):
    """One code for each steady sound: its unit-gain spectrum."""
    steady = np.stack([spectra(sound)[20] for sound in sounds])  # (codes, N_BINS)
    return steady / spectrum_gain(steady)[:, None]


def frequency(audio):
    """Frequency of a lone sine at every sample but the outer ones, from its analytic phase."""
    from scipy.signal import hilbert

    phase = np.unwrap(np.angle(hilbert(audio.astype(np.float64))))
    return (np.diff(phase) * SAMPLE_RATE / 2 / np.pi)[6 * HOP : -6 * HOP]


@pytest.mark.parametrize("hertz", [440.0, 1003.3, 5000.0])
def test_a_held_code_is_a_steady_sound_at_its_own_frequency(hertz):
    audio = synthesise(table_of(sine(hertz)), np.zeros(60, int), np.full(60, 0.1))
    assert np.median(frequency(audio)) == pytest.approx(hertz, abs=0.3)
    np.testing.assert_allclose(
        np.std(audio[4 * HOP : -4 * HOP]), 0.1 / np.sqrt(3 / 8), rtol=0.01
    )  # the gain is that under a Hann window


def test_a_partial_glides_from_code_to_code_without_a_jump():
    codes = np.repeat(np.arange(6), 8)
    audio = synthesise(table_of(*(sine(1000 + 8 * step) for step in range(6))), codes, np.full(48, 0.1))
    heard = frequency(audio)
    assert heard.min() > 1000 - 4
    assert heard.max() < 1040 + 4
    assert np.abs(np.diff(heard)).max() < 0.2  # Hz from sample to sample
    asked = 1000 + 8 * np.repeat(codes, HOP)[6 * HOP :][: len(heard)]
    assert np.mean(np.abs(heard - asked)) < 2


def test_a_sound_begins_and_ends_without_a_click():
    audio = synthesise(table_of(sine(997)), np.zeros(30, int), np.full(30, 0.1))
    largest_step = np.abs(np.diff(audio)).max()
    assert abs(audio[0]) < largest_step / 2
    assert abs(audio[-1]) < largest_step / 2
