import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import sine

from timbrelib import plots


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_a_spectrum_is_drawn_up_to_half_the_sample_rate():
    ax = plots.spectrum(np.linspace(-80, 0, 1025), title="one frame")
    frequency, level = ax.get_lines()[0].get_data()
    assert (frequency[0], frequency[-1]) == (0, 11.025)
    np.testing.assert_array_equal(level, np.linspace(-80, 0, 1025))
    assert (ax.title.get_text(), ax.get_xlabel(), ax.get_ylabel()) == ("", "frequency (kHz)", "level (dB)")
    assert ax.get_title("left") == "one frame"


def test_a_spectrogram_is_relative_to_its_loudest_bin_and_dark_for_silence():
    image = plots.spectrogram(sine(1000)).get_images()[0]
    assert image.get_array().max() == pytest.approx(0, abs=1e-4)
    assert image.get_array().argmax(axis=0)[5:-5] * 22_050 / 2048 == pytest.approx(1000, abs=11)
    silent = plots.spectrogram(np.zeros(5000, np.float32)).get_images()[0]
    assert silent.get_array().max() < -70


def test_a_logarithmic_spectrogram_shows_a_partial_at_its_frequency():
    for hz in (210, 1000, 7000):
        ax = plots.spectrogram(sine(hz), fmin=100)
        (mesh,) = ax.collections
        edges = mesh.get_coordinates()[:, 0, 1]  # kHz
        loudest = mesh.get_array().argmax(axis=0)[5:-5]
        assert edges[loudest].max() <= (hz + 11) / 1000
        assert edges[loudest + 1].min() >= (hz - 11) / 1000
        assert (ax.get_yscale(), ax.get_ylim()) == ("log", pytest.approx((0.1, 11.025)))


def test_sounds_are_drawn_under_their_titles_with_one_colour_bar_and_one_time_axis():
    figure = plots.spectrograms({"low": sine(300, 0.2), "high": 0.1 * sine(900, 0.4)}, "two sines")
    low, high, bar = figure.axes
    assert [ax.get_title("left") for ax in (low, high)] == ["low", "high"]
    assert bar.get_ylabel() == "level (dB)"
    assert low.get_xlim() == high.get_xlim()
    assert high.get_xlim()[1] == pytest.approx(0.4, abs=0.02)
    quieter = [ax.get_images()[0].get_array().max() for ax in (low, high)]
    assert quieter == pytest.approx([0, -20], abs=1.5)  # up to 1.4 dB between bins
    assert figure.get_suptitle() == "two sines"


def test_pitches_are_drawn_over_the_sounds_they_belong_to():
    f0 = {"low": np.array([np.nan, 300.0, 300.0]), "high": np.array([900.0, 900.0, np.nan])}
    figure = plots.spectrograms({"low": sine(300, 0.2), "high": sine(900, 0.2)}, f0=f0)
    for ax, pitch in zip(figure.axes, f0.values(), strict=False):
        (line,) = ax.get_lines()
        np.testing.assert_array_equal(line.get_ydata(), pitch / 1000)
        assert ax.get_ylim()[0] == pytest.approx(0.15)  # an octave below the lowest pitch of both
        assert line.get_path_effects()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["fundamental (pYIN)"]


def test_sounds_without_a_pitch_have_linear_axes_and_no_legend():
    unvoiced = np.full(3, np.nan)
    figure = plots.spectrograms({"noise": sine(300, 0.2)}, f0={"noise": unvoiced})
    assert figure.axes[0].get_yscale() == "linear"
    assert not figure.legends
