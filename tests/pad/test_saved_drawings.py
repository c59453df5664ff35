from dataclasses import replace

import numpy as np
import pytest
from matplotlib import pyplot as plt

import timbrelib
from timbrelib.control.code_path import CodePath
from timbrelib.control.saved_rendering import SavedRendering
from timbrelib.control.search import Search
from timbrelib.descriptors.pitch import track_autocorrelation, track_pyin
from timbrelib.files import checked_name
from timbrelib.pad.saved_drawings import drawing_from_saved, save_drawing, saved_names


def test_a_drawing_is_saved_completely_and_never_over_another(tmp_path, violin):
    before = plt.get_fignums()
    rendering = violin.render(violin.target("centroid", "sin", n_frames=60), gain=np.linspace(0, 0.1, 60))
    paths = save_drawing(tmp_path, "a hill", rendering)
    assert [path.name for path in paths] == [f"a hill.{kind}" for kind in ("wav", "csv", "json", "png")]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert plt.get_fignums() == before
    saved = timbrelib.load_rendering(paths[2])
    np.testing.assert_array_equal(saved.codes, rendering.codes)
    assert saved.search == rendering.search
    before = paths[0].read_bytes()
    paths[3].unlink()
    with pytest.raises(FileExistsError, match=r"a hill\.wav already exists"):
        save_drawing(tmp_path, "a hill", rendering)
    assert not paths[3].exists()
    assert save_drawing(tmp_path, "a hill", rendering, overwrite=True) == paths
    assert paths[0].read_bytes() == before
    with pytest.raises(ValueError, match="is not a name for a file"):
        save_drawing(tmp_path, "../hill", rendering)


def test_a_saved_fundamental_is_measured_by_the_estimator_that_scores(tmp_path, violin):
    target = violin.target("fundamental", np.geomspace(300, 500, 60))
    rendering = violin.render(target, track_f0=track_autocorrelation)
    _, _, json_path, _ = save_drawing(tmp_path, "slide", rendering)
    written = timbrelib.load_rendering(json_path).measured["fundamental"]
    expected = track_pyin(rendering.audio)
    np.testing.assert_allclose(written, expected[:60], rtol=1e-5)
    assert not np.allclose(written, rendering.measured["fundamental"], rtol=1e-5)


def saved_rendering(names, gain=0.05, **search):
    curves = {name: np.full(30, 1500.0) for name in names}
    return SavedRendering(
        model="violin",
        fingerprint="0",
        code_path=CodePath(np.zeros(30, int)),
        gain=np.full(30, gain),
        excitation="mixed",
        noise=0.5,
        search=Search(**search),
        targets=curves,
        selected=curves,
        measured=curves,
    )


CENTROID, BOTH = ["centroid"], ["fundamental", "centroid"]
AS_THEY_ARE = Search(continuity=0, retune=0, tilt=0)  # the codes


@pytest.mark.parametrize(
    ("saved", "lanes", "search", "says"),
    [
        (saved_rendering(CENTROID), CENTROID, Search(), ""),
        (saved_rendering(CENTROID, 0.02), ["centroid", "gain"], Search(), ""),
        (saved_rendering(CENTROID, 0.2), ["centroid", "gain"], Search(), "without its gain above 0.1"),
        (saved_rendering(BOTH, 0.02), BOTH, Search(weights={"centroid": 1}), "without its gain"),
        (saved_rendering(CENTROID, refinements=8, smoothness=2), CENTROID, Search(2), "without its 8 refinements"),
        (saved_rendering(CENTROID, continuity=0, retune=0, tilt=0), CENTROID, AS_THEY_ARE, ""),
        (saved_rendering(CENTROID, continuity=0, refinements=0, retune=0, tilt=0), CENTROID, AS_THEY_ARE, ""),
        (saved_rendering(CENTROID, continuity=3), CENTROID, Search(), "without its continuity of 3"),
        (saved_rendering(CENTROID, retune=50), CENTROID, Search(), "its limits of 50 cents and 6 dB per octave"),
        (saved_rendering(CENTROID, tilt=0), CENTROID, Search(), "its limits of 100 cents and 0 dB per octave"),
        (saved_rendering(BOTH, weights={"centroid": 0.5}), BOTH, Search(weights={"centroid": 0.5}), ""),
        (saved_rendering(BOTH, weights={"fundamental": 2}), BOTH, Search(weights={"centroid": 0.5}), ""),
        (
            replace(saved_rendering(CENTROID), search=None),
            CENTROID,
            Search(),
            "its codes, which were not chosen by a search",
        ),
    ],
)
def test_a_saved_rendering_is_loaded_as_far_as_the_pad_can_show_it(saved, lanes, search, says):
    drawing = drawing_from_saved(saved)
    assert list(drawing.curves) == lanes
    assert drawing.search == search
    assert (says in drawing.note) if says else drawing.note == ""


@pytest.mark.parametrize("name", ["hill", "a hill", "Hügel 2", "v1.2", "a-b_c", "x" * 80, " padded\n"])
def test_valid_names(name):
    assert checked_name(name) == name.strip()


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
def test_impossible_or_unsafe_names_are_rejected(name):
    with pytest.raises(ValueError, match="is not a name for a file"):
        checked_name(name)


def test_only_drawings_that_can_be_loaded_are_listed(tmp_path):
    for name in ("b.json", "a b.json", ".hidden.json", "c.wav", "a .json", "a..json"):
        (tmp_path / name).touch()
    assert saved_names(tmp_path) == ["a b", "b"]
    assert saved_names(tmp_path / "none") == []
