import numpy as np
import pytest

from timbrelib.control.search import Search


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"smoothness": -1}, "0 \\(exact\\) or more"),
        ({"smoothness": np.nan}, "0 \\(exact\\) or more"),
        ({"smoothness": np.inf}, "0 \\(exact\\) or more"),
        ({"refinements": -1}, "cannot be -1"),
        ({"weights": {"centroid": 0}}, "give positive numbers"),
        ({"weights": {"centroid": -1}}, "give positive numbers"),
        ({"weights": {"centroid": np.inf}}, "give positive numbers"),
        ({"continuity": -0.5}, "the continuity cannot be -0.5: give 0 \\(any pitch\\) or more"),
        ({"continuity": np.nan}, "the continuity cannot be nan: give 0"),
        ({"continuity": np.inf}, "the continuity cannot be inf: give 0"),
        ({"retune": -1}, "cannot be retuned by -1 cents: give 0 \\(not at all\\) to 1200"),
        ({"retune": np.nan}, "cannot be retuned by nan cents: give 0"),
        ({"retune": 1201}, "cannot be retuned by 1201 cents: give 0"),
        ({"tilt": -1}, "cannot be tilted by -1 dB per octave: give 0 \\(not at all\\) to 24"),
        ({"tilt": np.nan}, "cannot be tilted by nan dB per octave: give 0"),
        ({"tilt": 24.1}, "cannot be tilted by 24.1 dB per octave: give 0"),
    ],
)
def test_an_invalid_search_is_refused_in_a_sentence(settings, says):
    with pytest.raises(ValueError, match=says) as refusal:
        Search(**settings)
    assert "\n" not in str(refusal.value)


def test_the_largest_adjustments_are_an_octave_and_24_db_per_octave():
    assert Search(retune=1200, tilt=24) == Search(4.0, 3, {}, 1.0, 1200, 24)


def test_a_weight_is_one_unless_it_is_given():
    search = Search(weights={"centroid": 2})
    assert (search.weight("centroid"), search.weight("fundamental")) == (2, 1)


def test_the_method_of_the_paper_neither_smooths_nor_adjusts():
    literal = Search.literal({"centroid": 2})
    assert literal == Search(0, 0, {"centroid": 2}, continuity=0, retune=0, tilt=0)
    assert Search.literal().weights == {}
