import numpy as np
import pytest

from timbrelib.codebook.table import Codebook
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.model.vqvae import DEFAULT_GAIN
from timbrelib.pad.axes import Axis, lane_state, make_axis, shape_heights

CENTROID = Axis("centroid", 1000, 3000, (1200, 2800), np.zeros(4))
PITCH = Axis("fundamental", 100, 1600, (110, 1500), np.zeros(4))


def test_a_centroid_is_linear_and_a_fundamental_logarithmic():
    np.testing.assert_allclose(CENTROID.heights([1000, 1500, 3000]), [0, 0.25, 1])
    np.testing.assert_allclose(PITCH.heights([100, 200, 400, 1600]), [0, 0.25, 0.5, 1])


@pytest.mark.parametrize("axis", [CENTROID, PITCH], ids=["linear", "log"])
def test_values_and_heights_are_inverse(axis):
    heights = np.linspace(0, 1, 7)
    np.testing.assert_allclose(axis.heights(axis.values(heights)), heights, atol=1e-12)


def test_values_beyond_the_axis_are_clipped_and_undefined_ones_stay_undefined():
    np.testing.assert_array_equal(CENTROID.heights([0, 9000, np.nan]), [0, 1, np.nan])


def test_ticks_are_round_numbers_or_notes():
    assert [text for _, text in CENTROID.ticks()] == ["1000", "1500", "2000", "2500", "3000"]
    notes = dict((text, height) for height, text in PITCH.ticks())
    assert list(notes) == ["C3 131", "G3 196", "C4 262", "G4 392", "C5 523", "G5 784", "C6 1047", "G6 1568"]
    assert notes["C4 262"] == pytest.approx(np.log2(261.63 / 100) / 4, abs=1e-4)
    octave = Axis("fundamental", 430, 700, (430, 700), np.zeros(4))
    assert [text for _, text in octave.ticks()][:3] == ["A4 440", "A♯4 466", "B4 494"]


@pytest.mark.parametrize("name", [*DESCRIPTORS])
def test_an_axis_contains_the_range_of_the_codes_with_a_margin(violin, name):
    axis = make_axis(violin.codebook, name)
    low, high = axis.heights(axis.code_range)
    assert 0.02 < low < 0.08
    assert 0.92 < high < 0.98
    assert axis.code_range == (np.nanmin(violin.codebook[name]), np.nanmax(violin.codebook[name]))


def test_the_histogram_shows_where_the_codes_are(violin):
    axis = make_axis(violin.codebook, "centroid")
    assert axis.histogram.max() == 1
    middle = axis.values((np.arange(len(axis.histogram)) + 0.5) / len(axis.histogram))
    mean = np.average(middle, weights=axis.histogram)
    assert mean == pytest.approx(violin.codebook["centroid"].mean(), rel=0.01)


def some_codes(codebook, codes):
    """A codebook of only some of the codes."""
    return Codebook("some", codebook.excitation, codebook.noise, codebook.columns[codes], codebook.vectors[codes])


def test_a_codebook_of_one_value_still_has_an_axis(violin):
    one = some_codes(violin.codebook, np.flatnonzero(np.isfinite(violin.codebook["fundamental"]))[:1])
    for name in ("centroid", "fundamental"):
        axis = make_axis(one, name)
        assert axis.low < axis.code_range[0] < axis.high


def test_the_gain_has_an_axis_too(violin):
    axis = make_axis(violin.codebook, "gain")
    assert (axis.unit, axis.log, axis.histogram.any()) == ("dB", False, False)
    level = axis.low + (axis.high - axis.low) * axis.heights(DEFAULT_GAIN * np.array([0.1, 1, 2]))
    np.testing.assert_allclose(level, [-20, 0, 6.0206], atol=1e-4)
    assert dict((text, height) for height, text in axis.ticks())["0"] == pytest.approx(axis.heights(DEFAULT_GAIN))
    gains = np.array([0, 0.001, 0.1])
    np.testing.assert_allclose(axis.values(axis.heights(gains)), gains)


def test_an_unknown_descriptor_or_one_without_codes_is_rejected(violin):
    with pytest.raises(ValueError, match="choose one of centroid"):
        make_axis(violin.codebook, "loudness")
    with pytest.raises(ValueError, match="no code of this model has a fundamental"):
        make_axis(some_codes(violin.codebook, np.isnan(violin.codebook["fundamental"])), "fundamental")


def test_shapes_span_the_range_that_the_codebook_covers_well(violin):
    axis = make_axis(violin.codebook, "fundamental")
    ramp = shape_heights("ramp", axis, violin.codebook, 101)
    np.testing.assert_allclose(axis.values(ramp[[0, -1]]), violin.codebook.percentile_range("fundamental"))
    np.testing.assert_allclose(np.diff(ramp), np.ptp(ramp) / 100)
    flat = shape_heights("flat", axis, violin.codebook, 5)
    np.testing.assert_allclose(axis.values(flat), np.nanmedian(violin.codebook["fundamental"]))


def test_a_shape_of_the_gain_spans_silence_to_the_default(violin):
    axis = make_axis(violin.codebook, "gain")
    ramp = axis.values(shape_heights("ramp", axis, violin.codebook, 11))
    np.testing.assert_allclose(ramp[[0, -1]], [0, DEFAULT_GAIN])


def test_the_page_receives_plain_numbers_and_text():
    sent = lane_state(PITCH, np.array([0, 1 / 3]))
    assert sent["heights"] == [0.0, 0.33333]
    assert sent["code_range"] == pytest.approx([0.0344, 0.9767], abs=1e-4)
    assert (sent["name"], sent["unit"], sent["log"]) == ("fundamental", "Hz", True)
