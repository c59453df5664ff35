import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from timbrelib.codebook.table import Codebook
from timbrelib.descriptors import DESCRIPTORS


def codebook_of(vectors=None, **columns):
    """A codebook of given columns and vectors."""
    n_codes = len(next(iter(columns.values())))
    table = np.zeros(n_codes, dtype=[("code", np.int64), *((name, np.float64) for name in columns)])
    table["code"] = np.arange(n_codes)
    for name, values in columns.items():
        table[name] = values
    return Codebook("made", "locked", 0.0, table, np.zeros((n_codes, 2)) if vectors is None else vectors)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_a_codebook_shows_its_model_and_statistics(violin):
    shown = repr(violin.codebook)
    assert shown.startswith(f"Codebook of violin: {len(violin.codebook)} codes, mixed excitation\n")
    for word in (*DESCRIPTORS, "periodicity", "count", "mean", "max"):
        assert word in shown


def test_a_notebook_shows_a_codebook_as_a_table(violin):
    shown = violin.codebook._repr_html_()
    assert shown == violin.codebook.table._repr_html_()
    assert "<table" in shown
    assert f"{len(violin.codebook)} rows" in shown


def test_the_table_has_all_columns_by_code(violin):
    table = violin.codebook.table
    assert isinstance(table, pd.DataFrame)
    assert table.index.name == "code"
    assert list(table.columns) == [*DESCRIPTORS, "periodicity", "ambiguity", "count"]
    np.testing.assert_array_equal(table["fundamental"], violin.codebook["fundamental"])


def test_a_codebook_lists_the_descriptors_that_its_codes_have(violin):
    assert violin.codebook.descriptors == list(DESCRIPTORS)
    columns = {name: [1.0, np.nan] for name in DESCRIPTORS} | {"fundamental": [np.nan, np.nan]}
    assert codebook_of(**columns).descriptors == [name for name in DESCRIPTORS if name != "fundamental"]


def test_codes_sort_by_a_descriptor_without_those_that_lack_it():
    codebook = codebook_of(fundamental=[300, np.nan, 100, 200])
    np.testing.assert_array_equal(codebook.sorted_codes("fundamental"), [2, 3, 0])
    codes, f0 = codebook.values("fundamental")
    np.testing.assert_array_equal(codes, [0, 2, 3])
    np.testing.assert_array_equal(f0, [300, 100, 200])


@pytest.mark.parametrize(
    ("name", "says"), [("colour", "choose one of centroid"), ("fundamental", "no code of this model has a fundamental")]
)
def test_values_that_no_code_has_are_refused(name, says):
    codebook = codebook_of(fundamental=[np.nan, np.nan])
    for ask in (codebook.values, codebook.sorted_codes, codebook.percentile_range, codebook.full_range):
        with pytest.raises(ValueError, match=says):
            ask(name)


def test_the_percentile_range_is_the_inner_94_percent(violin):
    low, high = violin.codebook.percentile_range("centroid")
    assert np.mean(violin.codebook["centroid"] < low) == pytest.approx(0.03, abs=0.002)
    assert np.mean(violin.codebook["centroid"] > high) == pytest.approx(0.03, abs=0.002)


def test_the_full_range_ends_at_the_outermost_codes(violin):
    centroid = violin.codebook["centroid"]
    assert violin.codebook.full_range("centroid") == (centroid.min(), centroid.max())
    assert violin.codebook.full_range("fundamental")[0] == np.nanmin(violin.codebook["fundamental"])


def test_neighbours_predict_a_value_that_they_share():
    grid = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=-1).reshape(-1, 2)  # (400, 2)
    shuffled = np.random.default_rng(0).permutation(grid[:, 0])
    codebook = codebook_of(grid, centroid=grid[:, 0], bandwidth=shuffled)
    for plane in (True, False):
        assert codebook.neighbour_r2("centroid", plane) > 0.95
        assert codebook.neighbour_r2("bandwidth", plane) < 0.2


def test_the_step_to_a_neighbour_is_in_the_unit_of_the_descriptor():
    line = np.stack([np.arange(50.0) ** 1.01, np.zeros(50)], axis=1)  # (50, 2)
    assert codebook_of(line, centroid=np.arange(50.0)).neighbour_step("centroid") == pytest.approx(1)


def test_the_projection_keeps_the_two_widest_directions(violin):
    points, explained = violin.codebook.pca
    assert points.shape == (len(violin.codebook), 2)
    variance = violin.model.codebook.numpy().astype(np.float64).var(axis=0, ddof=1).sum()
    np.testing.assert_allclose(points.var(axis=0, ddof=1) / variance, explained, rtol=1e-6)
    assert explained[0] >= explained[1] > 0


def test_the_joint_range_of_brightness_is_common_to_all_pitches():
    centroid = np.tile(np.linspace(0, 100, 100), 4) + np.repeat([0, 10, 20, 30], 100)
    codebook = codebook_of(fundamental=np.geomspace(200, 400, 400), centroid=centroid)
    low, high = codebook.joint_range("centroid", "fundamental", 200, 400)
    assert (low, high) == (pytest.approx(30 + 5, abs=1), pytest.approx(100 - 5, abs=1))


@pytest.mark.parametrize("shift", [200, np.nan])
def test_descriptors_that_exclude_each_other_have_no_joint_range(shift):
    centroid = np.tile(np.linspace(0, 100, 100), 4) + np.repeat([0, 0, 0, shift], 100)
    codebook = codebook_of(fundamental=np.geomspace(200, 400, 400), centroid=centroid)
    with pytest.raises(ValueError, match="narrow the fundamental"):
        codebook.joint_range("centroid", "fundamental", 200, 400)


def test_the_fullest_octave_begins_at_a_code_and_holds_the_most():
    codebook = codebook_of(fundamental=[100, np.nan, 150, 300, 310, 400, 600, 601, 1300])
    assert codebook.fullest_octave() == (300, 600)


def test_a_codebook_plots_histogram_and_scatter_of_a_descriptor(violin):
    figure = violin.codebook.plot("fundamental")
    histogram, scatter, colours = figure.axes
    assert figure.get_suptitle() == "violin"
    pitched = np.isfinite(violin.codebook["fundamental"]).sum()
    assert sum(bar.get_height() for bar in histogram.patches) == pitched
    assert histogram.get_xlabel() == colours.get_ylabel() == "fundamental (Hz)"
    assert [len(dots.get_offsets()) for dots in scatter.collections[:2]] == [pitched, len(violin.codebook) - pitched]


def test_a_codebook_draws_into_given_axes(violin):
    _, (left, right) = plt.subplots(1, 2)
    assert violin.codebook.histogram("centroid", left) is left
    assert violin.codebook.scatter("centroid", right) is right
