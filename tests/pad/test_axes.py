import numpy as np
import pytest

from timbrelib.control.targets import span
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.model.vqvae import DEFAULT_GAIN
from timbrelib.pad.axes import Axis, axis, lane, shape_heights

CENTROID = Axis("centroid", 1000, 3000, (1200, 2800), np.zeros(4))
PITCH = Axis("fundamental", 100, 1600, (110, 1500), np.zeros(4))


def test_a_centroid_is_linear_and_a_fundamental_logarithmic():
    np.testing.assert_allclose(CENTROID.heights([1000, 1500, 3000]), [0, 0.25, 1])
    np.testing.assert_allclose(PITCH.heights([100, 200, 400, 1600]), [0, 0.25, 0.5, 1])


@pytest.mark.parametrize("axis", [CENTROID, PITCH], ids=["linear", "log"])
def test_values_and_heights_are_inverse(axis):
    heights = np.linspace(0, 1, 7)
    np.testing.assert_allclose(axis.heights(axis.values(heights)), heights, atol=1e-12)


def test_a_place_beyond_the_axis_is_its_end_and_an_undefined_one_stays_so():
    np.testing.assert_array_equal(CENTROID.heights([0, 9000, np.nan]), [0, 1, np.nan])


def test_ticks_are_round_numbers_or_notes():
    assert [text for _, text in CENTROID.ticks()] == ["1000", "1500", "2000", "2500", "3000"]
    notes = dict((text, height) for height, text in PITCH.ticks())
    assert list(notes) == ["C3 131", "G3 196", "C4 262", "G4 392", "C5 523", "G5 784", "C6 1047", "G6 1568"]
    assert notes["C4 262"] == pytest.approx(np.log2(261.63 / 100) / 4, abs=1e-4)
    octave = Axis("fundamental", 430, 700, (430, 700), np.zeros(4))
    assert [text for _, text in octave.ticks()][:3] == ["A4 440", "A♯4 466", "B4 494"]


@pytest.mark.parametrize("name", [*DESCRIPTORS])
def test_an_axis_holds_the_reach_of_the_codebook_and_a_little_more(violin_table, name):
    made = axis(violin_table, name)
    low, high = made.heights(made.reach)
    assert 0.02 < low < 0.08
    assert 0.92 < high < 0.98
    assert made.reach == (np.nanmin(violin_table[name]), np.nanmax(violin_table[name]))


def test_the_histogram_is_where_the_codes_are(violin_table):
    made = axis(violin_table, "centroid")
    assert made.histogram.max() == 1
    middle = made.values((np.arange(len(made.histogram)) + 0.5) / len(made.histogram))
    mean = np.average(middle, weights=made.histogram)
    assert mean == pytest.approx(violin_table["centroid"].mean(), rel=0.01)


def test_a_codebook_of_one_value_still_has_an_axis(violin_table):
    for name in ("centroid", "fundamental"):
        made = axis(violin_table[np.isfinite(violin_table["fundamental"])][:1], name)
        assert made.low < made.reach[0] < made.high


def test_the_gain_has_an_axis_too(violin_table):
    made = axis(violin_table, "gain")
    assert made.heights(DEFAULT_GAIN) == 0.5
    assert (made.unit, made.log, made.histogram.any()) == ("", False, False)


def test_an_axis_of_nothing_is_refused(violin_table):
    with pytest.raises(ValueError, match="choose one of centroid"):
        axis(violin_table, "loudness")
    with pytest.raises(ValueError, match="no code of this model has a fundamental"):
        axis(violin_table[np.isnan(violin_table["fundamental"])], "fundamental")


def test_shapes_go_over_the_range_that_the_codebook_covers_well(violin_table):
    made = axis(violin_table, "fundamental")
    ramp = shape_heights("ramp", made, violin_table, 101)
    np.testing.assert_allclose(made.values(ramp[[0, -1]]), span(violin_table, "fundamental"))
    np.testing.assert_allclose(np.diff(ramp), np.ptp(ramp) / 100)
    flat = shape_heights("clear", made, violin_table, 5)
    np.testing.assert_allclose(made.values(flat), np.nanmedian(violin_table["fundamental"]))


def test_a_shape_of_the_gain_goes_from_silence_to_the_usual(violin_table):
    made = axis(violin_table, "gain")
    ramp = made.values(shape_heights("ramp", made, violin_table, 11))
    np.testing.assert_allclose(ramp[[0, -1]], [0, DEFAULT_GAIN])


def test_what_the_page_gets_is_plain_numbers_and_text():
    sent = lane(PITCH, np.array([0, 1 / 3]))
    assert sent["heights"] == [0.0, 0.33333]
    assert sent["reach"] == pytest.approx([0.0344, 0.9767], abs=1e-4)
    assert (sent["name"], sent["unit"], sent["log"]) == ("fundamental", "Hz", True)
