import numpy as np
import pytest
from conftest import model_of, timbre_of, tone, unit_spectra, white_noise

from timbrelib.control.refinement import refine, tilt_slopes
from timbrelib.control.search import Search
from timbrelib.descriptors import measure
from timbrelib.descriptors.pitch import track_autocorrelation


@pytest.fixture(scope="module")
def timbre():
    """A timbre of one note in two brightnesses, far apart."""
    return timbre_of(tone(400, 12), tone(400, 6))


def refined(timbre, curves, decode=None, **search):
    """Refine the first code, held for as long as the curves, (frames,) by descriptor."""
    codes = np.zeros(len(next(iter(curves.values()))), int)
    units = {name: {"fundamental": 10 / 1200}.get(name, 10.0) for name in curves}
    decode = decode or (lambda path: path.decode(timbre.model, None, "locked", 0))
    return refine(timbre.model, timbre.codebook, codes, curves, units, Search(**search), decode)


def distance(audio, name, curve):
    """Mean distance of a sound from a curve, in the descriptor's unit."""
    measured = measure(audio, [name], track_autocorrelation)[name]
    return np.abs(measured[: len(curve)] - curve)[4:-4].mean()


def test_the_slope_of_a_descriptor_is_its_change_by_one_db_per_octave(timbre):
    slopes = tilt_slopes(timbre.model, timbre.codebook, np.array([0, 1, 1, 0]), "centroid")
    for code, slope in enumerate(slopes[:2]):
        darker, brighter = (
            measure(timbre.model.decode(np.full(40, code), tilt=np.full(40, tilt)), ["centroid"])["centroid"][10:-10]
            for tilt in (-0.5, 0.5)
        )
        assert slope == pytest.approx(brighter.mean() - darker.mean(), rel=0.25)
    np.testing.assert_array_equal(slopes, slopes[[0, 1, 1, 0]])


def test_a_wrong_brightness_is_corrected_within_the_limit(timbre):
    curve = np.full(40, timbre.codebook["centroid"][0] + 300)
    near, nearer = (refined(timbre, {"centroid": curve}, tilt=tilt)[1] for tilt in (1, 6))
    assert distance(nearer, "centroid", curve) < 15
    assert 30 < distance(near, "centroid", curve) < 270
    path, audio = refined(timbre, {"centroid": curve}, tilt=1)
    assert np.abs(path.tilt).max() == 1
    np.testing.assert_array_equal(audio, path.decode(timbre.model, None, "locked", 0))


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_brighter_target_is_met_by_a_brighter_tilt(timbre, sign):
    path, _ = refined(timbre, {"centroid": np.full(40, timbre.codebook["centroid"][0] + sign * 40)})
    assert (np.sign(path.tilt[4:-4]) == sign).all()


def test_a_wrong_pitch_is_corrected_within_the_limit(timbre):
    curve = np.full(40, 412.0)  # 51 cents above the code
    for limit, remaining in ((100, 0), (30, 21)):
        path, audio = refined(timbre, {"fundamental": curve}, retune=limit)
        cents = 1200 * np.log2(track_autocorrelation(audio) / curve)[4:-4]
        np.testing.assert_allclose(np.abs(cents), remaining, atol=3)
        assert np.abs(path.cents).max() <= limit
        assert path.tilt is None


def test_a_pitch_that_a_code_does_not_have_where_it_blends_is_corrected():
    """The codebook is wrong by 30 cents, as where a code blends with others; the sound shows it."""
    timbre = timbre_of(tone(400), tone(500))
    timbre.codebook["fundamental"][0] = 400 * 2 ** (30 / 1200)
    curve = np.full(40, 400.0)
    once, corrected = (refined(timbre, {"fundamental": curve}, refinements=refinements)[1] for refinements in (0, 3))
    assert distance(once, "fundamental", curve) > 5  # Hz
    assert distance(corrected, "fundamental", curve) < 0.5


def test_a_pitch_heard_as_another_note_is_not_corrected(timbre):
    curve = np.full(40, 400.0)
    path, _ = refined(timbre, {"fundamental": curve}, decode=lambda path: tone(800)[: 39 * 512])
    np.testing.assert_allclose(path.cents, 0, atol=1)


def test_a_bend_that_a_frame_cannot_show_is_not_corrected(timbre):
    vibrato = 400 * 2 ** (50 / 1200 * np.sin(2 * np.pi * np.arange(40) / 8))  # a cycle lasts two frames of 93 ms
    once, thrice = (refined(timbre, {"fundamental": vibrato}, refinements=refinements)[0] for refinements in (0, 3))
    bends = np.flatnonzero(np.arange(40) % 4)[:-1]  # all frames but those in which the vibrato passes its middle
    np.testing.assert_array_equal(thrice.cents[bends], once.cents[bends])


def test_nothing_is_decoded_again_if_nothing_can_be_adjusted(timbre):
    decoded = []

    def decode(path):
        decoded.append(path)
        return tone(400)[: 39 * 512]

    refined(timbre, {"centroid": np.full(40, 900.0)}, decode, tilt=0)
    refined(timbre, {"fundamental": np.full(40, 400.0)}, decode, retune=0)
    assert len(decoded) == 2


def test_a_sound_that_meets_its_target_is_not_refined(timbre):
    decoded = []

    def decode(path):
        decoded.append(path)
        return tone(400)[: 39 * 512]

    refined(timbre, {"fundamental": np.full(40, 400.0)}, decode)
    assert len(decoded) == 1


def test_a_sound_without_the_descriptor_is_not_the_best(timbre):
    """The second sound has no pitch at all; the first is 40 cents off."""
    sounds = [tone(400 * 2 ** (40 / 1200))[: 39 * 512], 0.1 * white_noise()[: 39 * 512]]
    decoded = []

    def decode(path):
        decoded.append(path)
        return sounds[len(decoded) - 1]

    path, _ = refined(timbre, {"fundamental": np.full(40, 400.0)}, decode, refinements=1)
    assert path is decoded[0]


def test_more_refinements_follow_more_closely(timbre):
    curve = timbre.codebook["centroid"][0] + np.linspace(0, 400, 40)
    distances = [
        distance(refined(timbre, {"centroid": curve}, refinements=passes)[1], "centroid", curve) for passes in range(4)
    ]
    assert (np.diff(distances) < 0).all()
    assert distances[-1] < 0.1 * distances[0]


def test_the_best_of_all_measured_sounds_is_kept(timbre):
    sounds = [tone(400, slope)[: 39 * 512] for slope in (12, 10, 6, 9)]  # the second meets the target
    target = {"centroid": np.full(40, np.median(measure(sounds[1], ["centroid"])["centroid"]))}
    decoded = []

    def decode(path):
        decoded.append(path)
        return sounds[len(decoded) - 1]

    path, audio = refined(timbre, target, decode, refinements=3)
    assert len(decoded) == 4
    assert path is decoded[1]
    assert audio is sounds[1]


def test_pitch_and_brightness_are_corrected_together(timbre):
    curves = {"fundamental": np.full(40, 408.0), "centroid": np.full(40, timbre.codebook["centroid"][0] + 150)}
    path, audio = refined(timbre, curves)
    assert path.cents.shape == (40, 3)
    assert path.tilt.shape == (40,)
    assert distance(audio, "fundamental", curves["fundamental"]) < 1
    assert distance(audio, "centroid", curves["centroid"]) < 15


def test_frames_without_a_target_stay_as_they_are(timbre):
    curve = np.where(np.arange(40) < 20, 412, np.nan)
    path, _ = refined(timbre, {"fundamental": curve})
    assert (path.cents[:20, 1] > 30).all()
    np.testing.assert_array_equal(path.cents[22:], 0)


def test_nothing_is_tilted_where_no_descriptor_reacts():
    """The rolloff of a single partial does not move."""
    spectra = unit_spectra(tone(400, partials=1), tone(500, partials=1))
    spectra[:, 60:] = 0
    model = model_of(spectra)
    slopes = tilt_slopes(model, timbre_of(tone(400), tone(500)).codebook, np.zeros(5, int), "rolloff")
    np.testing.assert_array_equal(slopes, 0)
