import numpy as np
import pytest

from timbrelib import audio, phrases
from timbrelib.codebook import fullest_octave
from timbrelib.descriptors import measure


def test_a_model_plays_the_melody_with_a_breath_in_it(violin, violin_table):
    sound = phrases.played(violin, violin_table)
    f0 = measure(sound, "fundamental")
    low, _ = fullest_octave(violin_table)
    middles = (phrases.NOTE * (np.arange(len(phrases.MELODY)) + 0.5) * audio.SAMPLE_RATE / audio.HOP).astype(int)
    for middle, semitones in zip(middles, phrases.MELODY, strict=True):
        cents = 1200 * np.abs(np.log2(f0[middle - 5 : middle + 6] / low) - semitones / 12)
        assert np.nanmedian(cents) < 30, semitones
    breath = round(phrases.REST * phrases.NOTE * audio.SAMPLE_RATE / audio.HOP)
    gain = audio.frame_gain(sound)
    assert gain[breath - 4 : breath + 4].min() < 0.1 * gain.max()


def test_of_recordings_the_longest_is_taken_and_cut(tmp_path):
    rng = np.random.default_rng(0)
    for name, seconds in (("a", 0.5), ("b", 12.0), ("c", 1.0)):
        noise = 0.1 * rng.standard_normal(int(seconds * audio.SAMPLE_RATE)).astype(np.float32)
        audio.save_audio(tmp_path / "kazoo" / f"{name}.wav", noise)
        audio.save_audio(tmp_path / "inputs" / f"{name}_speech.wav", noise)
    assert len(phrases.recorded("kazoo", tmp_path)) in (int(s * audio.SAMPLE_RATE) for s in (0.5, 1.0, phrases.LONGEST))
    assert len(phrases.recorded("speech", tmp_path)) > 0


def test_without_speech_among_the_inputs_a_sentence_says_so(tmp_path):
    for name in ("dog", "cat"):
        audio.save_audio(tmp_path / "inputs" / f"{name}.wav", 0.1 * np.ones(9000, np.float32))
    with pytest.raises(FileNotFoundError, match="speech"):
        phrases.recorded("speech", tmp_path)
