import csv
import json
import os
from dataclasses import replace

import numpy as np
import pytest

import timbrelib
from timbrelib.control.viterbi import Search
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.synthesis.excitation import EXCITATIONS


@pytest.fixture(scope="module")
def rendering(violin):
    """A second and a half of two targets, the last third of it silent."""
    centroid = violin.target("centroid", "ramp", 600, 4500, 64)
    flatness = violin.target("flatness", "ramp", 0.0001, 0.015, 64)
    return violin.render(centroid, flatness, gain=np.where(np.arange(64) < 40, 0.05, 0))


@pytest.fixture(scope="module")
def stem(tmp_path_factory, rendering):
    stem = tmp_path_factory.mktemp("renderings") / "new" / "a_b"
    replace(rendering).save(stem)
    return stem


@pytest.fixture
def content(stem):
    return json.loads(stem.with_suffix(".json").read_text())


def numbers(values):
    return np.array([np.nan if value in (None, "") else value for value in values], dtype=np.float64)


def test_a_rendering_is_written_as_wav_csv_and_json(stem):
    assert {path.name for path in stem.parent.iterdir()} == {"a_b.wav", "a_b.csv", "a_b.json"}
    assert len(timbrelib.load_audio(stem.with_suffix(".wav"))) == 63 * 512


def test_the_csv_has_one_row_per_frame_and_three_columns_per_target(stem, rendering):
    with stem.with_suffix(".csv").open(newline="") as file:
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


def test_the_json_has_every_descriptor_of_every_frame(content, rendering, violin):
    assert list(content["targets"]) == ["centroid", "flatness"]
    assert list(content["selected"]) == list(content["measured"]) == list(DESCRIPTORS)
    for name in DESCRIPTORS:
        expected = violin.codebook[name][rendering.codes]
        np.testing.assert_allclose(numbers(content["selected"][name]), expected, rtol=1e-5)
        assert content["measured"][name][54:] == [None] * 10  # silent
    assert None in content["selected"]["fundamental"]  # of codes without pitch


def test_a_saved_rendering_has_the_settings_of_its_search(tmp_path, stem, rendering):
    assert timbrelib.load_rendering(stem.with_suffix(".json")).search == Search(4.0, 3, {})
    replace(rendering, search=None).save(tmp_path / "given")
    assert timbrelib.load_rendering(tmp_path / "given.json").search is None
    weighted = Search(0.5, 0, {"flatness": 2.0})
    replace(rendering, search=weighted).save(tmp_path / "weighted")
    assert timbrelib.load_rendering(tmp_path / "weighted.json").search == weighted


def test_the_refinements_are_called_rounds_in_the_file(content):
    assert content["search"] == {"smoothness": 4.0, "rounds": 3, "weights": {}}


def test_a_saved_rendering_has_the_curves_with_nan_where_undefined(stem, rendering, violin):
    saved = timbrelib.load_rendering(stem.with_suffix(".json"))
    np.testing.assert_array_equal(saved.codes, rendering.codes)
    np.testing.assert_array_equal(saved.gain, rendering.gain)
    for name, curve in rendering.measured.items():
        np.testing.assert_allclose(saved.measured[name], curve, rtol=1e-5)
    np.testing.assert_allclose(saved.selected["bandwidth"], violin.codebook["bandwidth"][rendering.codes], rtol=1e-5)


@pytest.mark.parametrize("excitation", EXCITATIONS)
def test_a_saved_rendering_makes_the_same_file_again(tmp_path, violin, excitation):
    target = violin.target("centroid", "sin", 1200, 3000, 64)
    gain = np.linspace(0.01, 0.07, 64) ** 1.1
    violin.render(target, gain=gain, excitation=excitation).save(tmp_path / "a")
    saved = timbrelib.load_rendering(tmp_path / "a.json")
    timbrelib.save_audio(tmp_path / "b.wav", saved.decode(violin.model))
    assert (tmp_path / "b.wav").read_bytes() == (tmp_path / "a.wav").read_bytes()
    assert (saved.model, saved.fingerprint, saved.excitation) == ("violin", violin.model.fingerprint, excitation)


def test_a_loaded_rendering_is_saved_as_the_same_json(tmp_path, stem):
    path = stem.with_suffix(".json")
    timbrelib.load_rendering(path).save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


def test_the_weights_of_another_model_are_refused(stem):
    other = timbrelib.VQVAE(timbrelib.VQVAEConfig(code_size=4, width=8, blocks=1)).eval()
    other.name = "violin"
    with pytest.raises(ValueError, match="'violin' with other weights"):
        timbrelib.load_rendering(stem.with_suffix(".json")).decode(other)


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
def test_json_with_a_wrong_entry_is_refused_in_a_sentence(tmp_path, content, key, entry):
    refuse(tmp_path / "bad.json", json.dumps(content | {key: entry}))


@pytest.mark.parametrize("key", ["format", "model", "fingerprint", "excitation", "search", "codes", "gain", "selected"])
def test_json_without_an_entry_is_refused_in_a_sentence(tmp_path, content, key):
    del content[key]
    refuse(tmp_path / "bad.json", json.dumps(content))


@pytest.mark.parametrize("text", ["", "not JSON", "[]", "null", "3", '{"format": 1', "[" * 100_000])
def test_a_file_that_is_not_a_rendering_is_refused_in_a_sentence(tmp_path, text):
    refuse(tmp_path / "bad.json", text)


def test_a_rendering_that_is_too_large_is_refused_unread(tmp_path):
    path = tmp_path / "bad.json"
    path.touch()
    os.truncate(path, 64 * 2**20 + 1)  # a hole, which takes no space
    with pytest.raises(ValueError, match=r"bad\.json is 64\.0 MB"):
        timbrelib.load_rendering(path)


def refuse(path, text):
    path.write_text(text)
    with pytest.raises(ValueError, match=r"bad\.json is not a rendering .* save it again") as refusal:
        timbrelib.load_rendering(path)
    assert "\n" not in str(refusal.value)


def test_a_missing_rendering_is_named(tmp_path):
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
def test_a_rendering_that_cannot_be_decoded_is_refused(stem, violin, change, says):
    saved = timbrelib.load_rendering(stem.with_suffix(".json"))
    with pytest.raises(ValueError, match=says):
        replace(saved, **change).decode(violin.model)
