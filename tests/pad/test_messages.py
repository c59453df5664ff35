import io
import itertools

import numpy as np
import pytest
import soundfile
from conftest import sine

from timbrelib.pad import messages
from timbrelib.pad.messages import Upload

NO_NUMBERS = [None, "1", 1.5, -1, True, [], {}, float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize("number", [*NO_NUMBERS, 2])
def test_a_lane_that_is_not_there_is_refused(number):
    with pytest.raises(ValueError, match="reload the page"):
        messages.whole({"lane": number}, "lane", 2)
    assert messages.whole({"lane": 1}, "lane", 2) == 1


@pytest.mark.parametrize("message", [None, [], "draw", 3, {}])
def test_a_message_that_is_no_drawing_is_refused(message):
    for read, says in (
        (messages.read_version, "None as version"),
        (messages.read_heights, "draw"),
        (messages.read_shape, "None"),
    ):
        with pytest.raises(ValueError, match=says):
            read(message)


@pytest.mark.parametrize(
    "heights",
    [
        None, "0.5", {}, 0.5, [], [0.5], [0.5] * 2585, [0.5, None], [0.5, "0.5"], [0.5, [0.5]], [0.5, True],
        [0.5, float("nan")], [0.5, float("inf")], [0.5, 1.0001], [-0.1, 0.5], [0, 10**400],
    ],
)  # fmt: skip
def test_malformed_heights_are_refused_in_a_sentence(heights):
    with pytest.raises(ValueError, match="draw it again"):
        messages.read_heights({"heights": heights})


def test_heights_are_read():
    np.testing.assert_array_equal(messages.read_heights({"heights": [0, 0.25, 1]}), [0, 0.25, 1])


@pytest.mark.parametrize("shape", [None, 3, ["sin"], "circle", "", {}])
def test_an_unknown_shape_is_refused(shape):
    with pytest.raises(ValueError, match="choose one of sin, exp, ramp, steps, clear"):
        messages.read_shape({"shape": shape})


def part(start, size, **other):
    return {"name": "a.wav", "start": start, "size": size} | other


def test_a_file_is_whole_with_its_last_part():
    upload = Upload()
    assert upload.add(part(0, 5), [memoryview(b"abc")]) is None
    assert upload.add(part(3, 5), [b"de"]) == ("a.wav", b"abcde")


def test_a_file_begun_anew_forgets_the_last_one():
    upload = Upload()
    upload.add(part(0, 5), [b"abc"])
    assert upload.add(part(0, 2), [b"xy"]) == ("a.wav", b"xy")


@pytest.mark.parametrize(
    ("message", "parts", "says"),
    [
        (part(4, 5), [b"e"], "do not fit together"),
        (part(3, 5), [], "do not fit together"),
        (part(3, 5), [b"d", b"e"], "do not fit together"),
        (part(3, 5, name=None), [b"de"], "do not fit together"),
        (part(3, 5), [b"defg"], "do not fit together"),
        (part(3, 5, name="b.wav"), [b"de"], "do not fit together"),
        (part(3, 6), [b"def"], "do not fit together"),
        (part(3, 101 * 2**20), [b"de"], "at most 100"),
        (part(3, "5"), [b"de"], "reload the page"),
        (part(-1, 5), [b"de"], "reload the page"),
        (None, [b"de"], "reload the page"),
        (part(3, 5), None, "do not fit together"),
        (part(3, 5), ["de"], "do not fit together"),
        (part(3, 5), [memoryview(b"abcdefgh").cast("i")], "do not fit together"),
    ],
)
def test_parts_that_do_not_fit_are_refused(message, parts, says):
    upload = Upload()
    upload.add(part(0, 5), [b"abc"])
    with pytest.raises(ValueError, match=says):
        upload.add(message, parts)


def test_a_sound_is_decoded_and_its_name_cannot_lead_anywhere():
    content = io.BytesIO()
    soundfile.write(content, np.stack([sine(440)] * 2, axis=1), 44_100, format="FLAC")
    for name in ("a.flac", "../../a.flac", "a", "a.\x00/\n", "x" * 500 + ".flac"):
        assert len(messages.read_sound(name, content.getvalue())) == pytest.approx(22_050 / 2, abs=2)


def test_of_a_long_sound_no_more_is_decoded_than_is_drawn():
    content = io.BytesIO()
    soundfile.write(content, np.zeros(90 * 8000), 8000, format="WAV")
    assert len(messages.read_sound("long.wav", content.getvalue())) == 61 * 22_050


def test_a_name_of_raw_samples_breaks_nothing():
    with pytest.raises(ValueError, match=r"^'a\.raw' cannot be read as audio"):
        messages.read_sound("a.raw", b"do re mi")


def test_a_file_that_is_no_sound_is_called_by_its_own_name():
    with pytest.raises(ValueError, match=r"^'notes\.txt' cannot be read as audio"):
        messages.read_sound("notes.txt", b"do re mi")


@pytest.mark.parametrize("name", ["hill", "a hill", "Hügel 2", "v1.2", "a-b_c", "x" * 80, " padded\n"])
def test_names_for_files(name):
    assert messages.checked_name(name) == name.strip()


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "../a",
        "a/b",
        "a\\b",
        "/a",
        ".hidden",
        "-a",
        "a.",
        "a\x00b",
        "x" * 81,
        "~a",
        "a:b",
        "\U00010330" * 61,
        None,
        3,
    ],
)
def test_names_that_lead_elsewhere_or_nowhere_are_refused(name):
    with pytest.raises(ValueError, match="no name for a file"):
        messages.checked_name(name)


def test_only_names_that_can_be_loaded_are_listed(tmp_path):
    for name in ("b.json", "a b.json", ".hidden.json", "c.wav", "a .json", "a..json"):
        (tmp_path / name).touch()
    assert messages.saved_names(tmp_path) == ["a b", "b"]
    assert messages.saved_names(tmp_path / "none") == []


FINE = np.full(100, 1500.0)


def test_a_drawing_may_be_of_one_or_two_lanes():
    checked = messages.checked_drawing({"centroid": [1500] * 100, "gain": FINE})
    assert [(name, curve.dtype) for name, curve in checked.items()] == [("centroid", float), ("gain", float)]


@pytest.mark.parametrize(
    ("curves", "says"),
    [
        ({}, "of nothing"),
        ({"gain": FINE}, "of 'gain'"),
        ({"loudness": FINE}, "of 'loudness'"),
        (
            dict(zip(["centroid", "rolloff", "gain"], itertools.repeat(FINE), strict=False)),
            "perhaps one of a second lane",
        ),
        ({"centroid": FINE, "gain": FINE[1:]}, "same number of frames"),
        ({"centroid": FINE[:20]}, "22 to 2584"),
        ({"centroid": np.ones(2585)}, "22 to 2584"),
        ({"centroid": np.ones((100, 2))}, "same number of frames"),
        ({"centroid": 3.0}, "same number of frames"),
        ({"centroid": [1500, [1500]]}, "give an array each"),
        ({"centroid": [10**400] * 100}, "give an array each"),
        ({"centroid": [None, {}]}, "give an array each"),
        ({3: FINE}, "of 3"),
        ([FINE], "of nothing"),
        ({"centroid": np.where(np.arange(100) == 7, np.nan, FINE)}, "fill them first"),
        ({"fundamental": 0 * FINE}, "'fundamental' holds values that are undefined or impossible"),
    ],
)
def test_a_drawing_that_cannot_be_drawn_is_refused(curves, says):
    with pytest.raises(ValueError, match=says):
        messages.checked_drawing(curves)
