import os
import struct
import tracemalloc

import librosa
import numpy as np
import pytest
import soundfile
from conftest import sine

from timbrelib.audio import sound_files, sound_output
from timbrelib.audio.frames import SAMPLE_RATE


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 192_000])
@pytest.mark.parametrize(("suffix", "subtype"), [("wav", "PCM_24"), ("flac", "PCM_16"), ("wav", "FLOAT")])
def test_any_rate_and_depth_loads_as_the_same_sound(tmp_path, rate, suffix, subtype):
    times = np.arange(rate) / rate
    stereo = 0.5 * np.sin(2 * np.pi * 440 * times)[:, None] * [1.0, 0.5]  # (n, channels)
    soundfile.write(tmp_path / f"a.{suffix}", stereo, rate, subtype=subtype)
    loaded = sound_files.load_audio(tmp_path / f"a.{suffix}")
    assert loaded.dtype == np.float32
    assert abs(len(loaded) - SAMPLE_RATE) <= 1
    inner = slice(1000, -1000)
    expected = 0.375 * np.sin(2 * np.pi * 440 * np.arange(len(loaded)) / SAMPLE_RATE)  # the channels' mean
    assert np.abs(loaded - expected)[inner].max() < 2e-3


@pytest.mark.parametrize("rate", [1000, 8_000, 22_049, 22_050, 44_100, 768_000])
def test_blocks_join_to_the_whole_sound_and_resample_as_librosa_does(tmp_path, rate):
    noise = 0.1 * np.random.default_rng(0).standard_normal((3 * rate + 7, 2)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", noise, rate, "FLOAT")
    whole = librosa.resample(noise.mean(axis=1), orig_sr=rate, target_sr=SAMPLE_RATE, res_type="soxr_vhq")
    *full, last = sound_files.stream_audio(tmp_path / "a.wav", seconds=0.7)
    assert [len(part) for part in full] == [15_435] * 4
    assert {part.dtype for part in (*full, last)} == {np.dtype(np.float32)}
    loaded = sound_files.load_audio(tmp_path / "a.wav")
    np.testing.assert_array_equal(np.concatenate([*full, last]), loaded)
    np.testing.assert_allclose(loaded, sound_files.clean_audio(whole), atol=1e-6)


def test_no_empty_block_follows_blocks_that_divide_the_sound_evenly(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine(440, 2), SAMPLE_RATE)
    assert [len(part) for part in sound_files.stream_audio(tmp_path / "a.wav", seconds=1)] == [SAMPLE_RATE] * 2


@pytest.mark.parametrize("seconds", [0, -1, np.nan, np.inf])
def test_blocks_without_a_length_are_refused(tmp_path, seconds):
    with pytest.raises(ValueError, match="at least one sample"):
        next(sound_files.stream_audio(tmp_path / "a.wav", seconds))


def test_reading_stops_at_max_seconds(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine(440, 3), SAMPLE_RATE, "FLOAT")
    whole, part = (sound_files.load_audio(tmp_path / "a.wav", max_seconds=seconds) for seconds in (None, 1.5))
    np.testing.assert_array_equal(part, whole[: round(1.5 * SAMPLE_RATE)])
    assert len(sound_files.load_audio(tmp_path / "a.wav", max_seconds=5)) == 3 * SAMPLE_RATE


def test_a_sound_too_long_for_memory_is_refused_but_can_be_cut_or_streamed(tmp_path, monkeypatch):
    monkeypatch.setattr(sound_files, "MAX_SECONDS", 3.6)
    soundfile.write(tmp_path / "a.flac", np.zeros(4 * SAMPLE_RATE), SAMPLE_RATE)
    with pytest.raises(ValueError, match=r"longer than 0\.001 hours: cut it"):
        sound_files.load_audio(tmp_path / "a.flac")
    assert len(sound_files.load_audio(tmp_path / "a.flac", max_seconds=3)) == 3 * SAMPLE_RATE
    assert sum(len(part) for part in sound_files.stream_audio(tmp_path / "a.flac")) == 4 * SAMPLE_RATE


def wav(rate: int = 22_050, n_bytes: int = 2000, claimed: int | None = None) -> bytes:
    """A 16-bit mono wav of a rate, whose header may claim another size than it has."""
    claimed = n_bytes if claimed is None else claimed
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate & 0xFFFFFFFF, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", min(claimed + 36, 2**32 - 1), b"WAVE")
    return head + fmt + struct.pack("<4sI", b"data", claimed) + bytes(n_bytes)


def test_a_header_that_claims_two_billion_frames_takes_no_more_memory_than_the_sound(tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(claimed=2**32 - 2))
    tracemalloc.start()
    assert len(sound_files.load_audio(tmp_path / "a.wav")) == 1000
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1, 2**32 - 1])
def test_an_impossible_sample_rate_is_refused(tmp_path, rate):
    (tmp_path / "a.wav").write_bytes(wav(rate))
    with pytest.raises(ValueError, match=r"a\.wav"):
        sound_files.load_audio(tmp_path / "a.wav")


def test_a_file_of_a_thousand_channels_is_read_in_small_blocks(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.tile(sine(440, 0.2)[:, None], 1000), SAMPLE_RATE, "FLOAT")
    tracemalloc.start()
    note = sound_files.clean_audio(sine(440, 0.2))
    np.testing.assert_allclose(sound_files.load_audio(tmp_path / "a.wav"), note, atol=5e-3)
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


def test_raw_samples_without_a_header_are_refused(tmp_path):
    (tmp_path / "a.raw").write_bytes(wav())
    with pytest.raises(ValueError, match="cannot be read as audio"):
        sound_files.load_audio(tmp_path / "a.raw")


def test_a_fault_further_on_in_the_file_is_raised_when_it_is_reached(tmp_path):
    samples = np.tile(sine(440), 60)  # more than is read at a time
    samples[-1] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, SAMPLE_RATE, "FLOAT")
    parts = sound_files.stream_audio(tmp_path / "a.wav", seconds=1)
    np.testing.assert_allclose(next(parts), sine(440), atol=0.01)
    with pytest.raises(ValueError, match="not finite"):
        list(parts)


def test_ten_milliseconds_and_silence_load(tmp_path):
    soundfile.write(tmp_path / "short.wav", sine(440, 0.0101), SAMPLE_RATE)
    soundfile.write(tmp_path / "silent.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    assert len(sound_files.load_audio(tmp_path / "short.wav")) == 222
    assert not sound_files.load_audio(tmp_path / "silent.wav").any()


@pytest.mark.parametrize(
    ("name", "write", "error", "says"),
    [
        ("gone.wav", None, FileNotFoundError, "there is no sound file"),
        ("empty.wav", lambda p: p.write_bytes(b""), ValueError, "cannot be read as audio"),
        ("text.wav", lambda p: p.write_text("not a sound"), ValueError, "cannot be read as audio"),
        ("none.wav", lambda p: soundfile.write(p, np.zeros(0), 22_050), ValueError, "at least 10 ms"),
        ("nan.wav", lambda p: soundfile.write(p, np.full(900, np.nan), 22_050, "FLOAT"), ValueError, "not finite"),
    ],
)
def test_a_bad_sound_file_is_refused_in_a_sentence(tmp_path, name, write, error, says):
    if write:
        write(tmp_path / name)
    with pytest.raises(error, match=says) as refusal:
        sound_files.load_audio(tmp_path / name)
    assert name in str(refusal.value)


def test_a_truncated_file_is_refused_or_shorter_but_never_garbage(tmp_path):
    soundfile.write(tmp_path / "a.flac", sine(440), SAMPLE_RATE)
    whole = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"a\.flac"):
        sound_files.load_audio(tmp_path / "a.flac")


@pytest.mark.parametrize(
    "bad", [np.zeros(0, np.float32), np.zeros((2, 100), np.float32), np.array([0, np.inf]), np.arange(5)]
)
def test_bad_arrays_are_refused(bad):
    with pytest.raises(ValueError, match="the audio"):
        sound_files.check_audio(bad)


def test_saved_audio_is_16_bit_and_leaves_no_temporary_file(tmp_path):
    sound_output.save_audio(tmp_path / "new" / "a.wav", sine(440))
    info = soundfile.info(tmp_path / "new" / "a.wav")
    assert (info.samplerate, info.channels, info.subtype) == (22_050, 1, "PCM_16")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.wav"]


def test_a_sound_that_would_clip_is_attenuated_with_a_warning(tmp_path, caplog):
    sound_output.save_audio(tmp_path / "a.wav", 3 * sine(440))
    assert "would clip" in caplog.text
    saved = sound_files.load_audio(tmp_path / "a.wav")
    np.testing.assert_allclose(saved, sine(440, amplitude=0.99), atol=0.02)  # its abrupt ends have a little rumble


def test_a_folder_that_is_not_writable_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PermissionError, match="choose a folder"):
        sound_output.save_audio(tmp_path / "file" / "a.wav", sine(440))


def test_an_offset_and_rumble_below_hearing_are_removed_and_the_lowest_notes_stay(tmp_path, caplog):
    """They would count as loudness, and turn rests into a drone."""
    for name, extra in {"clean": 0, "offset": 0.05, "rumble": sine(5, 2, amplitude=0.05)}.items():
        note = np.concatenate([sine(41.2), np.zeros(SAMPLE_RATE)])  # the low E of a bass, and a rest
        soundfile.write(tmp_path / f"{name}.wav", 0.3 * note + extra, SAMPLE_RATE, "FLOAT")
    clean, offset, rumble = (sound_files.load_audio(tmp_path / f"{n}.wav") for n in ("clean", "offset", "rumble"))
    np.testing.assert_allclose(np.ptp(clean[5000:18_000]), 0.3, rtol=0.01)
    for loaded in (offset, rumble):
        np.testing.assert_allclose(loaded[5000:-5000], clean[5000:-5000], atol=2e-3)
        assert np.abs(loaded[25_000:-5000]).max() < 5e-4
    assert "offset.wav has an offset or rumble below 20 Hz, which is removed" in caplog.text
    assert "clean.wav" not in caplog.text


def test_nothing_but_an_offset_is_silent(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.full(SAMPLE_RATE, 0.05), SAMPLE_RATE)
    assert np.abs(sound_files.load_audio(tmp_path / "a.wav")).max() < 1e-6


def test_channels_out_of_phase_do_not_cancel(tmp_path, caplog):
    stereo = np.stack([0.3 * sine(440), -sine(440)], axis=1)
    soundfile.write(tmp_path / "a.wav", np.stack([sine(440), -sine(440)], axis=1), SAMPLE_RATE, "FLOAT")
    note = sound_files.clean_audio(sine(440))
    np.testing.assert_allclose(sound_files.load_audio(tmp_path / "a.wav"), note, atol=1e-3)
    assert "a.wav has channels that cancel in their mean: channel 1, the loudest, is taken" in caplog.text
    soundfile.write(tmp_path / "b.wav", stereo, SAMPLE_RATE, "FLOAT")  # a third is left: no reason to choose
    np.testing.assert_allclose(sound_files.load_audio(tmp_path / "b.wav"), -0.35 * note, atol=1e-3)
    assert "b.wav" not in caplog.text


@pytest.mark.parametrize(
    ("suffix", "file_format", "atol"),
    [("wav", "WAV", 1e-4), ("FLAC", "FLAC", 1e-4), ("aiff", "AIFF", 1e-4), ("mp3", "MP3", 0.05)],
)
def test_the_suffix_decides_on_the_format(tmp_path, suffix, file_format, atol):
    path = tmp_path / f"a.{suffix}"
    sound_output.save_audio(path, sine(440))
    assert soundfile.info(path).format == file_format
    first = path.read_bytes()
    np.testing.assert_allclose(soundfile.read(path)[0][2000:-2000], sine(440)[2000:-2000], atol=atol)
    sound_output.save_audio(path, sine(440))
    assert path.read_bytes() == first


@pytest.mark.parametrize("name", ["a.ogg", "a.m4a", "a", "a.txt"])
def test_a_format_that_cannot_be_written_is_refused_with_those_that_can(tmp_path, name):
    with pytest.raises(ValueError, match=r"one of the suffixes \.wav, \.flac, \.aiff, \.aif, \.mp3"):
        sound_output.save_audio(tmp_path / name, sine(440))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("claimed", [0, 100, 2**32 - 1])
@pytest.mark.parametrize("extra", [b"", struct.pack("<4sI", b"fact", 4) + bytes(4)])
def test_a_wav_whose_header_has_a_wrong_length_is_read_to_its_end(tmp_path, claimed, extra):
    content = np.random.default_rng(0).integers(-9000, 9000, 1000).astype("<i2")
    samples = content / np.float32(2**15)
    whole = wav(n_bytes=0, claimed=claimed)
    head = whole[:-8] + extra + whole[-8:]  # chunks may precede the samples
    (tmp_path / "a.wav").write_bytes(head + content.tobytes())
    np.testing.assert_allclose(sound_files.load_audio(tmp_path / "a.wav"), sound_files.clean_audio(samples), atol=1e-6)


def test_chunks_behind_the_samples_are_not_read_as_sound(tmp_path):
    notes = struct.pack("<4sI", b"LIST", 4000) + bytes(4000)
    (tmp_path / "a.wav").write_bytes(wav(n_bytes=1000) + notes)
    assert len(sound_files.load_audio(tmp_path / "a.wav")) == 500
    (tmp_path / "empty.wav").write_bytes(wav(n_bytes=0) + notes)
    with pytest.raises(ValueError, match=r"empty\.wav lasts 0\.0 ms"):
        sound_files.load_audio(tmp_path / "empty.wav")


def test_a_file_whose_name_is_not_utf_8_is_read_as_text_or_bytes(tmp_path):
    name = os.fsencode(tmp_path) + b"/r\xe9sum\xe9.wav"
    with open(name, "wb") as file:
        file.write(wav())
    assert len(sound_files.load_audio(name)) == len(sound_files.load_audio(os.fsdecode(name))) == 1000


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff"])
@pytest.mark.parametrize("peak", [0.5, 1.0, 3.0])
def test_a_rounded_sound_is_what_a_16_bit_file_holds(tmp_path, suffix, peak):
    noise = np.random.default_rng(0).uniform(-peak, peak, 5000).astype(np.float32)
    noise[:2] = peak, -peak
    rounded = sound_output.round_to_16_bits(noise)
    np.testing.assert_allclose(rounded, noise * min(1, 0.99 / peak if peak > 1 else 1), atol=2**-15)
    np.testing.assert_array_equal(sound_output.round_to_16_bits(rounded), rounded)
    path = tmp_path / f"a.{suffix}"
    sound_output.save_audio(path, rounded)
    np.testing.assert_array_equal(sound_files.read_samples(path), rounded)
    np.testing.assert_array_equal(soundfile.read(path, dtype="float32")[0], rounded)


def test_rounding_a_sound_first_does_not_change_its_wav_file(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.2, 5000).astype(np.float32)
    for name, audio in {"once": noise, "twice": sound_output.round_to_16_bits(noise)}.items():
        sound_output.save_audio(tmp_path / f"{name}.wav", audio)
    assert (tmp_path / "once.wav").read_bytes() == (tmp_path / "twice.wav").read_bytes()


def test_the_samples_of_a_file_keep_their_offset(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.full(1000, 0.25), SAMPLE_RATE)
    assert (sound_files.read_samples(tmp_path / "a.wav") == 0.25).all()
    with pytest.raises(FileNotFoundError, match="there is no sound file"):
        sound_files.read_samples(tmp_path / "b.wav")
