"""The pad without a page: how it reacts to controls and messages."""

import io
import json
import shutil
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from conftest import sine

import timbrelib
from timbrelib.audio.sound_output import encode_audio
from timbrelib.control.curves import break_points
from timbrelib.control.search import Search
from timbrelib.model.vqvae import DEFAULT_GAIN
from timbrelib.pad import controller, worker
from timbrelib.pad.saved_drawings import save_drawing
from timbrelib.pad.target_pad import TargetPad

FLAT = {"action": "draw", "lane": 0, "version": 1, "heights": [0.5, 0.5]}


@pytest.fixture
def pad(tmp_path):
    return TargetPad("violin", folder=tmp_path / "drawings")


@pytest.fixture(scope="module")
def kept_pad(tmp_path_factory):
    """A pad of one second that many messages meet one after the other."""
    pad = TargetPad("violin", folder=tmp_path_factory.mktemp("kept") / "drawings")
    pad.set(seconds=1)
    return pad


def send(pad, message, parts=()):
    """Send a message as a page would; the pad never raises, it answers."""
    pad._handle_custom_msg(message, list(parts))
    pad.wait()


def lanes(pad):
    return [lane["name"] for lane in pad.drawing["lanes"]]


def heights(pad, lane=0):
    return np.array(pad.drawing["lanes"][lane]["heights"])


def test_a_new_pad_renders_its_drawing_but_does_not_play(pad):
    assert pad.result["number"] == pad.drawing["number"]
    assert not pad.result["play"]
    assert len(pad.rendering.codes) == 259
    assert pad.drawing["can_undo"] is False
    assert "violin, centroid, 5.99 s" in repr(pad)


def test_a_pad_starts_with_given_curves(tmp_path):
    pitch = break_points("fundamental", [0, 1, 3], [300, 600, 400])
    pad = TargetPad("violin", {"fundamental": pitch, "gain": np.linspace(0, 0.08, len(pitch))}, tmp_path)
    np.testing.assert_allclose(pad.rendering.targets["fundamental"], pitch)
    np.testing.assert_allclose(pad.rendering.gain, np.linspace(0, 0.08, len(pitch)), atol=0.0008)  # below is silence
    assert lanes(pad) == ["fundamental", "gain"]
    assert pad.settings["seconds"] == pytest.approx(2.99, abs=0.01)


@pytest.mark.parametrize(
    ("drawing", "says"),
    [
        ({"loudness": np.ones(100)}, "curves of 'loudness' cannot be drawn"),
        ({"centroid": np.ones(3)}, "same number of frames"),
        ({"centroid": np.full(100, np.nan)}, "fill them first"),
    ],
)
def test_a_pad_with_an_impossible_drawing_is_rejected(tmp_path, drawing, says):
    with pytest.raises(ValueError, match=says):
        TargetPad("violin", drawing, tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no model 'kazoo'"):
        TargetPad("kazoo")


def test_a_drawn_curve_becomes_the_target(pad):
    drawn = np.linspace(0.2, 0.8, 259)
    send(pad, {"action": "draw", "lane": 0, "version": 7, "heights": drawn.tolist()})
    np.testing.assert_allclose(heights(pad), drawn, atol=1e-5)
    axis = pad.drawing["lanes"][0]
    expected = axis["low"] + drawn * (axis["high"] - axis["low"])
    np.testing.assert_allclose(pad.rendering.targets["centroid"], expected)
    assert pad.drawing["version"] == 7
    assert pad.result["play"]


def test_a_curve_of_the_previous_length_is_stretched(pad):
    pad.set(seconds=2)
    send(pad, FLAT | {"heights": np.linspace(0, 1, 259).tolist()})
    np.testing.assert_allclose(heights(pad), np.linspace(0, 1, 87), atol=1e-5)


@pytest.mark.parametrize(
    "message",
    [
        None, [], "draw", 3, {}, {"action": None}, {"action": ["draw"]}, {"action": {}},
        {"action": "format the disk"}, {"action": "draw"},
        FLAT | {"lane": 1}, FLAT | {"lane": "0"}, FLAT | {"version": None}, FLAT | {"version": 1e9},
        FLAT | {"heights": [0.5, None]}, FLAT | {"heights": [0.5, float("nan")]}, FLAT | {"heights": [0.5, 7]},
        FLAT | {"heights": [0.5] * 100_000}, FLAT | {"heights": "0.5"}, FLAT | {"heights": None},
        {"action": "shape", "version": 1, "lane": 0, "shape": "circle"},
        {"action": "shape", "version": 1, "shape": "sin"}, {"action": "shape", "version": 1, "lane": 0},
        {"action": "undo"}, {"action": "redo", "version": "1"},
        {"action": "upload"}, {"action": "upload", "name": "a.wav", "start": 0, "size": 3},
        {"action": "upload", "name": "a.wav", "start": 0, "size": 3, "lane": 1},
    ],
)  # fmt: skip
def test_a_malformed_message_is_answered_and_changes_nothing(kept_pad, message):
    pad = kept_pad
    send(pad, {"action": "shape", "lane": 0, "shape": "sin", "version": 1})
    before, sound = heights(pad), pad.rendering.audio
    send(pad, message)
    assert pad.status["problem"]
    assert pad.status["text"].endswith((": reload it", ": reload the page", "draw it again", "choose it again", "flat"))
    np.testing.assert_array_equal(heights(pad), before)
    assert pad.rendering.audio is sound
    send(pad, FLAT | {"version": 99})
    assert (pad.status["text"], pad.status["problem"]) == ("", False)
    assert np.ptp(heights(pad)) == 0


def test_the_page_cannot_set_the_state_of_the_pad(pad):
    before = pad.drawing
    for state in ({"drawing": {"lanes": 3}}, {}, None, 3):
        pad.set_state(state)
    assert pad.drawing is before
    assert "must not" in pad.status["text"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("smoothness", None), ("smoothness", "4"), ("smoothness", float("nan")), ("smoothness", 99), ("seconds", True),
        ("keep_note", 1), ("model", "kazoo"), ("model", ["violin"]), ("second", "centroid"), ("models", []),
        ("volume", 3), (None, 3), (["noise"], 0.5), ("x" * 1000, 0.5),
    ],
)  # fmt: skip
def test_a_setting_that_is_impossible_is_answered_and_changes_nothing(kept_pad, name, value):
    pad = kept_pad
    pad.set(smoothness=4)
    before, sound, version = pad.settings, pad.rendering.audio, pad.drawing["version"] + 1
    send(pad, {"action": "set", "version": version, "name": name, "value": value})
    assert pad.status["problem"]
    assert pad.drawing["version"] == version
    assert pad.settings == before
    assert pad.rendering.audio is sound
    send(pad, {"action": "set", "version": version + 1, "name": "smoothness", "value": 2})
    assert (pad.settings["smoothness"], pad.rendering.search.smoothness, pad.status["problem"]) == (2, 2, False)


def test_settings_from_a_cell_are_checked(pad):
    with pytest.raises(ValueError, match="smoothness cannot be 99: give a number from 0 to 16"):
        pad.set(descriptor="rolloff", smoothness=99)
    with pytest.raises(ValueError, match="there is no setting 'loudness': choose one of model, descriptor"):
        pad.set(loudness=3)
    assert lanes(pad) == ["centroid"]
    pad.set(descriptor="rolloff", second="gain", seconds=2)
    assert (lanes(pad), len(pad.rendering.codes)) == (["rolloff", "gain"], 87)


def test_shapes_undo_and_redo_come_as_messages(pad):
    first = heights(pad)
    send(pad, {"action": "shape", "version": 2, "lane": 0, "shape": "steps"})
    assert len(np.unique(heights(pad))) == 5
    send(pad, {"action": "undo", "version": 3})
    np.testing.assert_array_equal(heights(pad), first)
    assert pad.drawing["can_redo"]
    send(pad, {"action": "redo", "version": 4})
    assert len(np.unique(heights(pad))) == 5


def test_controls_act_whoever_sets_them(pad):
    shape = heights(pad)
    pad.set(descriptor="fundamental")
    assert list(pad.rendering.targets) == ["fundamental"]
    np.testing.assert_array_equal(heights(pad), shape)
    assert "fundamental" not in pad.menus["options"]["second"]
    pad.set(second="centroid")
    pad.set(weight=0.2)
    pad.set(smoothness=1.5)
    pad.set(excitation="noise")
    pad.set(keep_note=False)
    assert pad.rendering.search == Search(1.5, 3, {"centroid": 0.2}, continuity=0)
    assert pad.rendering.code_path.cents is not None
    assert pad.rendering.excitation == "noise"
    pad.set(adjust=False)
    assert pad.rendering.search == Search(1.5, 3, {"centroid": 0.2}, continuity=0, retune=0, tilt=0)
    assert (pad.rendering.code_path.cents, pad.rendering.code_path.tilt) == (None, None)
    pad.set(descriptor="centroid")
    assert pad.settings["second"] == "none"
    assert list(pad.rendering.targets) == ["centroid"]


def test_of_drawings_that_wait_only_the_newest_is_rendered(pad, monkeypatch):
    begun, may_go_on, rendered = threading.Event(), threading.Event(), []

    def render_slowly(request):
        rendered.append(request.curves["centroid"][0])
        begun.set()
        assert may_go_on.wait(10)
        return controller.render_request(request)

    monkeypatch.setattr(worker, "render_request", render_slowly)
    shown = []
    pad.observe(lambda change: shown.append(change.new["number"]), "result")
    for version, height in enumerate((0.2, 0.4, 0.6, 0.8), 1):
        pad._handle_custom_msg(FLAT | {"version": version, "heights": [height, height]}, [])
        assert begun.wait(10)
    may_go_on.set()
    pad.wait()
    axis = pad.drawing["lanes"][0]
    expected = [axis["low"] + height * (axis["high"] - axis["low"]) for height in (0.2, 0.8)]
    np.testing.assert_allclose(rendered, expected)
    assert shown == [pad.drawing["number"]]


def test_an_internal_error_is_shown_too(pad, monkeypatch, caplog):
    monkeypatch.setattr(worker, "render_request", lambda request: 1 / 0)
    send(pad, FLAT)
    assert "ZeroDivisionError" in pad.result["text"]
    assert pad.result["number"] == pad.drawing["number"]
    assert "internal error" in caplog.text
    with pytest.raises(ValueError, match="there is no rendering"):
        pad.save("nothing")


def test_a_saved_drawing_is_loaded_with_its_settings(pad):
    pad.set(descriptor="fundamental")
    pad.set(second="centroid")
    pad.set(weight=0.5)
    pad.set(smoothness=8)
    send(pad, FLAT | {"heights": np.linspace(0.2, 0.5, 259).tolist()})
    codes = pad.rendering.codes
    pad.save("slide")
    assert pad.files["saved"] == ["slide"]
    other = TargetPad("violin", {"rolloff": np.full(50, 4000.0)}, pad.folder)
    other.load("slide")
    np.testing.assert_array_equal(other.rendering.codes, codes)
    assert lanes(other) == ["fundamental", "centroid"]
    assert (other.settings["weight"], other.settings["smoothness"]) == (0.5, 8)


def test_a_gain_is_loaded_as_a_lane(pad):
    pad.set(second="gain")
    send(pad, {"action": "shape", "version": 2, "lane": 1, "shape": "ramp"})
    gain = pad.rendering.gain
    assert gain[-1] == pytest.approx(DEFAULT_GAIN)
    pad.save("swell")
    pad.set(second="none")
    pad.load("swell")
    np.testing.assert_allclose(pad.rendering.gain, gain, atol=1e-9)


def test_a_drawing_that_cannot_be_loaded_says_why(pad):
    send(pad, {"action": "load", "version": 1, "name": ""})
    assert "save one first" in pad.status["text"]
    pad.folder.mkdir()
    (pad.folder / "broken.json").write_text("{")
    for name, says in (
        ("broken", "is not a rendering"),
        ("../elsewhere", "is not a name"),
        ("x" * 300, "reload"),
        (3, "3"),
    ):
        send(pad, {"action": "load", "version": 1, "name": name})
        assert says in pad.status["text"]
    with pytest.raises(ValueError, match="is not a name for a file"):
        pad.load("../elsewhere")


def test_a_drawing_of_another_model_is_rendered_by_this_one(pad, small):
    model, _ = small
    model.name = "small"
    timbre = timbrelib.Timbre(model, timbrelib.analyse_codebook(model, cache=False))
    target = timbre.target("centroid", "sin", 1500, 2500, 100, fit="clip")
    save_drawing(pad.folder, "theirs", timbre.render(target))
    pad.load("theirs")
    assert "made with another model 'small' and rendered with 'violin' here" in (pad.rendering and pad.result["text"])
    np.testing.assert_allclose(pad.rendering.targets["centroid"], target.curve, rtol=1e-4)


def test_a_recording_becomes_the_drawing(pad):
    before = heights(pad)
    pad.follow(sum(sine(440 * n, 2.0, 0.2 / n) for n in range(1, 6)))
    pad.wait()
    assert pad.settings["seconds"] == pytest.approx(2, abs=0.02)
    assert np.ptp(heights(pad)[5:-5]) < 0.01
    send(pad, {"action": "undo", "version": 3})
    np.testing.assert_array_equal(heights(pad), before)
    with pytest.raises(ValueError, match="finite floats"):
        pad.follow(np.array([0, 1]))


def test_a_file_that_is_dropped_on_a_lane_becomes_its_curve_alone(pad):
    pad.set(second="fundamental")
    brightness = heights(pad)
    content = encode_audio(sum(sine(440 * n, 2.0, 0.2 / n) for n in range(1, 6)))
    message = {"action": "upload", "name": "a.wav", "start": 0, "size": len(content), "lane": 1}
    send(pad, message, [content])
    first, second = pad.rendering.targets.values()
    np.testing.assert_allclose(second, 440, rtol=0.01)
    stretched = np.interp(np.linspace(0, 1, len(second)), np.linspace(0, 1, len(brightness)), brightness)
    np.testing.assert_allclose(heights(pad), stretched, atol=1e-4)
    assert np.ptp(first) > 1000  # Hz


def test_a_recording_without_pitch_is_reported(pad):
    pad.set(descriptor="fundamental")
    pad.follow(np.zeros(22_050, np.float32))
    pad.wait()
    assert "no pitch to follow" in pad.result["text"]
    assert pad.result["problem"]
    assert len(pad.rendering.codes) == 259, "the drawing is still there"


def test_a_stroke_does_not_wait_for_a_recording(pad, monkeypatch):
    may_end = threading.Event()

    def analyse_slowly(*_):
        assert may_end.wait(10)
        return {"centroid": np.full(99, 2000.0)}, ""

    monkeypatch.setattr(worker, "curves_from_recording", analyse_slowly)
    pad.follow(sine(440, 2.0))
    send(pad, FLAT)
    assert pad.result["number"] == pad.drawing["number"]
    assert np.ptp(heights(pad)) == 0
    may_end.set()
    pad.close()
    assert len(heights(pad)) == 259, "the recording came too late"


def test_undo_restores_length_and_lanes_in_the_controls(pad):
    send(pad, {"action": "shape", "version": 1, "lane": 0, "shape": "steps"})
    steps = heights(pad)
    pad.set(seconds=1)
    pad.set(descriptor="fundamental")
    assert (len(heights(pad)), lanes(pad)) == (44, ["fundamental"])
    for version in (2, 3):
        send(pad, {"action": "undo", "version": version})
    assert (pad.settings["seconds"], lanes(pad)) == (pytest.approx(6, abs=0.02), ["centroid"])
    np.testing.assert_array_equal(heights(pad), steps)


def test_overwriting_is_offered_for_one_name(pad):
    pad.save("a")
    save = {"action": "save", "version": 1, "name": " a "}
    send(pad, save)
    assert pad.files["exists"] == "a"
    assert "a.wav already exists" in pad.status["text"]
    written = (pad.folder / "a.csv").read_bytes()
    send(pad, FLAT)
    send(pad, save | {"overwrite": 1})
    assert (pad.folder / "a.csv").read_bytes() == written
    send(pad, save | {"overwrite": True})
    assert (pad.folder / "a.csv").read_bytes() != written
    assert (pad.files["exists"], pad.files["selected"]) == ("", "a")
    send(pad, save | {"name": "  "})
    assert pad.status["text"] == "the drawing has no name yet: type one, then save it"


def test_a_sound_is_kept_to_compare_with(pad):
    sound = pad.result["sound"]
    send(pad, {"action": "keep", "version": 1})
    send(pad, FLAT | {"version": 2})
    assert pad.reference["sound"] == sound != pad.result["sound"]
    recording = sum(sine(440 * n, 2.0, 0.2 / n) for n in range(1, 6))
    pad.follow(recording)
    pad.wait()
    samples, _ = soundfile.read(io.BytesIO(pad.reference["sound"]))
    np.testing.assert_allclose(samples, recording, atol=0.01)


def test_the_page_gets_a_file_to_download(pad, monkeypatch):
    sent = []
    monkeypatch.setattr(pad, "send", lambda content, buffers: sent.append((content, *buffers)))
    for kind in ("json", "png"):
        send(pad, {"action": "export", "version": 1, "kind": kind})
    assert [content for content, _ in sent] == [{"file": "drawing.json"}, {"file": "drawing.png"}]
    assert json.loads(sent[0][1])["codes"] == pad.rendering.codes.tolist()
    assert sent[1][1].startswith(b"\x89PNG")
    assert not pad.folder.exists()
    send(pad, {"action": "export", "version": 2, "kind": "../x"})
    assert "choose one of wav, csv, json, png" in pad.status["text"]


def test_a_model_that_cannot_be_loaded_leaves_the_pad_as_it_was(pad, small, tmp_path, monkeypatch):
    timbrelib.save_model(tmp_path / "models" / "gone", *small, {})
    monkeypatch.setenv("TIMBRE_MODELS", str(tmp_path / "models"))
    pad = TargetPad("violin", folder=tmp_path)
    shutil.rmtree(tmp_path / "models")
    pad.set(model="gone")
    pad.wait()
    assert "there is no model" in pad.status["text"]
    assert pad.settings["model"] == "violin"
    send(pad, FLAT)
    assert not pad.result["problem"]


def test_a_rendering_that_cannot_be_drawn_leaves_the_pad_as_it_was(pad, violin):
    noise = violin.with_excitation("noise")
    names = ("centroid", "rolloff", "bandwidth")
    three = [noise.target(name, np.full(60, np.nanmedian(noise.codebook[name]))) for name in names]
    noise.render(*three).save(pad.folder / "three")
    with pytest.raises(ValueError, match="one for a second lane"):
        pad.load("three")
    assert pad.settings["excitation"] == pad.rendering.excitation == "mixed"


def test_an_undo_to_lanes_of_another_model_leaves_the_pad_as_it_was(pad):
    pad.set(descriptor="fundamental")
    pad.set(descriptor="centroid")
    pad._session.settings = replace(pad._session.settings, descriptors=("centroid", "rolloff"))
    before = heights(pad)
    send(pad, {"action": "undo", "version": 1})
    assert "violin has no lanes for fundamental: choose from centroid, rolloff" in pad.status["text"]
    assert pad.drawing["can_redo"] is False
    np.testing.assert_array_equal(heights(pad), before)
    assert list(pad.rendering.targets) == ["centroid"]


def test_a_closed_pad_stops_its_threads(tmp_path):
    before = threading.active_count()
    pad = TargetPad("violin", folder=tmp_path)
    assert threading.active_count() > before
    pad.close()
    for _ in range(100):
        if threading.active_count() == before:
            break
        time.sleep(0.05)
    assert threading.active_count() == before
