import logging

import numpy as np
import pytest

from timbrelib.control.targets import Target, check_curves, fit_to_range, shape_curve, target_curves


def test_a_sine_is_one_cycle_between_its_ends():
    curve = shape_curve("sin", "centroid", 1000, 3000, 101)
    np.testing.assert_allclose(curve[[0, 25, 50, 75, 100]], [2000, 3000, 2000, 1000, 2000])


def test_log_exp_rises_over_the_first_half_and_falls_over_the_second():
    curve = shape_curve("exp", "centroid", 0, 1, 1024)
    assert curve[0] == curve[1023] == 0
    assert curve[511] == curve[512] == 1
    v = 100 / 511
    np.testing.assert_allclose(curve[100], np.log(1 + 9 * v) / np.log(10))
    np.testing.assert_allclose(curve[612], (np.exp(-2 * v) - np.exp(-2)) / (1 - np.exp(-2)))


def test_a_ramp_rises_evenly():
    np.testing.assert_allclose(shape_curve("ramp", "centroid", 1000, 3000, 5), [1000, 1500, 2000, 2500, 3000])


def test_steps_rise_in_five_levels_of_equal_length():
    np.testing.assert_allclose(shape_curve("steps", "rolloff", 0, 4, 15), np.repeat(np.arange(5), 3))


@pytest.mark.parametrize(
    ("shape", "n_frames", "expected"),
    [
        ("sin", 5, [400, 800, 400, 200, 400]),
        ("ramp", 3, [200, 400, 800]),
        ("steps", 5, 200 * 2 ** np.arange(0, 2.5, 0.5)),
    ],
)
def test_a_fundamental_moves_in_log_frequency(shape, n_frames, expected):
    np.testing.assert_allclose(shape_curve(shape, "fundamental", 200, 800, n_frames), expected)


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
def test_an_impossible_shape_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        shape_curve(*arguments)


def test_a_target_is_an_array_of_floats_with_a_length():
    target = Target("fundamental", (300, 301))
    np.testing.assert_array_equal(target.curve, np.array([300.0, 301.0]))
    assert target.curve.dtype == np.float64
    assert (len(target), target.weight) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("centroid", [1000, np.nan]), "undefined .* in 1 frames"),
        (("centroid", [1000, np.inf, -np.inf]), "undefined .* in 2 frames"),
        (("fundamental", [300, np.inf]), "fundamental target is undefined"),
        (("centroid", []), "one value per frame"),
        (("centroid", [[1000]]), "one value per frame"),
        (("centroid", 1000), "one value per frame"),
        (("loudness", [1]), "choose one of centroid"),
        (("centroid", [1000], 0), "give a positive number"),
        (("centroid", [1000], -1), "give a positive number"),
        (("centroid", [1000], np.inf), "give a positive number"),
        (("centroid", [1000], np.nan), "give a positive number"),
    ],
)
def test_an_invalid_target_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        Target(*arguments)


def test_curves_of_targets_come_by_descriptor():
    curves = target_curves([Target("centroid", [1000, 2000]), Target("fundamental", (300, 301))])
    assert list(curves) == ["centroid", "fundamental"]
    np.testing.assert_array_equal(curves["fundamental"], np.array([300.0, 301.0]))
    assert curves["centroid"].dtype == np.float64


@pytest.mark.parametrize(
    ("targets", "says"),
    [
        ([], "give one or more"),
        ([[1000, 2000]], "give one or more"),
        ([{"centroid": [1000, 2000]}], "give one or more"),
        ([Target("centroid", [1000, 2000]), Target("fundamental", [300])], "equally long"),
        ([Target("centroid", [1000, 2000]), Target("centroid", [1000, 2000])], "one per descriptor"),
    ],
)
def test_targets_that_do_not_belong_together_are_refused(targets, says):
    with pytest.raises(ValueError, match=says):
        target_curves(targets)


@pytest.fixture(autouse=True)
def _log_everything(caplog):
    caplog.set_level(logging.INFO)


def test_a_melody_below_the_range_is_shifted_up_with_its_intervals(violin, caplog):
    low, high = violin.codebook.full_range("fundamental")
    melody = low * np.array([0.5, 0.75, 1.25, 1])  # a fifth, a sixth and a third, from an octave below
    shifted = fit_to_range(violin.codebook, "fundamental", melody, "shift")
    np.testing.assert_allclose(shifted, 2 * melody)  # no further than needed
    assert "in 2 of 4 frames and was shifted by +12.00 semitones" in caplog.text
    assert "narrowed" not in caplog.text
    above = high / low * 2 * melody
    np.testing.assert_allclose(fit_to_range(violin.codebook, "fundamental", above, "shift")[2], high)


def test_a_brightness_is_shifted_in_its_unit(violin):
    _, high = violin.codebook.full_range("centroid")
    shifted = fit_to_range(violin.codebook, "centroid", [high - 100, high + 300], "shift")
    np.testing.assert_allclose(shifted, [high - 400, high])


@pytest.mark.parametrize(
    ("name", "middle"), [("centroid", np.mean), ("fundamental", lambda x: np.exp(np.log(x).mean()))]
)
def test_a_curve_wider_than_the_range_fills_it(violin, caplog, name, middle):
    low, high = ends = np.array(violin.codebook.full_range(name))
    wide = np.array([low / 2, middle([low / 2, high * 2]), high * 2])
    narrowed = fit_to_range(violin.codebook, name, wide, "shift")
    np.testing.assert_allclose(narrowed, [low, middle(ends), high])
    assert "of 3 frames and was shifted by" in caplog.text
    assert "narrowed to" in caplog.text
    check_curves(violin.codebook, {name: narrowed})  # inside to the last digit


def test_clipping_keeps_the_values_inside_the_range(violin, caplog):
    low, high = violin.codebook.full_range("centroid")
    clipped = fit_to_range(violin.codebook, "centroid", [low - 1, 1000, 2000, high + 500], "clip")
    np.testing.assert_array_equal(clipped, [low, 1000, 2000, high])
    assert "in 2 of 4 frames and was clipped" in caplog.text


@pytest.mark.parametrize("mode", ["shift", "clip"])
def test_a_curve_inside_the_range_is_not_changed(violin, caplog, mode):
    curve = shape_curve("sin", "fundamental", *violin.codebook.full_range("fundamental"), 50).clip(200, 3000)
    assert fit_to_range(violin.codebook, "fundamental", curve, mode) is curve
    assert not caplog.text


@pytest.mark.parametrize(
    ("name", "curve", "mode", "says"),
    [
        ("centroid", [1000], "fold", "choose shift or clip"),
        ("colour", [1000], "shift", "choose one of centroid"),
        ("centroid", [1000, np.nan], "shift", "fill them first"),
        ("fundamental", [300, 0], "clip", "not a fundamental"),
        ("centroid", [], "clip", "fill them first"),
    ],
)
def test_a_curve_that_cannot_be_fitted_is_refused(violin, name, curve, mode, says):
    with pytest.raises(ValueError, match=says):
        fit_to_range(violin.codebook, name, curve, mode)
