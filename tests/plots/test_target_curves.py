import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import sine

from timbrelib import plots


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_curves_of_a_fundamental_have_a_logarithmic_axis_with_plain_numbers():
    curve = np.geomspace(200, 400, 30)
    ax = plots.curves("fundamental", curve, curve, curve, "a score", title="a title")
    assert (ax.get_yscale(), ax.get_ylabel()) == ("log", "fundamental (Hz)")
    ax.figure.canvas.draw()
    assert {"200", "300", "400"} <= {label.get_text() for label in ax.get_yticklabels()}
    assert ax.get_legend().get_title().get_text() == "a score"
    assert ax.get_title("left") == "a title"
    assert plots.curves("centroid", curve, curve, curve).get_yscale() == "linear"


def test_an_undefined_target_leaves_a_gap():
    target = np.array([300.0, np.nan, np.nan, 400.0])
    ax = plots.curves("fundamental", target, target, np.full(4, 350.0))
    (line,) = (line for line in ax.get_lines() if line.get_label() == "target")
    np.testing.assert_array_equal(line.get_ydata(), target)
    lines = plots.residual("fundamental", target, np.full(4, 350.0)).get_lines()
    np.testing.assert_array_equal(np.isnan(lines[1].get_ydata()), np.isnan(target))


def test_the_residual_of_a_pitch_is_in_cents_within_a_fixed_range():
    target = np.full(5, 440.0)
    measured = target * 2 ** (np.array([0, 10, -20, 1200, np.nan]) / 1200)
    ax = plots.residual("fundamental", target, measured)
    _, line, beyond = ax.get_lines()
    np.testing.assert_allclose(line.get_ydata(), [0, 10, -20, 1200, np.nan], atol=1e-9)
    assert (ax.get_ylim(), ax.get_ylabel()) == ((-50, 50), "residual\n(cents)")
    assert beyond.get_ydata().tolist() == [50]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["frames beyond the axis: 1"]


def test_the_residual_of_another_descriptor_is_in_its_unit():
    target = np.full(200, 2000.0)
    error = np.linspace(-30, 30, 200)
    error[0] = -5000
    ax = plots.residual("centroid", target, target + error)
    np.testing.assert_allclose(ax.get_lines()[1].get_ydata(), error)
    low, high = ax.get_ylim()
    assert low == -high
    assert high == pytest.approx(30, abs=1)  # a frame that is far off does not flatten the others
    assert ax.get_ylabel() == "residual\n(Hz)"
    assert plots.residual("flatness", target, target).get_ylabel() == "residual"


def test_nothing_measured_has_an_empty_residual():
    ax = plots.residual("centroid", np.full(5, 2000.0), np.full(5, np.nan))
    assert np.isnan(ax.get_lines()[1].get_ydata()).all()


def track(name, curve):
    return plots.tracking(sine(300, 0.7), {name: curve}, {name: curve}, {name: curve}, {name: "fine"}, "a title")


def test_spectrogram_curves_and_residual_have_one_time_axis():
    figure = track("centroid", np.linspace(1000, 2000, 30))
    spectrogram, curve, residual = figure.axes[:3]
    assert figure.get_suptitle() == "a title"
    assert spectrogram.get_xlim() == curve.get_xlim() == residual.get_xlim()
    assert [ax.get_xlabel() for ax in (spectrogram, curve, residual)] == ["", "", "time (s)"]
    figure.canvas.draw()
    left, right = zip(*((ax.get_window_extent().x0, ax.get_window_extent().x1) for ax in figure.axes[:3]), strict=True)
    assert np.ptp(left) < 1
    assert np.ptp(right) < 1


def test_the_frequency_axis_is_logarithmic_if_the_target_is_a_pitch():
    pitched, bright = (track(name, np.geomspace(300, 600, 30)).axes[0] for name in ("fundamental", "centroid"))
    assert (pitched.get_yscale(), pitched.get_ylim()[0]) == ("log", pytest.approx(0.15))
    assert (bright.get_yscale(), bright.get_ylim()) == ("linear", pytest.approx((0, 11.025)))
    np.testing.assert_allclose(pitched.get_lines()[0].get_ydata(), np.geomspace(0.3, 0.6, 30))
