import csv
import json
import os
from dataclasses import asdict, replace

import numpy as np
import pytest

import timbrelib
from timbrelib.audio.sound_output import round_to_16_bits
from timbrelib.control.code_path import CodePath
from timbrelib.control.search import Search
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.synthesis.excitation import EXCITATIONS


@pytest.fixture(scope="module")
def rendering(violin):
    """A second and a half of two targets, the last third of it silent."""
    centroid = violin.target("centroid", "ramp", 700, 4500, 64)
    flatness = violin.target("flatness", "ramp", 0.0001, 0.015, 64)
    return violin.render(centroid, flatness, gain=np.where(np.arange(64) < 40, 0.05, 0))


@pytest.fixture(scope="module")
def glide(chromatic):
    """A second and a half of a pitch and a brightness, whose codes are moved and tilted."""
    pitch, brightness = (
        chromatic.target("fundamental", "ramp", 310, 580, 64),
        chromatic.target("centroid", "ramp", 1400, 1900, 64),
    )
    return chromatic.render(pitch, brightness, gain=np.linspace(0.01, 0.07, 64) ** 1.1)


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


def test_the_json_has_the_targets_in_full(stem, rendering):
    saved = timbrelib.load_rendering(stem.with_suffix(".json"))
    for name, curve in rendering.targets.items():
        np.testing.assert_array_equal(saved.targets[name], curve)


def test_the_json_has_every_descriptor_of_every_frame(content, rendering):
    assert list(content["targets"]) == ["centroid", "flatness"]
    assert list(content["selected"]) == list(content["measured"]) == list(DESCRIPTORS)
    for name in DESCRIPTORS:
        expected = rendering.codebook[name][rendering.codes]
        np.testing.assert_allclose(numbers(content["selected"][name]), expected, rtol=1e-5)
        assert content["measured"][name][54:] == [None] * 10  # silent
    assert None in content["selected"]["fundamental"]  # of codes without pitch


def test_a_saved_rendering_has_the_settings_of_its_search(tmp_path, stem, rendering):
    assert timbrelib.load_rendering(stem.with_suffix(".json")).search == Search()
    replace(rendering, search=None).save(tmp_path / "given")
    assert timbrelib.load_rendering(tmp_path / "given.json").search is None
    weighted = Search(0.5, 0, {"flatness": 2.0}, continuity=0.25, retune=33.3, tilt=1.5)
    replace(rendering, search=weighted).save(tmp_path / "weighted")
    assert timbrelib.load_rendering(tmp_path / "weighted.json").search == weighted


def test_the_refinements_are_called_rounds_in_the_file(content):
    settings = asdict(Search())
    settings["rounds"] = settings.pop("refinements")
    assert content["search"] == settings


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
    violin.render(target, gain=gain, excitation=excitation, noise=0.3).save(tmp_path / "a")
    saved = timbrelib.load_rendering(tmp_path / "a.json")
    timbrelib.save_audio(tmp_path / "b.wav", saved.decode(violin.model))
    assert (tmp_path / "b.wav").read_bytes() == (tmp_path / "a.wav").read_bytes()
    assert (saved.model, saved.fingerprint) == ("violin", violin.model.fingerprint)
    assert (saved.excitation, saved.noise) == (excitation, 0.3)


def test_moved_and_tilted_codes_make_the_same_sound_again(tmp_path, chromatic, glide):
    assert np.abs(glide.code_path.cents).max() > 10
    assert np.abs(glide.code_path.tilt).max() > 0.1
    replace(glide).save(tmp_path / "a")
    saved = timbrelib.load_rendering(tmp_path / "a.json")
    np.testing.assert_array_equal(saved.code_path.cents, glide.code_path.cents)
    np.testing.assert_array_equal(saved.code_path.tilt, glide.code_path.tilt)
    assert saved.decode(chromatic.model).tobytes() == glide.audio.tobytes()


def test_codes_that_are_not_adjusted_are_saved_without_cents_and_tilt(tmp_path, chromatic, glide):
    replace(glide, code_path=CodePath(glide.codes)).save(tmp_path / "a")
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["cents"] is content["tilt"] is None
    path = timbrelib.load_rendering(tmp_path / "a.json").code_path
    assert path.cents is path.tilt is None


def test_the_noise_of_a_model_is_saved_with_the_sound(tmp_path, chromatic, glide):
    assert glide.codebook.noise == chromatic.model.noise == 0.5
    replace(glide).save(tmp_path / "a")
    assert json.loads((tmp_path / "a.json").read_text())["noise"] == 0.5


def test_a_loaded_rendering_is_saved_as_the_same_json(tmp_path, stem, glide):
    replace(glide).save(tmp_path / "glide")
    for path in (stem.with_suffix(".json"), tmp_path / "glide.json"):
        timbrelib.load_rendering(path).save(tmp_path / "again.json")
        assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


FORMAT_2 = """{
"format": 2,
"model": "made",
"fingerprint": "%s",
"excitation": "%s",
"search": {"smoothness": 4.0, "rounds": 3, "weights": {"centroid": 2.0}},
"sample_rate": 22050,
"hop": 512,
"codes": [7, 7, 7, 12, 12, 12],
"gain": [0.05, 0.05, 0.05, 0.05, 0.04, 0.03],
"targets": {"centroid": [1000.0, 1000.0, 1000.0, 1200.0, 1200.0, 1200.0]},
"selected": {"centroid": [1010.0, 1010.0, 1010.0, 1190.0, 1190.0, 1190.0], "flatness": [null, null, 1, 1, 1, 1]},
"measured": {"centroid": [1020.0, 1015.0, 1012.0, 1180.0, 1188.0, null], "flatness": [0, 0, 0, 0, 0, 1e-05]}
}
"""  # as release 0.1.0 wrote it


@pytest.mark.parametrize("excitation", ["locked", "noise"])
def test_a_rendering_of_version_0_1_loads_and_sounds_as_its_codes(tmp_path, chromatic, excitation):
    path = tmp_path / "old.json"
    path.write_text(FORMAT_2 % (chromatic.model.fingerprint, excitation))
    saved = timbrelib.load_rendering(path)
    assert saved.excitation == excitation
    assert saved.code_path.cents is saved.code_path.tilt is None
    assert saved.search == Search(4.0, 3, {"centroid": 2.0}, continuity=0, retune=0, tilt=0)
    np.testing.assert_array_equal(saved.codes, [7, 7, 7, 12, 12, 12])
    np.testing.assert_array_equal(saved.measured["centroid"][[0, 5]], [1020, np.nan])
    expected = round_to_16_bits(chromatic.model.decode(saved.codes, saved.gain, excitation))
    np.testing.assert_array_equal(saved.decode(chromatic.model), expected)


def test_a_rendering_of_version_0_1_is_saved_in_the_present_format(tmp_path, chromatic):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(FORMAT_2 % (chromatic.model.fingerprint, "locked"))
    before = timbrelib.load_rendering(old)
    before.save(new)
    assert json.loads(new.read_text())["format"] == 3
    after = timbrelib.load_rendering(new)
    assert after.search == before.search
    np.testing.assert_array_equal(after.decode(chromatic.model), before.decode(chromatic.model))


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
        ("noise", None),
        ("noise", -0.1),
        ("noise", 1.5),
        ("noise", "0.5"),
        ("noise", [0.5]),
        ("noise", True),
        ("cents", 64 * [0.0]),
        ("cents", 63 * [[0.0, 0.0, 0.0]]),
        ("cents", 64 * [[0.0, 0.0]]),
        ("cents", [*(63 * [[0.0, 0.0, 0.0]]), [0.0, 0.0]]),
        ("cents", 64 * [[0.0, 1201.0, 0.0]]),
        ("cents", 64 * [[0.0, None, 0.0]]),
        ("cents", 64 * [["0", "0", "0"]]),
        ("cents", []),
        ("cents", 0),
        ("cents", "high"),
        ("tilt", 63 * [0.0]),
        ("tilt", 64 * [25.0]),
        ("tilt", 64 * [-25.0]),
        ("tilt", 64 * [None]),
        ("tilt", 64 * [[1.0]]),
        ("tilt", 64 * ["1"]),
        ("tilt", []),
        ("tilt", 0),
        ("tilt", {"centroid": 1.0}),
        ("search", {"smoothness": 4, "rounds": 3, "weights": {}, "continuity": -1}),
        ("search", {"smoothness": 4, "rounds": 3, "weights": {}, "retune": 5000}),
        ("search", {"smoothness": 4, "rounds": 3, "weights": {}, "tilt": None}),
        ("search", {"smoothness": 4, "rounds": 3, "weights": {}, "tilt": "much"}),
        ("gain", 63 * [0.05]),
        ("gain", 64 * ["loud"]),
        ("targets", {"centroid": [1000]}),
    ],
)
def test_json_with_a_wrong_entry_is_refused_in_a_sentence(tmp_path, content, key, entry):
    refuse(tmp_path / "bad.json", json.dumps(content | {key: entry}))


@pytest.mark.parametrize(
    "key",
    [
        *("format", "model", "fingerprint", "excitation", "noise", "search", "codes", "cents", "tilt", "gain"),
        *("targets", "selected", "measured"),
    ],
)
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
        ({"code_path": CodePath(np.full(64, 10**5))}, "codes run from 100000 to 100000, but this codebook has 0 to"),
        ({"code_path": CodePath(np.zeros(64, int), np.zeros((9, 3)))}, "the cents have shape"),
        ({"code_path": CodePath(np.zeros(64, int), None, np.zeros(9))}, "the tilt has shape"),
        ({"excitation": "hum"}, "mixed, locked, noise"),
        ({"noise": 2.0}, "the noise cannot be 2"),
    ],
)
def test_a_rendering_that_cannot_be_decoded_is_refused(stem, violin, change, says):
    saved = timbrelib.load_rendering(stem.with_suffix(".json"))
    with pytest.raises(ValueError, match=says):
        replace(saved, **change).decode(violin.model)
