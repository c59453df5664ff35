from itertools import pairwise, product

import numpy as np
import pytest

from timbrelib.audio.levels import spectral_distance
from timbrelib.control.viterbi import OWN_SHARE, cheapest_path, refine_path


def test_codes_are_as_far_apart_as_they_sound():
    spectra = np.ones((4, 1025), np.float32)
    spectra[1] *= 5  # louder, but not different
    spectra[2, :512] = 0.1  # 20 dB down over half of the bins
    spectra[3, :512] = 0.01
    distance = spectral_distance(spectra)
    assert distance[0, 1] == pytest.approx(0, abs=1e-2)
    assert distance[0, 2] == pytest.approx(distance[2, 0])
    assert distance[0, 3] == pytest.approx(2 * distance[0, 2], rel=1e-3)


@pytest.mark.parametrize("n_descriptors", [1, 2])
def test_the_cheapest_path_is_the_one_that_trying_all_of_them_finds(n_descriptors):
    rng = np.random.default_rng(n_descriptors)
    candidates = rng.permuted(np.tile(np.arange(4), (6, 1)), axis=1)[:, :3]
    error = rng.normal(size=(n_descriptors, 6, 3))
    change = rng.random((4, 4))

    def price(places):
        codes = candidates[np.arange(6), places]
        own = error[:, np.arange(6), places]  # (descriptors, frames)
        far = np.abs(own[:, 1:] - own[:, :-1]) > 2
        mixed = np.where(far, np.maximum(*np.abs([own[:, 1:], own[:, :-1]])), (own[:, 1:] + own[:, :-1]) / 2)
        return OWN_SHARE * (own**2).sum() + (mixed**2).sum() + sum(change[pair] for pair in pairwise(codes))

    cheapest = min(product(range(3), repeat=6), key=price)
    np.testing.assert_array_equal(cheapest_path(candidates, error, [2.0] * n_descriptors, change), cheapest)


def test_neighbours_may_miss_to_either_side_so_that_their_mixture_hits():
    candidates = np.tile([0, 1], (2, 1))
    error = np.array([[[1, 1.1], [-1, 1.1]]])  # too high, too low
    np.testing.assert_array_equal(cheapest_path(candidates, error, [np.inf], np.zeros((2, 2))), [0, 0])
    error[0, 1, 1] = 0.9  # itself nearer, but too high beside the first
    np.testing.assert_array_equal(cheapest_path(candidates, error, [np.inf], np.zeros((2, 2))), [0, 0])


def test_neighbours_too_far_apart_to_mix_are_two_sounds_not_one_between():
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


def test_a_change_that_costs_enough_is_never_made():
    error = np.random.default_rng(0).normal(size=(1, 300, 3))
    place = cheapest_path(np.tile(np.arange(3), (300, 1)), error, [np.inf], 1e6 * (1 - np.eye(3)))
    assert len(set(place)) == 1


def test_the_path_of_a_single_frame_is_its_nearest_candidate():
    assert cheapest_path(np.array([[7, 5, 6]]), np.array([[[2, -1, 3]]]), [np.inf], np.zeros((8, 8))) == [1]


@pytest.fixture
def trap():
    """Codes 0 and 1 are right in turns, but sound wrong where one follows the other; 2 is nearly right."""
    candidates = np.tile([0, 1, 2], (20, 1))
    error = np.full((1, 20, 3), 0.2)
    error[0, :10, 0] = error[0, 10:, 1] = 0
    error[0, 10:, 0] = error[0, :10, 1] = 50

    def hear(codes):
        heard = error[:, np.arange(20), codes].copy()
        after = np.flatnonzero((codes[:-1] == 0) & (codes[1:] == 1)) + 1
        heard[0, after] = 100
        return heard

    return candidates, error, [np.inf], 0.01 * (1 - np.eye(3)), hear


def test_a_path_that_sounds_wrong_is_chosen_again(trap):
    deaf = refine_path(*trap, rounds=0)
    np.testing.assert_array_equal(deaf, [0] * 10 + [1] * 10)
    heard = refine_path(*trap, rounds=3)
    assert (0, 1) not in set(pairwise(heard))
    assert np.abs(trap[4](heard)).mean() < 0.2


def test_the_best_of_the_paths_heard_is_kept_and_the_prices_are_left_alone(trap):
    candidates, error, limit, change, hear = trap
    prices, means = change.copy(), []

    def listen(codes):
        means.append(np.abs(hear(codes)).mean())
        return hear(codes)

    best = refine_path(candidates, error, limit, change, listen, rounds=4)
    assert len(means) == 2  # the rest would be heard once more
    assert np.abs(hear(best)).mean() == min(means)
    np.testing.assert_array_equal(change, prices)
