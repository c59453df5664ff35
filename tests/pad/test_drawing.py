import numpy as np
import pytest

from timbrelib.pad.drawing import Drawing, stretch


@pytest.fixture
def drawing():
    return Drawing(["centroid"], np.zeros((2, 5)))


def test_drawing_one_lane_leaves_the_other_and_the_arrays_of_before(drawing):
    before = drawing.heights
    drawing.draw(1, np.linspace(0, 1, 5))
    np.testing.assert_array_equal(drawing.heights, [np.zeros(5), np.linspace(0, 1, 5)])
    assert not before.any()


def test_a_curve_of_another_length_is_stretched(drawing):
    drawing.draw(0, np.array([0, 1]))
    np.testing.assert_allclose(drawing.heights[0], np.linspace(0, 1, 5))


def test_changes_are_taken_back_and_made_again(drawing):
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


def test_without_a_past_or_a_future_nothing_happens(drawing):
    drawing.undo()
    drawing.redo()
    assert (drawing.can_undo, drawing.can_redo, drawing.heights.any()) == (False, False, False)


def test_only_so_much_is_remembered(drawing):
    for height in range(150):
        drawing.draw(0, np.full(5, height))
    for _ in range(200):
        drawing.undo()
    assert drawing.heights[0, 0] == 49


def test_lengths_and_lanes_come_back_as_they_were(drawing):
    steps = np.array([[0, 0, 1, 1, 0.5], [0, 0, 0, 0, 0]])
    drawing.put(["centroid"], steps)
    drawing.put(["fundamental", "gain"], stretch(steps, 2))
    assert (drawing.lanes, drawing.n_frames) == (("fundamental", "gain"), 2)
    drawing.undo()
    assert drawing.lanes == ("centroid",)
    np.testing.assert_array_equal(drawing.heights, steps)


def test_stretching_keeps_shapes_and_makes_new_arrays():
    curve = np.array([[0.0, 1.0, 0.0]])
    np.testing.assert_allclose(stretch(curve, 5), [[0, 0.5, 1, 0.5, 0]])
    assert stretch(curve, 3) is not curve
