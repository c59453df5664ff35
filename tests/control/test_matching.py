import numpy as np
import pytest
import torch
from conftest import model_of, tone, unit_spectra, white_noise

import timbrelib
from timbrelib.audio.frames import HOP, SAMPLE_RATE, frame_times
from timbrelib.audio.sound_output import round_to_16_bits
from timbrelib.codebook.table import Codebook
from timbrelib.control.code_path import selected_values
from timbrelib.control.matching import match
from timbrelib.control.scores import raw_pitch_accuracy, tracking_error
from timbrelib.control.search import Search
from timbrelib.control.targets import Target, check_curves
from timbrelib.control.timbre import Timbre
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.descriptors.pitch import track_autocorrelation
from timbrelib.model.network import VQVAEConfig
from timbrelib.model.vqvae import VQVAE


@pytest.fixture
def five():
    """A timbre of five codes, of which the last two are not pitched; what they sound like does not matter here."""
    columns = np.zeros(
        5, dtype=[("code", int), *((name, float) for name in DESCRIPTORS), ("periodicity", float), ("ambiguity", float)]
    )
    columns["code"] = range(5)
    columns["centroid"] = [1000, 2000, 3000, 1500, 1501]
    columns["fundamental"] = [200, 400, 800, np.nan, np.nan]
    columns["flatness"] = [np.nan, np.nan, np.nan, 0.1, 0.2]
    columns["bandwidth"] = np.nan
    columns["periodicity"] = [1, 1, 1, 0.5, 0.5]
    torch.manual_seed(0)
    model = VQVAE(VQVAEConfig(n_codes=5, code_size=4, width=8, blocks=1)).eval()
    return Timbre(model, Codebook("five", "locked", 0.0, columns, model.codebook.numpy()))


def codes_of(timbre, curves, **search):
    """The codes that follow curves."""
    curves = {name: np.asarray(curve, dtype=float) for name, curve in curves.items()}
    return match(timbre.model, timbre.codebook, curves, Search(**search))[0].codes


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
    path, audio = match(violin.model, violin.codebook, curves, Search(refinements=1))
    np.testing.assert_array_equal(audio, path.decode(violin.model, None, "mixed", violin.noise))
    assert match(violin.model, violin.codebook, curves, Search(refinements=0))[1] is None


def test_a_smooth_path_changes_less_and_follows_more_closely(violin):
    target = violin.target("centroid", "sin", 1200, 3000, 256)
    exact, smooth = (violin.render(target, smoothness=smoothness, tilt=0) for smoothness in (0, 8))
    assert np.sum(np.diff(smooth.codes) != 0) < 0.5 * np.sum(np.diff(exact.codes) != 0)
    near, far = (tracking_error(rendering.measured["centroid"], target.curve) for rendering in (smooth, exact))
    assert near < far < 5


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


def cents(f0, reference):
    return 1200 * np.log2(f0 / reference)


def test_a_glide_has_no_steps_if_codes_are_retuned(chromatic):
    glide = chromatic.target("fundamental", "ramp", 310, 580, 120)
    step = cents(580, 310) / 119
    smooth, steps = (
        chromatic.render(glide, retune=retune, track_f0=track_autocorrelation).measured["fundamental"][4:-4]
        for retune in (100, 0)
    )
    np.testing.assert_allclose(cents(smooth, glide.curve[4:-4]), 0, atol=5)
    np.testing.assert_allclose(np.diff(cents(smooth, 310)), step, atol=0.5 * step)
    assert np.abs(cents(steps, glide.curve[4:-4])).max() > 30
    assert np.diff(cents(steps, 310)).max() > 5 * step  # from note to note
    assert np.median(np.diff(cents(steps, 310))) < 0.2 * step  # within a note


def test_codes_are_retuned_within_the_limit(chromatic):
    glide = chromatic.target("fundamental", "ramp", 310, 580, 120)
    path = chromatic.render(glide, retune=20, refinements=0).code_path
    assert np.abs(path.cents[:, 1]).max() == 20
    error = cents(selected_values(chromatic.codebook, path, ["fundamental"])["fundamental"], glide.curve)
    assert np.abs(error).max() < 40  # with codes every 100 cents, and a path that changes late


def depth_and_rate(audio):
    """Depth in cents and rate in Hz of a vibrato around the note of `chromatic` at 424.3 Hz."""
    moved = cents(track_autocorrelation(audio), 424.3)[5:-5]
    swing = np.abs(np.fft.rfft((moved - moved.mean()) * np.hanning(len(moved)), 4096))
    return np.sqrt(2) * moved.std(), np.fft.rfftfreq(4096, HOP / SAMPLE_RATE)[swing.argmax()]


def test_a_vibrato_has_its_depth_and_rate(chromatic):
    def vibrato(seconds):
        return 424.3 * 2 ** (40 / 1200 * np.sin(2 * np.pi * 5 * seconds))

    phase = 2 * np.pi * np.cumsum(vibrato(np.arange(159 * HOP) / SAMPLE_RATE)) / SAMPLE_RATE
    real = sum(0.1 / k * np.sin(k * phase) for k in range(1, 20)).astype(np.float32)
    target = chromatic.target("fundamental", vibrato(frame_times(160)))
    sounds = [real, *(chromatic.render(target, refinements=refinements).audio for refinements in (0, 3))]
    for sound in sounds:  # a frame averages over a part of the vibrato
        assert depth_and_rate(sound) == pytest.approx((40, 5), rel=0.1)


@pytest.mark.parametrize("settings", [{"tilt": 0}, {"refinements": 0}])
def test_without_limit_or_refinements_codes_are_not_tilted(chromatic, settings):
    rendering = chromatic.render(chromatic.target("centroid", "sin", n_frames=50), **settings)
    assert rendering.code_path.tilt is None
    assert rendering.code_path.cents is None
    np.testing.assert_array_equal(rendering.audio, round_to_16_bits(chromatic.model.decode(rendering.codes)))


def test_a_pitch_alone_is_not_tilted(chromatic):
    rendering = chromatic.render(chromatic.target("fundamental", "ramp", n_frames=50))
    assert rendering.code_path.tilt is None
    assert rendering.code_path.cents.shape == (50, 3)


def test_pitch_and_brightness_are_met_together(chromatic):
    pitch = chromatic.target("fundamental", "ramp", 330, 540, 100)
    middle = np.median(chromatic.codebook["centroid"])
    brightness = chromatic.target("centroid", "sin", 0.9 * middle, 1.1 * middle, 100)
    rendering = chromatic.render(pitch, brightness, track_f0=track_autocorrelation)
    error = np.abs(cents(rendering.measured["fundamental"], pitch.curve)[4:-4])
    assert np.median(error) < 5
    assert error.max() < 30
    assert tracking_error(rendering.measured["centroid"][4:-4], brightness.curve[4:-4]) < 4


def note_changes(timbre, rendering):
    """Number of times that the chosen codes change by more than a quarter tone, or lose or find a pitch."""
    semitones = 12 * np.log2(timbre.codebook["fundamental"][rendering.codes])
    before, after = semitones[:-1], semitones[1:]
    return np.sum(~((np.abs(after - before) < 0.5) | (np.isnan(before) & np.isnan(after))))


def test_continuity_keeps_the_note(chromatic):
    target = chromatic.target("centroid", "sin", n_frames=150)
    renderings = [chromatic.render(target, continuity=continuity) for continuity in (0, 1, 10)]
    free, default, strict = (note_changes(chromatic, rendering) for rendering in renderings)
    assert strict < default < free
    for rendering in renderings:
        assert rendering.score["centroid"].error < 2  # % of the range, which is no worse


def test_continuity_of_a_trained_model_keeps_the_note(small):
    timbre = Timbre(small[0], timbrelib.analyse_codebook(small[0]))
    target = timbre.target("centroid", "sin", n_frames=150)
    free, kept = (note_changes(timbre, timbre.render(target, continuity=continuity)) for continuity in (0, 4))
    assert kept < free


@pytest.fixture(scope="module")
def voice_and_hiss():
    """A timbre of tones and hisses of the same brightness."""
    sounds = [tone(f0, slope) for f0 in (300, 400) for slope in (11, 9, 7)]
    spectra = unit_spectra(*sounds, *(np.convolve(white_noise(), [1, a], "same") for a in (0.9, 0.7, 0.5)))
    model = model_of(spectra, np.repeat([0, 1], [6, 3])[:, None])
    return Timbre(model, timbrelib.analyse_codebook(model, noise=1.0, cache=False))


def test_what_is_pitched_stays_pitched(voice_and_hiss):
    pitched = np.isfinite(voice_and_hiss.codebook["fundamental"])
    np.testing.assert_array_equal(pitched, np.repeat([True, False], [6, 3]))
    voice_and_hiss.codebook["centroid"][6:] = np.linspace(1100, 1900, 3)  # as bright as the tones
    curves = {"centroid": np.linspace(1000, 2000, 60)}
    chosen = [
        match(voice_and_hiss.model, voice_and_hiss.codebook, curves, Search(continuity=continuity, refinements=0))[0]
        for continuity in (0, 1)
    ]
    assert not pitched[chosen[0].codes].all()
    assert pitched[chosen[1].codes].all()


@pytest.mark.parametrize("continuity", [0, 1])
def test_a_codebook_without_any_pitched_code_is_rendered(continuity):
    hisses = [np.convolve(white_noise(), [1, a], "same") for a in (0.9, 0.7, 0.5, 0, -0.9)]
    model = model_of(unit_spectra(*hisses), 1.0)
    timbre = Timbre(model, timbrelib.analyse_codebook(model, noise=1.0, cache=False))
    assert not np.isfinite(timbre.codebook["fundamental"]).any()
    target = timbre.target("centroid", "ramp", n_frames=80)
    rendering = timbre.render(target, continuity=continuity)
    assert rendering.score["centroid"].spearman > 0.95
    assert rendering.score["centroid"].error < 10
