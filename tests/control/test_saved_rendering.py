import csv
import json
import os
from dataclasses import replace

import numpy as np
import pytest

import timbrelib
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.synthesis.excitation import EXCITATIONS


@pytest.fixture(scope="module")
def rendering(violin, violin_table):
    """A second and a half of two targets, the last third of it silent."""
    asked = {
        "centroid": timbrelib.target("ramp", "centroid", 600, 4500, 64),
        "flatness": timbrelib.target("ramp", "flatness", 0.0001, 0.015, 64),
    }
    return timbrelib.render(violin, violin_table, asked, gain=np.where(np.arange(64) < 40, 0.05, 0))


@pytest.fixture(scope="module")
def saved(tmp_path_factory, violin, violin_table, rendering):
    stem = tmp_path_factory.mktemp("series") / "new" / "a_b"
    timbrelib.save_rendering(stem, violin, violin_table, rendering)
    return stem


@pytest.fixture
def content(saved):
    return json.loads(saved.with_suffix(".json").read_text())


def numbers(values):
    return np.array([np.nan if value in (None, "") else value for value in values], dtype=np.float64)


def test_a_rendering_is_written_as_wav_curves_and_series(saved):
    assert {path.name for path in saved.parent.iterdir()} == {"a_b.wav", "a_b.csv", "a_b.json"}
    assert len(timbrelib.load_audio(saved.with_suffix(".wav"))) == 63 * 512


def test_the_curves_have_a_row_a_frame_and_three_columns_a_target(saved, rendering):
    with saved.with_suffix(".csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    further = ["flatness_target", "flatness_selected", "flatness_measured"]
    assert list(rows[0]) == ["time_s", "target", "selected", "measured", *further]
    assert len(rows) == 64
    assert float(rows[10]["time_s"]) == pytest.approx(5120 / 22_050, abs=1e-6)
    for name, prefix in (("centroid", ""), ("flatness", "flatness_")):
        for column, curves in (("target", rendering.targets), ("measured", rendering.measured)):
            written = numbers(row[prefix + column] for row in rows)
            np.testing.assert_allclose(written, curves[name], rtol=1e-5)
    assert rows[-1]["measured"] == ""


def test_the_json_has_every_descriptor_of_every_frame(content, rendering, violin_table):
    assert list(content["targets"]) == ["centroid", "flatness"]
    assert list(content["selected"]) == list(content["measured"]) == list(DESCRIPTORS)
    for name in DESCRIPTORS:
        expected = violin_table[name][rendering.codes]
        np.testing.assert_allclose(numbers(content["selected"][name]), expected, rtol=1e-5)
        assert content["measured"][name][54:] == [None] * 10  # silent
    assert None in content["selected"]["fundamental"]  # of codes without pitch


def test_a_loaded_series_says_how_its_codes_were_chosen(tmp_path, saved, violin, violin_table, rendering):
    assert timbrelib.load_rendering(saved.with_suffix(".json")).search == {"smoothness": 4.0, "rounds": 3, "weights": {}}
    given = replace(rendering, search=None)
    timbrelib.save_rendering(tmp_path / "given", violin, violin_table, given)
    assert timbrelib.load_rendering(tmp_path / "given.json").search is None


def test_a_loaded_series_has_the_curves_with_nan_where_undefined(saved, rendering, violin_table):
    series = timbrelib.load_rendering(saved.with_suffix(".json"))
    np.testing.assert_array_equal(series.codes, rendering.codes)
    np.testing.assert_array_equal(series.gain, rendering.gain)
    for name, curve in rendering.measured.items():
        np.testing.assert_allclose(series.measured[name], curve, rtol=1e-5)
    np.testing.assert_allclose(series.selected["bandwidth"], violin_table["bandwidth"][rendering.codes], rtol=1e-5)


@pytest.mark.parametrize("excitation", EXCITATIONS)
def test_a_loaded_series_makes_the_very_same_file(tmp_path, violin, violin_table, excitation):
    asked = {"centroid": timbrelib.target("sin", "centroid", 1200, 3000, 64)}
    gain = np.linspace(0.01, 0.07, 64) ** 1.1
    rendering = timbrelib.render(violin, violin_table, asked, gain, excitation)
    timbrelib.save_rendering(tmp_path / "a", violin, violin_table, rendering)
    series = timbrelib.load_rendering(tmp_path / "a.json")
    timbrelib.save_audio(tmp_path / "b.wav", series.decode(violin))
    assert (tmp_path / "b.wav").read_bytes() == (tmp_path / "a.wav").read_bytes()
    assert (series.model, series.fingerprint, series.excitation) == ("violin", violin.fingerprint, excitation)


def test_another_models_weights_are_refused(saved):
    other = timbrelib.VQVAE(timbrelib.VQVAEConfig(code_size=4, width=8, blocks=1)).eval()
    other.name = "violin"
    with pytest.raises(ValueError, match="'violin' with other weights"):
        timbrelib.load_rendering(saved.with_suffix(".json")).decode(other)


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("format", 1),
        ("search", {}),
        ("search", [4.0]),
        ("search", {"smoothness": -1, "rounds": 3, "weights": {}}),
        ("search", {"smoothness": 4, "rounds": 3, "weights": {"loudness": 1}}),
        ("search", {"smoothness": "smooth", "rounds": 3, "weights": {}}),
        ("hop", 256),
        ("excitation", "loud"),
        ("codes", 64 * [0.5]),
        ("codes", 64 * [1.0]),
        ("codes", "1, 2, 3"),
        ("codes", 64 * [2**70]),
        ("codes", 64 * [-1]),
        ("codes", 64 * [2**31]),
        ("codes", 64 * [True]),
        ("codes", []),
        ("model", 3),
        ("fingerprint", None),
        ("search", {"smoothness": 4, "rounds": 3.5, "weights": {}}),
        ("search", {"smoothness": 10**400, "rounds": 3, "weights": {}}),
        ("search", {"smoothness": 4, "rounds": 3, "weights": {"centroid": "1"}}),
        ("gain", 64 * [-0.05]),
        ("gain", 64 * [None]),
        ("gain", 64 * [10**400]),
        ("gain", 64 * [float("nan")]),
        ("targets", {}),
        ("targets", {"loudness": 64 * [1]}),
        ("targets", {"centroid": "1000"}),
        ("measured", {}),
        ("gain", 63 * [0.05]),
        ("gain", 64 * ["loud"]),
        ("targets", {"centroid": [1000]}),
    ],
)
def test_a_series_with_a_wrong_entry_is_refused_in_a_sentence(tmp_path, content, key, entry):
    refuse(tmp_path / "bad.json", json.dumps(content | {key: entry}))


@pytest.mark.parametrize("key", ["format", "model", "fingerprint", "excitation", "search", "codes", "gain", "selected"])
def test_a_series_without_an_entry_is_refused_in_a_sentence(tmp_path, content, key):
    del content[key]
    refuse(tmp_path / "bad.json", json.dumps(content))


@pytest.mark.parametrize("text", ["", "not JSON", "[]", "null", "3", '{"format": 1', "[" * 100_000])
def test_what_is_no_series_is_refused_in_a_sentence(tmp_path, text):
    refuse(tmp_path / "bad.json", text)


def test_a_series_that_is_too_large_is_refused_unread(tmp_path):
    path = tmp_path / "bad.json"
    path.touch()
    os.truncate(path, 64 * 2**20 + 1)  # a hole, which takes no space
    with pytest.raises(ValueError, match=r"bad\.json has 64\.0 MB"):
        timbrelib.load_rendering(path)


def refuse(path, text):
    path.write_text(text)
    with pytest.raises(ValueError, match=r"bad\.json is not a series .* export it again") as refusal:
        timbrelib.load_rendering(path)
    assert "\n" not in str(refusal.value)


def test_a_missing_series_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.json"):
        timbrelib.load_rendering(tmp_path / "gone.json")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"gain": np.full(64, -0.05)}, "negative"),
        ({"gain": np.full(64, np.nan)}, "undefined"),
        ({"codes": np.full(64, 1024)}, "0 to 1023"),
        ({"excitation": "hum"}, "locked, noise"),
    ],
)
def test_a_series_that_cannot_sound_is_refused_when_decoded(saved, violin, change, says):
    series = timbrelib.load_rendering(saved.with_suffix(".json"))
    with pytest.raises(ValueError, match=says):
        replace(series, **change).decode(violin)
