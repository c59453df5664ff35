import numpy as np
import pytest

import timbrelib
from timbrelib.control import targets
from timbrelib.control.targets import bring_inside, check_targets, reach


def test_a_sine_is_one_cycle_between_its_ends():
    curve = timbrelib.target("sin", "centroid", 1000, 3000, 101)
    np.testing.assert_allclose(curve[[0, 25, 50, 75, 100]], [2000, 3000, 2000, 1000, 2000])


def test_log_exp_rises_over_the_first_half_and_falls_over_the_second():
    curve = timbrelib.target("exp", "centroid", 0, 1, 1024)
    assert curve[0] == curve[1023] == 0
    assert curve[511] == curve[512] == 1
    v = 100 / 511
    np.testing.assert_allclose(curve[100], np.log(1 + 9 * v) / np.log(10))
    np.testing.assert_allclose(curve[612], (np.exp(-2 * v) - np.exp(-2)) / (1 - np.exp(-2)))


def test_a_ramp_rises_evenly():
    np.testing.assert_allclose(timbrelib.target("ramp", "centroid", 1000, 3000, 5), [1000, 1500, 2000, 2500, 3000])


def test_steps_go_up_in_five_levels_of_the_same_length():
    np.testing.assert_allclose(timbrelib.target("steps", "rolloff", 0, 4, 15), np.repeat(np.arange(5), 3))


@pytest.mark.parametrize(
    ("shape", "n_frames", "expected"),
    [
        ("sin", 5, [400, 800, 400, 200, 400]),
        ("ramp", 3, [200, 400, 800]),
        ("steps", 5, 200 * 2 ** np.arange(0, 2.5, 0.5)),
    ],
)
def test_a_fundamental_moves_in_log_frequency(shape, n_frames, expected):
    np.testing.assert_allclose(timbrelib.target(shape, "fundamental", 200, 800, n_frames), expected)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("square", "centroid", 1, 2), "sin, exp, ramp, steps"),
        (("sin", "centroid", 2, 1), "low < high"),
        (("sin", "fundamental", 0, 1), "both positive"),
        (("sin", "centroid", 0, np.nan), "cannot move"),
        (("sin", "centroid", 0, 1, 1), "at least 2"),
        (("sin", "colour", 0, 1), "choose one of centroid"),
    ],
)
def test_an_impossible_target_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        timbrelib.target(*arguments)


def test_the_span_is_the_inner_94_percent(violin_table):
    low, high = targets.span(violin_table, "centroid")
    assert np.mean(violin_table["centroid"] < low) == pytest.approx(0.03, abs=0.002)
    assert np.mean(violin_table["centroid"] > high) == pytest.approx(0.03, abs=0.002)


def test_the_reach_goes_to_the_outermost_codes(violin_table):
    assert reach(violin_table, "centroid") == (violin_table["centroid"].min(), violin_table["centroid"].max())
    assert reach(violin_table, "fundamental")[0] == np.nanmin(violin_table["fundamental"])


def test_checked_targets_come_back_as_arrays(violin_table):
    checked = check_targets(violin_table, {"centroid": [1000, 2000], "fundamental": (300, 301)})
    assert list(checked) == ["centroid", "fundamental"]
    np.testing.assert_array_equal(checked["fundamental"], np.array([300.0, 301.0]))
    assert checked["centroid"].dtype == np.float64


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "give targets as"),
        ([1000, 2000], "give targets as"),
        ({"centroid": [1000, 2000], "fundamental": [300]}, "equally long"),
        ({"centroid": [1000, 2000], "fundamental": [300, np.inf]}, "fundamental target is undefined"),
    ],
)
def test_targets_that_do_not_belong_together_are_refused(violin_table, asked, says):
    with pytest.raises(ValueError, match=says):
        check_targets(violin_table, asked)


def test_a_line_below_the_range_is_moved_up_with_its_intervals(violin_table, caplog):
    low, high = reach(violin_table, "fundamental")
    line = low * np.array([0.5, 0.75, 1.25, 1])  # a fifth, a sixth and a third, from an octave below
    moved = bring_inside(violin_table, "fundamental", line, "map")
    np.testing.assert_allclose(moved, 2 * line)  # no further than needed
    assert "in 2 of 4 frames and was moved by +12.00 semitones" in caplog.text
    assert "narrowed" not in caplog.text
    np.testing.assert_allclose(bring_inside(violin_table, "fundamental", high / low * 2 * line, "map")[2], high)


def test_a_brightness_is_moved_in_its_unit(violin_table):
    _, high = reach(violin_table, "centroid")
    moved = bring_inside(violin_table, "centroid", [high - 100, high + 300], "map")
    np.testing.assert_allclose(moved, [high - 400, high])


@pytest.mark.parametrize(
    ("name", "middle"), [("centroid", np.mean), ("fundamental", lambda x: np.exp(np.log(x).mean()))]
)
def test_a_curve_wider_than_the_range_fills_it(violin_table, caplog, name, middle):
    low, high = ends = np.array(reach(violin_table, name))
    wide = np.array([low / 2, middle([low / 2, high * 2]), high * 2])
    narrowed = bring_inside(violin_table, name, wide, "map")
    np.testing.assert_allclose(narrowed, [low, middle(ends), high])
    assert "of 3 frames and was moved by" in caplog.text
    assert "narrowed to" in caplog.text
    check_targets(violin_table, {name: narrowed})  # inside to the last digit


def test_clipping_holds_the_ends_of_the_range_and_leaves_the_rest(violin_table, caplog):
    low, high = reach(violin_table, "centroid")
    clipped = bring_inside(violin_table, "centroid", [low - 1, 1000, 2000, high + 500], "clip")
    np.testing.assert_array_equal(clipped, [low, 1000, 2000, high])
    assert "in 2 of 4 frames and was clipped there" in caplog.text


@pytest.mark.parametrize("how", ["map", "clip"])
def test_a_curve_inside_is_not_touched(violin_table, caplog, how):
    curve = timbrelib.target("sin", "fundamental", *reach(violin_table, "fundamental"), 50).clip(200, 3000)
    assert bring_inside(violin_table, "fundamental", curve, how) is curve
    assert not caplog.text


@pytest.mark.parametrize(
    ("name", "curve", "how", "says"),
    [
        ("centroid", [1000], "fold", "choose map or clip"),
        ("colour", [1000], "map", "choose one of centroid"),
        ("centroid", [1000, np.nan], "map", "fill them first"),
        ("fundamental", [300, 0], "clip", "no fundamental"),
        ("centroid", [], "clip", "fill them first"),
    ],
)
def test_what_cannot_be_brought_inside_is_refused(violin_table, name, curve, how, says):
    with pytest.raises(ValueError, match=says):
        bring_inside(violin_table, name, curve, how)
