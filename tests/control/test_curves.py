import os

import numpy as np
import pytest

from timbrelib.audio.frames import FRAME_RATE, frame_times
from timbrelib.control import curves
from timbrelib.control.targets import Target, shape_curve


def test_points_are_interpolated_linearly():
    curve = curves.break_points("centroid", [0, 1, 2], [1000, 3000, 2000])
    times = frame_times(87)  # the last frame before 2 s
    np.testing.assert_allclose(curve, np.where(times < 1, 1000 + 2000 * times, 4000 - 1000 * times))


def test_a_fundamental_is_interpolated_in_log_frequency():
    curve = curves.break_points("fundamental", [0, 2], [220, 880])
    np.testing.assert_allclose(curve, 220 * 2 ** frame_times(87))


def test_a_curve_holds_its_first_point_before_it():
    curve = curves.break_points("gain", [0.5, 1], [0.1, 0])
    times = frame_times(len(curve))
    np.testing.assert_allclose(curve, np.where(times < 0.5, 0.1, 0.2 * (1 - times)))
    np.testing.assert_array_equal(curves.break_points("gain", [0], [0.1]), [0.1])


@pytest.mark.parametrize(
    ("name", "seconds", "points", "says"),
    [
        ("centroid", [0, 1], [1000], "2 times and 1 points"),
        ("centroid", [], [], "0 times"),
        ("centroid", [[0, 1]], [[1000, 1000]], "one time per point"),
        ("centroid", [0, 2, 1], [1, 2, 3], "do not ascend"),
        ("centroid", [-1, 1], [1, 2], "do not ascend from 0"),
        ("centroid", [0, np.nan], [1, 2], "do not ascend"),
        ("centroid", [0, 5000], [1, 2], "at most 3600 s"),
        ("centroid", [0, 1], [1, np.inf], "not finite numbers"),
        ("fundamental", [0, 1], [440, 0], "not finite positive numbers"),
        ("colour", [0, 1], [1, 2], "choose one of centroid"),
    ],
)
def test_invalid_points_are_refused(name, seconds, points, says):
    with pytest.raises(ValueError, match=says):
        curves.break_points(name, seconds, points)


@pytest.mark.parametrize("rate", [0.5, 10, 93.75, 100, 44_100])
def test_a_straight_line_of_any_rate_is_exact_on_the_grid(rate):
    line = 500 + 100 * np.arange(2 * rate + 1) / rate  # 2 s
    np.testing.assert_allclose(curves.resample_curve("centroid", line, rate), 500 + 100 * frame_times(87))


def test_a_curve_at_the_frame_rate_stays_unchanged():
    for n_frames in (1, 2, 64, 1023):
        curve = shape_curve("sin", "fundamental", 200, 800, n_frames + 1)[1:]
        np.testing.assert_allclose(curves.resample_curve("fundamental", curve, FRAME_RATE), curve, rtol=1e-9)


@pytest.mark.parametrize("rate", [0, -100, np.nan, np.inf])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(ValueError, match="give a positive rate"):
        curves.resample_curve("centroid", np.ones(10), rate)


@pytest.mark.parametrize("n_frames", [32, 64])  # whose last times are rounded up and down
def test_a_saved_target_is_read_back(tmp_path, violin, n_frames):
    rolloff = Target("rolloff", np.full(n_frames, 3000))
    centroid = violin.target("centroid", "exp", 1200, 3000, n_frames)
    violin.render(rolloff, centroid).save(tmp_path / "a")
    for column in ("target", None):
        read = curves.read_curve(tmp_path / "a.csv", "rolloff", column)
        np.testing.assert_allclose(read, rolloff.curve, rtol=1e-5)
    read = curves.read_curve(tmp_path / "a.csv", "centroid", "centroid_target")
    np.testing.assert_allclose(read, centroid.curve, rtol=1e-4)


def test_gaps_in_the_pitch_track_of_another_program_are_interpolated(tmp_path):
    (tmp_path / "track.csv").write_text("time,confidence,f0\n0,0.9,220\n\n0.3,0.1,\n0.7,0.2, \n2,0.9,880\n")
    curve = curves.read_curve(tmp_path / "track.csv", "fundamental", "f0")
    np.testing.assert_allclose(curve, 220 * 2 ** frame_times(87))


@pytest.mark.parametrize(
    "text",
    [
        "0,1200\n1,3500\n",  # no header: a first row of numbers is data
        "time,value\r\n0,1200\r\n1,3500\r\n",
        "\ufefftime,value\n0,1200\n1,3500\n",  # as spreadsheets save it
        "Zeit;Wert\n0,0;1200,0\n1,0;3500,0\n",  # a spreadsheet in a language with decimal commas
        "0;1200\n1;3500\n",
        "0.0\t1200\n1.0\t3500\n",  # annotation tools
        "0,0\t1200\n1,0\t3500\n",
        "time\tvalue\tlabel\n0\t1200\ta b\n1\t3500\tc\n",
        "0.0  1200\n1.0  3500\n",
        "\n  0 1200\n  1 3500\n",
    ],
)
def test_tables_are_read_as_a_person_reads_them(tmp_path, text):
    (tmp_path / "a.csv").write_bytes(text.encode("utf-8"))
    curve = curves.read_curve(tmp_path / "a.csv", "centroid")
    np.testing.assert_allclose(curve, 1200 + 2300 * frame_times(44))


def test_two_values_at_one_time_are_a_step(tmp_path):
    """Audio workstations write an automation that jumps in this way."""
    (tmp_path / "a.csv").write_text("0,1000\n1,1000\n1,2000\n2,2000\n")
    curve = curves.read_curve(tmp_path / "a.csv", "centroid")
    np.testing.assert_array_equal(curve, np.where(frame_times(87) < 1, 1000, 2000))
    glide = curves.break_points("fundamental", [0, 0, 1, 1], [100, 220, 440, 880])
    np.testing.assert_allclose(glide, 220 * 2 ** frame_times(44))


def test_a_column_that_is_asked_for_needs_a_header(tmp_path):
    (tmp_path / "a.csv").write_text("0,1200\n1,3500\n")
    with pytest.raises(ValueError, match="with a column f0"):
        curves.read_curve(tmp_path / "a.csv", "centroid", "f0")


@pytest.mark.parametrize(
    ("content", "column", "says"),
    [
        (b"", None, "is not a table"),
        (b"time_s,target\n", None, "is not a table"),
        (b"time_s\n0\n1\n", None, "is not a table"),
        (b"time_s,target\n0,\n1,\n", None, "is not a table"),
        (b"time_s,target\n0,loud\n", None, "seconds in the first column"),
        (b"time_s,target\nsoon,1\n", None, "seconds in the first column"),
        (b"time_s,target\n0,1000\n", "centroid", "with a column centroid"),
        (b"RIFF\xff\xfe\x00\x00", None, "is not a table"),
        (b"time_s,target\n1,1000\n0,1000\n", None, "do not ascend"),
        (b"time_s,target\n0,nan\n1,1000\n", None, "not finite numbers"),
        (b"time_s,target\n0,inf\n1,1000\n", None, "not finite numbers"),
        (b"time_s,target\n0,1e999\n1,1000\n", None, "not finite numbers"),
        (b"time_s,target\n0,1e308\n1,-1e308\n", None, "not finite numbers"),
        (b"time_s,target\n0,1\x002\n", None, "is not a table"),
    ],
)
def test_a_bad_table_is_refused_in_a_sentence(tmp_path, content, column, says):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ValueError, match=says) as refusal:
        curves.read_curve(tmp_path / "a.csv", "centroid", column)
    assert "\n" not in str(refusal.value)


def test_a_field_of_ten_megabytes_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"time_s,target\n0," + b"9" * 10 * 2**20)
    with pytest.raises(ValueError, match=r"is not a table .*field larger than field limit"):
        curves.read_curve(tmp_path / "a.csv", "centroid")


def test_an_unreadable_field_is_quoted_in_part(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"time_s,target\n0," + b"x" * 2**16)
    with pytest.raises(ValueError, match=r"is not a table .*xxx") as refusal:
        curves.read_curve(tmp_path / "a.csv", "centroid")
    assert len(str(refusal.value)) < 500


def test_a_table_that_is_too_large_is_refused_unread(tmp_path):
    (tmp_path / "a.csv").touch()
    os.truncate(tmp_path / "a.csv", 64 * 2**20 + 1)  # a hole, which takes no space
    with pytest.raises(ValueError, match=r"a\.csv is 64\.0 MB"):
        curves.read_curve(tmp_path / "a.csv", "centroid")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.csv"):
        curves.read_curve(tmp_path / "gone.csv", "centroid")


def test_a_fade_rises_stays_and_falls():
    faded = curves.fade(101, 0.2, rise_s=20 / FRAME_RATE, fall_s=40 / FRAME_RATE)
    np.testing.assert_allclose(faded[[0, 10, 20, 40, 60, 80, 100]], [0, 0.1, 0.2, 0.2, 0.2, 0.1, 0], atol=1e-9)
    assert (np.diff(faded[:21]) > 0).all()
    assert (np.diff(faded[60:]) < 0).all()


@pytest.mark.parametrize("arguments", [(43, 0.1, 0.6, 0.6), (43, -0.1), (43, 0.1, -0.1, 0), (43, 0.1, 0, -0.1)])
def test_a_fade_that_does_not_fit_is_refused(arguments):
    with pytest.raises(ValueError, match="shorten them"):
        curves.fade(*arguments)
