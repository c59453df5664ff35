import numpy as np
import pytest
from conftest import sine

import timbrelib
from timbrelib.audio.frames import SAMPLE_RATE, frame_gain
from timbrelib.control.transfer import transfer_score
from timbrelib.descriptors import measure
from timbrelib.recordings.training_frames import frames


@pytest.fixture(scope="module")
def glide():
    """A dark tone of two partials that glides over a fifth below the violin, with a swell."""
    seconds = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    f0 = 110 * 1.5 ** (seconds / 2)
    phase = 2 * np.pi * np.cumsum(f0) / SAMPLE_RATE
    swell = np.sin(np.pi * seconds / 2)
    return (0.3 * swell * (np.sin(phase) + 0.3 * np.sin(2 * phase))).astype(np.float32), f0


def test_a_low_glide_is_played_octaves_higher_with_its_own_loudness(violin, violin_table, glide):
    sound, f0 = glide
    played = timbrelib.transfer(violin, violin_table, sound)
    assert played.semitones == 12
    assert len(played.audio) == len(sound)
    heard = measure(played.audio, "fundamental")[8:-8]
    cents = 1200 * np.abs(np.log2(heard / (2 * f0[::512][8:-8][: len(heard)])))
    assert np.mean(cents < 50) > 0.9  # undefined frames count as misses
    gains = frame_gain(sound)[8:-8], frame_gain(played.audio)[8:-8]
    np.testing.assert_allclose(gains[1], gains[0], rtol=0.1)
    left = transfer_score(sound, played.audio, played.semitones)
    assert left.pitch > 95
    assert left.loudness < 0.5


def test_semitones_are_taken_as_given(violin, violin_table):
    played = timbrelib.transfer(violin, violin_table, sine(440), semitones=3)
    assert played.semitones == 3
    assert np.nanmedian(measure(played.audio, "fundamental")) == pytest.approx(440 * 2 ** (3 / 12), rel=0.02)
    assert timbrelib.transfer(violin, violin_table, sine(440)).semitones == 0  # inside the range it stays


def test_brightness_keeps_its_contour(violin, violin_table):
    opening = sum(sine(400 * k, 1.5, 0.2) * np.linspace(0, 1, int(1.5 * SAMPLE_RATE)) ** (k / 2) for k in range(1, 9))
    played = timbrelib.transfer(violin, violin_table, opening.astype(np.float32))
    assert transfer_score(opening.astype(np.float32), played.audio).centroid > 0.8


def test_a_sound_without_pitch_is_played_all_the_same(violin, violin_table):
    hiss = 0.1 * np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    played = timbrelib.transfer(violin, violin_table, hiss)
    assert played.semitones == 0
    bright = np.percentile(violin_table["centroid"], 85)  # hiss is brighter than any violin
    assert np.median(violin_table["centroid"][played.codes]) > bright
    assert transfer_score(hiss, played.audio).loudness < 0.5


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (np.zeros(5000), "silent"),
        (np.full(5000, 1e-6), "silent"),
        (np.full(5000, np.nan), "not finite"),
        (np.zeros(0), "empty"),
    ],
)
def test_what_cannot_be_transferred_is_refused_in_a_sentence(violin, violin_table, sound, words):
    with pytest.raises(ValueError, match=words):
        timbrelib.transfer(violin, violin_table, sound)


def test_all_of_a_sound_survives_in_itself(phrases):
    left = transfer_score(phrases[0].audio, phrases[0].audio)
    assert (left.pitch, left.voiced, left.loudness) == (100, 100, 0)
    assert left.centroid == pytest.approx(1)


def test_a_loss_of_loudness_and_a_wrong_note_are_seen(phrases):
    sound = phrases[0].audio
    assert transfer_score(sound, sound / 2).loudness == pytest.approx(6.02, abs=0.01)
    low, high = sine(300), sine(400)
    assert transfer_score(low, high).pitch == 0
    assert transfer_score(low, high, semitones=12 * np.log2(4 / 3)).pitch == 100
    with pytest.raises(ValueError, match="same length"):
        transfer_score(sound, sound[1:])
    with pytest.raises(ValueError, match="silent"):
        transfer_score(0 * sound, sound)


def test_a_long_sound_is_transferred_in_blocks_as_a_short_one(violin, violin_table, phrases, monkeypatch):
    sound = phrases[0].audio[: 2 * SAMPLE_RATE]
    whole = timbrelib.transfer(violin, violin_table, sound, rounds=1)
    monkeypatch.setattr("timbrelib.transfers.BLOCK", 30)
    in_blocks = timbrelib.transfer(violin, violin_table, sound, rounds=1)
    assert np.mean(whole.codes == in_blocks.codes) > 0.98  # sums over blocks of another size round differently


def test_a_small_codebook_offers_all_its_codes(phrases):
    config = timbrelib.TrainingConfig(steps=60, batch=128)
    sizes = timbrelib.VQVAEConfig(n_codes=16, code_size=8, width=32, blocks=1)
    model, _ = timbrelib.train(frames(phrases), config, sizes, progress=False)
    table = timbrelib.analyse_codebook(model, cache=False)
    table["fundamental"] = np.geomspace(200, 800, 16)  # so short a training may leave none with a pitch
    played = timbrelib.transfer(model, table, phrases[0].audio[:SAMPLE_RATE], rounds=0)
    assert len(played.audio) == SAMPLE_RATE
