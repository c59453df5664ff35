import numpy as np
import pytest
from conftest import sine

from timbrelib.audio.frames import HOP, SAMPLE_RATE, frame_gain
from timbrelib.control.scores import rank_correlation
from timbrelib.descriptors import measure
from timbrelib.evaluation.baselines import cut_grains, nearest_grains, random_codes, sorted_codes, traverse
from timbrelib.recordings.corpus import Recording

LOW, HIGH = 12 * SAMPLE_RATE / HOP, 24 * SAMPLE_RATE / HOP  # 517 and 1034 Hz: whole periods in a hop


@pytest.fixture
def corpus():
    """Two sines an octave apart and of different loudness, and silence."""
    loud, soft, nothing = sine(LOW, amplitude=0.5), sine(HIGH, amplitude=0.02), np.zeros(9000, np.float32)
    return [Recording("loud", loud), Recording("nothing", nothing), Recording("soft", soft)]


def test_random_codes_are_drawn_from_those_that_have_the_descriptor(violin_table):
    codes = random_codes(violin_table, "fundamental", 5000)
    pitched = np.flatnonzero(np.isfinite(violin_table["fundamental"]))
    assert set(codes) <= set(pitched)
    assert len(set(codes)) > 0.95 * len(pitched)
    np.testing.assert_array_equal(codes, random_codes(violin_table, "fundamental", 5000))
    assert not np.array_equal(codes, random_codes(violin_table, "fundamental", 5000, seed=1))


@pytest.mark.parametrize("n_frames", [100, 1024, 3000])
def test_sorted_codes_go_evenly_from_the_lowest_value_to_the_highest(violin_table, n_frames):
    value = violin_table["centroid"][sorted_codes(violin_table, "centroid", n_frames)]
    assert len(value) == n_frames
    assert (np.diff(value) >= 0).all()
    assert value[0] == violin_table["centroid"].min()
    assert np.median(value) == pytest.approx(np.median(violin_table["centroid"]), rel=0.02)


def test_all_codes_with_the_descriptor_are_sorted_once(violin_table):
    pitched = np.flatnonzero(np.isfinite(violin_table["fundamental"]))
    codes = sorted_codes(violin_table, "fundamental", len(pitched))
    np.testing.assert_array_equal(np.sort(codes), pitched)


@pytest.mark.parametrize("name", ["centroid", "fundamental"])
def test_grains_come_from_the_recording_that_is_nearest_and_all_are_as_loud(corpus, name):
    low, high = (measure(recording.audio, name)[20] for recording in (corpus[0], corpus[2]))
    sound = nearest_grains(cut_grains(corpus, name), np.repeat([low, high], 20))
    assert sound.dtype == np.float32
    assert len(sound) == 39 * HOP
    for frames, expected in ((slice(4, 16), LOW), (slice(24, 36), HIGH)):  # away from the changes
        np.testing.assert_allclose(measure(sound, name)[frames], expected, rtol=0.01)
        np.testing.assert_allclose(frame_gain(sound)[frames], 0.05, rtol=0.01)


@pytest.mark.parametrize(("asked", "given"), [(100, LOW), (700, LOW), (760, HIGH), (3000, HIGH)])
def test_a_fundamental_is_nearest_in_log_frequency(corpus, asked, given):
    grains = cut_grains(corpus, "fundamental")  # the middle is 775 Hz, but 731 in cents
    sound = nearest_grains(grains, np.full(20, asked))
    np.testing.assert_allclose(measure(sound, "fundamental")[4:16], given, rtol=0.03)


def test_grains_of_strings_follow_a_brightness(phrases):
    available = np.concatenate([measure(phrase.audio, "centroid")[8:-8] for phrase in phrases])
    target = np.linspace(*np.percentile(available, [10, 90]), 200)
    heard = measure(nearest_grains(cut_grains(phrases, "centroid"), target), "centroid")
    assert np.corrcoef(heard, target)[0, 1] > 0.9


def test_a_corpus_without_a_pitch_has_no_grains_of_one():
    hiss = np.random.default_rng(0).standard_normal(20_000).astype(np.float32)
    with pytest.raises(ValueError, match="no grain of the recordings has a fundamental"):
        cut_grains([Recording("hiss", hiss)], "fundamental")


@pytest.mark.parametrize(("name", "steadily"), [("centroid", 0.99), ("fundamental", 0.99)])
def test_a_traversal_plays_every_code_once_and_rises(violin, violin_table, name, steadily):
    rendering = traverse(violin, violin_table, name)
    able = np.flatnonzero(np.isfinite(violin_table[name]))
    np.testing.assert_array_equal(np.sort(rendering.codes), able)
    np.testing.assert_array_equal(rendering.targets[name], np.sort(violin_table[name][able]))
    assert rank_correlation(rendering.measured[name], np.arange(len(able))) > steadily
