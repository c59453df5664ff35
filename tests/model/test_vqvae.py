import numpy as np
import pytest
import torch
from conftest import sine

from timbrelib.audio.frames import BLOCK, HOP, frame_gain, spectra, spectrum_gain
from timbrelib.synthesis.blending import fade_changes


def test_one_code_is_one_spectrum_whenever_it_is_decoded(violin):
    alone = spectra(violin.decode(np.full(40, 17), gain=1.0))[10:-10]
    late = spectra(violin.decode(np.repeat([900, 17], [35, 40]), gain=1.0))[45:-10]
    strong = alone[0] > alone[0].max() * 0.1  # the partials; between them neighbouring regions beat
    level = 20 * np.log10(np.concatenate([alone, late])[:, strong])
    assert np.abs(level - level.mean(axis=0)).max() < 0.2  # dB, across frames and contexts
    wanted = 20 * np.log10(violin.spectra[17][strong])
    assert np.sqrt(np.mean((level.mean(axis=0) - wanted) ** 2)) < 2


def test_a_change_of_code_fades_over_three_frames():
    table = np.ones((2, 1025), np.float32)
    table[1, 100:] = 1e-3
    table /= spectrum_gain(table)[:, None]
    padded = np.repeat([0, 1], 6)
    spectra_of, rows = fade_changes(table, np.stack([padded[:-2], padded[1:-1], padded[2:]], axis=1))
    np.testing.assert_allclose(spectrum_gain(spectra_of), 1, rtol=1e-5)
    steady, fading = spectra_of[rows[[0, 3, 6, 9]]], spectra_of[rows[[4, 5]]]
    np.testing.assert_allclose(steady, table[[0, 0, 1, 1]], rtol=1e-5)  # a code that stays is itself
    assert steady[0, 500] > fading[0, 500] > fading[1, 500] > steady[3, 500]


def test_spectra_do_not_depend_on_the_number_of_threads(small):
    model, _ = small
    found, before = [], torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        model.train(False)  # forgets what it has computed
        found.append((model.spectra.tobytes(), model.distance.tobytes()))
    torch.set_num_threads(before)
    assert found[0] == found[1]


def test_file_names_begin_as_on_the_page(small):
    model, _ = small
    for name, prefix in (("singing", "sing"), ("horn", "horn"), ("kazoo", "kazoo")):
        model.name = name
        assert model.prefix == prefix
    model.name = "untitled"


def test_every_code_has_unit_gain(violin):
    np.testing.assert_allclose(spectrum_gain(violin.spectra), 1, rtol=1e-4)


def test_loudness_is_in_the_gain_and_not_in_the_codes(violin, phrases):
    loud = phrases[0].audio
    codes, gain = violin.encode(loud)
    quiet_codes, quiet_gain = violin.encode(loud / 16)  # a power of two: the spectra are the same to the bit
    np.testing.assert_array_equal(codes, quiet_codes)
    np.testing.assert_allclose(gain, 16 * quiet_gain, rtol=1e-6)


@pytest.mark.parametrize(("excitation", "median"), [("locked", 0.01), ("noise", 0.02)])
def test_a_decoded_frame_has_the_gain_that_was_asked_for(violin, excitation, median):
    codes = np.repeat([5, 300, 800, 41], 40)
    gain = 0.05 * (1.2 + np.sin(np.arange(160) / 12))
    error = frame_gain(violin.decode(codes, gain, excitation)) / gain - 1
    assert np.median(np.abs(error)) < median
    assert np.percentile(np.abs(error), 98) < 0.1


def test_gain_zero_is_silence(violin):
    gain = np.r_[np.full(20, 0.1), np.zeros(20)]
    audio = violin.decode(np.full(40, 3), gain)
    assert np.abs(audio[25 * HOP :]).max() < 1e-6
    assert np.abs(audio[: 10 * HOP]).max() > 0.05


@pytest.mark.parametrize("n", [222, 511, 512, 513, 30_000, 88_200])
def test_a_reconstruction_has_the_length_and_loudness_of_its_input(violin, phrases, n):
    audio = phrases[1].audio[:n]
    decoded = violin.reconstruct(audio)
    assert decoded.shape == audio.shape
    assert decoded.dtype == np.float32
    if n > 20_000:
        assert np.sqrt(np.mean(decoded**2)) == pytest.approx(np.sqrt(np.mean(audio**2)), rel=0.05)


def test_silence_stays_silent(violin):
    codes, gain = violin.encode(np.zeros(10_000, np.float32))
    assert len(codes) == len(gain) == 20
    assert not gain.any()
    assert not violin.reconstruct(np.zeros(10_000, np.float32)).any()


def test_long_sounds_are_encoded_in_blocks_that_do_not_show(violin, phrases):
    sound = np.concatenate([phrase.audio for phrase in phrases])
    sound = np.tile(sound, 1 + (BLOCK + 50) * HOP // len(sound))
    codes, gain = violin.encode(sound)
    around = (BLOCK - 20) * HOP
    piece_codes, piece_gain = violin.encode(sound[around : around + 40 * HOP])
    inner = slice(3, 38)
    np.testing.assert_array_equal(codes[BLOCK - 20 :][inner], piece_codes[inner])
    np.testing.assert_allclose(gain[BLOCK - 20 :][inner], piece_gain[inner], rtol=1e-5)


def test_decoding_is_repeatable_and_noise_has_a_seed(violin):
    codes = np.arange(30)
    np.testing.assert_array_equal(violin.decode(codes), violin.decode(codes))
    noise = [violin.decode(codes, excitation="noise", seed=seed) for seed in (1, 1, 2)]
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
        violin.decode(**arguments)


def test_a_nan_or_stereo_input_is_refused(violin):
    with pytest.raises(ValueError, match="not finite"):
        violin.encode(np.full(3000, np.nan, np.float32))
    with pytest.raises(ValueError, match="one channel"):
        violin.encode(np.zeros((3000, 2), np.float32))


def test_a_sine_comes_back_at_its_pitch(violin):
    decoded = violin.reconstruct(sine(880))
    strongest = spectra(decoded)[10:-10].argmax(axis=1) * 22_050 / 2048
    np.testing.assert_allclose(np.median(strongest), 880, atol=22)
