import subprocess
import sys

import numpy as np
import pytest
from conftest import model_of, tone, unit_spectra

import timbrelib
from timbrelib.audio.frames import frame_gain
from timbrelib.audio.sound_output import round_to_16_bits
from timbrelib.control.curves import fade
from timbrelib.control.search import Search
from timbrelib.control.targets import FRAMES, Target, shape_curve
from timbrelib.control.timbre import Timbre
from timbrelib.descriptors.pitch import track_autocorrelation
from timbrelib.evaluation.metrics import hnr_and_flux
from timbrelib.model.vqvae import DEFAULT_GAIN
from timbrelib.synthesis.excitation import EXCITATIONS


@pytest.fixture(scope="module")
def short(violin):
    """A target of one second and a half."""
    return violin.target("centroid", "sin", 1200, 3000, 64)


def test_a_timbre_shows_its_name_codes_and_excitation(violin):
    assert repr(violin) == f"Timbre: violin, {len(violin.codebook)} codes, mixed excitation"
    assert (violin.name, violin.prefix, violin.excitation) == ("violin", "violin", "mixed")
    assert violin.noise == violin.model.noise


def test_a_timbre_loads_by_name_or_folder_with_an_excitation(tmp_path, small):
    model, history = small
    timbrelib.save_model(tmp_path / "mine", model, history, {})
    for excitation in EXCITATIONS:
        timbre = timbrelib.load(tmp_path / "mine", excitation, 0.25)
        assert isinstance(timbre, Timbre)
        assert (timbre.name, timbre.excitation, timbre.noise) == ("mine", excitation, 0.25)
        assert len(timbre.codebook) == 64
    timbre = timbrelib.load(tmp_path / "mine")
    assert (timbre.excitation, timbre.noise) == ("mixed", model.noise)
    assert timbrelib.load("singing").prefix == "sing"


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("viola-da-gamba",), FileNotFoundError, "violin"),
        (("violin", "hum"), ValueError, "mixed, locked, noise"),
        (("violin", "mixed", 1.5), ValueError, "the noise cannot be 1.5"),
    ],
)
def test_a_timbre_that_does_not_exist_is_refused(arguments, error, says):
    with pytest.raises(error, match=says):
        timbrelib.load(*arguments)


def test_another_excitation_or_noise_has_another_codebook(small):
    timbre = Timbre(small[0], timbrelib.analyse_codebook(small[0]))
    for other in (
        timbre.with_excitation("noise"),
        timbre.with_excitation(noise=1.0),
        timbre.with_excitation("mixed", 0),
    ):
        assert other.model is timbre.model
        assert not np.array_equal(other.codebook["centroid"], timbre.codebook["centroid"])
    assert timbre.with_excitation("noise").excitation == "noise"
    more = timbre.with_excitation(noise=1.0)
    assert (more.excitation, more.noise, more.codebook.noise) == ("mixed", 1.0, 1.0)
    assert timbre.with_excitation("mixed") is timbre.with_excitation(noise=timbre.noise) is timbre
    with pytest.raises(ValueError, match="mixed, locked, noise"):
        timbre.with_excitation("hum")
    with pytest.raises(ValueError, match="the noise cannot be -1"):
        timbre.with_excitation(noise=-1)


@pytest.mark.parametrize("descriptor", ["centroid", "fundamental"])
def test_a_shape_covers_the_percentile_range_by_default(violin, descriptor):
    target = violin.target(descriptor, "exp")
    ends = violin.codebook.percentile_range(descriptor)
    np.testing.assert_array_equal(target.curve, shape_curve("exp", descriptor, *ends, FRAMES))
    assert (target.descriptor, target.weight) == (descriptor, 1)


def test_a_shape_may_have_other_ends_a_length_and_a_weight(violin):
    target = violin.target("centroid", "ramp", high=2500, n_frames=50, weight=0.5)
    assert (target.curve[0], target.curve[-1]) == (violin.codebook.percentile_range("centroid")[0], 2500)
    assert (len(target), target.weight) == (50, 0.5)
    assert violin.target("centroid", "ramp", low=1500).curve[0] == 1500


@pytest.mark.parametrize("fit", ["shift", "clip"])
def test_a_curve_is_fitted_into_the_full_range_if_asked(violin, fit):
    low, high = violin.codebook.full_range("centroid")
    curve = np.linspace(high - 200, high + 100, 30)
    np.testing.assert_array_equal(violin.target("centroid", curve).curve, curve)
    fitted = violin.target("centroid", curve, fit=fit).curve
    assert low <= fitted[0] < fitted.max() == high


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("colour", "sin"), "choose one of centroid"),
        (("centroid", "square"), "sin, exp, ramp, steps"),
        (("centroid", "sin", 2000, 1000), "low < high"),
        (("centroid", [1000, np.nan]), "fill them first"),
        (("centroid", [1000], None, None, 1, "fold"), "choose shift or clip"),
    ],
)
def test_a_target_that_cannot_be_made_is_refused(violin, arguments, says):
    with pytest.raises(ValueError, match=says):
        violin.target(*arguments)


@pytest.mark.parametrize(
    ("targets", "says"),
    [
        ([], "give one or more"),
        ([{"centroid": [1000, 2000]}], "give one or more"),
        ([Target("centroid", [1000, 2000]), Target("fundamental", [400])], "equally long"),
        ([Target("centroid", [100, 2000])], 'in 1 of 2 frames: make it with .*fit="shift"'),
    ],
)
def test_targets_that_cannot_be_rendered_are_refused(violin, targets, says):
    with pytest.raises(ValueError, match=says):
        violin.render(*targets)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"smoothness": -1}, "0 \\(exact\\) or more"),
        ({"smoothness": np.nan}, "0 \\(exact\\) or more"),
        ({"refinements": -1}, "cannot be -1"),
        ({"continuity": -1}, "0 \\(any pitch\\) or more"),
        ({"retune": 5000}, "cannot be retuned by 5000 cents"),
        ({"tilt": np.nan}, "cannot be tilted by nan dB"),
        ({"excitation": "hum"}, "mixed, locked, noise"),
        ({"noise": 2}, "the noise cannot be 2"),
        ({"method": "random"}, "choose one of path, nearest"),
        ({"gain": -1}, "negative"),
        ({"gain": np.ones(3)}, "one per frame"),
    ],
)
def test_a_rendering_with_invalid_settings_is_refused(violin, short, settings, says):
    with pytest.raises(ValueError, match=says):
        violin.render(short, **settings)


def test_a_rendering_remembers_its_search(violin, short):
    weighted = violin.target("fundamental", np.full(64, 440), weight=2)
    settings = {"smoothness": 2, "refinements": 0, "continuity": 0.5, "retune": 30, "tilt": 3}
    rendering = violin.render(short, weighted, **settings)
    assert rendering.search == Search(**settings, weights={"fundamental": 2})
    assert violin.render(short, method="nearest").search == Search.literal()


def test_the_nearest_method_takes_the_nearest_code_of_each_frame(violin, short):
    rendering = violin.render(short, method="nearest")
    distance = np.abs(violin.codebook["centroid"] - short.curve[:, None])  # (frames, n_codes)
    np.testing.assert_array_equal(rendering.codes, distance.argmin(axis=1))
    np.testing.assert_array_equal(rendering.codes, violin.render(short, smoothness=0).codes)
    assert rendering.code_path.cents is rendering.code_path.tilt is None
    np.testing.assert_array_equal(rendering.audio, round_to_16_bits(violin.model.decode(rendering.codes)))


def test_without_smoothness_the_nearest_codes_are_still_adjusted(chromatic):
    target = chromatic.target("fundamental", "ramp", 310, 580, 50)
    nearest, adjusted = (
        chromatic.render(target, track_f0=track_autocorrelation, **settings)
        for settings in ({"method": "nearest"}, {"smoothness": 0})
    )
    np.testing.assert_array_equal(nearest.codes, adjusted.codes)
    assert nearest.score["fundamental"].error > 10 > 2 > adjusted.score["fundamental"].error  # cents


def test_a_rendering_is_decoded_at_its_gain_with_its_excitation(violin, short):
    gain = np.linspace(0.01, 0.07, 64)
    rendering = violin.render(short, gain=gain, excitation="noise", refinements=1)
    assert rendering.excitation == rendering.codebook.excitation == "noise"
    np.testing.assert_array_equal(rendering.gain, gain)
    tilt = rendering.code_path.tilt
    np.testing.assert_array_equal(
        rendering.audio, round_to_16_bits(violin.model.decode(rendering.codes, gain, "noise", tilt=tilt))
    )
    default = violin.render(short, refinements=1)
    np.testing.assert_array_equal(default.gain, np.full(64, DEFAULT_GAIN))
    tilt = default.code_path.tilt
    np.testing.assert_array_equal(default.audio, round_to_16_bits(violin.model.decode(default.codes, tilt=tilt)))


def test_a_rendering_has_the_noise_that_is_asked_for():
    model = model_of(unit_spectra(tone(300), tone(400)), 0.5)
    timbre = Timbre(model, timbrelib.analyse_codebook(model, cache=False))
    quality = []
    for noise in (0, 0.5, 1):
        rendering = timbre.render(Target("fundamental", np.full(40, 301)), noise=noise, refinements=0)
        assert rendering.codebook.noise == noise
        cents = rendering.code_path.cents
        np.testing.assert_array_equal(
            rendering.audio, round_to_16_bits(model.decode(rendering.codes, noise=noise, cents=cents))
        )
        quality.append(np.median(hnr_and_flux(rendering.audio)[0]))
    assert (np.diff(quality) < -1).all()  # dB


@pytest.mark.parametrize(("excitation", "tolerance"), [("locked", 0.001), ("mixed", 0.002), ("noise", 0.01)])
def test_a_fade_is_in_the_sound(violin, excitation, tolerance):
    gain = fade(128, 0.1, rise_s=0.5, fall_s=1)
    rendering = violin.render(violin.target("fundamental", np.full(128, 440)), gain=gain, excitation=excitation)
    np.testing.assert_allclose(frame_gain(rendering.audio), gain, atol=tolerance)
    np.testing.assert_array_equal(rendering.gain, gain)


def test_a_single_frame_is_a_target(violin):
    rendering = violin.render(Target("fundamental", [440]), Target("centroid", [1500]))
    assert len(rendering.codes) == len(rendering.gain) == len(rendering.measured["fundamental"]) == 1
    assert len(rendering.audio) == 512
    assert rendering.selected["fundamental"][0] == pytest.approx(440, rel=0.03)


def test_a_pitch_may_be_measured_quickly(violin):
    target = violin.target("fundamental", "ramp", 300, 400, 40)
    rendering = violin.render(target, refinements=0, track_f0=track_autocorrelation)
    np.testing.assert_array_equal(rendering.measured["fundamental"], track_autocorrelation(rendering.audio))


def test_given_codes_are_decoded_and_measured(chromatic):
    codes = np.repeat([40, 3], 30)
    rendering = chromatic.render_codes(codes, Target("centroid", np.full(60, 1500)), gain=0.1)
    np.testing.assert_array_equal(rendering.audio, round_to_16_bits(chromatic.model.decode(codes, 0.1)))
    np.testing.assert_array_equal(rendering.selected["centroid"], chromatic.codebook["centroid"][codes])
    np.testing.assert_allclose(rendering.measured["centroid"][10], chromatic.codebook["centroid"][40], rtol=0.03)
    assert rendering.search is rendering.code_path.cents is rendering.code_path.tilt is None


@pytest.mark.parametrize(
    ("codes", "targets", "says"),
    [
        ([1, 2], [], "give one or more"),
        ([1, 2, 3], [Target("centroid", [1000, 1000])], "one for each frame"),
        ([1, 10**6], [Target("centroid", [1000, 1000])], "codes run from 1 to 1000000, but this codebook has 0 to"),
    ],
)
def test_codes_that_do_not_fit_the_targets_or_the_codebook_are_refused(violin, codes, targets, says):
    with pytest.raises(ValueError, match=says):
        violin.render_codes(codes, *targets)


def test_a_traversal_plays_all_codes_of_a_descriptor_in_order(small):
    timbre = Timbre(small[0], timbrelib.analyse_codebook(small[0]))
    traversal = timbre.traverse("fundamental")
    f0 = traversal.targets["fundamental"]
    assert (np.diff(f0) >= 0).all()
    assert set(traversal.codes) == set(np.flatnonzero(np.isfinite(timbre.codebook["fundamental"])))
    np.testing.assert_array_equal(traversal.selected["fundamental"], f0)
    np.testing.assert_array_equal(traversal.audio, round_to_16_bits(timbre.model.decode(traversal.codes)))
    with pytest.raises(ValueError, match="choose one of centroid"):
        timbre.traverse("colour")


def test_loading_imports_no_library_that_it_does_not_need(violin):
    program = (
        "import sys, timbrelib; assert 'torch' not in sys.modules; timbrelib.load('violin'); "
        "print({'matplotlib', 'pandas', 'librosa', 'sklearn', 'scipy', 'IPython'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
