"""Instruments for samplers, read and played by a small sampler of the tests."""

import re
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
import soxr
from chunks import chunks
from conftest import model_of, timbre_of, tone, unit_spectra, white_noise

import timbrelib
from timbrelib.audio.frames import N_BINS, N_FFT, SAMPLE_RATE
from timbrelib.control.timbre import Timbre
from timbrelib.descriptors import measure
from timbrelib.descriptors.pitch import track_pyin

CARD = {"name": "made", "licence": "CC BY-SA 4.0", "sources": ["a maker: CC-BY-4.0, 1 recording"]}


class Sampler:
    """Plays an SFZ file as samplers do: finds the region of a key and a velocity, transposes it, repeats its loop."""

    def __init__(self, path):
        text = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        self.folder, self.regions, shared = path.parent, [], {}
        for header, body in re.findall(r"<(\w+)>([^<]*)", text):
            opcodes = dict(re.findall(r"(\w+)=(\S+)", body))
            if header == "global":
                shared = opcodes
            elif header == "region":
                self.regions.append(shared | opcodes)

    def find(self, key, velocity):
        return [
            region
            for region in self.regions
            if int(region["lokey"]) <= key <= int(region["hikey"])
            and int(region["lovel"]) <= velocity <= int(region["hivel"])
        ]

    def loop(self, region):
        """Samples of a region that repeat, (n,), and the number of their periods."""
        samples, rate = soundfile.read(self.folder / region["sample"])
        loop = samples[int(region["loop_start"]) : int(region["loop_end"]) + 1]
        return loop, round(len(loop) * librosa.midi_to_hz(int(region["pitch_keycenter"])) / rate)

    def play(self, key, velocity, seconds):
        """A note at 22,050 Hz, without envelope and level."""
        (region,) = self.find(key, velocity)
        samples, rate = soundfile.read(self.folder / region["sample"])
        start, end = int(region["loop_start"]), int(region["loop_end"])
        ratio = 2 ** ((key - int(region["pitch_keycenter"])) / 12)
        place = np.arange(int(seconds * rate)) * ratio
        place = np.where(place > end, start + (place - start) % (end + 1 - start), place)
        return soxr.resample(np.interp(place, np.arange(len(samples)), samples), rate, SAMPLE_RATE).astype(np.float32)


def cents(sound, key):
    """Median distance of a steady sound from a MIDI key, by an estimator that the instrument was not made with."""
    return 100 * np.nanmedian(librosa.hz_to_midi(track_pyin(sound)[4:-4]) - key)


@pytest.fixture(scope="module")
def sampled(chromatic, tmp_path_factory):
    """The timbre of 300 to 600 Hz as an instrument, each third note in three brightnesses."""
    folder = tmp_path_factory.mktemp("made")
    timbrelib.save_sfz(folder, chromatic, CARD)
    return Sampler(next(folder.glob("*.sfz")))


@pytest.fixture(scope="module")
def sampled_violin(violin, tmp_path_factory):
    """The violin as an instrument with one note per octave in two brightnesses."""
    folder = tmp_path_factory.mktemp("violin")
    timbrelib.save_sfz(folder, violin, timbrelib.load_card("violin"), step=12, layers=2)
    return Sampler(folder / "violin.sfz")


def test_every_key_of_the_range_has_one_sample_at_every_velocity(sampled, sampled_violin, chromatic, violin):
    for sampler, timbre in ((sampled, chromatic), (sampled_violin, violin)):
        ends = librosa.hz_to_midi(timbre.codebook.percentile_range("fundamental"))
        low, high = np.rint(ends).astype(int).tolist()
        assert {len(sampler.find(key, velocity)) for key in range(low, high + 1) for velocity in range(1, 128)} == {1}
        assert not [key for key in (low - 1, high + 1) if sampler.find(key, 64)]


def test_every_sample_is_in_tune_at_the_ends_of_its_keys(sampled, sampled_violin):
    for sampler in (sampled, sampled_violin):
        for region in sampler.regions:
            for key in {int(region["lokey"]), int(region["hikey"])}:
                assert abs(cents(sampler.play(key, int(region["hivel"]), 0.7), key)) < 20, (region, key)


def test_loops_are_seamless(sampled, sampled_violin):
    for sampler in (sampled, sampled_violin):
        for region in sampler.regions:
            samples, _ = soundfile.read(sampler.folder / region["sample"])
            start, end = int(region["loop_start"]), int(region["loop_end"])
            loop = samples[start : end + 1]
            slope = np.abs(np.diff(loop)).max()
            assert np.abs(loop[0] - loop[-1]) <= slope
            # around the loop, where samplers read to interpolate, the sound goes on as in the loop
            np.testing.assert_array_equal(samples[:start], loop[len(loop) - start :])
            np.testing.assert_array_equal(samples[end + 1 :], loop[: len(samples) - end - 1])


def test_a_held_note_does_not_jump_in_level_or_pitch(sampled_violin):
    sound = sampled_violin.play(69, 100, 6.0)
    gain = timbrelib.frame_gain(sound)[4:-4]
    assert 20 * np.log10(gain.max() / gain.min()) < 3
    assert timbrelib.pitch_jumps(sound) == 0
    hnr, flux = timbrelib.hnr_and_flux(sound)
    assert np.median(hnr) > 15
    assert np.median(flux) < 0.3


def test_a_sample_has_the_harmonics_of_a_code(sampled):
    loop, periods = sampled.loop(sampled.find(66, 127)[0])
    spectrum = np.abs(np.fft.rfft(loop))
    level = 20 * np.log10(spectrum[periods * np.arange(1, 11)] / spectrum[periods])
    slope = -level[1:] / np.log2(np.arange(2, 11))
    np.testing.assert_allclose(slope, slope[0], atol=0.2)
    assert slope[0] == pytest.approx(5, abs=0.2)  # the brightest
    between = np.delete(spectrum, np.arange(0, len(spectrum), periods))
    assert between.max() < 1e-3 * spectrum.max()


def test_noise_moves_to_the_note_together_with_the_partials(tmp_path):
    share = (np.arange(N_BINS) > 9.5 * 452 * N_FFT / SAMPLE_RATE).astype(float)  # of partials from the tenth, half
    model = model_of(unit_spectra(tone(452, 6), tone(452, 7)), share)
    timbre = Timbre(model, timbrelib.analyse_codebook(model, cache=False))
    (region,) = timbrelib.save_sfz(tmp_path, timbre, CARD, layers=1)
    assert region.key == 69  # 440 Hz, 47 cents lower
    samples, rate = soundfile.read(tmp_path / region.sample)
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    frequency = np.fft.rfftfreq(len(samples), 1 / rate)
    noise = (np.abs(frequency - 4400) < 200) & (np.abs(frequency - 4400) > 3)
    assert 10 * np.log10(power[noise].sum() / power[np.abs(frequency - 4400) <= 3].sum()) > -10
    assert frequency[noise] @ power[noise] / power[noise].sum() == pytest.approx(4400, abs=20)


def test_samples_have_the_noise_of_the_timbre(tmp_path):
    model = model_of(unit_spectra(tone(440, 6), tone(440, 7)), share=0.5)
    inharmonic = []
    for noise in (0.0, 0.5, 1.0):
        timbre = Timbre(model, timbrelib.analyse_codebook(model, noise=noise, cache=False))
        (region,) = timbrelib.save_sfz(tmp_path / str(noise), timbre, CARD, layers=1)
        sampler = Sampler(tmp_path / str(noise) / "untitled.sfz")
        loop, periods = sampler.loop(sampler.find(region.key, 1)[0])
        power = np.abs(np.fft.rfft(loop)) ** 2
        inharmonic.append(1 - power[::periods].sum() / power.sum())
    # a share of a half is a quarter of the energy, and the noise of a model is 2.5 dB louder than its level; what there
    # is of it near a single strong partial is a matter of chance
    assert inharmonic == pytest.approx([0, 0.2, 0.37], abs=0.1)


def test_a_timbre_without_partials_is_refused(chromatic, tmp_path):
    noise = Timbre(chromatic.model, timbrelib.analyse_codebook(chromatic.model, "noise", cache=False))
    with pytest.raises(ValueError, match="an instrument needs partials: load untitled with mixed or locked excitation"):
        timbrelib.save_sfz(tmp_path, noise, CARD)
    assert not list(tmp_path.iterdir())


def test_loud_keys_are_brighter_at_the_same_level(sampled, sampled_violin):
    for sampler, velocities in ((sampled, (20, 64, 127)), (sampled_violin, (20, 127))):
        for key in {int(region["pitch_keycenter"]) for region in sampler.regions}:
            sounds = [sampler.play(key, velocity, 1.0) for velocity in velocities]
            centroids = [np.nanmean(measure(sound, ["centroid"])["centroid"]) for sound in sounds]
            assert (np.diff(centroids) > 50).all(), key
            level = [np.sqrt(np.square(sound).mean()) for sound in sounds]
            np.testing.assert_allclose(level, level[0], rtol=0.1)


def test_samples_carry_their_loop_and_licence_for_other_samplers(sampled_violin):
    card = timbrelib.load_card("violin")
    licence = (sampled_violin.folder / "LICENSE.txt").read_text(encoding="utf-8")
    assert "https://creativecommons.org/licenses/by-sa/4.0/" in licence
    assert all(source in licence for source in card["sources"])
    assert "LICENSE.txt" in (sampled_violin.folder / "violin.sfz").read_text(encoding="utf-8")
    for region in sampled_violin.regions:
        path = sampled_violin.folder / region["sample"]
        loop = np.frombuffer(chunks(path)["smpl"], "<u4").tolist()
        assert (loop[3], *loop[-4:-2]) == tuple(
            int(region[name]) for name in ("pitch_keycenter", "loop_start", "loop_end")
        )
        with soundfile.SoundFile(path) as file:
            assert (file.copyright, file.comment) == (card["licence"], licence.rstrip("\0"))


def test_the_same_timbre_gives_the_same_bytes(chromatic, tmp_path):
    for name in ("one", "two"):
        timbrelib.save_sfz(tmp_path / name, chromatic, CARD, step=12, layers=1)
    one, two = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two
    assert {Path("LICENSE.txt"), Path("untitled.sfz")} < set(one)


def test_a_model_without_notes_is_refused_in_one_sentence(tmp_path):
    noises = timbre_of(white_noise(), white_noise(seed=1))
    with pytest.raises(ValueError, match="untitled has no code with a clear pitch to make an instrument of"):
        timbrelib.save_sfz(tmp_path, noises, CARD)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [{"step": 0}, {"step": 13}, {"layers": 0}, {"layers": 9}])
def test_a_setting_out_of_range_is_one_sentence(chromatic, tmp_path, options):
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=f"the {name} cannot be {value}: give a whole number from 1 to"):
        timbrelib.save_sfz(tmp_path, chromatic, CARD, **options)
    assert not list(tmp_path.iterdir())
