import numpy as np
import pytest
import torch

from timbrelib.codebook.table import Codebook
from timbrelib.control.matching import match
from timbrelib.control.scores import raw_pitch_accuracy, tracking_error
from timbrelib.control.targets import Target, check_curves
from timbrelib.control.timbre import Timbre
from timbrelib.control.viterbi import Search
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.model.vqvae import VQVAE, VQVAEConfig


@pytest.fixture
def five():
    """A timbre of five codes, of which the last two are not pitched; what they sound like does not matter here."""
    columns = np.zeros(5, dtype=[("code", int), *((name, float) for name in DESCRIPTORS), ("periodicity", float)])
    columns["code"] = range(5)
    columns["centroid"] = [1000, 2000, 3000, 1500, 1501]
    columns["fundamental"] = [200, 400, 800, np.nan, np.nan]
    columns["flatness"] = [np.nan, np.nan, np.nan, 0.1, 0.2]
    columns["bandwidth"] = np.nan
    columns["periodicity"] = [1, 1, 1, 0.5, 0.5]
    torch.manual_seed(0)
    model = VQVAE(VQVAEConfig(n_codes=5, code_size=4, width=8, blocks=1)).eval()
    return Timbre(model, Codebook("five", "locked", columns, model.codebook.numpy()))


def codes_of(timbre, curves, **search):
    """The codes that follow curves."""
    curves = {name: np.asarray(curve, dtype=float) for name, curve in curves.items()}
    return match(timbre.model, timbre.codebook, curves, Search(**search))[0]


def test_without_smoothness_the_nearest_code_is_chosen(five):
    codes = codes_of(five, {"centroid": [1000, 1499, 1760, 2600, 3000]}, smoothness=0)
    np.testing.assert_array_equal(codes, [0, 3, 1, 2, 2])


def test_a_fundamental_is_matched_in_log_frequency_and_by_pitched_codes_alone(five):
    curves = {"fundamental": [200, 280, 290, 560, 570, 800]}
    np.testing.assert_array_equal(codes_of(five, curves, smoothness=0), [0, 0, 1, 1, 2, 2])
    assert set(codes_of(five, curves, smoothness=1e6)) <= {0, 1, 2}


def test_of_two_codes_equally_near_the_more_periodic_is_chosen(five):
    five.codebook["fundamental"][:2] = 300
    five.codebook["periodicity"][:2] = [0.92, 0.99]
    np.testing.assert_array_equal(codes_of(five, {"fundamental": np.full(5, 300)}, refinements=0), [1] * 5)


@pytest.mark.parametrize("smoothness", [0, 4])
def test_of_several_targets_only_codes_with_all_of_them_are_chosen(five, smoothness):
    curves = {"centroid": [1500, 1501, 1500, 1400], "fundamental": [400, 400, 200, 200]}
    assert set(codes_of(five, curves, smoothness=smoothness)) <= {0, 1, 2}


@pytest.mark.parametrize(("weights", "chosen"), [({}, 0), ({"centroid": 100}, 2), ({"fundamental": 100}, 0)])
def test_a_weight_shifts_the_compromise_towards_its_descriptor(five, weights, chosen):
    low_but_bright = {"centroid": np.full(8, 3000), "fundamental": np.full(8, 200)}
    assert set(codes_of(five, low_but_bright, weights=weights, smoothness=0)) == {chosen}
    targets = [Target(name, curve, weights.get(name, 1)) for name, curve in low_but_bright.items()]
    rendering = five.render(*targets, method="nearest")
    assert set(rendering.codes) == {chosen}
    assert rendering.search.weights == weights


def test_codes_of_another_pitch_are_warned_of(five, caplog):
    low_but_bright = {"centroid": np.full(8, 3000), "fundamental": np.full(8, 200)}
    codes_of(five, low_but_bright, weights={"fundamental": 100})
    assert not caplog.text
    codes_of(five, low_but_bright, weights={"centroid": 100})
    assert "more than 50 cents from the fundamental target in 8 of 8 frames" in caplog.text


@pytest.mark.parametrize(
    ("curves", "says"),
    [
        ({"centroid": [900, 1000, 4000]}, "1000 to 3000 Hz, in 2 of 3 frames"),
        ({"bandwidth": [1000]}, "no code of this model has a bandwidth"),
        ({"fundamental": [400], "flatness": [0.1]}, "no code of this model has all of fundamental, flatness"),
    ],
)
def test_curves_that_the_codebook_cannot_follow_are_refused(five, curves, says):
    with pytest.raises(ValueError, match=says):
        check_curves(five.codebook, {name: np.asarray(curve) for name, curve in curves.items()})
    with pytest.raises(ValueError, match=says):
        five.render(*(Target(name, curve) for name, curve in curves.items()))


def test_the_sound_decoded_by_the_search_is_returned(violin):
    curves = {"centroid": np.linspace(1200, 1800, 40)}
    codes, audio = match(violin.model, violin.codebook, curves, Search(refinements=1))
    np.testing.assert_array_equal(audio, violin.model.decode(codes))
    assert match(violin.model, violin.codebook, curves, Search(refinements=0))[1] is None


def test_a_smooth_path_changes_less_and_follows_more_closely(violin):
    target = violin.target("centroid", "sin", 1200, 3000, 256)
    exact, smooth = (violin.render(target, smoothness=smoothness) for smoothness in (0, 8))
    assert np.sum(np.diff(smooth.codes) != 0) < 0.5 * np.sum(np.diff(exact.codes) != 0)
    near, far = (tracking_error(rendering.measured["centroid"], target.curve) for rendering in (smooth, exact))
    assert near < far < 3


def test_more_refinements_do_not_follow_worse(violin):
    target = violin.target("centroid", "sin", 1200, 3000, 256)
    renderings = [violin.render(target, refinements=refinements) for refinements in (0, 1, 3, 6)]
    errors = [tracking_error(rendering.measured["centroid"], target.curve) for rendering in renderings]
    assert (np.diff(errors) <= 0).all()
    assert errors[-1] < 0.9 * errors[0]


def test_two_targets_are_both_followed(violin):
    brightness = violin.target("centroid", np.linspace(1300, 1700, 128))
    pitch = violin.target("fundamental", "sin", 300, 500, 128)
    measured = violin.render(brightness, pitch).measured
    assert raw_pitch_accuracy(measured["fundamental"], pitch.curve, 50) > 90
    assert np.nanmean(np.abs(measured["centroid"] - brightness.curve)) < 0.25 * np.ptp(brightness.curve)
