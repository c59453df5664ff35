import numpy as np
import pytest
from conftest import sine

from timbrelib import evaluation


def test_tracking_error_is_a_share_of_the_targets_range():
    target = np.array([0.0, 50.0, 100.0])
    assert evaluation.tracking_error(target + 2, target) == pytest.approx(2)
    assert evaluation.tracking_error(np.array([1, np.nan, 100]), target) == pytest.approx(0.5)


def test_an_unvoiced_frame_is_not_within_any_cents():
    target = np.full(4, 440.0)
    measured = np.array([440 * 2 ** (30 / 1200), 440 * 2 ** (-60 / 1200), np.nan, 440])
    assert evaluation.within_cents(measured, target, 50) == 50
    assert evaluation.within_cents(measured, target, 20) == 25


def test_rank_correlation_sees_order_alone():
    assert evaluation.rank_correlation(np.array([1, 4, np.nan, 9]), np.arange(4)) == pytest.approx(1)


def test_distance_is_zero_to_itself_at_any_level_and_grows_with_change(phrases):
    sound = phrases[0].audio
    assert evaluation.log_spectral_distance(sound, sound / 3) < 1e-3
    noisy = sound + 0.01 * np.random.default_rng(0).standard_normal(len(sound)).astype(np.float32)
    assert 1 < evaluation.log_spectral_distance(sound, noisy) < evaluation.log_spectral_distance(sound, noisy[::-1])


def test_distance_of_white_noise_from_itself_filtered_is_the_filters():
    noise = np.random.default_rng(0).standard_normal(60_000)
    spectrum = np.fft.rfft(noise)
    spectrum[len(spectrum) // 2 :] *= 10 ** (6 / 20)  # 6 dB up in the upper half
    shelf = np.fft.irfft(spectrum)
    # after matching the RMS one half is up and the other down, 3 dB on average in the RMS sense
    gain = np.array([0, 6]) - 10 * np.log10((1 + 10**0.6) / 2)
    assert evaluation.log_spectral_distance(noise, shelf) == pytest.approx(np.sqrt(np.mean(gain**2)), abs=0.2)


@pytest.mark.parametrize(("other", "says"), [(sine(440)[:-1], "same length"), (0 * sine(440), "silent")])
def test_sounds_that_cannot_be_compared_are_refused(other, says):
    with pytest.raises(ValueError, match=says):
        evaluation.log_spectral_distance(sine(440), other)
