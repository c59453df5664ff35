import numpy as np
import pytest

import timbrelib
from timbrelib.audio.frames import HOP, SAMPLE_RATE, frame_gain
from timbrelib.control.melody import hold, octave_shift
from timbrelib.control.scores import within_cents

PLAYED = 2 * SAMPLE_RATE  # samples
SOUNDS, SILENT = slice(1, 86), slice(91, None)  # frames before the end of those and after


def noise(seconds):
    return 0.01 * np.random.default_rng(0).standard_normal(int(seconds * SAMPLE_RATE)).astype(np.float32)


@pytest.fixture(scope="module")
def phrase(phrases):
    """Two seconds of a string, half a second of silence."""
    return np.concatenate([phrases[0].audio[:PLAYED], np.zeros(SAMPLE_RATE // 2, np.float32)])


@pytest.fixture(scope="module")
def line(phrase):
    return timbrelib.follow(phrase, ["centroid"])


def test_the_line_of_a_string_has_its_exact_pitch(phrases, line):
    exact = phrases[0].f0[:PLAYED:HOP][SOUNDS]
    assert line.voiced[SOUNDS].mean() > 0.95
    assert within_cents(line.curves["fundamental"][SOUNDS], exact, 50) > 98


def test_a_line_has_the_descriptors_that_were_asked_for_and_the_fundamental(line):
    assert set(line.curves) == {"fundamental", "centroid"}
    assert all(np.isfinite(curve).all() for curve in line.curves.values())


def test_a_line_has_the_gain_of_its_recording(phrase, line):
    np.testing.assert_array_equal(line.gain[line.voiced], frame_gain(phrase)[line.voiced])


def test_a_line_is_silent_and_holds_its_pitch_where_the_recording_is_silent(line):
    assert not line.voiced[SILENT].any()
    assert not line.gain[SILENT].any()
    last = np.flatnonzero(line.voiced)[-1]
    for curve in line.curves.values():
        np.testing.assert_array_equal(curve[SILENT], curve[last])


def test_a_line_is_silent_where_the_recording_is_noise(phrases):
    line = timbrelib.follow(np.concatenate([phrases[0].audio[:PLAYED], noise(1)]))
    assert line.voiced[SILENT].mean() < 0.05
    assert not line.gain[~line.voiced].any()


def test_a_gap_is_held_from_both_sides_to_its_middle():
    curve, nan = np.array([np.nan, 1, np.nan, np.nan, np.nan, np.nan, 6, np.nan]), np.nan
    np.testing.assert_array_equal(hold(curve, np.isfinite(curve)), [1, 1, 1, 1, 6, 6, 6, 6])
    np.testing.assert_array_equal(hold(np.array([nan, nan, 3]), np.array([False, False, True])), [3, 3, 3])


@pytest.mark.parametrize(
    "audio", [noise(1), noise(3), np.zeros(SAMPLE_RATE, np.float32)], ids=["hiss", "long", "silent"]
)
def test_a_recording_without_pitch_is_refused(audio):
    with pytest.raises(ValueError, match="no pitch that could be followed"):
        timbrelib.follow(audio)


def test_an_unknown_descriptor_is_answered_with_the_known_ones(phrase):
    with pytest.raises(ValueError, match="choose one of centroid"):
        timbrelib.follow(phrase[:10_000], ["vowel"])


def test_another_timbre_plays_the_line(violin, violin_table, line):
    played = timbrelib.render(violin, violin_table, {"fundamental": line.curves["fundamental"]}, gain=line.gain)
    heard = played.measured["fundamental"][SOUNDS]
    assert within_cents(heard, line.curves["fundamental"][SOUNDS], 50) > 90
    assert not played.audio[PLAYED + 3 * HOP :].any()


@pytest.mark.parametrize(
    ("line", "low", "high", "octaves"),
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
def test_a_line_is_moved_by_as_few_octaves_as_bring_most_of_it_inside(line, low, high, octaves):
    assert octave_shift(np.array(line), low, high) == octaves
