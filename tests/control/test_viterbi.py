from itertools import pairwise, product

import numpy as np
import pytest

from timbrelib.control.viterbi import OWN_SHARE, Search, cheapest_path, refine_path, select_candidates


@pytest.mark.parametrize("n_descriptors", [1, 2])
def test_the_cheapest_path_is_that_of_an_exhaustive_search(n_descriptors):
    rng = np.random.default_rng(n_descriptors)
    candidates = rng.permuted(np.tile(np.arange(4), (6, 1)), axis=1)[:, :3]
    error = rng.normal(size=(n_descriptors, 6, 3))
    transition = rng.random((4, 4))

    def cost(places):
        codes = candidates[np.arange(6), places]
        own = error[:, np.arange(6), places]  # (descriptors, frames)
        far = np.abs(own[:, 1:] - own[:, :-1]) > 2
        mixed = np.where(far, np.maximum(*np.abs([own[:, 1:], own[:, :-1]])), (own[:, 1:] + own[:, :-1]) / 2)
        return OWN_SHARE * (own**2).sum() + (mixed**2).sum() + sum(transition[pair] for pair in pairwise(codes))

    cheapest = min(product(range(3), repeat=6), key=cost)
    np.testing.assert_array_equal(cheapest_path(candidates, error, [2.0] * n_descriptors, transition), cheapest)


def test_neighbours_may_err_to_both_sides_if_their_blend_is_right():
    candidates = np.tile([0, 1], (2, 1))
    error = np.array([[[1, 1.1], [-1, 1.1]]])  # too high, too low
    np.testing.assert_array_equal(cheapest_path(candidates, error, [np.inf], np.zeros((2, 2))), [0, 0])
    error[0, 1, 1] = 0.9  # itself nearer, but blended with the first too high
    np.testing.assert_array_equal(cheapest_path(candidates, error, [np.inf], np.zeros((2, 2))), [0, 0])


def test_neighbours_too_far_apart_do_not_blend():
    candidates = np.tile([0, 1], (2, 1))
    error = np.array([[[6, 9], [-6, 5]]])  # code 0 leaps by 12 and averages out; 0 and 1 are both too high
    assert list(cheapest_path(candidates, error, [np.inf], np.zeros((2, 2)))) == [0, 0]
    assert list(cheapest_path(candidates, error, [10], np.zeros((2, 2)))) == [0, 1]


def test_a_long_path_is_found_through_all_its_blocks():
    rng = np.random.default_rng(0)
    right = rng.integers(0, 4, 1000)
    error = np.ones((1, 1000, 4), np.float32)
    error[0, np.arange(1000), right] = 0
    candidates = np.tile(np.arange(4), (1000, 1))
    np.testing.assert_array_equal(cheapest_path(candidates, error, [np.inf], np.zeros((4, 4), np.float32)), right)


def test_a_transition_that_costs_enough_never_happens():
    error = np.random.default_rng(0).normal(size=(1, 300, 3))
    path = cheapest_path(np.tile(np.arange(3), (300, 1)), error, [np.inf], 1e6 * (1 - np.eye(3)))
    assert len(set(path)) == 1


def test_the_path_of_a_single_frame_is_its_nearest_candidate():
    assert cheapest_path(np.array([[7, 5, 6]]), np.array([[[2, -1, 3]]]), [np.inf], np.zeros((8, 8))) == [1]


@pytest.fixture
def trap():
    """Code 0 is right in the first half and 1 in the second, but their transition sounds wrong; 2 is nearly right."""
    candidates = np.tile([0, 1, 2], (20, 1))
    error = np.full((1, 20, 3), 0.2)
    error[0, :10, 0] = error[0, 10:, 1] = 0
    error[0, 10:, 0] = error[0, :10, 1] = 50

    def measure_error(codes):
        measured = error[:, np.arange(20), codes].copy()
        after = np.flatnonzero((codes[:-1] == 0) & (codes[1:] == 1)) + 1
        measured[0, after] = 100
        return measured

    return candidates, error, [np.inf], 0.01 * (1 - np.eye(3)), measure_error


def test_a_refined_path_avoids_a_transition_that_sounds_wrong(trap):
    first = refine_path(*trap, refinements=0)
    np.testing.assert_array_equal(first, [0] * 10 + [1] * 10)
    refined = refine_path(*trap, refinements=3)
    assert (0, 1) not in set(pairwise(refined))
    assert np.abs(trap[4](refined)).mean() < 0.2


def test_the_best_measured_path_is_kept_and_the_costs_are_not_changed(trap):
    candidates, error, max_blend, transition, measure_error = trap
    before, means = transition.copy(), []

    def record_error(codes):
        means.append(np.abs(measure_error(codes)).mean())
        return measure_error(codes)

    best = refine_path(candidates, error, max_blend, transition, record_error, refinements=4)
    assert len(means) == 2  # no path is measured twice
    assert np.abs(measure_error(best)).mean() == min(means)
    np.testing.assert_array_equal(transition, before)


def test_candidates_have_the_smallest_sums_of_squares():
    error = np.array([[[3, 0, 1, -2]], [[0, 4, 1, 1]]])  # (2, 1, 4)
    nearest, nearest_error = select_candidates(error, 2)
    assert set(nearest[0]) == {2, 3}
    np.testing.assert_array_equal(nearest_error, error[:, :, nearest[0]])
    assert nearest_error.dtype == np.float32


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"smoothness": -1}, "0 \\(exact\\) or more"),
        ({"smoothness": np.nan}, "0 \\(exact\\) or more"),
        ({"refinements": -1}, "cannot be -1"),
        ({"weights": {"centroid": 0}}, "give positive numbers"),
        ({"weights": {"centroid": -1}}, "give positive numbers"),
        ({"weights": {"centroid": np.inf}}, "give positive numbers"),
    ],
)
def test_an_invalid_search_is_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        Search(**settings)


def test_a_weight_is_one_unless_it_is_given():
    search = Search(weights={"centroid": 2})
    assert (search.weight("centroid"), search.weight("fundamental")) == (2, 1)
