import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import FOREIGN_STYLE, png, sine

import timbrelib
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
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("one frame", "frequency (kHz)", "level (dB)")


def test_a_spectrogram_is_relative_to_its_loudest_bin_and_dark_for_silence():
    image = plots.spectrogram(sine(1000)).get_images()[0]
    assert image.get_array().max() == pytest.approx(0, abs=1e-4)
    assert image.get_array().argmax(axis=0)[5:-5] * 22_050 / 2048 == pytest.approx(1000, abs=11)
    silent = plots.spectrogram(np.zeros(5000, np.float32)).get_images()[0]
    assert silent.get_array().max() < -70


def test_sounds_are_drawn_side_by_side_under_their_titles():
    figure = plots.spectrograms({"low": sine(300, 0.2), "high": sine(900, 0.2)}, "two sines")
    assert [ax.get_title() for ax in figure.axes[:2]] == ["low", "high"]
    assert figure.get_suptitle() == "two sines"


def test_curves_of_a_fundamental_have_a_logarithmic_axis_with_plain_numbers():
    curve = np.geomspace(200, 400, 30)
    ax = plots.curves("fundamental", curve, curve, curve, "a score")
    assert (ax.get_yscale(), ax.get_ylabel()) == ("log", "fundamental (Hz)")
    ax.figure.canvas.draw()
    assert {"200", "300", "400"} <= {label.get_text() for label in ax.get_yticklabels()}
    assert "measured: a score" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert plots.curves("centroid", curve, curve, curve).get_yscale() == "linear"


def test_a_training_history_has_loss_codes_in_use_and_perplexity():
    history = {
        "step": np.arange(4),
        "loss": np.arange(4, 0, -1),
        "codes_used": [0, 0, 5, 6],
        "perplexity": [0, 0, 4, 5],
    }
    ax = plots.training_history({name: np.asarray(column) for name, column in history.items()})
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["loss", "codes in use", "perplexity"]
    _, right = ax.figure.axes
    np.testing.assert_array_equal(right.get_lines()[0].get_xdata(), [2, 3])  # after the warm-up


def test_the_region_of_two_targets_is_drawn_over_the_codes(violin):
    targets = {"fundamental": np.geomspace(300, 600, 9), "centroid": np.linspace(1000, 2000, 9)}
    ax = plots.target_region(violin.codebook, targets)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("fundamental (Hz)", "centroid (Hz)")
    np.testing.assert_array_equal(ax.get_lines()[0].get_xdata(), targets["fundamental"])
    assert len(ax.collections[0].get_offsets()) == len(violin.codebook)


CURVE = np.geomspace(200, 400, 30)
DRAW = {
    "tracking": lambda: plots.tracking(
        sine(300, 0.7), {"fundamental": CURVE}, {"fundamental": CURVE}, {"fundamental": CURVE}, {"fundamental": "fine"}
    ),
    "spectrograms": lambda: plots.spectrograms({"$low$ \\": sine(300, 0.2), "high": sine(900, 0.2)}, "two sines"),
    "region": lambda: plots.target_region({"centroid": CURVE, "rolloff": CURVE}, {"centroid": CURVE, "rolloff": CURVE}),
    "histogram": lambda: plots.histogram(CURVE, "fundamental"),
    "history": lambda: plots.training_history(timbrelib.load_history("violin")),
}


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_a_figure_is_the_same_whatever_the_users_settings_are(draw, caplog):
    usual = png(draw().figure)
    with plt.rc_context(FOREIGN_STYLE):
        assert png(draw().figure) == usual
    assert "font" not in caplog.text


def test_a_figure_is_saved_the_same_whatever_the_users_settings_are(tmp_path):
    figure = plots.histogram(CURVE, "fundamental").figure
    plots.save_figure(tmp_path / "usual.png", figure)
    with plt.rc_context(FOREIGN_STYLE):
        plots.save_figure(tmp_path / "foreign.png", figure)
    assert (tmp_path / "foreign.png").read_bytes() == (tmp_path / "usual.png").read_bytes()
