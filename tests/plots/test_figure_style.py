import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import FOREIGN_STYLE, png, sine
from matplotlib.text import Text

import timbrelib
from timbrelib import plots


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


CURVE = np.geomspace(200, 400, 30)
DRAW = {
    "tracking": lambda: plots.tracking(
        sine(300, 0.7), {"fundamental": CURVE}, {"fundamental": CURVE}, {"fundamental": CURVE}, {"fundamental": "fine"}
    ),
    "spectrograms": lambda: plots.spectrograms({"$low$ \\": sine(300, 0.2), "high": sine(900, 0.2)}, "two sines"),
    "scatter": lambda: plots.scatter(np.eye(30)[:, :2], CURVE, CURVE > 210, np.array([0.5, 0.3]), "fundamental"),
    "residual": lambda: plots.residual("centroid", CURVE, CURVE + np.arange(30)),
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


def test_a_panel_may_be_drawn_into_axes_that_are_given():
    for draw in (
        lambda ax: plots.spectrum(np.zeros(1025), ax),
        lambda ax: plots.spectrogram(sine(300, 0.2), ax),
        lambda ax: plots.curves("centroid", CURVE, CURVE, CURVE, ax=ax),
        lambda ax: plots.residual("centroid", CURVE, CURVE, ax),
        lambda ax: plots.histogram(CURVE, "centroid", ax),
        lambda ax: plots.training_history(timbrelib.load_history("violin"), ax),
        lambda ax: plots.target_region(
            {"centroid": CURVE, "rolloff": CURVE}, {"centroid": CURVE, "rolloff": CURVE}, ax
        ),
    ):
        _, ax = plt.subplots()
        assert draw(ax) is ax


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_legends_and_titles_lie_outside_the_data_and_within_the_width(draw):
    figure = draw().figure
    figure.canvas.draw()
    edge = 0.02 * figure.bbox.width
    for ax in figure.axes:
        legend = ax.get_legend()
        if legend:
            box, data = legend.get_window_extent(), ax.get_window_extent()
            assert box.y0 >= data.y1 - 1, ax.get_ylabel()
            assert -edge <= box.x0
            assert box.x1 <= figure.bbox.x1 + edge
            title = ax.title.get_window_extent()
            assert not ax.get_title() or not title.overlaps(box)


def test_text_is_seven_points_high_on_a_phone():
    phone = 390 * 72 / 96  # points, of 390 pixels
    for draw in DRAW.values():
        figure = draw().figure
        scale = phone / (72 * figure.get_figwidth())
        texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
        assert min(text.get_fontsize() for text in texts) * scale >= 7


def test_a_logarithmic_axis_has_few_labels_and_plain_ones():
    for low, high, expected in ((200, 420, ["200", "250"]), (100, 3000, ["100", "200", "500"]), (1, 9999, ["1", "10"])):
        ax = plots.new_axes(3)
        ax.set(xscale="log", xlim=(low, high))
        plots.plain_ticks(ax.xaxis)
        ax.figure.canvas.draw()
        shown = [
            label.get_text()
            for place, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
            if low <= place <= high
        ]
        assert shown[: len(expected)] == expected
        assert len(shown) <= 7


def test_a_long_title_is_broken_into_lines():
    figure = plots.spectrograms({"a": sine(300, 0.2)}, "word " * 30)
    figure.canvas.draw()
    assert "\n" in figure.get_suptitle()
    assert figure._suptitle.get_window_extent().x1 <= figure.bbox.x1
