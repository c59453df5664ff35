import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from timbrelib import plots


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def scatter():
    value = np.append(np.geomspace(200, 1600, 60), [np.nan] * 4)
    points = np.random.default_rng(0).normal(size=(64, 2))
    return plots.scatter(points, value, np.arange(64) > 1, np.array([0.074, 0.02]), "fundamental")


def test_codes_without_the_descriptor_are_hollow_and_grey(scatter):
    coloured, hollow, crosses = scatter.collections
    assert [len(dots.get_offsets()) for dots in (coloured, hollow, crosses)] == [60, 4, 2]
    assert len(hollow.get_facecolor()) == 0
    red, green, blue, _ = hollow.get_edgecolor()[0]
    assert red == green == blue
    texts = [text.get_text() for text in scatter.get_legend().get_texts()]
    assert texts == ["no fundamental: 4 codes", "unused in training: 2 codes"]


def test_axes_of_a_scatter_are_equal_and_show_the_explained_variance(scatter):
    assert (scatter.get_xlabel(), scatter.get_ylabel()) == ("PC 1 (7 %)", "PC 2 (2 %)")
    scatter.figure.canvas.draw()
    box, (left, right), (low, high) = scatter.get_window_extent(), scatter.get_xlim(), scatter.get_ylim()
    assert box.width / (right - left) == pytest.approx(box.height / (high - low))


def test_the_lightness_of_the_colours_rises_evenly(scatter):
    shades = scatter.collections[0].to_rgba(np.geomspace(230, 1400, 10))[:, :3]
    luminance = shades @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all()


def test_histogram_and_scatter_have_the_same_colours(scatter):
    value = np.geomspace(200, 1600, 60)
    ax = plots.histogram(value, "fundamental")
    for bar in ax.patches:
        middle = np.sqrt(bar.get_x() * (bar.get_x() + bar.get_width()))
        assert bar.get_facecolor() == pytest.approx(to_rgba(scatter.collections[0].to_rgba(middle)), abs=0.02)


def test_a_histogram_of_a_pitch_has_bins_of_equal_ratios():
    ax = plots.histogram(np.geomspace(200, 1600, 60), "fundamental")
    ratios = [(bar.get_x() + bar.get_width()) / bar.get_x() for bar in ax.patches]
    np.testing.assert_allclose(ratios, ratios[0])
    assert (ax.get_xscale(), ax.get_ylabel()) == ("log", "number of codes")
    linear = plots.histogram(np.linspace(1000, 2000, 60), "centroid")
    assert np.ptp([bar.get_width() for bar in linear.patches]) < 1e-6
    assert linear.get_xscale() == "linear"


def test_the_region_of_two_targets_is_drawn_over_the_codes_and_coloured_by_time(violin):
    targets = {"fundamental": np.geomspace(300, 600, 9), "centroid": np.linspace(1000, 2000, 9)}
    ax = plots.target_region(violin.codebook, targets)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("fundamental (Hz)", "centroid (Hz)")
    codes, path = ax.collections
    assert len(codes.get_offsets()) == len(violin.codebook)
    starts = np.array([piece[0] for piece in path.get_segments()])  # (frames - 1, 2)
    np.testing.assert_allclose(starts, np.column_stack(list(targets.values()))[:-1])
    np.testing.assert_allclose(path.get_array(), np.arange(8) * 512 / 22_050)
    assert ax.figure.axes[1].get_ylabel() == "time of the targets (s)"
