import numpy as np
import pytest
from conftest import sine

from timbrelib.audio.frames import HOP, SAMPLE_RATE, frame_gain
from timbrelib.descriptors import measure
from timbrelib.evaluation.baselines import cut_grains, nearest_grains, random_codes, sorted_codes
from timbrelib.recordings.corpus import Recording

LOW, HIGH = 12 * SAMPLE_RATE / HOP, 24 * SAMPLE_RATE / HOP  # 517 and 1034 Hz: whole periods in a hop


@pytest.fixture
def corpus():
    """Two sines an octave apart and at different levels, and silence."""
    loud, soft, nothing = sine(LOW, amplitude=0.5), sine(HIGH, amplitude=0.02), np.zeros(9000, np.float32)
    return [Recording("loud", loud), Recording("nothing", nothing), Recording("soft", soft)]


def measured(audio, name):
    return measure(audio, [name])[name]


def test_random_codes_are_drawn_from_those_that_have_the_descriptor(violin):
    codes = random_codes(violin.codebook, "fundamental", 20_000)
    pitched = np.flatnonzero(np.isfinite(violin.codebook["fundamental"]))
    assert set(codes) <= set(pitched)
    assert len(set(codes)) > 0.95 * len(pitched)
    np.testing.assert_array_equal(codes, random_codes(violin.codebook, "fundamental", 20_000))
    assert not np.array_equal(codes, random_codes(violin.codebook, "fundamental", 20_000, seed=1))


@pytest.mark.parametrize("n_frames", [100, 1024, 3000])
def test_sorted_codes_rise_evenly_from_the_lowest_value_to_the_highest(violin, n_frames):
    value = violin.codebook["centroid"][sorted_codes(violin.codebook, "centroid", n_frames)]
    assert len(value) == n_frames
    assert (np.diff(value) >= 0).all()
    assert value[0] == violin.codebook["centroid"].min()
    assert np.median(value) == pytest.approx(np.median(violin.codebook["centroid"]), rel=0.02)


def test_all_codes_with_the_descriptor_are_sorted_once(violin):
    pitched = np.flatnonzero(np.isfinite(violin.codebook["fundamental"]))
    codes = sorted_codes(violin.codebook, "fundamental", len(pitched))
    np.testing.assert_array_equal(np.sort(codes), pitched)


@pytest.mark.parametrize("name", ["centroid", "fundamental"])
def test_grains_come_from_the_nearest_recording_and_have_the_same_gain(corpus, name):
    low, high = (measured(recording.audio, name)[20] for recording in (corpus[0], corpus[2]))
    sound = nearest_grains(cut_grains(corpus, name), np.repeat([low, high], 20))
    assert sound.dtype == np.float32
    assert len(sound) == 39 * HOP
    for frames, expected in ((slice(4, 16), LOW), (slice(24, 36), HIGH)):  # away from the changes
        np.testing.assert_allclose(measured(sound, name)[frames], expected, rtol=0.01)
        np.testing.assert_allclose(frame_gain(sound)[frames], 0.05, rtol=0.01)


@pytest.mark.parametrize(("asked", "given"), [(100, LOW), (700, LOW), (760, HIGH), (3000, HIGH)])
def test_a_fundamental_is_nearest_in_log_frequency(corpus, asked, given):
    grains = cut_grains(corpus, "fundamental")  # the middle is 775 Hz, but 731 in cents
    sound = nearest_grains(grains, np.full(20, asked))
    np.testing.assert_allclose(measured(sound, "fundamental")[4:16], given, rtol=0.03)


def test_grains_of_strings_follow_a_brightness(phrases):
    available = np.concatenate([measured(phrase.audio, "centroid")[8:-8] for phrase in phrases])
    target = np.linspace(*np.percentile(available, [10, 90]), 200)
    sound = nearest_grains(cut_grains(phrases, "centroid"), target)
    assert np.corrcoef(measured(sound, "centroid"), target)[0, 1] > 0.9


def test_a_corpus_without_a_pitch_has_no_grains_of_one():
    hiss = np.random.default_rng(0).standard_normal(20_000).astype(np.float32)
    with pytest.raises(ValueError, match="no frame of the recordings has a fundamental"):
        cut_grains([Recording("hiss", hiss)], "fundamental")
