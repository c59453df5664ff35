import math

import numpy as np
import pytest
from conftest import FOREIGN_STYLE, png
from matplotlib import pyplot as plt

import timbrelib
from timbrelib.codebook.table import Codebook
from timbrelib.control.timbre import Timbre
from timbrelib.evaluation import methods
from timbrelib.evaluation.comparison import HEADERS
from timbrelib.evaluation.methods import compare_methods

CHOSEN = [
    f"{method}, {excitation}" for excitation in ("mixed", "locked", "noise") for method in ("path", "nearest codes")
]
CHOSEN += ["sorted codes", "random codes"]
GRAINS = ["grains of generated strings", "grains of recordings"]
SHAPES = ["sin", "ramp"]


@pytest.fixture(scope="module")
def timbre(small):
    model, _ = small
    return Timbre(model, timbrelib.analyse_codebook(model))


@pytest.fixture(scope="module")
def comparison(timbre, phrases):
    targets = [timbre.target(name, shape, n_frames=60) for name in ("centroid", "fundamental") for shape in SHAPES]
    return compare_methods(timbre, targets, phrases)


def test_every_method_is_scored_on_every_target(comparison):
    found = [(score.descriptor, score.shape, score.method) for score in comparison]
    assert len(comparison) == len(found) == len(set(found))
    for name in ("centroid", "fundamental"):
        for shape in SHAPES:
            here = [method for *scored, method in found if scored == [name, shape]]
            expected = [*CHOSEN, *GRAINS]
            if name == "fundamental":  # which codes excited by noise may lack
                expected = [method for method in expected if "noise" not in method or method in here]
            assert here == expected


def test_a_score_is_that_of_the_rendering(comparison, timbre):
    score = next(score for score in comparison if score.method == "nearest codes, mixed")
    result = timbre.render(timbre.target("centroid", "sin", n_frames=60), method="nearest")
    assert str(score.tracking) == str(result.score)
    assert score.tracking.selection == result.score["centroid"].selection


def test_grains_have_no_selected_codes_and_only_a_pitch_has_an_accuracy(comparison):
    for score in comparison:
        tracking = score.tracking
        assert math.isnan(tracking.selection) == math.isnan(tracking.synthesis) == (score.method in GRAINS)
        assert math.isnan(tracking.rpa_50) == (score.descriptor == "centroid")
        assert 0 <= tracking.voiced <= 100
        assert score.quality.flux >= 0
        assert math.isnan(score.quality.heard), "the classifier does not know an untitled model"


def test_the_table_has_one_row_per_sound(comparison):
    table = comparison.table
    assert list(table.columns) == [*HEADERS, "unit"]
    assert len(table) == len(comparison)
    assert table["method"].tolist() == [score.method for score in comparison]
    np.testing.assert_array_equal(table["error"], [score.tracking.error for score in comparison])
    np.testing.assert_array_equal(table["synthesis"], [score.tracking.synthesis for score in comparison])
    np.testing.assert_array_equal(table["voiced"], [score.tracking.voiced for score in comparison])
    for column, name in {"jumps/s": "jumps", "HNR": "hnr", "flux": "flux", "heard as": "heard"}.items():
        np.testing.assert_array_equal(table[column], [getattr(score.quality, name) for score in comparison])
    assert set(table["unit"]) == {"%", "cents"}


def test_the_markdown_has_the_same_content_as_the_table(comparison):
    text = comparison.to_markdown()
    assert comparison._repr_markdown_() == text
    header, rule, *rows = [line.strip("| ").split(" | ") for line in text.splitlines()]
    assert header == list(HEADERS)
    assert rule == ["---" + "|---" * (len(HEADERS) - 1)]
    for row, (_, expected) in zip(rows, comparison.table.iterrows(), strict=True):
        cells = dict(zip(header, row, strict=True))
        assert [cells[name] for name in header[:3]] == expected[header[:3]].tolist()
        for name in header[3:]:
            if math.isnan(expected[name]):
                assert cells[name] == "-"
            else:
                assert float(cells[name].split()[0]) == pytest.approx(expected[name], abs=0.051), name
        assert cells["error"] == "-" or cells["error"].endswith(expected["unit"])


def test_the_error_plot_has_one_panel_per_descriptor(comparison):
    figure = comparison.plot()
    first, second = figure.axes
    assert (first.get_title("left"), first.get_xlabel()) == ("centroid", "error (% of range)")
    assert (second.get_title("left"), second.get_xlabel()) == ("fundamental", "error (cents)")
    assert [line.get_label() for line in first.get_lines()] == SHAPES
    errors = [score.tracking.error for score in comparison if (score.descriptor, score.shape) == ("centroid", "sin")]
    np.testing.assert_array_equal(first.get_lines()[0].get_xdata(), errors)
    assert first.get_yticklabels()[0].get_text() == "path, mixed"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == SHAPES
    figure.canvas.draw()
    assert legend.get_window_extent().y0 >= max(ax.get_window_extent().y1 for ax in figure.axes)
    plt.close(figure)


def test_the_sound_quality_plot_shows_all_sounds_and_the_range_of_recordings(comparison):
    real = {"hnr_db_real": [5, 10, 20], "flux_real": [0.1, 0.2, 0.3], "heard_as_real": 0.96}
    figure = comparison.plot_sound_quality(real)
    assert figure.axes[0].get_title("left") == "real: 5 to 20,\nmedian 10"
    assert figure.axes[3].get_title("left") == "", "an untitled model has no recordings to be compared with"
    names, medians = ("hnr", "flux", "jumps"), (10, 0.2, None)
    for ax, name, median in zip(figure.axes, names, medians, strict=False):
        dots, *middle = ax.get_lines()
        np.testing.assert_array_equal(dots.get_xdata(), [getattr(score.quality, name) for score in comparison])
        assert [line.get_xdata()[0] for line in middle] == ([median] if median else [])
    plt.close(figure)


def test_sounds_are_heard_as_the_timbre_that_is_asked_for(timbre, phrases, monkeypatch):
    monkeypatch.setattr(methods, "string_corpus", lambda minutes: phrases)
    comparison = compare_methods(timbre, [timbre.target("centroid", "sin", n_frames=60)], domain="violin")
    for score in comparison:
        assert 0 <= score.quality.heard <= 1
    real = {"hnr_db_real": [5, 10, 20], "flux_real": [0.1, 0.2, 0.3], "heard_as_real": 0.96}
    figure = comparison.plot_sound_quality(real)
    assert figure.axes[3].get_xlabel() == "heard as violin (%)"
    assert figure.axes[3].get_title("left") == "real: 96 %"
    plt.close(figure)


def test_a_descriptor_that_does_not_exist_is_refused(timbre):
    with pytest.raises(ValueError, match="no descriptor"):
        compare_methods(timbre, [timbre.target("wobble", "sin", n_frames=60)])


def test_a_descriptor_that_no_code_has_is_left_out(timbre, phrases, monkeypatch):
    monkeypatch.setattr(methods, "string_corpus", lambda minutes: phrases)
    columns = timbre.codebook.columns.copy()
    columns["fundamental"] = np.nan
    unpitched = Timbre(timbre.model, Codebook("unpitched", "locked", 0.0, columns, timbre.codebook.vectors))
    assert len(compare_methods(unpitched, [timbre.target("fundamental", "sin", n_frames=60)])) == 0


def test_the_plots_are_the_same_whatever_the_users_settings_are(comparison):
    def draw():
        real = {"hnr_db_real": [5, 10, 20], "flux_real": [0.1, 0.2, 0.3]}
        return [png(figure) for figure in (comparison.plot(), comparison.plot_sound_quality(real))]

    usual = draw()
    with plt.rc_context(FOREIGN_STYLE):
        assert draw() == usual
    plt.close("all")
