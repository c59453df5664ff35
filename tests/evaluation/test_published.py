import numpy as np
import pytest

from timbrelib.audio.frames import HOP, SAMPLE_RATE
from timbrelib.evaluation.published import PUBLISHED, published_curve


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_curve_of_a_published_sound_lies_where_its_target_does(name):
    times, values = published_curve(name)
    np.testing.assert_allclose(np.diff(times), 4 * HOP / SAMPLE_RATE, atol=1e-3)
    low, high = (float(end) for end in PUBLISHED[name]["target range"].removesuffix(" Hz").split(" or ")[0].split("-"))
    middle = np.nanmedian(values)
    assert low < middle < high
    assert np.isfinite(values).mean() > 0.8
