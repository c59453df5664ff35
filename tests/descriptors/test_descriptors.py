import numpy as np
import pytest
from conftest import sine

from timbrelib import descriptors
from timbrelib.audio.frames import HOP
from timbrelib.descriptors import BLOCK, DESCRIPTORS
from timbrelib.descriptors.pitch import track_autocorrelation, track_pyin

STEADY = slice(4, -4)


def measure(audio, name):
    return descriptors.measure(audio, [name])[name]


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


def test_noise_and_silence_have_no_fundamental():
    noise = np.random.default_rng(0).standard_normal(22_050).astype(np.float32)
    assert np.mean(np.isnan(measure(noise, "fundamental"))) > 0.98
    for name in DESCRIPTORS:
        assert np.isnan(measure(np.zeros(5000, np.float32), name)).all()


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_values_do_not_depend_on_the_size_of_a_block(phrases, monkeypatch, name):
    audio = phrases[0].audio[: 2 * BLOCK * HOP + 1]  # one frame more than two blocks
    expected = measure(audio, name)
    for block in (1, 7, len(expected)):
        monkeypatch.setattr(descriptors, "BLOCK", block)
        np.testing.assert_array_equal(measure(audio, name), expected)


def test_an_unknown_descriptor_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="centroid, bandwidth, rolloff, flatness, fundamental"):
        measure(sine(440), "brightness")


def test_several_descriptors_are_measured_at_once_in_their_order(phrases):
    audio = phrases[0].audio[: 60 * HOP]
    measured = descriptors.measure(audio, ["fundamental", "rolloff"])
    assert list(measured) == ["fundamental", "rolloff"]
    for name, values in measured.items():
        assert values.dtype == np.float64
        np.testing.assert_array_equal(values, measure(audio, name))


@pytest.mark.parametrize("track", [track_autocorrelation, track_pyin])
def test_a_given_function_tracks_the_fundamental_and_nothing_else(phrases, track):
    audio = phrases[0].audio[: 60 * HOP]
    measured = descriptors.measure(audio, ["centroid", "fundamental"], track)
    np.testing.assert_array_equal(measured["fundamental"], track(audio))
    np.testing.assert_array_equal(measured["centroid"], measure(audio, "centroid"))
    assert list(descriptors.measure(audio, iter(["fundamental"]), track)) == ["fundamental"]
    assert list(descriptors.measure(audio, ["centroid"], lambda audio: pytest.fail("not asked for"))) == ["centroid"]
