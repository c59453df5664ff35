import itertools

import numpy as np
import pytest

from timbrelib.pad.drawing import Drawing, Edit, check_drawing, stretch


@pytest.fixture
def drawing():
    return Drawing(["centroid", "gain"], {"centroid": np.zeros(5), "gain": np.zeros(5)})


def test_drawing_in_one_lane_changes_neither_the_other_nor_earlier_arrays(drawing):
    before = drawing.heights
    drawing.draw(1, np.linspace(0, 1, 5))
    np.testing.assert_array_equal(drawing.heights, [np.zeros(5), np.linspace(0, 1, 5)])
    assert not before.any()


def test_a_curve_of_another_length_is_stretched(drawing):
    drawing.draw(0, np.array([0, 1]))
    np.testing.assert_allclose(drawing.heights[0], np.linspace(0, 1, 5))


def test_undo_and_redo(drawing):
    for height in (0.1, 0.2, 0.3):
        drawing.draw(0, np.full(5, height))
    assert not drawing.can_redo
    drawing.undo()
    drawing.undo()
    assert drawing.heights[0, 0] == 0.1
    drawing.redo()
    assert drawing.heights[0, 0] == 0.2
    drawing.draw(0, np.full(5, 0.9))
    assert not drawing.can_redo
    drawing.undo()
    assert drawing.heights[0, 0] == 0.2


def test_undo_and_redo_without_changes_do_nothing(drawing):
    drawing.undo()
    drawing.redo()
    assert (drawing.can_undo, drawing.can_redo, drawing.heights.any()) == (False, False, False)


def test_the_number_of_changes_to_undo_is_limited(drawing):
    for height in range(150):
        drawing.draw(0, np.full(5, height))
    for _ in range(200):
        drawing.undo()
    assert drawing.heights[0, 0] == 49


def test_undo_restores_length_and_lanes(drawing):
    steps = np.array([0, 0, 1, 1, 0.5])
    drawing.change(["centroid"], {"centroid": steps})
    drawing.change(["fundamental", "gain"], {"fundamental": np.array([0.2, 0.4])})
    assert (drawing.lanes, drawing.n_frames) == (("fundamental", "gain"), 2)
    drawing.undo()
    assert drawing.lanes == ("centroid",)
    np.testing.assert_array_equal(drawing.heights, [steps])


def test_stretching_keeps_shapes_and_makes_new_arrays():
    curve = np.array([0.0, 1.0, 0.0])
    np.testing.assert_allclose(stretch(curve, 5), [0, 0.5, 1, 0.5, 0])
    assert stretch(curve, 3) is not curve


def test_edits_are_applied(drawing, violin):
    drawing.apply(Edit("draw", 0, np.linspace(0, 1, 5)), violin.codebook)
    np.testing.assert_array_equal(drawing.heights[0], np.linspace(0, 1, 5))
    drawing.apply(Edit("shape", 0, shape="flat"), violin.codebook)
    median = np.median(violin.codebook["centroid"])
    np.testing.assert_allclose(drawing.curves(violin.codebook)["centroid"], np.full(5, median))
    drawing.apply(Edit("undo"), violin.codebook)
    np.testing.assert_array_equal(drawing.heights[0], np.linspace(0, 1, 5))
    drawing.apply(Edit("redo"), violin.codebook)
    np.testing.assert_allclose(drawing.curves(violin.codebook)["centroid"], np.full(5, median))


def test_curves_in_units_become_the_drawing_and_are_read_from_it(drawing, violin):
    curves = {"fundamental": np.geomspace(300, 600, 50), "gain": np.linspace(0, 0.1, 50)}
    drawing.take_curves(curves, violin.codebook)
    assert drawing.lanes == ("fundamental", "gain")
    for name, curve in drawing.curves(violin.codebook).items():
        np.testing.assert_allclose(curve, curves[name], atol=1e-12)


def test_every_lane_keeps_its_curve_while_another_is_selected(drawing, violin):
    drawing.draw(0, np.linspace(0, 1, 5))
    drawing.select_lanes(["fundamental"], violin.codebook)
    np.testing.assert_array_equal(drawing.heights, [np.linspace(0, 1, 5)])  # it has none yet: the shape stays
    drawing.draw(0, np.full(5, 0.3))
    drawing.resize(3)
    drawing.select_lanes(["centroid", "rolloff"], violin.codebook)
    np.testing.assert_allclose(drawing.heights[0], [0, 0.5, 1])
    assert np.ptp(drawing.heights[1]) == 0
    drawing.select_lanes(["fundamental", "centroid"], violin.codebook)
    np.testing.assert_allclose(drawing.heights, [[0.3, 0.3, 0.3], [0, 0.5, 1]])


VALID = np.full(100, 1500.0)


def test_a_drawing_has_one_or_two_curves():
    checked = check_drawing({"centroid": [1500] * 100, "gain": VALID})
    assert [(name, curve.dtype) for name, curve in checked.items()] == [("centroid", float), ("gain", float)]


@pytest.mark.parametrize(
    ("curves", "says"),
    [
        ({}, "of nothing"),
        ({"gain": VALID}, "of 'gain'"),
        ({"loudness": VALID}, "of 'loudness'"),
        (
            dict(zip(["centroid", "rolloff", "gain"], itertools.repeat(VALID), strict=False)),
            "one for a second lane",
        ),
        ({"centroid": VALID, "gain": VALID[1:]}, "same number of frames"),
        ({"centroid": VALID[:20]}, "22 to 2584"),
        ({"centroid": np.ones(2585)}, "22 to 2584"),
        ({"centroid": np.ones((100, 2))}, "same number of frames"),
        ({"centroid": 3.0}, "same number of frames"),
        ({"centroid": [1500, [1500]]}, "give one array per lane"),
        ({"centroid": [10**400] * 100}, "give one array per lane"),
        ({"centroid": [None, {}]}, "give one array per lane"),
        ({3: VALID}, "of 3"),
        ([VALID], "of nothing"),
        ({"centroid": np.where(np.arange(100) == 7, np.nan, VALID)}, "fill them first"),
        ({"fundamental": 0 * VALID}, "'fundamental' contains undefined or impossible values"),
    ],
)
def test_curves_that_cannot_be_drawn_are_rejected(curves, says):
    with pytest.raises(ValueError, match=says):
        check_drawing(curves)
