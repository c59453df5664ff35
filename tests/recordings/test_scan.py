import os

import numpy as np
import pytest
import soundfile
from conftest import sine

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.audio.sound_files import load_audio
from timbrelib.recordings.corpus import read_excerpt
from timbrelib.recordings.scan import Scan, scan_recordings
from timbrelib.recordings.splits import Excerpt


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
        Excerpt("x/a.wav", tmp_path / "a.wav", "train", 0, 540 * SAMPLE_RATE, "1"),
        Excerpt("x/b.wav", tmp_path / "b.wav", "test", 0, 6 * SAMPLE_RATE, "2"),
    ]
    skipped, remarks = {"loop": "a link to a folder that was already read"}, ["a.wav has an offset"]
    scan = Scan(tmp_path, excerpts, {"c.wav": "is silent"}, {".txt": 2, "": 1}, skipped, remarks)
    assert str(scan).splitlines() == [
        f"{tmp_path}: 2 usable recordings",
        "  train    1,   9.00 minutes",
        "  valid    0,   0.00 minutes",
        "  test     1,   0.10 minutes",
        "1 rejected:",
        "  c.wav: is silent",
        "skipped: loop, a link to a folder that was already read",
        "a.wav has an offset",
        "ignored, not .wav, .flac, .mp3, .ogg, .aiff, .aif: 1 without suffix, 2 .txt",
        "warning: the test split has only 0.10 minutes: the scores will be unreliable",
    ]


def test_examples_in_the_folder_of_a_model_are_skipped(folder):
    (folder / "one" / "model.safetensors").touch()
    assert "sounds/one/b.FLAC" not in [excerpt.name for excerpt in scan_recordings(folder).excerpts]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder of recordings"):
        scan_recordings(tmp_path / "nowhere")


def test_the_only_recording_is_divided(tmp_path):
    soundfile.write(tmp_path / "single.wav", sine(440, 10) * np.linspace(0, 1, 10 * SAMPLE_RATE), SAMPLE_RATE)
    scan = scan_recordings(tmp_path)
    seconds = {excerpt.split: round(excerpt.seconds, 3) for excerpt in scan.excerpts}
    assert seconds == {"train": 8.5, "valid": 0.5, "test": 1.0}
    parts = [np.concatenate(list(read_excerpt(excerpt, 3.0))) for excerpt in scan.excerpts]
    np.testing.assert_array_equal(np.concatenate(parts), load_audio(tmp_path / "single.wav"))
    assert "its last tenth is the test split" in str(scan)


def test_linked_folders_are_read_once_and_loops_end(tmp_path):
    """The recordings of many people lie on another disk, behind a link."""
    (tmp_path / "disk").mkdir()
    soundfile.write(tmp_path / "disk" / "tone.wav", sine(440), SAMPLE_RATE)
    root = tmp_path / "sounds"
    root.mkdir()
    (root / "linked").symlink_to(tmp_path / "disk")
    (root / "linked again").symlink_to(tmp_path / "disk")
    (root / "a link").symlink_to(root / "real")
    (root / "real").mkdir()
    soundfile.write(root / "real" / "note.wav", sine(220), SAMPLE_RATE)
    (root / "loop").symlink_to(root)
    (root / "lost.wav").symlink_to(tmp_path / "nothing.wav")
    scan = scan_recordings(root)
    assert {excerpt.name for excerpt in scan.excerpts} == {"sounds/linked/tone.wav", "sounds/real/note.wav"}
    report = str(scan)
    assert "skipped: linked again, a link to a folder that was already read" in report
    assert "skipped: loop, a link to a folder that was already read" in report
    assert "skipped: a link, a link to a folder that was already read" in report
    assert "skipped: lost.wav, a link to nothing" in report


def test_an_offset_is_removed_and_reported_and_nothing_but_an_offset_is_silent(tmp_path):
    """The offset of a cheap microphone would count as loudness."""
    soundfile.write(tmp_path / "tone.wav", sine(440) + 0.05, SAMPLE_RATE)
    soundfile.write(tmp_path / "clean.wav", sine(440), SAMPLE_RATE)
    soundfile.write(tmp_path / "offset.wav", np.full(SAMPLE_RATE, 0.05), SAMPLE_RATE)
    scan = scan_recordings(tmp_path)
    assert scan.rejected == {"offset.wav": "is silent"}
    assert scan.remarks == ["tone.wav has an offset or rumble below 20 Hz, which is removed"]


def test_channels_that_cancel_are_reported_and_what_is_under_the_threshold_is_silent(tmp_path):
    out_of_phase = np.stack([sine(440), -sine(440)], axis=1)
    soundfile.write(tmp_path / "tone.wav", out_of_phase, SAMPLE_RATE)
    soundfile.write(tmp_path / "dither.wav", 3e-5 * np.sign(sine(5000)), SAMPLE_RATE)
    scan = scan_recordings(tmp_path)
    assert scan.rejected == {"dither.wav": "is silent"}
    assert scan.remarks == ["tone.wav has channels that cancel in their mean: channel 1, the loudest, is taken"]


def test_names_that_are_not_utf_8_are_scanned_and_reported_as_text(tmp_path):
    folder = os.fsencode(tmp_path) + b"/\xe9tudes"
    os.mkdir(folder)
    for name, content in ((b"a\xff.wav", sine(440)), (b"b\xff.wav", np.zeros(9_000)), (b"c.wav", sine(440))):
        with open(folder + b"/" + name, "wb") as file:
            soundfile.write(file, content, SAMPLE_RATE, format="WAV")
    scan = scan_recordings(os.fsdecode(folder))
    assert [excerpt.name for excerpt in scan.excerpts] == [r"\xe9tudes/a\xff.wav", r"\xe9tudes/c.wav"]
    assert str(scan).encode().count(rb"b\xff.wav: is silent") == 1
