import numpy as np
import pytest
import soundfile
from conftest import sine

from timbrelib import audio
from timbrelib.audio import SAMPLE_RATE


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 192_000])
@pytest.mark.parametrize(("suffix", "subtype"), [("wav", "PCM_24"), ("flac", "PCM_16"), ("wav", "FLOAT")])
def test_any_rate_and_depth_loads_as_the_same_sound(tmp_path, rate, suffix, subtype):
    times = np.arange(rate) / rate
    stereo = 0.5 * np.sin(2 * np.pi * 440 * times)[:, None] * [1.0, 0.5]  # (n, channels)
    soundfile.write(tmp_path / f"a.{suffix}", stereo, rate, subtype=subtype)
    loaded = audio.load_audio(tmp_path / f"a.{suffix}")
    assert loaded.dtype == np.float32
    assert abs(len(loaded) - SAMPLE_RATE) <= 1
    inner = slice(1000, -1000)
    expected = 0.375 * np.sin(2 * np.pi * 440 * np.arange(len(loaded)) / SAMPLE_RATE)  # the channels' mean
    assert np.abs(loaded - expected)[inner].max() < 2e-3


def test_ten_milliseconds_and_silence_load(tmp_path):
    soundfile.write(tmp_path / "short.wav", sine(440, 0.0101), SAMPLE_RATE)
    soundfile.write(tmp_path / "silent.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    assert len(audio.load_audio(tmp_path / "short.wav")) == 222
    assert not audio.load_audio(tmp_path / "silent.wav").any()


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
def test_a_bad_file_is_refused_in_a_sentence(tmp_path, name, write, error, says):
    if write:
        write(tmp_path / name)
    with pytest.raises(error, match=says) as refusal:
        audio.load_audio(tmp_path / name)
    assert name in str(refusal.value)


def test_a_truncated_file_is_refused_or_shorter_but_never_garbage(tmp_path):
    soundfile.write(tmp_path / "a.flac", sine(440), SAMPLE_RATE)
    whole = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"a\.flac"):
        audio.load_audio(tmp_path / "a.flac")


@pytest.mark.parametrize(
    "bad", [np.zeros(0, np.float32), np.zeros((2, 100), np.float32), np.array([0, np.inf]), np.arange(5)]
)
def test_bad_arrays_are_refused(bad):
    with pytest.raises(ValueError, match="the audio"):
        audio.check_audio(bad)


def test_gain_of_a_sine_is_its_windowed_rms():
    # mean of Hann squared is 3/8, of a unit sine squared 1/2
    gain = audio.frame_gain(sine(1000, amplitude=0.8))
    np.testing.assert_allclose(gain[4:-4], 0.8 * np.sqrt(3 / 16), rtol=1e-3)


@pytest.mark.parametrize("n", [300, 512, 2048, 22_050, 22_051])
def test_gain_is_the_same_from_samples_and_from_spectra(n):
    noise = np.random.default_rng(0).standard_normal(n).astype(np.float32)
    gain = audio.frame_gain(noise)
    assert len(gain) == audio.frame_count(n)
    np.testing.assert_allclose(gain, audio.spectrum_gain(audio.spectra(noise)), rtol=1e-5)


def test_saved_audio_is_16_bit_and_whole(tmp_path):
    audio.save_audio(tmp_path / "new" / "a.wav", sine(440))
    info = soundfile.info(tmp_path / "new" / "a.wav")
    assert (info.samplerate, info.channels, info.subtype) == (22_050, 1, "PCM_16")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.wav"]


def test_a_sound_that_is_too_loud_is_lowered_with_a_warning(tmp_path, caplog):
    audio.save_audio(tmp_path / "a.wav", 3 * sine(440))
    assert "would clip" in caplog.text
    saved = audio.load_audio(tmp_path / "a.wav")
    np.testing.assert_allclose(saved, sine(440, amplitude=0.99), atol=1e-3)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PermissionError, match="choose a folder"):
        audio.save_audio(tmp_path / "file" / "a.wav", sine(440))
