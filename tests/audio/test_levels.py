import numpy as np
import pytest

from timbrelib.audio import levels
from timbrelib.audio.levels import cepstral_points


def distances(spectra):
    """Distances of the cepstral points of spectra, (n, n)."""
    points, _ = cepstral_points(spectra)
    return np.linalg.norm(points[:, None] - points, axis=2)


def test_cepstral_distance_ignores_level_and_grows_with_the_difference():
    spectra = np.ones((4, 1025), np.float32)
    spectra[1] *= 5  # louder, but not different
    spectra[2, :512] = 0.1  # 20 dB down over half of the bins
    spectra[3, :512] = 0.01
    distance = distances(spectra)
    assert distance[0, 1] == pytest.approx(0, abs=1e-2)
    assert distance[0, 3] == pytest.approx(2 * distance[0, 2], rel=1e-3)


def test_points_are_64_coefficients_with_a_median_distance_of_one():
    spectra = np.random.default_rng(0).uniform(0.1, 1, (300, 1025)).astype(np.float32)
    points, _ = cepstral_points(spectra)
    assert points.shape == (300, 64)
    assert points.dtype == np.float32
    assert np.median(distances(spectra)[~np.eye(300, dtype=bool)]) == pytest.approx(1, rel=0.02)


def test_equal_spectra_have_no_distance():
    assert not distances(np.ones((3, 1025), np.float32)).any()


def test_unit_level_does_not_depend_on_gain_and_is_clipped():
    spectrum = np.zeros((2, 1025), np.float32)
    spectrum[0, 100] = 300
    gain = np.array([0.2, 0], np.float32)
    level = levels.unit_level(spectrum, gain)
    np.testing.assert_array_equal(level, levels.unit_level(4 * spectrum, 4 * gain))
    assert level[0, 100] == pytest.approx(20 * np.log10(300 / (2048 * 0.2)), abs=1e-4)
    assert (np.delete(level[0], 100) == levels.MIN_LEVEL).all()
    assert (level[1] == levels.MIN_LEVEL).all()  # silence


def test_audible_levels_are_relative_to_the_loudest_bin():
    level = levels.audible_level(np.array([[2.0, 0.2, 2e-5], [0, 0, 0]]))
    np.testing.assert_allclose(level, [[0, -20, -60], [-60, -60, -60]], atol=1e-9)


def test_frames_are_audible_down_to_40_db_below_the_loudest():
    np.testing.assert_array_equal(levels.audible_frames(np.array([0.5, 0.0051, 0.0049, 0])), [True, True, False, False])
