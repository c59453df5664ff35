import numpy as np
import pytest
import torch

import timbrelib
from timbrelib.audio.frames import frame_gain
from timbrelib.control import matching
from timbrelib.control.curves import fade
from timbrelib.control.scores import tracking_error, within_cents
from timbrelib.descriptors import DESCRIPTORS, measure_audio
from timbrelib.model.vqvae import VQVAE, VQVAEConfig


@pytest.fixture
def table():
    """Five codes; the last two are not pitched."""
    made = np.zeros(5, dtype=[("code", int), *((name, float) for name in DESCRIPTORS), ("voicing", float)])
    made["code"] = range(5)
    made["centroid"] = [1000, 2000, 3000, 1500, 1501]
    made["fundamental"] = [200, 400, 800, np.nan, np.nan]
    made["flatness"] = [np.nan, np.nan, np.nan, 0.1, 0.2]
    made["bandwidth"] = np.nan
    made["voicing"] = [1, 1, 1, 0.5, 0.5]
    return made


@pytest.fixture
def five():
    """A model with as many codes; what they sound like does not matter here."""
    torch.manual_seed(0)
    return VQVAE(VQVAEConfig(n_codes=5, code_size=4, width=8, blocks=1)).eval()


def test_without_smoothness_the_nearest_code_is_chosen(five, table):
    chosen = matching.match(five, table, {"centroid": [1000, 1499, 1760, 2600, 3000]}, smoothness=0)
    np.testing.assert_array_equal(chosen, [0, 3, 1, 2, 2])


def test_a_fundamental_is_matched_in_log_frequency_and_by_pitched_codes_alone(five, table):
    asked = {"fundamental": [200, 280, 290, 560, 570, 800]}
    np.testing.assert_array_equal(matching.match(five, table, asked, smoothness=0), [0, 0, 1, 1, 2, 2])
    assert set(matching.match(five, table, asked, smoothness=1e6)) <= {0, 1, 2}


def test_of_two_codes_as_near_the_clearer_note_is_chosen(five, table):
    table["fundamental"][:2] = 300
    table["voicing"][:2] = [0.92, 0.99]
    np.testing.assert_array_equal(matching.match(five, table, {"fundamental": np.full(5, 300.0)}, rounds=0), [1] * 5)


@pytest.mark.parametrize("smoothness", [0, 4])
def test_of_several_targets_only_codes_with_all_of_them_are_chosen(five, table, smoothness):
    asked = {"centroid": [1500, 1501, 1500, 1400], "fundamental": [400, 400, 200, 200]}
    assert set(matching.match(five, table, asked, smoothness=smoothness)) <= {0, 1, 2}


@pytest.mark.parametrize(("weights", "chosen"), [({}, 0), ({"centroid": 100}, 2), ({"fundamental": 100}, 0)])
def test_a_weight_shifts_the_compromise_towards_its_descriptor(five, table, weights, chosen):
    low_but_bright = {"centroid": np.full(8, 3000), "fundamental": np.full(8, 200)}
    assert set(matching.match(five, table, low_but_bright, weights, smoothness=0)) == {chosen}


def test_codes_of_another_pitch_are_warned_of(five, table, caplog):
    low_but_bright = {"centroid": np.full(8, 3000), "fundamental": np.full(8, 200)}
    matching.match(five, table, low_but_bright, {"fundamental": 100})
    assert not caplog.text
    matching.match(five, table, low_but_bright, {"centroid": 100})
    assert "more than 50 cents from the fundamental target in 8 of 8 frames" in caplog.text


@pytest.mark.parametrize(
    ("targets", "says"),
    [
        ({"centroid": [900, 1000, 4000]}, "1000 to 3000 Hz, in 2 of 3 frames"),
        ({"centroid": [1000, np.nan]}, "undefined"),
        ({"centroid": []}, "one value a frame"),
        ({"centroid": [[1000]]}, "one value a frame"),
        ({"loudness": [1]}, "choose one of centroid"),
        ({"bandwidth": [1000]}, "no code of this model has a bandwidth"),
        ({"centroid": [1000, 2000], "fundamental": [400]}, "equally long"),
        ({"fundamental": [400], "flatness": [0.1]}, "no code of this model has all of fundamental, flatness"),
        ({}, "give targets as"),
    ],
)
def test_targets_that_cannot_be_matched_are_refused(five, table, targets, says):
    with pytest.raises(ValueError, match=says):
        matching.match(five, table, targets)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"smoothness": -1}, "0 \\(exact\\) or more"),
        ({"smoothness": np.nan}, "0 \\(exact\\) or more"),
        ({"rounds": -1}, "-1 rounds"),
        ({"weights": {"fundamental": 1}}, "weights for fundamental, but no such target"),
        ({"weights": {"centroid": 0}}, "give positive numbers"),
        ({"weights": {"centroid": -1}}, "give positive numbers"),
        ({"weights": {"centroid": np.inf}}, "give positive numbers"),
        ({"excitation": "hum"}, "locked, noise"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(five, table, settings, says):
    with pytest.raises(ValueError, match=says):
        matching.match(five, table, {"centroid": [1000, 2000]}, **settings)


def test_a_smooth_path_changes_less_and_sounds_nearer(violin, violin_table):
    curve = timbrelib.target("sin", "centroid", 1200, 3000, 256)
    exact, smooth = (timbrelib.render(violin, violin_table, {"centroid": curve}, smoothness=s) for s in (0, 8))
    assert np.sum(np.diff(smooth.codes) != 0) < 0.5 * np.sum(np.diff(exact.codes) != 0)
    near, far = (tracking_error(made.measured["centroid"], curve) for made in (smooth, exact))
    assert near < far < 3


def test_more_rounds_do_not_follow_worse(violin, violin_table):
    curve = timbrelib.target("sin", "centroid", 1200, 3000, 256)
    made = [timbrelib.render(violin, violin_table, {"centroid": curve}, rounds=rounds) for rounds in (0, 1, 3, 6)]
    errors = [tracking_error(rendering.measured["centroid"], curve) for rendering in made]
    assert (np.diff(errors) <= 0).all()
    assert errors[-1] < 0.9 * errors[0]


def test_two_targets_are_both_heard(violin, violin_table):
    brightness, pitch = np.linspace(1300, 1700, 128), timbrelib.target("sin", "fundamental", 300, 500, 128)
    heard = timbrelib.render(violin, violin_table, {"centroid": brightness, "fundamental": pitch}).measured
    assert within_cents(heard["fundamental"], pitch, 50) > 90
    assert np.nanmean(np.abs(heard["centroid"] - brightness)) < 0.25 * np.ptp(brightness)


@pytest.mark.parametrize(("excitation", "tolerance"), [("locked", 0.001), ("noise", 0.01)])
def test_a_fade_is_heard(violin, violin_table, excitation, tolerance):
    gain = fade(128, 0.1, rise_s=0.5, fall_s=1)
    rendering = timbrelib.render(violin, violin_table, {"fundamental": np.full(128, 440)}, gain, excitation)
    np.testing.assert_allclose(frame_gain(rendering.audio), gain, atol=tolerance)
    np.testing.assert_array_equal(rendering.gain, gain)


def test_a_single_frame_is_a_target(violin, violin_table):
    rendering = timbrelib.render(violin, violin_table, {"fundamental": [440], "centroid": [1500]})
    assert len(rendering.codes) == len(rendering.gain) == len(rendering.measured["fundamental"]) == 1
    assert len(rendering.audio) == 512
    assert violin_table["fundamental"][rendering.codes[0]] == pytest.approx(440, rel=0.03)


def test_codes_of_ones_own_are_decoded_and_measured(violin, violin_table):
    codes = np.repeat([500, 3], 30)
    rendering = matching.render_codes(violin, violin_table, {"centroid": np.full(60, 1500)}, codes, gain=0.1)
    np.testing.assert_array_equal(rendering.audio, violin.decode(codes, 0.1))
    np.testing.assert_array_equal(rendering.selected["centroid"], violin_table["centroid"][codes])
    np.testing.assert_allclose(rendering.measured["centroid"][10], violin_table["centroid"][500], rtol=0.03)
    assert list(measure_audio(rendering.audio, ["fundamental", "rolloff"])) == ["fundamental", "rolloff"]
