import io

import numpy as np
import pytest
import soundfile

from timbrelib.descriptors import measure
from timbrelib.pad.code_scatter import CodeScatter


@pytest.fixture(scope="module")
def codes():
    return CodeScatter("violin", "fundamental")


def test_every_code_has_its_position(codes, violin):
    points, _ = violin.codebook.pca
    x, y, _ = zip(*codes.codebook["codes"], strict=True)
    for drawn, place in ((x, points[:, 0]), (y, points[:, 1])):
        assert (min(drawn), max(drawn)) == (0, 1)
        assert np.corrcoef(drawn, place)[0, 1] > 0.999999


def test_a_code_without_the_descriptor_has_no_colour(codes, violin):
    coloured = [bool(colour) for _, _, colour in codes.codebook["codes"]]
    np.testing.assert_array_equal(coloured, np.isfinite(violin.codebook["fundamental"]))


def test_a_colour_bar_explains_the_colours(codes, violin):
    scale, colours = codes.codebook["scale"], [colour for _, _, colour in codes.codebook["codes"]]
    f0 = violin.codebook["fundamental"]
    assert colours[np.nanargmin(f0)] == scale["colours"][0]
    assert colours[np.nanargmax(f0)] == scale["colours"][-1]
    low, high = violin.codebook.percentile_range("fundamental")
    assert (scale["low"], scale["high"]) == (f"{low:.4g} Hz", f"{high:.4g} Hz")


def test_a_code_is_played_for_a_second_with_its_values(codes, violin):
    code = int(np.nanargmax(np.where(violin.codebook["fundamental"] < 500, violin.codebook["periodicity"], np.nan)))
    codes._handle_custom_msg({"action": "play", "code": code}, [])
    sound, _ = soundfile.read(io.BytesIO(codes.played["sound"]))
    assert len(sound) == pytest.approx(22_050, abs=512)
    assert np.nanmedian(measure(sound.astype(np.float32), ["centroid"])["centroid"]) == pytest.approx(
        violin.codebook["centroid"][code], rel=0.03
    )
    assert codes.played["text"].endswith(f"; assigned to {violin.codebook['count'][code]} training frames")
    assert f"code {code}: centroid {violin.codebook['centroid'][code]:.4g} Hz" in codes.played["text"]


@pytest.mark.parametrize(
    "message", [None, {}, {"code": 99_999}, {"code": -1}, {"code": "7"}, {"code": 7.5}, {"code": True}]
)
def test_a_malformed_message_is_answered(codes, violin, message):
    codes._handle_custom_msg(message, [])
    assert codes.played["text"].endswith(f"not a number from 0 to {len(violin.codebook) - 1}: reload the page")
    assert codes.played["sound"] == b""


def test_the_page_cannot_set_the_codebook(codes):
    before = codes.codebook
    codes.set_state({"codebook": {}})
    codes.set_state(None)
    assert codes.codebook is before
    assert "must not" in codes.played["text"]


def test_a_code_can_be_played_again(codes):
    shown = []
    codes.observe(lambda change: shown.append(change.new["code"]), "played")
    for code in (3, 3, 4):
        codes.play(code)
    assert shown == [3, 3, 4]


def test_an_unknown_descriptor_is_rejected():
    with pytest.raises(ValueError, match="choose one of centroid"):
        CodeScatter("violin", "loudness")
