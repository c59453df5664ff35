import io

import numpy as np
import pytest
import soundfile
from conftest import sine

from timbrelib.pad import messages
from timbrelib.pad.messages import Upload

NOT_LANES = [None, "1", 1.5, -1, True, [], {}, float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize("number", [*NOT_LANES, 2])
def test_a_missing_lane_is_rejected(number):
    with pytest.raises(ValueError, match="reload the page"):
        messages.read_integer({"lane": number}, "lane", 2)
    assert messages.read_integer({"lane": 1}, "lane", 2) == 1


@pytest.mark.parametrize("message", [None, [], "draw", 3, {}])
def test_a_message_without_an_edit_is_rejected(message):
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
def test_malformed_heights_are_rejected(heights):
    with pytest.raises(ValueError, match="draw it again"):
        messages.read_heights({"heights": heights})


def test_heights_are_read():
    np.testing.assert_array_equal(messages.read_heights({"heights": [0, 0.25, 1]}), [0, 0.25, 1])


@pytest.mark.parametrize("shape", [None, 3, ["sin"], "circle", "", {}])
def test_an_unknown_shape_is_rejected(shape):
    with pytest.raises(ValueError, match="choose one of sin, exp, ramp, steps, flat"):
        messages.read_shape({"shape": shape})


def part(start, size, **other):
    return {"name": "a.wav", "start": start, "size": size} | other


def test_a_file_is_complete_with_its_last_part():
    upload = Upload()
    assert upload.add(part(0, 5), [memoryview(b"abc")]) is None
    assert upload.add(part(3, 5), [b"de"]) == ("a.wav", b"abcde")


def test_a_new_file_replaces_an_unfinished_one():
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
def test_parts_that_do_not_fit_are_rejected(message, parts, says):
    upload = Upload()
    upload.add(part(0, 5), [b"abc"])
    with pytest.raises(ValueError, match=says):
        upload.add(message, parts)


def test_a_sound_is_decoded_whatever_its_name():
    content = io.BytesIO()
    soundfile.write(content, np.stack([sine(440)] * 2, axis=1), 44_100, format="FLAC")
    for name in ("a.flac", "../../a.flac", "a", "a.\x00/\n", "x" * 500 + ".flac"):
        assert len(messages.read_sound(name, content.getvalue())) == pytest.approx(22_050 / 2, abs=2)


def test_a_long_sound_is_decoded_only_as_far_as_it_can_be_drawn():
    content = io.BytesIO()
    soundfile.write(content, np.zeros(90 * 8000), 8000, format="WAV")
    assert len(messages.read_sound("long.wav", content.getvalue())) == 61 * 22_050


def test_a_raw_file_is_rejected():
    with pytest.raises(ValueError, match=r"^'a\.raw' cannot be read as audio"):
        messages.read_sound("a.raw", b"do re mi")


def test_an_unreadable_file_is_named_in_the_error():
    with pytest.raises(ValueError, match=r"^'notes\.txt' cannot be read as audio"):
        messages.read_sound("notes.txt", b"do re mi")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"action": "undo", "lane": 7}, ("undo", 0, "")),
        ({"action": "redo"}, ("redo", 0, "")),
        ({"action": "shape", "lane": 1, "shape": "flat"}, ("shape", 1, "flat")),
        ({"action": "draw", "lane": 1, "heights": [0, 1]}, ("draw", 1, "")),
    ],
)
def test_edits_are_read(message, expected):
    edit = messages.read_edit(message, 2)
    assert (edit.action, edit.lane, edit.shape) == expected
    np.testing.assert_array_equal(edit.heights, message.get("heights", []))


@pytest.mark.parametrize("message", [None, [], {}, {"action": None}, {"action": ["draw"]}, {"action": "upload"}])
def test_an_unknown_action_is_rejected(message):
    with pytest.raises(ValueError, match="which does not exist: reload the page"):
        messages.read_edit(message, 2)
