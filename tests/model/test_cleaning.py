import numpy as np
from conftest import sine, tone, white_noise

from timbrelib.audio.frames import N_FFT, SAMPLE_RATE, spectra
from timbrelib.model.cleaning import remove_below_fundamental

BIN = SAMPLE_RATE / N_FFT  # Hz
STEADY = slice(4, -4)


def test_a_hum_below_a_note_is_attenuated_by_30_db_and_all_else_stays():
    before = spectra(tone(440) + sine(100, amplitude=0.01))[STEADY]
    after = remove_below_fundamental(before)
    hum, rest = round(100 / BIN), round(440 / BIN) - 2
    np.testing.assert_allclose(20 * np.log10(after[:, hum] / before[:, hum]), -30.5, atol=0.1)
    np.testing.assert_array_equal(after[:, rest:], before[:, rest:])


def test_a_spectrum_without_a_pitch_stays_as_it_is():
    before = spectra(white_noise())
    np.testing.assert_array_equal(remove_below_fundamental(before), before)


def test_each_spectrum_is_cleaned_below_its_own_fundamental():
    before = np.concatenate([spectra(tone(f0) + 0.001 * white_noise())[8:12] for f0 in (220, 880)])  # (8, N_BINS)
    after = remove_below_fundamental(before)
    cleaned = (after < before).sum(axis=1)  # bins
    np.testing.assert_allclose(cleaned, np.repeat([220, 880], 4) / BIN - 2.5, atol=1)
