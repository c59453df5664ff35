import numpy as np
import pytest

from timbrelib.audio import frames
from timbrelib.codebook import fullest_octave
from timbrelib.descriptors import measure
from timbrelib.evaluation import examples


def test_a_model_plays_the_melody_with_a_breath_in_it(violin, violin_table):
    sound = examples.played(violin, violin_table)
    f0 = measure(sound, "fundamental")
    low, _ = fullest_octave(violin_table)
    middles = (examples.NOTE * (np.arange(len(examples.MELODY)) + 0.5) * frames.SAMPLE_RATE / frames.HOP).astype(int)
    for middle, semitones in zip(middles, examples.MELODY, strict=True):
        cents = 1200 * np.abs(np.log2(f0[middle - 5 : middle + 6] / low) - semitones / 12)
        assert np.nanmedian(cents) < 30, semitones
    breath = round(examples.REST * examples.NOTE * frames.SAMPLE_RATE / frames.HOP)
    gain = frames.frame_gain(sound)
    assert gain[breath - 4 : breath + 4].min() < 0.1 * gain.max()


def test_of_recordings_the_longest_is_taken_and_cut(tmp_path):
    rng = np.random.default_rng(0)
    for name, seconds in (("a", 0.5), ("b", 12.0), ("c", 1.0)):
        noise = 0.1 * rng.standard_normal(int(seconds * frames.SAMPLE_RATE)).astype(np.float32)
        frames.save_audio(tmp_path / "kazoo" / f"{name}.wav", noise)
        frames.save_audio(tmp_path / "inputs" / f"{name}_speech.wav", noise)
    assert len(examples.recorded("kazoo", tmp_path)) in (
        int(s * frames.SAMPLE_RATE) for s in (0.5, 1.0, examples.LONGEST)
    )
    assert len(examples.recorded("speech", tmp_path)) > 0


def test_without_speech_among_the_inputs_a_sentence_says_so(tmp_path):
    for name in ("dog", "cat"):
        frames.save_audio(tmp_path / "inputs" / f"{name}.wav", 0.1 * np.ones(9000, np.float32))
    with pytest.raises(FileNotFoundError, match="speech"):
        examples.recorded("speech", tmp_path)
