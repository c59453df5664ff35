import csv
from itertools import product

import numpy as np
import pytest
import torch

import timbrelib
from timbrelib import control, targets
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.evaluation import tracking_error
from timbrelib.model import VQVAE, VQVAEConfig


@pytest.fixture
def table():
    """Five codes; the last two are not pitched."""
    made = np.zeros(5, dtype=[("code", int), *((name, float) for name in DESCRIPTORS)])
    made["code"] = range(5)
    made["centroid"] = [1000, 2000, 3000, 1500, 1501]
    made["fundamental"] = [200, 400, 800, np.nan, np.nan]
    made["bandwidth"] = np.nan
    return made


@pytest.fixture
def five():
    """A model with as many codes; what they sound like does not matter here."""
    torch.manual_seed(0)
    return VQVAE(VQVAEConfig(n_codes=5, code_size=4, width=8, blocks=1)).eval()


def test_without_smoothness_the_nearest_code_is_chosen(five, table):
    chosen = control.match(five, table, "centroid", [1000, 1499, 1760, 2600, 3000], smoothness=0)
    np.testing.assert_array_equal(chosen, [0, 3, 1, 2, 2])


def test_a_fundamental_is_matched_in_log_frequency_and_by_pitched_codes_alone(five, table):
    asked = [200, 280, 290, 560, 570, 800]
    np.testing.assert_array_equal(control.match(five, table, "fundamental", asked, smoothness=0), [0, 0, 1, 1, 2, 2])
    assert set(control.match(five, table, "fundamental", asked, smoothness=1e6)) <= {0, 1, 2}


def test_the_cheapest_path_is_the_one_that_trying_all_of_them_finds():
    rng = np.random.default_rng(0)
    candidates, cost, change = (
        rng.permuted(np.tile(np.arange(4), (5, 1)), axis=1)[:, :3],
        rng.random((5, 3)),
        rng.random((4, 4)),
    )

    def price(choice):
        codes = candidates[np.arange(5), choice]
        return cost[np.arange(5), choice].sum() + change[codes[:-1], codes[1:]].sum()

    cheapest = min(product(range(3), repeat=5), key=price)
    np.testing.assert_array_equal(control.cheapest_path(candidates, cost, change), candidates[np.arange(5), cheapest])


def test_codes_are_as_far_apart_as_they_sound():
    spectra = np.ones((4, 1025), np.float32)
    spectra[1] *= 5  # louder, but not different
    spectra[2, :512] = 0.1  # 20 dB down over half of the bins
    spectra[3, :512] = 0.01
    distance = control.spectral_distance(spectra)
    assert distance[0, 1] == pytest.approx(0, abs=1e-2)
    assert distance[0, 2] == pytest.approx(distance[2, 0])
    assert distance[0, 3] == pytest.approx(2 * distance[0, 2], rel=1e-3)


def test_a_smooth_path_changes_less_and_sounds_nearer(violin, violin_table):
    curve = timbrelib.target("sin", "centroid", 1200, 3000, 256)
    exact, smooth = (timbrelib.render(violin, violin_table, "centroid", curve, smoothness=s) for s in (0, 8))
    assert np.sum(np.diff(smooth.codes) != 0) < 0.5 * np.sum(np.diff(exact.codes) != 0)
    assert tracking_error(smooth.measured, curve) < tracking_error(exact.measured, curve) < 3


@pytest.mark.parametrize(
    ("name", "target", "says"),
    [
        ("centroid", [900, 1000, 4000], "1000 to 3000 Hz, in 2 of 3 frames"),
        ("centroid", [1000, np.nan], "undefined"),
        ("centroid", [], "one value a frame"),
        ("centroid", [[1000]], "one value a frame"),
        ("loudness", [1], "choose one of centroid"),
        ("bandwidth", [1000], "no code of this model has a bandwidth"),
    ],
)
def test_a_target_that_cannot_be_matched_is_refused(five, table, name, target, says):
    with pytest.raises(ValueError, match=says):
        control.match(five, table, name, target)


def test_a_negative_smoothness_is_refused(five, table):
    with pytest.raises(ValueError, match="0 \\(exact\\) or more"):
        control.match(five, table, "centroid", [1000], smoothness=-1)


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


def test_a_fundamental_moves_in_log_frequency():
    curve = timbrelib.target("sin", "fundamental", 200, 800, 101)
    np.testing.assert_allclose(curve[[0, 25, 75]], [400, 800, 200])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("square", "centroid", 1, 2), "sin, exp"),
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


def test_a_rendering_is_written_as_wav_and_curves(tmp_path, violin, violin_table):
    curve = timbrelib.target("sin", "fundamental", 300, 600, 64)
    rendering = timbrelib.render(violin, violin_table, "fundamental", curve)
    control.save_rendering(tmp_path / "a_b", rendering)
    with (tmp_path / "a_b.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["time_s", "target", "selected", "measured"]
    assert len(rows) == len(rendering.codes) == 64
    np.testing.assert_allclose([float(row["target"]) for row in rows], curve, rtol=1e-5)
    assert float(rows[10]["time_s"]) == pytest.approx(5120 / 22_050, abs=1e-6)
    undefined = [row["measured"] == "" for row in rows]
    np.testing.assert_array_equal(undefined, np.isnan(rendering.measured))
    assert len(timbrelib.load_audio(tmp_path / "a_b.wav")) == 63 * 512


def test_the_span_is_the_inner_94_percent(violin_table):
    low, high = targets.span(violin_table, "centroid")
    assert np.mean(violin_table["centroid"] < low) == pytest.approx(0.03, abs=0.002)
    assert np.mean(violin_table["centroid"] > high) == pytest.approx(0.03, abs=0.002)
