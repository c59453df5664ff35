import numpy as np
import pytest

from timbrelib.audio.frames import HOP, SAMPLE_RATE, frame_gain
from timbrelib.audio.sound_output import save_audio
from timbrelib.descriptors import measure
from timbrelib.evaluation.examples import MAX_SECONDS, MELODY, NOTE, PAUSE, longest_recording, play_phrase


def test_a_model_plays_the_melody_with_a_pause_in_it(violin):
    sound = play_phrase(violin)
    f0 = measure(sound, ["fundamental"])["fundamental"]
    low, _ = violin.codebook.fullest_octave()
    middles = (NOTE * (np.arange(len(MELODY)) + 0.5) * SAMPLE_RATE / HOP).astype(int)
    for middle, semitones in zip(middles, MELODY, strict=True):
        cents = 1200 * np.abs(np.log2(f0[middle - 5 : middle + 6] / low) - semitones / 12)
        assert np.nanmedian(cents) < 30, semitones
    pause = round(PAUSE * NOTE * SAMPLE_RATE / HOP)
    gain = frame_gain(sound)
    assert gain[pause - 4 : pause + 4].min() < 0.1 * gain.max()


def test_the_longest_recording_is_taken_and_cut(tmp_path):
    rng = np.random.default_rng(0)
    for name, seconds in (("a", 0.5), ("b", 12.0), ("c", 1.0)):
        noise = 0.1 * rng.standard_normal(int(seconds * SAMPLE_RATE)).astype(np.float32)
        save_audio(tmp_path / "kazoo" / f"{name}.wav", noise)
        save_audio(tmp_path / "inputs" / f"{name}_speech.wav", noise)
    lengths = [int(seconds * SAMPLE_RATE) for seconds in (0.5, 1.0, MAX_SECONDS)]
    assert len(longest_recording("kazoo", tmp_path)) in lengths
    assert len(longest_recording("speech", tmp_path)) > 0


def test_inputs_without_speech_are_refused(tmp_path):
    for name in ("dog", "cat"):
        save_audio(tmp_path / "inputs" / f"{name}.wav", 0.1 * np.ones(9000, np.float32))
    with pytest.raises(FileNotFoundError, match="speech"):
        longest_recording("speech", tmp_path)
