import numpy as np
import pytest
from conftest import sine, tone, white_noise

from timbrelib import descriptors
from timbrelib.audio.frames import HOP, frame_count, spectra
from timbrelib.descriptors import pitch
from timbrelib.descriptors.pitch import estimate_pitch, track_autocorrelation, track_pyin

STEADY = slice(4, -4)


def measure(audio, name):
    return descriptors.measure(audio, [name])[name]


@pytest.mark.parametrize("estimate", [lambda x: measure(x, "fundamental"), track_autocorrelation, track_pyin])
def test_all_estimators_follow_a_gliding_string(phrases, estimate):
    for phrase in phrases[:3]:
        exact = phrase.f0[::HOP][: frame_count(len(phrase.audio))]
        cents = 1200 * np.abs(np.log2(estimate(phrase.audio)[: len(exact)] / exact))
        assert np.mean(cents < 20) > 0.95  # an undefined frame counts as a miss
        assert np.nanmedian(cents) < 6


def test_a_ripple_on_a_dull_sound_is_not_its_pitch():
    dull = sine(110, amplitude=0.5) + sine(3850, amplitude=0.06)
    np.testing.assert_allclose(measure(dull, "fundamental")[STEADY], 110, rtol=0.01)


def test_a_rumble_below_all_notes_has_no_fundamental():
    rumble = sine(30) + sine(41, amplitude=0.2)
    assert np.isnan(measure(rumble, "fundamental")[STEADY]).all()


NOTES = np.r_[40.0, 440 * 2 ** (np.arange(-41, 40) / 12), 4200.0]  # E1 to C8 by semitones
HOPS = 10  # per note


def clearly_pitched(audio):
    f0, periodicity = estimate_pitch(spectra(audio))
    return np.where(periodicity >= pitch.VOICED, f0, np.nan)


@pytest.mark.parametrize("estimate", [clearly_pitched, track_autocorrelation, track_pyin])
@pytest.mark.parametrize("slope", [1, 12])
def test_steady_notes_from_40_hz_to_4200_hz_are_heard_at_their_pitch(estimate, slope):
    scale = np.concatenate([tone(f0, slope)[: HOPS * HOP] for f0 in NOTES])
    level = np.sqrt(np.mean(scale**2)) * 10 ** (-25 / 20)  # 25 dB below the notes
    f0 = estimate(scale + level * 10 * white_noise(len(scale) / 22_050 + 1)[: len(scale)])
    steady = f0[:-1].reshape(len(NOTES), HOPS)[:, 3:-2]  # (frames,) -> (notes, steady frames)
    cents = 1200 * np.abs(np.log2(steady / NOTES[:, None]))  # NaN, and so a miss, where there is no pitch
    assert np.mean(cents < 30) > 0.98
    assert (np.mean(cents < 30, axis=1) >= 0.8).all(), NOTES[np.mean(cents < 30, axis=1) < 0.8]


def test_hum_and_rumble_are_not_low_notes():
    rumble = np.cumsum(white_noise(3)) * 0.02  # brown noise
    hum = sine(50, amplitude=0.2) + sine(150, amplitude=0.01)
    third_over_hum = sine(50, amplitude=0.01) + sum(sine(f * k, amplitude=0.3 / k) for k in (1, 2) for f in (250, 400))
    for sound in (rumble - rumble.mean(), hum, third_over_hum):
        assert np.isnan(measure(sound.astype(np.float32), "fundamental")[STEADY]).mean() > 0.95


def test_two_notes_at_once_have_no_fundamental():
    fifth = sum(sine(f, amplitude=0.1) for k in range(1, 6) for f in (300 * k, 450.0 * k))
    f0, periodicity = estimate_pitch(spectra(fifth))
    assert np.isnan(measure(fifth, "fundamental")[STEADY]).all(), (f0, periodicity)


def test_a_quickly_tracked_pitch_is_undefined_in_silence_and_noise():
    noise = 0.1 * np.random.default_rng(0).standard_normal(22_050).astype(np.float32)
    assert np.mean(np.isnan(track_autocorrelation(noise))) > 0.95
    assert np.isnan(track_autocorrelation(np.zeros(5000, np.float32))).all()


def test_a_pitch_does_not_depend_on_the_size_of_a_block(phrases, monkeypatch):
    frames = spectra(phrases[0].audio[: 40 * HOP])
    expected = estimate_pitch(frames)
    monkeypatch.setattr(pitch, "BLOCK", 7)
    np.testing.assert_array_equal(estimate_pitch(frames), expected)
