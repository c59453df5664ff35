import numpy as np
import pytest
import torch
from conftest import sine

from timbrelib.audio.frames import BLOCK, HOP, frame_gain, spectra, spectrum_gain


def test_a_code_has_one_spectrum_in_any_context(violin):
    alone = spectra(violin.model.decode(np.full(40, 17), gain=1.0))[10:-10]
    late = spectra(violin.model.decode(np.repeat([900, 17], [35, 40]), gain=1.0))[45:-10]
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
        found.append((model.spectra.tobytes(), model.distance.tobytes()))
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


@pytest.mark.parametrize(("excitation", "median"), [("locked", 0.01), ("noise", 0.02)])
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


def test_decoding_is_repeatable_and_noise_has_a_seed(violin):
    codes = np.arange(30)
    np.testing.assert_array_equal(violin.model.decode(codes), violin.model.decode(codes))
    noise = [violin.model.decode(codes, excitation="noise", seed=seed) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(noise[0], noise[1])
    assert np.abs(noise[0] - noise[2]).max() > 1e-3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"codes": np.array([0, 1024])}, "0 to 1023"),
        ({"codes": np.array([], dtype=int)}, "non-empty"),
        ({"codes": np.array([0.5])}, "integers"),
        ({"codes": np.zeros(5, int), "gain": np.full(5, np.nan)}, "gain"),
        ({"codes": np.zeros(5, int), "gain": np.ones(4)}, "gain"),
        ({"codes": np.zeros(5, int), "excitation": "sawtooth"}, "locked, noise"),
    ],
)
def test_bad_decoding_is_refused_in_a_sentence(violin, arguments, says):
    with pytest.raises(ValueError, match=says):
        violin.model.decode(**arguments)


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
        decoded = model.decode_latents(latents)
    assert latents.shape == (3, model.config.code_size)
    np.testing.assert_allclose(spectrum_gain(2048 * 10 ** (decoded.numpy() / 20)), 1, rtol=1e-4)
