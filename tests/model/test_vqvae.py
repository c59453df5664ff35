import numpy as np
import pytest
import torch
from conftest import model_of, sine, tone, unit_spectra, white_noise

import timbrelib
from timbrelib.audio.frames import BLOCK, HOP, frame_gain, spectra, spectrum_gain
from timbrelib.descriptors import centroid
from timbrelib.descriptors.pitch import track_autocorrelation
from timbrelib.evaluation.metrics import hnr_and_flux
from timbrelib.synthesis.excitation import EXCITATIONS


@pytest.fixture(scope="module")
def made():
    """A model of two tones and a hiss, whose bins are noise by a third."""
    return model_of(unit_spectra(tone(300), tone(400), white_noise()), 0.3)


def test_a_code_has_the_spectrum_and_the_noise_that_the_decoder_predicts():
    wanted = np.maximum(unit_spectra(tone(300), tone(400)), 2048e-4)  # -80 dB, the least of a model
    share = np.linspace([0, 1], [1, 0], 1025, axis=1)  # (codes, N_BINS)
    model = model_of(wanted, share)
    np.testing.assert_allclose(model.spectra, wanted / spectrum_gain(wanted)[:, None], rtol=1e-3)
    np.testing.assert_allclose(model.noise_share, share, atol=1e-4)
    assert model.spectra.dtype == model.noise_share.dtype == np.float32


def test_a_model_that_does_not_predict_noise_has_none():
    model = timbrelib.VQVAE(timbrelib.VQVAEConfig(n_codes=3, code_size=4, width=8, blocks=1, outputs=1)).eval()
    assert not model.noise_share.any()
    locked, mixed = (model.decode(np.zeros(30, int), excitation=name, noise=1.0) for name in ("locked", "mixed"))
    np.testing.assert_allclose(mixed, locked, atol=1e-5)


def test_a_code_has_one_spectrum_in_any_context(violin):
    alone = spectra(violin.model.decode(np.full(40, 17), gain=1.0, noise=0))[10:-10]
    late = spectra(violin.model.decode(np.repeat([900, 17], [35, 40]), gain=1.0, noise=0))[45:-10]
    strong = alone[0] > alone[0].max() * 0.1  # the partials; between them neighbouring regions beat
    level = 20 * np.log10(np.concatenate([alone, late])[:, strong])
    assert np.abs(level - level.mean(axis=0)).max() < 0.2  # dB, across frames and contexts
    wanted = 20 * np.log10(violin.model.spectra[17][strong])
    assert np.sqrt(np.mean((level.mean(axis=0) - wanted) ** 2)) < 2


def test_spectra_do_not_depend_on_the_number_of_threads(small):
    model, _ = small
    found, before = [], torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        model.train(False)  # drops its cached properties
        found.append((model.spectra.tobytes(), model.noise_share.tobytes(), model.cepstra.tobytes()))
    torch.set_num_threads(before)
    assert found[0] == found[1]


def test_file_names_have_the_prefix_of_the_page(small):
    model, _ = small
    for name, prefix in (("singing", "sing"), ("horn", "horn"), ("kazoo", "kazoo")):
        model.name = name
        assert model.prefix == prefix
    model.name = "untitled"


def test_every_code_has_unit_gain(violin):
    np.testing.assert_allclose(spectrum_gain(violin.model.spectra), 1, rtol=1e-4)


def test_level_is_in_the_gain_and_not_in_the_codes(violin, phrases):
    loud = phrases[0].audio
    codes, gain = violin.model.encode(loud)
    quiet_codes, quiet_gain = violin.model.encode(loud / 16)  # a power of two: the spectra are the same to the bit
    np.testing.assert_array_equal(codes, quiet_codes)
    np.testing.assert_allclose(gain, 16 * quiet_gain, rtol=1e-6)


@pytest.mark.parametrize(("excitation", "median"), [("locked", 0.01), ("mixed", 0.02), ("noise", 0.02)])
def test_a_decoded_frame_has_the_requested_gain(violin, excitation, median):
    codes = np.repeat([5, 300, 800, 41], 40)
    gain = 0.05 * (1.2 + np.sin(np.arange(160) / 12))
    error = frame_gain(violin.model.decode(codes, gain, excitation)) / gain - 1
    assert np.median(np.abs(error)) < median
    assert np.percentile(np.abs(error), 98) < 0.1


def test_gain_zero_is_silence(violin):
    gain = np.r_[np.full(20, 0.1), np.zeros(20)]
    audio = violin.model.decode(np.full(40, 3), gain)
    assert np.abs(audio[25 * HOP :]).max() < 1e-6
    assert np.abs(audio[: 10 * HOP]).max() > 0.05


@pytest.mark.parametrize("n", [222, 511, 512, 513, 30_000, 88_200])
def test_a_reconstruction_has_the_length_and_level_of_its_input(violin, phrases, n):
    audio = phrases[1].audio[:n]
    decoded = violin.model.reconstruct(audio)
    assert decoded.shape == audio.shape
    assert decoded.dtype == np.float32
    if n > 20_000:
        assert np.sqrt(np.mean(decoded**2)) == pytest.approx(np.sqrt(np.mean(audio**2)), rel=0.05)


def test_silence_stays_silent(violin):
    codes, gain = violin.model.encode(np.zeros(10_000, np.float32))
    assert len(codes) == len(gain) == 20
    assert not gain.any()
    assert not violin.model.reconstruct(np.zeros(10_000, np.float32)).any()


def test_the_codes_of_a_long_sound_do_not_depend_on_its_blocks(violin, phrases):
    sound = np.concatenate([phrase.audio for phrase in phrases])
    sound = np.tile(sound, 1 + (BLOCK + 50) * HOP // len(sound))
    codes, gain = violin.model.encode(sound)
    around = (BLOCK - 20) * HOP
    piece_codes, piece_gain = violin.model.encode(sound[around : around + 40 * HOP])
    inner = slice(3, 38)
    np.testing.assert_array_equal(codes[BLOCK - 20 :][inner], piece_codes[inner])
    np.testing.assert_allclose(gain[BLOCK - 20 :][inner], piece_gain[inner], rtol=1e-5)


@pytest.mark.parametrize("excitation", EXCITATIONS)
def test_decoding_is_repeatable_and_noise_has_a_seed(made, excitation):
    codes = np.repeat([0, 1, 2], 10)
    first, again, other = (made.decode(codes, excitation=excitation, seed=seed) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    if excitation == "locked":
        assert first.tobytes() == other.tobytes()
    else:
        assert np.abs(first - other).max() > 1e-3


def test_mixed_without_noise_is_locked_to_the_byte(made):
    codes, gain = np.repeat([0, 1, 2], 10), np.linspace(0.01, 0.1, 30)
    adjusted = {"cents": np.full(30, 20.0), "tilt": np.full(30, -2.0)}
    for adjustments in ({}, adjusted):
        mixed, locked = (made.decode(codes, gain, name, noise=0, **adjustments) for name in ("mixed", "locked"))
        assert mixed.tobytes() == locked.tobytes()


def test_the_default_is_mixed_with_the_noise_of_the_model(made):
    codes = np.repeat([0, 1], 15)
    assert made.noise == 0.5
    assert made.decode(codes).tobytes() == made.decode(codes, 0.05, "mixed", 0.5).tobytes()
    assert made.decode(codes).tobytes() != made.decode(codes, noise=1).tobytes()


def test_more_noise_is_heard_as_a_lower_harmonic_to_noise_ratio(made):
    codes = np.zeros(60, int)
    quality = [np.median(hnr_and_flux(made.decode(codes, noise=noise))[0]) for noise in (0, 0.25, 0.5, 1)]
    assert (np.diff(quality) < -1).all()  # dB
    noisy = np.median(hnr_and_flux(made.decode(codes, excitation="noise"))[0])
    assert noisy < quality[-1] - 5


def test_codes_are_moved_by_cents_and_tilted_by_decibels_per_octave(made):
    codes = np.zeros(60, int)
    sounds = [made.decode(codes, noise=0, cents=np.full(60, cents)) for cents in (0, 50)]
    f0 = [track_autocorrelation(sound)[4:-4] for sound in sounds]
    np.testing.assert_allclose(1200 * np.log2(f0[1] / f0[0]), 50, atol=2)
    bright = [centroid(spectra(made.decode(codes, tilt=np.full(60, tilt))))[4:-4].mean() for tilt in (-3.0, 0.0, 3.0)]
    assert bright[0] < bright[1] < bright[2]
    np.testing.assert_array_equal(made.decode(codes, tilt=np.zeros(60)), made.decode(codes))


def test_cents_of_each_frame_move_its_code_in_all_blends(made):
    codes, cents = np.repeat([0, 1], 15), np.linspace(-50, 50, 30)
    three = np.lib.stride_tricks.sliding_window_view(np.pad(cents, 1, mode="edge"), 3)  # (frames,) -> (frames, 3)
    np.testing.assert_array_equal(made.decode(codes, cents=cents), made.decode(codes, cents=three))


def test_noise_is_not_moved():
    model = model_of(unit_spectra(white_noise(), white_noise(seed=1)), 1.0)
    codes = np.zeros(40, int)
    moved, unmoved = (model.decode(codes, noise=1, cents=cents) for cents in (np.full(40, 50), None))
    np.testing.assert_allclose(moved, unmoved, atol=1e-3)


FIVE = np.zeros(5, int)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"codes": np.array([0, 3])}, "codes run from 0 to 3, but this codebook has 0 to 2"),
        ({"codes": np.array([-1, 2])}, "codes run from -1 to 2"),
        ({"codes": np.array([], dtype=int)}, "non-empty"),
        ({"codes": np.array([0.5])}, "integers"),
        ({"codes": FIVE, "gain": np.full(5, np.nan)}, "gain"),
        ({"codes": FIVE, "gain": np.ones(4)}, "gain"),
        ({"codes": FIVE, "excitation": "sawtooth"}, "mixed, locked, noise"),
        ({"codes": FIVE, "noise": 1.01}, "the noise cannot be 1.01: give a number from 0"),
        ({"codes": FIVE, "noise": np.nan}, "the noise cannot be nan"),
        ({"codes": FIVE, "cents": np.zeros(4)}, "the cents have shape \\(4,\\) for 5 codes: give one number or three"),
        ({"codes": FIVE, "cents": np.zeros((5, 2))}, "the cents have shape \\(5, 2\\) for 5 codes"),
        ({"codes": FIVE, "cents": 50.0}, "the cents have shape \\(\\) for 5 codes"),
        ({"codes": FIVE, "cents": np.full(5, 1200.1)}, "the cents exceed 1200: give numbers from -1200 to 1200"),
        ({"codes": FIVE, "cents": np.full((5, 3), np.nan)}, "the cents exceed 1200"),
        ({"codes": FIVE, "tilt": np.zeros(4)}, "the tilt has shape \\(4,\\) for 5 codes"),
        ({"codes": FIVE, "tilt": np.zeros(6)}, "the tilt has shape \\(6,\\) for 5 codes"),
        ({"codes": FIVE, "tilt": np.full(5, np.nan)}, "the tilt"),
        ({"codes": FIVE, "tilt": np.full(5, 1e4)}, "the tilt"),
    ],
)
def test_bad_decoding_is_refused_in_a_sentence(made, arguments, says):
    with pytest.raises(ValueError, match=says) as refusal:
        made.decode(**arguments)
    assert "\n" not in str(refusal.value)


def test_a_nan_or_stereo_input_is_refused(violin):
    with pytest.raises(ValueError, match="not finite"):
        violin.model.encode(np.full(3000, np.nan, np.float32))
    with pytest.raises(ValueError, match="one channel"):
        violin.model.encode(np.zeros((3000, 2), np.float32))


def test_a_sine_comes_back_at_its_pitch(violin):
    decoded = violin.model.reconstruct(sine(880))
    strongest = spectra(decoded)[10:-10].argmax(axis=1) * 22_050 / 2048
    np.testing.assert_allclose(np.median(strongest), 880, atol=22)


def test_frames_pass_through_encoder_and_decoder(small):
    model, _ = small
    level = torch.full((3, 1025), -40.0)
    with torch.no_grad():
        latents = model.encode_frames(level)
        decoded, noise = model.decode_latents(latents)
    assert latents.shape == (3, model.config.code_size)
    np.testing.assert_allclose(spectrum_gain(2048 * 10 ** (decoded.numpy() / 20)), 1, rtol=1e-4)
    assert decoded.shape == noise.shape == (3, 1025)
    assert 0 <= noise.min() <= noise.max() <= 1
