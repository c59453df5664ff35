import numpy as np
import pytest
from conftest import sine

from timbrelib.audio.frames import N_FFT, SAMPLE_RATE, frame_count, spectra
from timbrelib.control.transposition import transposed_spectra


@pytest.mark.parametrize("semitones", [-12, -5, 0, 7, 12])
def test_a_transposed_sound_has_its_partials_elsewhere_at_the_same_times(semitones):
    sound = np.concatenate([sine(440), sine(660)])
    spectrum = transposed_spectra(sound, semitones)
    assert len(spectrum) == frame_count(len(sound))
    loudest = spectrum.argmax(axis=1) * SAMPLE_RATE / N_FFT  # Hz
    change = len(spectrum) // 2
    for part, frequency in ((slice(4, change - 4), 440), (slice(change + 4, -4), 660)):
        np.testing.assert_allclose(loudest[part], frequency * 2 ** (semitones / 12), atol=SAMPLE_RATE / N_FFT)


def test_a_sound_that_is_not_transposed_keeps_its_spectra():
    sound = sine(440)
    np.testing.assert_array_equal(transposed_spectra(sound, 0), spectra(sound))
