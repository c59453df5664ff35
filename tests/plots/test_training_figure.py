import matplotlib.pyplot as plt
import numpy as np
import pytest

from timbrelib import plots


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


HISTORY = {
    "step": np.array([50.0, 100, 150, 200]),
    "loss": np.array([4.0, 3, 2, 1]),
    "codes_used": np.array([0.0, 0, 5, 6]),
    "perplexity": np.array([0.0, 0, 4, 5]),
}


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_training_history_has_loss_codes_in_use_and_perplexity():
    ax = plots.training_history(HISTORY)
    assert legend(ax) == ["loss, training", "k-means", "codes in use", "perplexity"]
    _, right = ax.figure.axes
    np.testing.assert_array_equal(right.get_lines()[0].get_xdata(), [150, 200])  # after the warm-up
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "log-spectral distance (dB)")
    assert right.get_ylabel() == "number of codes"


def test_the_step_of_k_means_is_marked():
    ax = plots.training_history(HISTORY)
    (mark,) = (line for line in ax.get_lines() if line.get_label() == "k-means")
    assert list(mark.get_xdata()) == [100, 100]
    unquantised = HISTORY | {"codes_used": np.zeros(4), "perplexity": np.zeros(4)}
    for history in (unquantised, HISTORY | {"codes_used": np.full(4, 5.0)}):
        assert "k-means" not in legend(plots.training_history(history))


def test_the_loss_on_the_valid_split_is_drawn_where_it_was_measured():
    ax = plots.training_history(HISTORY | {"valid_loss": np.array([np.nan, 3.5, np.nan, 1.5])})
    (line,) = (line for line in ax.get_lines() if line.get_label() == "loss, valid")
    np.testing.assert_array_equal(line.get_data(), [[100, 200], [3.5, 1.5]])
