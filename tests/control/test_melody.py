from dataclasses import replace

import numpy as np
import pytest

import timbrelib
from timbrelib.audio.frames import HOP, SAMPLE_RATE, frame_gain
from timbrelib.audio.sound_files import clean_audio
from timbrelib.control.melody import hold, octave_shift
from timbrelib.control.scores import raw_pitch_accuracy

PLAYED = 2 * SAMPLE_RATE  # samples
SOUNDING, SILENT = slice(1, 86), slice(91, None)  # frames


def noise(seconds):
    return 0.01 * np.random.default_rng(0).standard_normal(int(seconds * SAMPLE_RATE)).astype(np.float32)


@pytest.fixture(scope="module")
def phrase(phrases):
    """Two seconds of a string, half a second of silence."""
    return np.concatenate([phrases[0].audio[:PLAYED], np.zeros(SAMPLE_RATE // 2, np.float32)])


@pytest.fixture(scope="module")
def melody(phrase):
    return timbrelib.extract_melody(phrase, ["centroid"])


def test_the_melody_of_a_string_has_its_exact_pitch(phrases, melody):
    exact = phrases[0].f0[:PLAYED:HOP][SOUNDING]
    assert melody.voiced[SOUNDING].mean() > 0.95
    assert raw_pitch_accuracy(melody.curves["fundamental"][SOUNDING], exact, 50) > 98


def test_a_melody_has_the_requested_descriptors_and_the_fundamental(melody):
    assert set(melody.curves) == {"fundamental", "centroid"}
    assert all(np.isfinite(curve).all() for curve in melody.curves.values())


def test_a_melody_has_the_gain_of_its_recording(phrase, melody):
    np.testing.assert_array_equal(melody.gain[melody.voiced], frame_gain(clean_audio(phrase))[melody.voiced])


def test_a_melody_holds_its_pitch_at_zero_gain_where_the_recording_is_silent(melody):
    assert not melody.voiced[SILENT].any()
    assert not melody.gain[SILENT].any()
    last = np.flatnonzero(melody.voiced)[-1]
    for curve in melody.curves.values():
        np.testing.assert_array_equal(curve[SILENT], curve[last])


def test_a_melody_is_silent_where_the_recording_is_noise(phrases):
    melody = timbrelib.extract_melody(np.concatenate([phrases[0].audio[:PLAYED], noise(1)]))
    assert melody.voiced[SILENT].mean() < 0.05
    assert not melody.gain[~melody.voiced].any()


def test_a_gap_is_filled_from_both_sides_to_its_middle():
    curve, nan = np.array([np.nan, 1, np.nan, np.nan, np.nan, np.nan, 6, np.nan]), np.nan
    np.testing.assert_array_equal(hold(curve, np.isfinite(curve)), [1, 1, 1, 1, 6, 6, 6, 6])
    np.testing.assert_array_equal(hold(np.array([nan, nan, 3]), np.array([False, False, True])), [3, 3, 3])


@pytest.mark.parametrize(
    "audio", [noise(1), noise(3), np.zeros(SAMPLE_RATE, np.float32)], ids=["hiss", "long", "silent"]
)
def test_a_recording_without_pitch_is_refused(audio):
    with pytest.raises(ValueError, match="no pitch to follow"):
        timbrelib.extract_melody(audio)


def test_an_unknown_descriptor_in_a_melody_is_refused(phrase):
    with pytest.raises(ValueError, match="choose one of centroid"):
        timbrelib.extract_melody(phrase[:10_000], ["vowel"])


def test_another_timbre_plays_the_melody(violin, melody):
    rendering = violin.render(violin.target("fundamental", melody.curves["fundamental"]), gain=melody.gain)
    measured = rendering.measured["fundamental"][SOUNDING]
    assert raw_pitch_accuracy(measured, melody.curves["fundamental"][SOUNDING], 50) > 90
    assert rendering.score_frames(melody.voiced)["fundamental"].rpa_50 > 90
    assert not rendering.audio[PLAYED + 3 * HOP :].any()


def test_a_melody_is_transposed_into_the_range_of_a_codebook_by_octaves(violin, melody):
    low = replace(melody, curves=melody.curves | {"fundamental": melody.curves["fundamental"] / 4})
    raised = low.transpose_into(violin.codebook)
    down, up = violin.codebook.percentile_range("fundamental")
    f0 = raised.curves["fundamental"][melody.voiced]
    assert np.mean((f0 >= down) & (f0 <= up)) > 0.95
    assert raised.octaves > 0
    np.testing.assert_array_equal(raised.curves["fundamental"], low.curves["fundamental"] * 2.0**raised.octaves)
    np.testing.assert_array_equal(raised.curves["centroid"], low.curves["centroid"])
    again = raised.transpose_into(violin.codebook)
    assert again.octaves == raised.octaves  # it is in the range already
    np.testing.assert_array_equal(again.curves["fundamental"], raised.curves["fundamental"])


@pytest.mark.parametrize(
    ("f0", "low", "high", "octaves"),
    [
        ([440, 500], 200, 2000, 0),
        ([100, 150], 200, 2000, 1),  # two and three octaves would do as well
        ([2100, 3000], 200, 2000, -1),
        ([30, 31], 200, 2000, 3),
        ([100, 200, 400, 800], 150, 850, 0),  # three of four with and without
        ([100, 110, 120, 800], 190, 850, 1),  # loses the one note to win three
        ([440], 441, 450, 0),  # no octave helps
        ([np.nan, 100], 200, 300, 1),
    ],
)
def test_the_smallest_octave_shift_that_brings_most_of_a_melody_inside_is_found(f0, low, high, octaves):
    assert octave_shift(np.array(f0), low, high) == octaves
