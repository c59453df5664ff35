"""The pad without a page: what the kernel makes of controls and messages."""

import threading
import time

import numpy as np
import pytest
from conftest import sine

import timbrelib
from timbrelib.control.curves import break_points
from timbrelib.model.vqvae import DEFAULT_GAIN
from timbrelib.pad import controller
from timbrelib.pad.target_pad import TargetPad

FLAT = {"do": "draw", "lane": 0, "version": 1, "heights": [0.5, 0.5]}


@pytest.fixture
def pad(tmp_path):
    return TargetPad("violin", folder=tmp_path / "drawings")


def send(pad, message, parts=()):
    """What a page would send; the pad never raises, it answers."""
    pad.editor._handle_custom_msg(message, list(parts))
    pad.wait()


def heights(pad, lane=0):
    return np.array(pad.editor.drawing["lanes"][lane]["heights"])


def test_a_new_pad_has_heard_its_drawing_but_does_not_play(pad):
    assert pad.editor.result["number"] == pad.editor.drawing["number"]
    assert not pad.editor.result["play"]
    assert len(pad.rendering.codes) == 259
    assert pad.editor.drawing["undo"] is False
    assert "violin, centroid, 5.99 s" in repr(pad)


def test_a_pad_begins_with_the_curves_that_it_is_given(tmp_path):
    pitch = break_points("fundamental", [0, 1, 3], [300, 600, 400])
    pad = TargetPad("violin", {"fundamental": pitch, "gain": np.linspace(0, 0.08, len(pitch))}, tmp_path)
    np.testing.assert_allclose(pad.rendering.targets["fundamental"], pitch)
    np.testing.assert_allclose(pad.rendering.gain, np.linspace(0, 0.08, len(pitch)), atol=1e-12)
    assert pad.settings.lanes == ["fundamental", "gain"]
    assert pad.settings.seconds.value == pytest.approx(2.99, abs=0.01)


@pytest.mark.parametrize(
    ("drawing", "says"),
    [
        ({"loudness": np.ones(100)}, "curves of 'loudness' are no drawing"),
        ({"centroid": np.ones(3)}, "same number of frames"),
        ({"centroid": np.full(100, np.nan)}, "fill them first"),
    ],
)
def test_a_drawing_that_cannot_be_is_refused_at_the_door(tmp_path, drawing, says):
    with pytest.raises(ValueError, match=says):
        TargetPad("violin", drawing, tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no model 'kazoo'"):
        TargetPad("kazoo")


def test_a_drawn_curve_becomes_the_target(pad):
    drawn = np.linspace(0.2, 0.8, 259)
    send(pad, {"do": "draw", "lane": 0, "version": 7, "heights": drawn.tolist()})
    np.testing.assert_allclose(heights(pad), drawn, atol=1e-5)
    axis = pad.editor.drawing["lanes"][0]
    expected = axis["low"] + drawn * (axis["high"] - axis["low"])
    np.testing.assert_allclose(pad.rendering.targets["centroid"], expected)
    assert pad.editor.drawing["version"] == 7
    assert pad.editor.result["play"]


def test_a_drawing_from_before_a_change_of_length_is_stretched(pad):
    pad.settings.seconds.value = 2
    send(pad, FLAT | {"heights": np.linspace(0, 1, 259).tolist()})
    np.testing.assert_allclose(heights(pad), np.linspace(0, 1, 87), atol=1e-5)


@pytest.mark.parametrize(
    "message",
    [
        None, [], "draw", 3, {}, {"do": None}, {"do": ["draw"]}, {"do": {}}, {"do": "format the disk"}, {"do": "draw"},
        FLAT | {"lane": 1}, FLAT | {"lane": "0"}, FLAT | {"version": None}, FLAT | {"version": 1e9},
        FLAT | {"heights": [0.5, None]}, FLAT | {"heights": [0.5, float("nan")]}, FLAT | {"heights": [0.5, 7]},
        FLAT | {"heights": [0.5] * 100_000}, FLAT | {"heights": "0.5"}, FLAT | {"heights": None},
        {"do": "shape", "version": 1, "lane": 0, "shape": "circle"}, {"do": "shape", "version": 1, "shape": "sin"},
        {"do": "shape", "version": 1, "lane": 0}, {"do": "undo"}, {"do": "redo", "version": "1"},
        {"do": "upload"}, {"do": "upload", "name": "a.wav", "start": 0, "size": 3},
    ],
)  # fmt: skip
def test_a_malformed_message_is_answered_by_a_sentence_and_changes_nothing(pad, message):
    before, sound = heights(pad), pad.rendering.audio
    send(pad, message)
    assert pad.editor.status["problem"]
    assert pad.editor.status["text"].endswith(
        (": reload it", ": reload the page", "draw it again", "choose it again", "clear")
    )
    np.testing.assert_array_equal(heights(pad), before)
    assert pad.rendering.audio is sound
    send(pad, FLAT | {"version": 99})
    assert (pad.editor.status["text"], pad.editor.status["problem"]) == ("", False)
    assert np.ptp(heights(pad)) == 0


def test_the_page_cannot_set_the_state_of_the_pad(pad):
    before = pad.editor.drawing
    for state in ({"drawing": {"lanes": 3}}, {}, None, 3):
        pad.editor.set_state(state)
    assert pad.editor.drawing is before
    assert "must not" in pad.editor.status["text"]


@pytest.mark.parametrize("state", [None, {}, {"value": None}, {"value": "4"}, {"value": float("nan")}, {"scale": []}])
def test_a_slider_takes_nothing_but_numbers_from_the_page(pad, state):
    pad.settings.smoothness.set_state(state)
    assert (pad.settings.smoothness.value, pad.settings.smoothness.scale) == (4, [0, 16, 0.5])
    pad.settings.smoothness.set_state({"value": 99})
    assert pad.settings.smoothness.value == 16


def test_shapes_undo_and_redo_come_as_messages(pad):
    first = heights(pad)
    send(pad, {"do": "shape", "version": 2, "lane": 0, "shape": "steps"})
    assert len(np.unique(heights(pad))) == 5
    send(pad, {"do": "undo", "version": 3})
    np.testing.assert_array_equal(heights(pad), first)
    assert pad.editor.drawing["redo"]
    send(pad, {"do": "redo", "version": 4})
    assert len(np.unique(heights(pad))) == 5


def test_controls_act_like_a_person_or_a_cell_sets_them(pad):
    shape = heights(pad)
    pad.settings.descriptor.value = "fundamental"
    assert list(pad.rendering.targets) == ["fundamental"]
    np.testing.assert_array_equal(heights(pad), shape)
    assert "fundamental" not in pad.settings.second.options
    pad.settings.second.value = "centroid"
    pad.settings.weight.value = 0.2
    pad.settings.smoothness.value = 1.5
    pad.settings.excitation.value = "noise"
    assert pad.rendering.search == {"smoothness": 1.5, "rounds": 3, "weights": {"centroid": 0.2}}
    assert pad.rendering.excitation == "noise"
    pad.settings.descriptor.value = "centroid"
    assert pad.settings.second.value == "none"
    assert list(pad.rendering.targets) == ["centroid"]


def test_of_drawings_that_come_while_one_is_worked_on_only_the_newest_is_heard(pad, monkeypatch):
    begun, may_go_on, heard = threading.Event(), threading.Event(), []

    def hear(made):
        heard.append(made.curves["centroid"][0])
        begun.set()
        assert may_go_on.wait(10)
        return controller.hear(made)

    monkeypatch.setattr(listener, "hear", hear)
    shown = []
    pad.editor.observe(lambda change: shown.append(change.new["number"]), "result")
    for version, height in enumerate((0.2, 0.4, 0.6, 0.8), 1):
        pad.editor._handle_custom_msg(FLAT | {"version": version, "heights": [height, height]}, [])
        assert begun.wait(10)
    may_go_on.set()
    pad.wait()
    axis = pad.editor.drawing["lanes"][0]
    expected = [axis["low"] + height * (axis["high"] - axis["low"]) for height in (0.2, 0.8)]
    np.testing.assert_allclose(heard, expected)
    assert shown == [pad.editor.drawing["number"]]


def test_a_mistake_of_the_library_is_told_too(pad, monkeypatch, caplog):
    monkeypatch.setattr(listener, "hear", lambda made: 1 / 0)
    send(pad, FLAT)
    assert "ZeroDivisionError" in pad.editor.result["said"]
    assert pad.editor.result["number"] == pad.editor.drawing["number"]
    assert "a mistake of the library" in caplog.text
    with pytest.raises(ValueError, match="nothing is heard"):
        pad.save("nothing")


def test_what_is_saved_is_loaded_with_its_settings(pad):
    pad.settings.descriptor.value = "fundamental"
    pad.settings.second.value = "centroid"
    pad.settings.weight.value = 0.5
    pad.settings.smoothness.value = 8
    send(pad, FLAT | {"heights": np.linspace(0.2, 0.5, 259).tolist()})
    codes = pad.rendering.codes
    pad.save("slide")
    assert pad.settings.saved.options == ("slide",)
    other = TargetPad("violin", {"rolloff": np.full(50, 4000.0)}, pad.folder)
    other.load("slide")
    np.testing.assert_array_equal(other.rendering.codes, codes)
    assert other.settings.lanes == ["fundamental", "centroid"]
    assert (other.settings.weight.value, other.settings.smoothness.value) == (0.5, 8)


def test_a_gain_is_loaded_as_a_lane(pad):
    pad.settings.second.value = "gain"
    send(pad, {"do": "shape", "version": 2, "lane": 1, "shape": "ramp"})
    gain = pad.rendering.gain
    assert gain[-1] == pytest.approx(DEFAULT_GAIN)
    pad.save("swell")
    pad.settings.second.value = "none"
    pad.load("swell")
    np.testing.assert_allclose(pad.rendering.gain, gain, atol=1e-9)


def test_what_cannot_be_loaded_says_why(pad):
    pad.settings.load.click()
    assert "save one first" in pad.editor.status["text"]
    pad.folder.mkdir()
    (pad.folder / "broken.json").write_text("{")
    pad.settings.list_saved("broken")
    pad.settings.load.click()
    assert "is not a series" in pad.editor.status["text"]
    with pytest.raises(ValueError, match="no name for a file"):
        pad.load("../elsewhere")


def test_a_drawing_for_another_model_is_followed_by_this_one(pad, tmp_path, small):
    model, _ = small
    model.name = "small"
    curve = timbrelib.target("sin", "centroid", 1500, 2500, 100)
    table = timbrelib.analyse_codebook(model, cache=False)
    made = controller.Sketch(
        model, table, {"centroid": np.clip(curve, table["centroid"].min(), table["centroid"].max())}
    )
    controller.save_drawing(pad.folder, "theirs", made, controller.hear(made)[0])
    pad.load("theirs")
    assert "made by another small, and followed by violin here" in (pad.rendering and pad.editor.result["said"])
    np.testing.assert_allclose(pad.rendering.targets["centroid"], made.curves["centroid"], rtol=1e-4)


def test_a_recording_becomes_the_drawing(pad):
    before = heights(pad)
    pad.follow(sum(sine(440 * n, 2.0, 0.2 / n) for n in range(1, 6)))
    pad.wait()
    assert pad.settings.seconds.value == pytest.approx(2, abs=0.02)
    assert np.ptp(heights(pad)[5:-5]) < 0.01
    send(pad, {"do": "undo", "version": 3})
    np.testing.assert_array_equal(heights(pad), before)
    with pytest.raises(ValueError, match="finite floats"):
        pad.follow(np.array([0, 1]))


def test_a_recording_without_pitch_is_told_of(pad):
    pad.settings.descriptor.value = "fundamental"
    pad.follow(np.zeros(22_050, np.float32))
    pad.wait()
    assert "no pitch that could be followed" in pad.editor.result["said"]
    assert pad.editor.result["problem"]
    assert len(pad.rendering.codes) == 259, "the drawing of before is there still"


def test_a_stroke_does_not_wait_for_a_recording_that_is_followed(pad, monkeypatch):
    may_end = threading.Event()
    monkeypatch.setattr(widgets, "followed", lambda *_: may_end.wait(10) and ({"centroid": np.full(99, 2000.0)}, ""))
    pad.follow(sine(440, 2.0))
    send(pad, FLAT)
    assert pad.editor.result["number"] == pad.editor.drawing["number"]
    assert np.ptp(heights(pad)) == 0
    may_end.set()
    pad.close()
    assert len(heights(pad)) == 259, "the recording came too late"


def test_undo_brings_back_length_and_lanes(pad):
    send(pad, {"do": "shape", "version": 1, "lane": 0, "shape": "steps"})
    steps = heights(pad)
    pad.settings.seconds.value = 1
    pad.settings.descriptor.value = "fundamental"
    assert (len(heights(pad)), pad.settings.lanes) == (44, ["fundamental"])
    for version in (2, 3):
        send(pad, {"do": "undo", "version": version})
    assert (pad.settings.seconds.value, pad.settings.lanes) == (pytest.approx(6, abs=0.02), ["centroid"])
    np.testing.assert_array_equal(heights(pad), steps)


def test_a_question_whether_to_replace_is_of_one_name(pad):
    for name in ("a", "b"):
        pad.save(name)
    pad.settings.name.value = "a"
    pad.settings.save.click()
    assert pad.settings.replace.layout.display == ""
    pad.settings.name.value = "b"
    assert pad.settings.replace.layout.display == "none"


def test_a_model_that_cannot_be_loaded_leaves_the_pad_as_it_was(pad, tmp_path):
    pad.settings.model.options = ["violin", str(tmp_path / "gone")]
    pad.settings.model.value = str(tmp_path / "gone")
    assert "there is no model" in pad.editor.status["text"]
    assert pad.settings.model.value == "violin"
    send(pad, FLAT)
    assert not pad.editor.result["problem"]


def test_a_series_that_cannot_be_drawn_leaves_the_pad_as_it_was(pad, violin, violin_table):
    three = {name: np.full(60, np.nanmedian(violin_table[name])) for name in ("centroid", "rolloff", "bandwidth")}
    timbrelib.save_rendering(
        pad.folder / "three", violin, violin_table, timbrelib.render(violin, violin_table, three, excitation="noise")
    )
    with pytest.raises(ValueError, match="perhaps one of a second lane"):
        pad.load("three")
    assert pad.settings.excitation.value == pad.rendering.excitation == "locked"


def test_a_closed_pad_lets_go_of_its_threads(tmp_path):
    before = threading.active_count()
    pad = TargetPad("violin", folder=tmp_path)
    assert threading.active_count() > before
    pad.close()
    for _ in range(100):
        if threading.active_count() == before:
            break
        time.sleep(0.05)
    assert threading.active_count() == before
