import tracemalloc

import numpy as np
import pytest
from conftest import sine, tone, unit_spectra, white_noise

from timbrelib.audio.frames import HOP, N_BINS, SAMPLE_RATE, frame_gain, spectra
from timbrelib.descriptors import centroid
from timbrelib.evaluation.metrics import hnr_and_flux
from timbrelib.synthesis.blending import CodeSpectra
from timbrelib.synthesis.excitation import (
    BLOCK,
    EXCITATIONS,
    Synthesiser,
    check_excitation,
    split_spectra,
    synthesise,
    tilt_spectra,
)


def held(spectra, share=0.0, excitation="mixed", noise=1.0, gain=0.1, **adjustments):
    """The first of the codes, held for 60 frames: float32 (59 * HOP,)."""
    code_spectra = split_spectra(spectra, np.broadcast_to(np.float32(share), spectra.shape), excitation, noise)
    return synthesise(code_spectra, np.zeros(60, int), np.broadcast_to(gain, 60), **adjustments)


def hnr(audio):
    """Median harmonic-to-noise ratio in dB."""
    return np.median(hnr_and_flux(audio)[0])


def frequency(audio):
    """Frequency of a single sine at every sample but the outer ones, from its analytic phase."""
    from scipy.signal import hilbert

    phase = np.unwrap(np.angle(hilbert(audio.astype(np.float64))))
    return (np.diff(phase) * SAMPLE_RATE / 2 / np.pi)[6 * HOP : -6 * HOP]


@pytest.mark.parametrize("hertz", [440.0, 1003.3, 5000.0])
def test_a_held_code_is_a_steady_sound_at_its_own_frequency(hertz):
    audio = held(unit_spectra(sine(hertz)), gain=0.1)
    assert np.median(frequency(audio)) == pytest.approx(hertz, abs=0.3)
    np.testing.assert_allclose(
        np.std(audio[4 * HOP : -4 * HOP]), 0.1 / np.sqrt(3 / 8), rtol=0.01
    )  # the gain is that under a Hann window


def test_a_partial_glides_from_code_to_code_without_a_jump():
    codes, steps = np.repeat(np.arange(6), 8), unit_spectra(*(sine(1000 + 8 * step) for step in range(6)))
    audio = synthesise(CodeSpectra(steps, None), codes, np.full(48, 0.1))
    measured = frequency(audio)
    assert measured.min() > 1000 - 4
    assert measured.max() < 1040 + 4
    assert np.abs(np.diff(measured)).max() < 0.2  # Hz from sample to sample
    requested = 1000 + 8 * np.repeat(codes, HOP)[6 * HOP :][: len(measured)]
    assert np.mean(np.abs(measured - requested)) < 2


def test_a_sound_begins_and_ends_without_a_click():
    audio = held(unit_spectra(sine(997)))
    largest_step = np.abs(np.diff(audio)).max()
    assert abs(audio[0]) < largest_step / 2
    assert abs(audio[-1]) < largest_step / 2


@pytest.mark.parametrize("excitation", EXCITATIONS)
@pytest.mark.parametrize("n_frames", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK])
def test_a_sound_does_not_depend_on_the_size_of_a_block(violin, monkeypatch, excitation, n_frames):
    rng = np.random.default_rng(n_frames)
    codes = np.repeat(rng.integers(0, len(violin.codebook), n_frames), 3)[:n_frames]
    gain, tilt = rng.uniform(0, 0.1, n_frames), rng.uniform(-3, 3, n_frames)
    share = rng.uniform(size=violin.model.spectra.shape).astype(np.float32)
    spectra = split_spectra(violin.model.spectra, share, excitation, 1.0)
    sounds = []
    for block in (BLOCK, 5, 2 * BLOCK + 1):
        monkeypatch.setattr("timbrelib.synthesis.excitation.BLOCK", block)
        sounds.append(synthesise(spectra, codes, gain, None, tilt, seed=1))
    assert sounds[0].shape == (max(1, n_frames - 1) * HOP,)
    np.testing.assert_array_equal(sounds[0], sounds[1])
    np.testing.assert_array_equal(sounds[0], sounds[2])


def test_a_retuned_sound_does_not_depend_on_the_size_of_a_block(monkeypatch):
    sounds, spectra = [], split_spectra(unit_spectra(tone(300), tone(400)), np.full((2, N_BINS), 0.3), "mixed", 1.0)
    for block in (BLOCK, 7):
        monkeypatch.setattr("timbrelib.synthesis.excitation.BLOCK", block)
        codes = np.repeat([0, 1], 20)
        sounds.append(synthesise(spectra, codes, np.full(40, 0.1), np.tile(np.linspace(0, 50, 40), (3, 1)).T))
    np.testing.assert_array_equal(*sounds)


@pytest.mark.parametrize("excitation", EXCITATIONS)
def test_a_sound_is_the_beginning_of_a_longer_one(violin, excitation):
    codes = np.repeat(np.random.default_rng(0).integers(0, len(violin.codebook), 3 * BLOCK // 6), 6)
    spectra = violin.model.code_spectra(excitation, 1.0)
    short, long = (synthesise(spectra, codes[:n], np.full(n, 0.1)) for n in (BLOCK + 20, len(codes)))
    common = len(short) - 12 * HOP  # the gain is corrected several times, each with a frame more
    np.testing.assert_allclose(short[:common], long[:common], atol=1e-6)


@pytest.mark.parametrize("excitation", EXCITATIONS)
def test_memory_grows_with_the_sound_and_not_with_its_spectra(violin, excitation):
    peaks, spectra = [], violin.model.code_spectra(excitation, 0.5)
    for n_frames in (1000, 3000):
        codes, gain = np.random.default_rng(0).integers(0, len(violin.codebook), n_frames), np.full(n_frames, 0.05)
        synthesise(spectra, codes[:10], gain[:10])
        tracemalloc.start()
        synthesise(spectra, codes, gain)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 6 * 2000 * HOP * 4  # bytes: six times what the sound itself has grown


@pytest.mark.parametrize("kept", [0, 100])
def test_a_synthesiser_plays_what_is_synthesised_anew_whatever_it_played_before(monkeypatch, kept):
    monkeypatch.setattr("timbrelib.synthesis.excitation.KEPT", kept)
    spectra = split_spectra(unit_spectra(tone(300), tone(400)), np.full((2, N_BINS), 0.3), "mixed", 1.0)
    codes, gain = np.repeat([0, 1], 20), np.linspace(0.01, 0.1, 40)
    synthesiser, glide = Synthesiser(spectra, codes, gain), np.tile(np.linspace(0, 50, 40), (3, 1)).T
    for cents, tilt in [(None, None), (None, 1.0), (glide, 1.0), (glide.copy(), -2.0), (glide, None), (None, None)]:
        tilts = None if tilt is None else np.full(40, tilt)
        wanted = synthesise(spectra, codes, gain, cents, tilts)
        np.testing.assert_array_equal(synthesiser.play(cents, tilts), wanted)


def test_mixed_without_noise_is_locked_to_the_byte():
    voice = unit_spectra(tone(300), tone(400))
    locked = held(voice, 0.5, "locked")
    np.testing.assert_array_equal(held(voice, 0.5, "mixed", noise=0.0), locked)
    np.testing.assert_array_equal(held(voice, 0.5, "locked", noise=1.0), locked)


def test_mixed_codes_without_a_share_of_noise_sound_as_locked():
    voice = unit_spectra(tone(300), tone(400))
    np.testing.assert_allclose(held(voice, 0.0, "mixed"), held(voice, 0.0, "locked"), atol=1e-5)


def test_mixed_codes_that_are_all_noise_sound_as_noise():
    voice = unit_spectra(tone(300), tone(400))
    noise = held(voice, 0.0, "noise")
    np.testing.assert_allclose(held(voice, 1.0, "mixed"), noise, atol=1e-5)
    assert hnr(noise) < hnr(held(voice, 0.0, "mixed")) - 15


def test_more_noise_lowers_the_harmonic_to_noise_ratio():
    voice = unit_spectra(tone(300), tone(400))
    by_amount = [hnr(held(voice, 0.5, noise=noise)) for noise in (0, 0.1, 0.25, 0.5, 1)]
    by_share = [hnr(held(voice, share)) for share in (0, 0.1, 0.25, 0.5, 1)]
    assert (np.diff(by_amount) < -1).all()
    assert (np.diff(by_share) < -1).all()


def test_noise_is_only_where_the_code_has_it():
    voice = unit_spectra(tone(500), tone(400))
    share = np.zeros_like(voice)
    share[:, N_BINS // 2 :] = 1  # above 5.5 kHz
    sound = split_spectra(voice, share, "mixed", 1.0)
    drawn = [spectra(synthesise(sound, np.zeros(60, int), np.full(60, 0.1), seed=seed))[4:-4] for seed in (0, 1)]
    difference = np.abs(drawn[0] - drawn[1]).mean(axis=0) / drawn[0].mean(axis=0)  # (N_BINS,)
    partials = np.rint(500 * np.arange(1, 20) * 2048 / SAMPLE_RATE).astype(int)
    assert difference[partials[:9]].max() < 0.03  # up to 5 kHz
    assert difference[partials[12:]].min() > 0.2  # from 6.5 kHz


@pytest.mark.parametrize("noise", [0.5, 1.0])
def test_partials_keep_their_frequency_between_noise(noise):
    voice = unit_spectra(sine(1003.3), sine(440))
    share = np.ones_like(voice)
    share[0, 88:99] = 0  # around the sine
    sound = split_spectra(np.maximum(voice, 0.3), share, "mixed", noise)
    strongest = spectra(synthesise(sound, np.zeros(60, int), np.full(60, 0.1)))[4:-4].argmax(axis=1)
    np.testing.assert_array_equal(strongest, round(1003.3 * 2048 / SAMPLE_RATE))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_mixed_sound_has_the_requested_gain(share):
    gain = 0.1 * (1.2 + np.sin(np.arange(60) / 8))
    error = frame_gain(held(unit_spectra(tone(300), tone(400)), share, gain=gain)) / gain - 1
    assert np.abs(error)[2:-2].max() < 0.07
    assert np.median(np.abs(error)) < 0.02


def test_noise_has_a_seed():
    voice = unit_spectra(tone(300), tone(400))
    drawn = [held(voice, 0.5, seed=seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert np.abs(drawn[0] - drawn[2]).max() > 1e-3
    np.testing.assert_array_equal(held(voice, 0.5), held(voice, 0.5, seed=0))


def test_noise_is_as_loud_as_in_the_recording():
    """A code is the mean level of its frames in dB, which for noise is below the level of their mean power."""
    recorded = spectra(sine(1001.3, 3.0) + white_noise(3.0))[4:-4]
    code = np.exp(np.log(recorded).mean(axis=0))[None]  # (1, N_BINS)
    share = np.ones_like(code)
    share[0, 90:97] = 0  # the sine
    decoded = spectra(held(code, share))[4:-4]
    ratios = [np.square(frames[:, 200:]).mean() / np.square(frames[:, 93]).mean() for frames in (recorded, decoded)]
    assert 10 * np.log10(ratios[1] / ratios[0]) == pytest.approx(0, abs=0.5)  # dB


def test_a_tilt_makes_spectra_brighter_or_darker_around_1_khz():
    flat = np.ones((3, N_BINS), np.float32)
    level = 20 * np.log10(tilt_spectra(flat, np.array([-6, 0, 3])))
    hertz = np.arange(N_BINS) * SAMPLE_RATE / 2048
    octaves = np.log2(hertz[1:] / 1000)
    np.testing.assert_allclose(level[:, 1:], np.outer([-6, 0, 3], octaves), atol=1e-3)
    assert np.isfinite(level).all()


def test_a_tilted_sound_is_brighter_or_darker_at_the_same_gain_and_pitch():
    voice = unit_spectra(tone(300), tone(400))
    sounds = [held(voice, tilt=np.full(60, float(tilt))) for tilt in (-6, 0, 6)]
    bright = [np.median(centroid(spectra(sound)[4:-4])) for sound in sounds]
    assert bright[0] < 0.7 * bright[1] < 0.7**2 * bright[2]
    np.testing.assert_array_equal(sounds[1], held(voice))
    for sound in sounds:
        np.testing.assert_allclose(frame_gain(sound)[4:-4], 0.1, rtol=0.02)
        assert hnr(sound) > 25


def test_each_frame_has_its_own_tilt():
    sound = held(unit_spectra(tone(300), tone(400)), tilt=np.linspace(-6, 6, 60))
    assert (np.diff(centroid(spectra(sound)[4:-4])) > 0).all()


@pytest.mark.parametrize("noise", [-0.1, 1.1, np.nan, np.inf])
def test_an_amount_of_noise_out_of_range_is_refused_in_a_sentence(noise):
    with pytest.raises(ValueError, match=rf"the noise cannot be {noise}: give a number from 0 .* to 1"):
        check_excitation("mixed", noise)


def test_an_unknown_excitation_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'hum': choose one of mixed, locked, noise"):
        check_excitation("hum", 0.5)
