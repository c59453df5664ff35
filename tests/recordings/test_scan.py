import numpy as np
import pytest
import soundfile
from conftest import sine

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.recordings import corpus
from timbrelib.recordings.scan import Excerpt, deal, read_excerpt, survey


@pytest.fixture
def folder(tmp_path):
    """Sounds of several formats, rates and depths of nesting, and what is none."""
    home = tmp_path / "sounds"
    (home / "one" / "two").mkdir(parents=True)
    stereo = np.stack([sine(440), sine(440)], axis=1)
    soundfile.write(home / "a.wav", sine(440, 2), SAMPLE_RATE)
    soundfile.write(home / "one" / "b.FLAC", stereo, 44_100, format="FLAC")
    soundfile.write(home / "one" / "two" / "c.mp3", stereo, 48_000)
    soundfile.write(home / "one" / "two" / "d.ogg", sine(440), 8_000)
    soundfile.write(home / "e.aiff", sine(440), 96_000)
    soundfile.write(home / "silent.wav", np.zeros(9_000), SAMPLE_RATE)
    soundfile.write(home / "short.wav", sine(440, 0.05), SAMPLE_RATE)
    (home / "corrupt.wav").write_bytes(b"RIFF of nothing")
    (home / "cut off.flac").write_bytes((home / "one" / "b.FLAC").read_bytes()[:2000])
    (home / "notes.txt").write_text("not a sound")
    (home / "._a.wav").write_text("hidden")
    return home


def test_all_formats_in_any_nesting_are_taken(folder):
    found = survey(folder)
    assert [piece.name for piece in found.pieces] == [
        "sounds/a.wav", "sounds/e.aiff", "sounds/one/b.FLAC", "sounds/one/two/c.mp3", "sounds/one/two/d.ogg",
    ]  # fmt: skip
    seconds = {piece.name: piece.seconds for piece in found.pieces}
    assert seconds["sounds/a.wav"] == pytest.approx(2)
    assert seconds["sounds/one/b.FLAC"] == pytest.approx(0.5, abs=1e-3)
    assert seconds["sounds/one/two/d.ogg"] == pytest.approx(SAMPLE_RATE / 8_000, abs=1e-3)


def test_what_is_refused_is_named_with_the_reason(folder):
    found = survey(folder)
    assert set(found.refused) == {"silent.wav", "short.wav", "corrupt.wav", "cut off.flac"}
    report = found.report()
    assert "5 recordings taken" in report
    assert "silent.wav: is silent" in report
    assert "short.wav: lasts 50 ms" in report
    assert "corrupt.wav: cannot be read as audio" in report
    assert "1 .txt" in report
    assert str(folder / "corrupt") not in report  # names are enough


def test_the_report_counts_minutes_and_warns_of_too_little(folder):
    report = survey(folder).report()
    assert "warning" in report
    assert "--shifts" in report
    assert sum(survey(folder).minutes(split) for split in ("train", "valid", "test")) == pytest.approx(
        (2 + 0.5 + 22050 / 48000 + 22050 / 8000 + 22050 / 96000) / 60, rel=0.02
    )


def test_what_lies_beside_a_model_is_no_recording(folder):
    (folder / "one" / "model.safetensors").touch()
    assert "sounds/one/b.FLAC" not in [piece.name for piece in survey(folder).pieces]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder of recordings"):
        survey(tmp_path / "nowhere")


def whole(name, seconds=1.0, folder=None):
    return Excerpt(name, folder or name, "train", 0, int(seconds * SAMPLE_RATE))


def test_of_twenty_two_test_and_one_validates_and_the_longest_trains():
    pieces = [whole(f"x/{number}.wav", 5 if number == 7 else 1) for number in range(41)]
    dealt = {piece.name: piece.split for piece in deal(pieces, {})}
    assert sorted(dealt.values()).count("test") == 4
    assert sorted(dealt.values()).count("valid") == 2
    assert dealt["x/7.wav"] == "train"
    assert dealt == {piece.name: piece.split for piece in deal(reversed(pieces), {})}  # whatever the order


def test_two_recordings_make_a_training_and_a_test_split():
    assert [piece.split for piece in deal([whole("x/long.wav", 9), whole("x/short.wav", 1)], {})] == ["train", "test"]


def test_known_splits_are_kept():
    dealt = deal([whole("x/a.wav"), whole("x/b.wav"), whole("x/c.wav")], {"x/a.wav": "valid", "x/b.wav": "test"})
    assert [piece.split for piece in dealt] == ["valid", "test", "train"]


def test_a_recording_that_is_alone_is_cut(tmp_path):
    ramp = np.linspace(-0.5, 0.5, 10 * SAMPLE_RATE, dtype=np.float32)
    soundfile.write(tmp_path / "alone.wav", ramp, SAMPLE_RATE, subtype="FLOAT")
    found = survey(tmp_path)
    assert {piece.split: round(piece.seconds, 3) for piece in found.pieces} == {"train": 8.5, "valid": 0.5, "test": 1.0}
    parts = [np.concatenate(list(read_excerpt(piece, 3.0))) for piece in found.pieces]
    np.testing.assert_array_equal(np.concatenate(parts), ramp)
    assert "its end tests the model" in found.report()


def test_frames_on_disk_are_those_in_memory(tmp_path, phrases):
    shifts = (0.0, 1.0)
    corpus.store_frames(tmp_path, phrases, shifts)
    stored, held = corpus.stored_frames(tmp_path), corpus.frames(phrases, shifts)
    np.testing.assert_array_equal(stored.level, held.level)
    np.testing.assert_array_equal(stored.floor, held.floor)


def test_frames_on_disk_that_were_cut_off_are_refused(tmp_path, phrases):
    corpus.store_frames(tmp_path, phrases[:1])
    level = tmp_path / corpus.LEVEL
    level.write_bytes(level.read_bytes()[:-2])
    with pytest.raises(ValueError, match="damaged"):
        corpus.stored_frames(tmp_path)
