import numpy as np
import pytest
from conftest import sine

from timbrelib import descriptors
from timbrelib.audio.frames import HOP, frame_count, spectra
from timbrelib.descriptors import DESCRIPTORS, measure
from timbrelib.descriptors.pitch import BLOCK, estimate_pitch, track_fundamental

STEADY = slice(4, -4)


def test_a_sine_has_its_frequency_as_centroid_rolloff_and_fundamental():
    tone = sine(1000)
    np.testing.assert_allclose(measure(tone, "centroid")[STEADY], 1000, atol=5)
    np.testing.assert_allclose(measure(tone, "rolloff")[STEADY], 1000, atol=22)  # the lobe of the window
    np.testing.assert_allclose(measure(tone, "fundamental")[STEADY], 1000, rtol=1e-3)


def test_two_equal_sines_have_centroid_between_and_bandwidth_of_half_their_distance():
    pair = sine(1000, amplitude=0.3) + sine(3000, amplitude=0.3)
    np.testing.assert_allclose(measure(pair, "centroid")[STEADY], 2000, atol=20)
    np.testing.assert_allclose(measure(pair, "bandwidth")[STEADY], 1000, atol=20)


def test_noise_is_flatter_than_a_sine():
    noise = np.random.default_rng(0).standard_normal(22_050).astype(np.float32)
    assert measure(noise, "flatness")[STEADY].min() > 0.3 > 1e-3 > measure(sine(500), "flatness")[STEADY].max()


@pytest.mark.parametrize("estimate", [lambda x: measure(x, "fundamental"), track_fundamental])
def test_both_estimators_follow_a_gliding_string(phrases, estimate):
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


def test_two_notes_at_once_have_no_fundamental():
    fifth = sum(sine(f, amplitude=0.1) for k in range(1, 6) for f in (300 * k, 450.0 * k))
    f0, periodicity = estimate_pitch(spectra(fifth))
    assert np.isnan(measure(fifth, "fundamental")[STEADY]).all(), (f0, periodicity)


def test_noise_and_silence_have_no_fundamental():
    noise = np.random.default_rng(0).standard_normal(22_050).astype(np.float32)
    assert np.mean(np.isnan(measure(noise, "fundamental"))) > 0.98
    for name in DESCRIPTORS:
        assert np.isnan(measure(np.zeros(5000, np.float32), name)).all()


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_a_frame_has_the_same_value_whatever_block_it_is_measured_in(phrases, monkeypatch, name):
    audio = phrases[0].audio[: 2 * BLOCK * HOP + 1]  # one frame more than two blocks
    as_it_is = measure(audio, name)
    for block in (1, 7, len(as_it_is)):
        monkeypatch.setattr(descriptors, "BLOCK", block)
        np.testing.assert_array_equal(measure(audio, name), as_it_is)


def test_an_unknown_descriptor_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="centroid, bandwidth, rolloff, flatness, fundamental"):
        measure(sine(440), "brightness")
