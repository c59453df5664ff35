import numpy as np
import pytest
import soundfile
from conftest import sine

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.recordings.corpus import read_excerpt
from timbrelib.recordings.scan import Excerpt, Scan, assign_splits, scan_recordings


@pytest.fixture
def folder(tmp_path):
    """Sounds of several formats, sample rates and depths of nesting, and files that are not usable sounds."""
    root = tmp_path / "sounds"
    (root / "one" / "two").mkdir(parents=True)
    stereo = np.stack([sine(440), sine(440)], axis=1)
    soundfile.write(root / "a.wav", sine(440, 2), SAMPLE_RATE)
    soundfile.write(root / "one" / "b.FLAC", stereo, 44_100, format="FLAC")
    soundfile.write(root / "one" / "two" / "c.mp3", stereo, 48_000)
    soundfile.write(root / "one" / "two" / "d.ogg", sine(440), 8_000)
    soundfile.write(root / "e.aiff", sine(440), 96_000)
    soundfile.write(root / "silent.wav", np.zeros(9_000), SAMPLE_RATE)
    soundfile.write(root / "short.wav", sine(440, 0.05), SAMPLE_RATE)
    (root / "corrupt.wav").write_bytes(b"RIFF of nothing")
    (root / "cut off.flac").write_bytes((root / "one" / "b.FLAC").read_bytes()[:2000])
    (root / "notes.txt").write_text("not a sound")
    (root / "._a.wav").write_text("hidden")
    return root


def test_all_formats_at_any_depth_are_usable(folder):
    scan = scan_recordings(folder)
    assert [excerpt.name for excerpt in scan.excerpts] == [
        "sounds/a.wav", "sounds/e.aiff", "sounds/one/b.FLAC", "sounds/one/two/c.mp3", "sounds/one/two/d.ogg",
    ]  # fmt: skip
    seconds = {excerpt.name: excerpt.seconds for excerpt in scan.excerpts}
    assert seconds["sounds/a.wav"] == pytest.approx(2)
    assert seconds["sounds/one/b.FLAC"] == pytest.approx(0.5, abs=1e-3)
    assert seconds["sounds/one/two/d.ogg"] == pytest.approx(SAMPLE_RATE / 8_000, abs=1e-3)


def test_rejected_files_are_reported_with_the_reason(folder):
    scan = scan_recordings(folder)
    assert set(scan.rejected) == {"silent.wav", "short.wav", "corrupt.wav", "cut off.flac"}
    report = str(scan)
    assert "5 usable recordings" in report
    assert "silent.wav: is silent" in report
    assert "short.wav: lasts 50 ms" in report
    assert "corrupt.wav: cannot be read as audio" in report
    assert "1 .txt" in report
    assert str(folder / "corrupt") not in report  # names suffice


def test_the_report_counts_minutes_and_warns_of_small_splits(folder):
    report = str(scan_recordings(folder))
    assert "warning" in report
    assert "--shifts" in report
    assert sum(scan_recordings(folder).minutes(split) for split in ("train", "valid", "test")) == pytest.approx(
        (2 + 0.5 + 22050 / 48000 + 22050 / 8000 + 22050 / 96000) / 60, rel=0.02
    )


def test_the_text_of_a_scan_is_its_report(tmp_path):
    excerpts = [
        Excerpt("x/a.wav", tmp_path / "a.wav", "train", 0, 540 * SAMPLE_RATE),
        Excerpt("x/b.wav", tmp_path / "b.wav", "test", 0, 6 * SAMPLE_RATE),
    ]
    scan = Scan(tmp_path, excerpts, {"c.wav": "is silent"}, {".txt": 2, "": 1})
    assert str(scan).splitlines() == [
        f"{tmp_path}: 2 usable recordings",
        "  train    1,   9.00 minutes",
        "  valid    0,   0.00 minutes",
        "  test     1,   0.10 minutes",
        "1 rejected:",
        "  c.wav: is silent",
        "ignored, not .wav, .flac, .mp3, .ogg, .aiff, .aif: 1 without suffix, 2 .txt",
        "warning: the test split has only 0.10 minutes: the scores will be unreliable",
    ]


def test_examples_in_the_folder_of_a_model_are_skipped(folder):
    (folder / "one" / "model.safetensors").touch()
    assert "sounds/one/b.FLAC" not in [excerpt.name for excerpt in scan_recordings(folder).excerpts]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder of recordings"):
        scan_recordings(tmp_path / "nowhere")


def whole(name, seconds=1.0):
    return Excerpt(name, name, "train", 0, int(seconds * SAMPLE_RATE))


def test_of_twenty_recordings_two_test_and_one_validates_and_the_longest_trains():
    recordings = [whole(f"x/{number}.wav", 5 if number == 7 else 1) for number in range(41)]
    splits = {excerpt.name: excerpt.split for excerpt in assign_splits(recordings, {})}
    assert sorted(splits.values()).count("test") == 4
    assert sorted(splits.values()).count("valid") == 2
    assert splits["x/7.wav"] == "train"
    assert splits == {excerpt.name: excerpt.split for excerpt in assign_splits(reversed(recordings), {})}


def test_two_recordings_make_a_training_and_a_test_split():
    recordings = [whole("x/long.wav", 9), whole("x/short.wav", 1)]
    assert [excerpt.split for excerpt in assign_splits(recordings, {})] == ["train", "test"]


def test_known_splits_are_kept():
    known = {"x/a.wav": "valid", "x/b.wav": "test"}
    excerpts = assign_splits([whole("x/a.wav"), whole("x/b.wav"), whole("x/c.wav")], known)
    assert [excerpt.split for excerpt in excerpts] == ["valid", "test", "train"]


def test_the_only_recording_is_divided(tmp_path):
    ramp = np.linspace(-0.5, 0.5, 10 * SAMPLE_RATE, dtype=np.float32)
    soundfile.write(tmp_path / "single.wav", ramp, SAMPLE_RATE, subtype="FLOAT")
    scan = scan_recordings(tmp_path)
    seconds = {excerpt.split: round(excerpt.seconds, 3) for excerpt in scan.excerpts}
    assert seconds == {"train": 8.5, "valid": 0.5, "test": 1.0}
    parts = [np.concatenate(list(read_excerpt(excerpt, 3.0))) for excerpt in scan.excerpts]
    np.testing.assert_array_equal(np.concatenate(parts), ramp)
    assert "its last tenth is the test split" in str(scan)
