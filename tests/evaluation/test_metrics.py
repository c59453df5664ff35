import numpy as np
import pytest
from conftest import sine

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.evaluation.metrics import hnr_and_flux, log_spectral_distance, pitch_jumps


def test_distance_is_zero_to_itself_at_any_level_and_grows_with_change(phrases):
    sound = phrases[0].audio
    assert log_spectral_distance(sound, sound / 3) < 1e-3
    noisy = sound + 0.01 * np.random.default_rng(0).standard_normal(len(sound)).astype(np.float32)
    assert 1 < log_spectral_distance(sound, noisy) < log_spectral_distance(sound, noisy[::-1])


def test_distance_of_white_noise_from_itself_filtered_is_the_filters():
    noise = np.random.default_rng(0).standard_normal(60_000)
    spectrum = np.fft.rfft(noise)
    spectrum[len(spectrum) // 2 :] *= 10 ** (6 / 20)  # 6 dB up in the upper half
    shelf = np.fft.irfft(spectrum)
    # after matching the RMS one half is up and the other down, 3 dB on average in the RMS sense
    gain = np.array([0, 6]) - 10 * np.log10((1 + 10**0.6) / 2)
    assert log_spectral_distance(noise, shelf) == pytest.approx(np.sqrt(np.mean(gain**2)), abs=0.2)


@pytest.mark.parametrize(("other", "says"), [(sine(440)[:-1], "same length"), (0 * sine(440), "silent")])
def test_sounds_that_cannot_be_compared_are_refused(other, says):
    with pytest.raises(ValueError, match=says):
        log_spectral_distance(sine(440), other)


@pytest.mark.parametrize("ratio", [15, 20, 30])
def test_the_harmonics_stand_above_the_noise_by_as_much_as_was_added(ratio):
    tone = sum(sine(220 * k, 2, amplitude=0.1) for k in range(1, 6))
    noise = np.random.default_rng(0).standard_normal(len(tone)).astype(np.float32)
    measured, _ = hnr_and_flux(tone + noise * tone.std() * 10 ** (-ratio / 20))
    assert np.median(measured) == pytest.approx(ratio, abs=0.5)


def test_a_steady_tone_has_no_flux_and_a_stuttering_one_has(phrases):
    steady, stuttering = sine(500, 2), np.concatenate([sine(f, 0.1) for f in [500, 2000] * 10])
    assert np.median(hnr_and_flux(steady)[1]) < 1e-3
    assert np.mean(hnr_and_flux(phrases[0].audio)[1]) < 0.3 * np.mean(hnr_and_flux(stuttering)[1])


def test_flux_does_not_depend_on_loudness_and_leaves_silence_out():
    string = sum(sine(f, amplitude=0.1) for f in (330, 660, 1000))
    _, flux = hnr_and_flux(string)
    _, softer = hnr_and_flux(np.concatenate([0.1 * string, np.zeros(22_050, np.float32)]))
    assert len(flux) == 43  # pairs of 44 frames
    assert len(softer) <= 46
    np.testing.assert_allclose(softer[2:40], flux[2:40], atol=1e-4)


def test_noise_has_no_harmonics_and_silence_nothing():
    noise = np.random.default_rng(0).standard_normal(22_050).astype(np.float32)
    ratio, flux = hnr_and_flux(noise)
    assert np.median(ratio) < -5  # dB
    assert 0.3 < np.median(flux) < np.sqrt(2)
    assert [len(x) for x in hnr_and_flux(np.zeros(22_050, np.float32))] == [0, 0]


def test_every_change_of_note_is_a_jump_of_the_pitch():
    notes = np.concatenate([sine(f, 0.4) for f in [400, 600] * 5])
    assert 9 <= 4 * pitch_jumps(notes) <= 2 * 9.5  # in 4 s; a frame that contains both notes may have a third pitch
    steps = np.concatenate([sine(f, 0.4) for f in [400, 415] * 5])  # less than a semitone
    assert pitch_jumps(steps) == 0


def test_a_glide_and_a_pause_are_no_jumps():
    octave = 300 * 2 ** np.linspace(0, 1, SAMPLE_RATE)
    glide = 0.5 * np.sin(2 * np.pi * np.cumsum(octave) / SAMPLE_RATE).astype(np.float32)
    assert pitch_jumps(glide) == 0
    assert pitch_jumps(np.concatenate([sine(300), np.zeros(8192, np.float32), sine(500)])) == 0


def test_only_voiced_time_counts_for_the_jumps_and_without_a_pitch_there_is_no_number():
    notes = np.concatenate([sine(f, 0.4) for f in [400, 600] * 5])
    padded = np.concatenate([notes, np.zeros(4 * SAMPLE_RATE, np.float32)])
    assert pitch_jumps(padded) == pytest.approx(pitch_jumps(notes), rel=0.05)
    assert np.isnan(pitch_jumps(np.zeros(SAMPLE_RATE, np.float32)))
