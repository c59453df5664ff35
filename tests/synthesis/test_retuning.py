import numpy as np
import pytest
from conftest import model_of, tone, unit_spectra, white_noise

from timbrelib.audio.frames import N_BINS, frame_gain
from timbrelib.descriptors import centroid
from timbrelib.descriptors.pitch import estimate_pitch, track_autocorrelation
from timbrelib.synthesis.retuning import Retuner


def moved(spectra, cents):
    """The spectra of all codes moved by cents, float32 (n_codes, N_BINS)."""
    codes = np.repeat(np.arange(len(spectra)), 3)  # every code between itself
    three = Retuner(spectra, codes).move(np.full((len(codes), 3), float(cents)), np.arange(1, len(codes), 3))
    assert three.shape == (3, len(spectra), N_BINS)
    np.testing.assert_array_equal(three[0], three[2])
    return three[1]


@pytest.mark.parametrize("cents", [-300, -50, 50, 137.5, 700])
def test_moved_spectra_have_a_moved_pitch_and_centroid(cents):
    notes = np.geomspace(330, 700, 6)
    spectra = unit_spectra(*(tone(f0, slope=12, partials=8) for f0 in notes))
    f0, periodicity = estimate_pitch(moved(spectra, cents))
    assert periodicity.min() > 0.95
    np.testing.assert_allclose(1200 * np.log2(f0 / notes), cents, atol=4)
    ratio = centroid(moved(spectra, cents)) / centroid(spectra) / 2 ** (cents / 1200)
    assert ratio.mean() == pytest.approx(1, abs=0.005)
    np.testing.assert_allclose(ratio, 1, atol=0.05)  # partials fall elsewhere between the bins


def test_moved_spectra_are_in_single_precision():
    assert moved(unit_spectra(tone(300)), 50).dtype == np.float32


def test_zero_cents_change_nothing():
    spectra = unit_spectra(tone(300), white_noise())
    np.testing.assert_allclose(moved(spectra, 0), spectra, rtol=1e-3, atol=1e-3)


def test_the_valleys_between_partials_stay_as_deep():
    (spectrum,) = unit_spectra(tone(440))
    (shifted,) = moved(spectrum[None], 50)
    valleys, shifted_valleys = (
        np.median(part[np.rint(440 * ratio * np.arange(1.5, 10) * 2048 / 22_050).astype(int)])
        for part, ratio in ((spectrum, 1), (shifted, 2 ** (50 / 1200)))
    )
    assert 20 * np.log10(shifted_valleys / valleys) == pytest.approx(0, abs=3)  # dB


def test_each_of_the_three_codes_of_a_frame_is_moved_by_its_own_cents():
    spectra = unit_spectra(tone(300), tone(330), tone(360))
    cents = 1200 * np.log2(330 / np.array([[300, 330, 360]]))
    f0, _ = estimate_pitch(Retuner(spectra, np.arange(3)).move(np.repeat(cents, 3, axis=0), np.array([1]))[:, 0])
    np.testing.assert_allclose(1200 * np.log2(f0 / 330), 0, atol=2)


@pytest.mark.parametrize("cents", [50, -50, 1200])
def test_a_decoded_code_sounds_at_its_moved_pitch_and_gain(cents):
    model = model_of(unit_spectra(tone(300), tone(400)))
    for code, f0 in enumerate((300, 400)):
        audio = model.decode(np.full(60, code), gain=0.1, cents=np.full(60, cents))
        measured = track_autocorrelation(audio)[4:-4]
        np.testing.assert_allclose(1200 * np.log2(measured / f0), cents, atol=3)
        np.testing.assert_allclose(frame_gain(audio)[4:-4], 0.1, rtol=0.02)
