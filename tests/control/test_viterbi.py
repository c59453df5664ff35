from itertools import product

import numpy as np
import pytest

from timbrelib.control.viterbi import (
    MAX_SEMITONES,
    OWN_SHARE,
    SEMITONE_COST,
    VOICING_COST,
    Transitions,
    cheapest_path,
    select_candidates,
)


def transitions(points, smoothness=1.0, f0=None, continuity=0.0):
    """Transitions between codes at points of a line, (n_codes,)."""
    points = np.asarray(points, np.float32)[:, None]  # (n_codes, 1)
    return Transitions(points, np.full(len(points), np.nan) if f0 is None else np.asarray(f0), smoothness, continuity)


FREE = transitions(np.zeros(9))  # nothing costs anything


def test_a_transition_costs_the_distance_of_the_spectra():
    costs = transitions([0, 1, 3], smoothness=4).costs(np.array([[0, 1], [2, 0], [2, 2]]))
    assert costs.dtype == np.float32
    np.testing.assert_allclose(costs, [[[12, 8], [0, 4]], [[0, 12], [0, 12]]])  # (frame, now, before)


def test_a_step_to_another_note_costs_by_its_semitones_up_to_a_limit():
    notes = 440 * 2 ** (np.array([0, 0.5, 2, 12]) / 12)
    costs = transitions(np.zeros(4), f0=notes, continuity=0.5).costs(np.array([[0, 0, 0, 0], [0, 1, 2, 3]]))
    expected = 0.5 * SEMITONE_COST * np.array([0, 0.5, 2, MAX_SEMITONES])
    np.testing.assert_allclose(costs[0, :, 0], expected, atol=1e-3)


def test_a_step_between_pitched_and_unpitched_codes_costs_either_way():
    costs = transitions(np.zeros(2), f0=[440, np.nan], continuity=2).costs(np.array([[0, 1], [0, 1]]))
    np.testing.assert_allclose(costs[0], [[0, 2 * VOICING_COST], [2 * VOICING_COST, 0]])


def test_without_continuity_every_note_may_follow():
    codes = np.array([[0, 1], [0, 1]])
    assert not transitions(np.zeros(2), f0=[440, np.nan], continuity=0).costs(codes).any()


@pytest.mark.parametrize("n_descriptors", [1, 2])
@pytest.mark.parametrize("continuity", [0, 0.1])
def test_the_cheapest_path_is_that_of_an_exhaustive_search(n_descriptors, continuity):
    rng = np.random.default_rng(n_descriptors)
    candidates = rng.permuted(np.tile(np.arange(4), (6, 1)), axis=1)[:, :3]
    error = rng.normal(size=(n_descriptors, 6, 3))
    steps = transitions(rng.random(4), 1.0, [440, 470, 700, np.nan], continuity)

    def cost(places):
        codes = candidates[np.arange(6), places]
        own = error[:, np.arange(6), places]  # (descriptors, frames)
        far = np.abs(own[:, 1:] - own[:, :-1]) > 2
        mixed = np.where(far, np.maximum(*np.abs([own[:, 1:], own[:, :-1]])), (own[:, 1:] + own[:, :-1]) / 2)
        return OWN_SHARE * (own**2).sum() + (mixed**2).sum() + steps.costs(codes[:, None]).sum()

    cheapest = min(product(range(3), repeat=6), key=cost)
    np.testing.assert_array_equal(cheapest_path(candidates, error, [2.0] * n_descriptors, steps), cheapest)


def test_neighbours_may_err_to_both_sides_if_their_blend_is_right():
    candidates = np.tile([0, 1], (2, 1))
    error = np.array([[[1, 1.1], [-1, 1.1]]])  # too high, too low
    np.testing.assert_array_equal(cheapest_path(candidates, error, [np.inf], FREE), [0, 0])
    error[0, 1, 1] = 0.9  # itself nearer, but blended with the first too high
    np.testing.assert_array_equal(cheapest_path(candidates, error, [np.inf], FREE), [0, 0])


def test_neighbours_too_far_apart_do_not_blend():
    candidates = np.tile([0, 1], (2, 1))
    error = np.array([[[6, 9], [-6, 5]]])  # code 0 leaps by 12 and averages out; 0 and 1 are both too high
    assert list(cheapest_path(candidates, error, [np.inf], FREE)) == [0, 0]
    assert list(cheapest_path(candidates, error, [10], FREE)) == [0, 1]


def test_a_long_path_is_found_through_all_its_blocks():
    rng = np.random.default_rng(0)
    right = rng.integers(0, 4, 1000)
    error = np.ones((1, 1000, 4), np.float32)
    error[0, np.arange(1000), right] = 0
    candidates = np.tile(np.arange(4), (1000, 1))
    np.testing.assert_array_equal(cheapest_path(candidates, error, [np.inf], FREE), right)


def test_a_transition_that_costs_enough_never_happens():
    error = np.random.default_rng(0).normal(size=(1, 300, 3))
    path = cheapest_path(np.tile(np.arange(3), (300, 1)), error, [np.inf], transitions([0, 1, 2], 1e6))
    assert len(set(path)) == 1


def test_a_path_keeps_its_note_if_continuity_costs_more_than_the_error():
    candidates = np.tile([0, 1], (40, 1))  # two notes
    error = np.where(np.arange(40)[:, None] % 4 < 2, [0, 1], [1, 0])[None].astype(np.float32)  # right in turns
    changes = [
        np.sum(np.diff(cheapest_path(candidates, error, [np.inf], transitions([0, 0], 1, [440, 880], continuity))) != 0)
        for continuity in (0, 1)
    ]
    assert changes == [19, 0]


def test_the_path_of_a_single_frame_is_its_nearest_candidate():
    assert cheapest_path(np.array([[7, 5, 6]]), np.array([[[2, -1, 3]]]), [np.inf], FREE) == [1]


def test_candidates_have_the_smallest_sums_of_squares():
    error = np.array([[[3, 0, 1, -2]], [[0, 4, 1, 1]]])  # (2, 1, 4)
    assert set(select_candidates(np.square(error).sum(axis=0), 2)[0]) == {2, 3}
    assert set(select_candidates(np.square(error).sum(axis=0), 4)[0]) == {0, 1, 2, 3}
