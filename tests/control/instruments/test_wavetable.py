"""Wavetables: the harmonics of codes as single periods, in the order of a descriptor."""

import numpy as np
import pytest
import soundfile
from chunks import chunks
from conftest import timbre_of, tone, white_noise

import timbrelib
from timbrelib.descriptors import DESCRIPTORS, Descriptor

CARD = {"name": "made", "licence": "CC BY-SA 4.0", "sources": ["a maker: CC-BY-4.0, 1 recording"]}


@pytest.fixture
def save(tmp_path):
    """Save a wavetable; return the codes of its frames and the frames, (count, 2048)."""

    def save(timbre, **options):
        path = tmp_path / "table.wav"
        codes = timbrelib.save_wavetable(path, timbre, CARD, **options)
        samples, rate = soundfile.read(path)
        assert (rate, len(samples)) == (44_100, 2048 * len(codes))
        return codes, samples.reshape(-1, 2048)

    return save


def harmonics(frames):
    """Complex amplitudes of the harmonics of frames, (frames, 1024), the fundamental first."""
    return np.fft.rfft(frames)[:, 1:]


def brightness(frames, highest):
    """Mean harmonic of frames, weighted by amplitude, up to a highest one."""
    amplitude = np.abs(harmonics(frames))[:, :highest]
    return amplitude @ np.arange(1, highest + 1) / amplitude.sum(axis=1)


def test_a_frame_has_exactly_the_harmonics_of_its_code(save, chromatic):
    codes, frames = save(chromatic, count=32)
    for code, spectrum in zip(codes, np.abs(harmonics(frames)), strict=True):
        f0, slope = 300 * 2 ** (code // 5 / 12), (13, 11, 9, 7, 5)[code % 5]
        expected = -slope * np.log2(np.arange(1, min(20, int(10_000 / f0)) + 1))
        audible = expected > -45  # dB; the floor of a code's spectrum is not far below
        level = 20 * np.log10(np.maximum(spectrum / spectrum[0], 1e-5))
        np.testing.assert_allclose(level[: len(expected)][audible], expected[audible], atol=0.2)
        assert level[len(expected) :].max() < -50


def test_all_partials_of_all_frames_are_sines_so_that_blended_frames_do_not_cancel(save, violin):
    _, frames = save(violin)
    spectrum = harmonics(frames)
    strong = np.abs(spectrum) > 0.01 * np.abs(spectrum).max()
    assert np.abs(np.angle(spectrum[strong]) + np.pi / 2).max() < 0.02
    level = np.sqrt(np.square(frames).mean(axis=1))
    np.testing.assert_allclose(level, level[0], rtol=0.001)
    assert np.sqrt(np.square((frames[1:] + frames[:-1]) / 2).mean(axis=1)).min() > 0.9 * level[0]
    assert 0.95 < np.abs(frames).max() < 1


def test_frames_rise_from_dark_to_bright_in_small_steps(save, violin):
    codes, frames = save(violin, note="A4", count=48)
    measured = brightness(frames, 25)  # at A4, the harmonics below 11,025 Hz
    assert measured[-1] > 2.5 * measured[0]
    assert np.diff(measured).min() > -0.02
    assert np.diff(measured).max() < 0.1 * (measured[-1] - measured[0])
    octaves = np.log2(violin.codebook["fundamental"][codes] / 440)
    assert np.abs(octaves).max() <= 0.5
    assert len(set(codes)) > 40


@pytest.mark.parametrize(("note", "inside"), [(None, True), ("G5", False)])
def test_along_the_fundamental_frames_go_from_low_notes_to_high_ones(save, violin, note, inside):
    codes, _ = save(violin, descriptor="fundamental", note=note, count=32)
    f0 = violin.codebook["fundamental"][codes]
    assert (np.diff(f0) >= 0).all()
    assert (f0[-1] > 4 * f0[0]) == inside


def test_synthesisers_and_readers_know_the_file_and_its_licence(save, violin, tmp_path):
    save(violin, count=2)
    found = chunks(tmp_path / "table.wav")
    assert found["clm "].startswith(b"<!>2048 ")
    assert list(found).index("clm ") < list(found).index("data")
    with soundfile.SoundFile(tmp_path / "table.wav") as file:
        assert file.copyright == "CC BY-SA 4.0"
        assert "a maker: CC-BY-4.0" in file.comment
        assert "https://creativecommons.org/licenses/by-sa/4.0/" in file.comment


def test_the_same_timbre_gives_the_same_bytes(save, chromatic, tmp_path):
    save(chromatic)
    first = (tmp_path / "table.wav").read_bytes()
    save(chromatic)
    assert (tmp_path / "table.wav").read_bytes() == first


def test_a_model_without_notes_is_refused_in_one_sentence(tmp_path):
    noises = timbre_of(white_noise(), white_noise(seed=1))
    with pytest.raises(ValueError, match="has no code with a clear pitch to make an instrument of"):
        timbrelib.save_wavetable(tmp_path / "table.wav", noises, CARD)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"count": 1}, "a wavetable cannot have 1 frames: give 2 to 256"),
        ({"count": 257}, "cannot have 257 frames"),
        ({"note": "H9"}, "'H9' is not a note: give a letter and an octave"),
        ({"note": "C1"}, "has no code with a clear pitch around C1: choose another note"),
        ({"descriptor": "colour"}, "there is no descriptor 'colour'"),
    ],
)
def test_a_table_that_cannot_be_made_is_one_sentence(chromatic, tmp_path, options, says):
    with pytest.raises(ValueError, match=says):
        timbrelib.save_wavetable(tmp_path / "table.wav", chromatic, CARD, **options)
    assert not list(tmp_path.iterdir())


def test_a_descriptor_that_no_note_has_is_one_sentence(chromatic, tmp_path, monkeypatch):
    unknown = Descriptor("Hz", False, lambda spectrum: np.full(len(spectrum), np.nan))
    monkeypatch.setitem(DESCRIPTORS, "unknown", unknown)
    with pytest.raises(ValueError, match="no code of untitled has a unknown: choose another descriptor"):
        timbrelib.save_wavetable(tmp_path / "table.wav", chromatic, CARD, "unknown")


def test_a_single_note_of_three_colours_makes_a_table(save):
    codes, frames = save(timbre_of(tone(440, 12), tone(440, 6), tone(440, 9)), count=5)
    assert (codes[0], codes[2], codes[-1]) == (0, 2, 1)
    assert (np.diff(brightness(frames, 25)) > -1e-6).all()
