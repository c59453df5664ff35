import numpy as np
import pytest
from conftest import sine

from timbrelib.control.scores import Scores, rank_correlation, raw_pitch_accuracy, score_tracking, tracking_error
from timbrelib.control.transfer_scores import TransferScore, score_transfer


def test_tracking_error_is_a_share_of_the_range_of_the_target():
    target = np.array([0.0, 50.0, 100.0])
    assert tracking_error(target + 2, target) == pytest.approx(2)
    assert tracking_error(np.array([1, np.nan, 100]), target) == pytest.approx(0.5)


def test_an_unvoiced_frame_is_not_within_any_cents():
    target = np.full(4, 440.0)
    measured = np.array([440 * 2 ** (30 / 1200), 440 * 2 ** (-60 / 1200), np.nan, 440])
    assert raw_pitch_accuracy(measured, target, 50) == 50
    assert raw_pitch_accuracy(measured, target, 20) == 25


def test_rank_correlation_depends_on_order_alone():
    assert rank_correlation(np.array([1, 4, np.nan, 9]), np.arange(4)) == pytest.approx(1)


def test_a_score_says_which_stage_fails():
    target = np.array([1000.0, 1500, 2000, 1000])
    score = score_tracking("centroid", target, np.array([1020, 1520, 2020, np.nan]), target + 5)
    assert (score.descriptor, score.unit) == ("centroid", "%")
    assert score.error == pytest.approx(2)
    assert score.selection == pytest.approx(0.5)
    assert score.synthesis == pytest.approx(1.5)
    assert score.voiced == 75
    assert score.spearman == pytest.approx(1)
    assert np.isnan([score.rpa_50, score.rpa_20]).all()
    assert repr(score) == str(score) == "error 2.00 %, Spearman 1.0000"


def test_a_pitch_is_scored_in_cents():
    target = np.geomspace(200, 400, 10)
    measured = target * 2 ** (np.array([10.0] * 6 + [30] * 2 + [60, np.nan]) / 1200)
    score = score_tracking("fundamental", target, measured, target * 2 ** (4 / 1200))
    assert score.unit == "cents"
    assert (score.error, score.selection, score.synthesis) == pytest.approx((10, 4, 6))
    assert (score.rpa_50, score.rpa_20, score.voiced) == pytest.approx((80, 60, 90))
    assert str(score) == "raw pitch accuracy 80.0 % (50 cents), 60.0 % (20 cents)"


def test_the_cells_of_a_table_have_units_and_a_dash_where_there_is_no_number():
    target = np.array([1000.0, 1500, 2000, 1000])
    centroid = score_tracking("centroid", target, np.array([1020, 1520, 2020, np.nan]), target + 5)
    assert centroid.cells() == {
        "error": "2.00 %", "Spearman": "1.0000", "selection": "0.50 %", "synthesis": "1.50 %",
        "RPA 50 cents": "-", "RPA 20 cents": "-", "voiced": "75.0 %",
    }  # fmt: skip
    pitch = score_tracking("fundamental", target, target * 2 ** (30 / 1200)).cells()
    assert (pitch["error"], pitch["selection"]) == ("30.0 cents", "-")
    assert (pitch["RPA 50 cents"], pitch["RPA 20 cents"]) == ("100.0 %", "0.0 %")
    flat = score_tracking("flatness", np.full(4, 0.1), np.full(4, 0.12)).cells()
    assert (flat["error"], flat["Spearman"]) == ("0.02", "-")


def test_the_error_of_a_flat_target_is_in_its_unit():
    flat = np.full(4, 1000.0)
    score = score_tracking("centroid", flat, np.array([1010, 1020, 970, np.nan]))
    assert str(score) == "error 20 Hz"
    assert score.unit == "Hz"
    assert np.isnan([score.spearman, score.selection, score.synthesis]).all()
    assert str(score_tracking("flatness", flat / 1e5, flat / 1e5 + 0.02)) == "error 0.02"


@pytest.mark.parametrize("name", ["centroid", "fundamental"])
def test_a_silent_sound_has_no_measured_value(name):
    score = score_tracking(name, np.arange(1.0, 5.0), np.full(4, np.nan))
    assert str(score) == f"no {name} measured"
    assert np.isnan([score.error, score.spearman]).all()
    assert score.voiced == 0


def test_the_text_of_one_score_is_its_own_and_of_several_names_them():
    target = np.array([1000.0, 2000])
    centroid = score_tracking("centroid", target, target)
    pitch = score_tracking("fundamental", target, target)
    assert repr(Scores({"centroid": centroid})) == str(Scores({"centroid": centroid})) == str(centroid)
    both = Scores({"centroid": centroid, "fundamental": pitch})
    assert str(both) == f"centroid {centroid}; fundamental {pitch}"
    assert f"{both}" == repr(both) == str(both)


def test_a_sound_is_fully_preserved_in_itself(phrases):
    score = score_transfer(phrases[0].audio, phrases[0].audio)
    assert (score.pitch, score.voiced, score.level) == (100, 100, 0)
    assert score.centroid == pytest.approx(1)


def test_another_level_and_a_wrong_note_are_scored(phrases):
    sound = phrases[0].audio
    assert score_transfer(sound, sound / 2).level == pytest.approx(6.02, abs=0.01)
    low, high = sine(300), sine(400)
    assert score_transfer(low, high).pitch == 0
    assert score_transfer(low, high, semitones=12 * np.log2(4 / 3)).pitch == 100
    with pytest.raises(ValueError, match="same length"):
        score_transfer(sound, sound[1:])
    with pytest.raises(ValueError, match="silent"):
        score_transfer(0 * sound, sound)


def test_the_text_of_a_transfer_score_is_its_legend():
    score = TransferScore(pitch=93.21, voiced=99, level=0.404, centroid=0.8765)
    legend = (
        "pitch 93.2 % within 50 cents, 99.0 % of the voiced frames voiced, level error 0.40 dB, centroid Spearman 0.876"
    )
    assert repr(score) == str(score) == legend
