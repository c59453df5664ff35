import json
import re
import tomllib

import numpy as np
import pytest
import yaml
from conftest import ROOT
from matplotlib import pyplot as plt

import timbrelib
from timbrelib.control.scores import tracking_error
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.model.registry import shipped_models
from timbrelib.recordings.manifest import manifest

GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
LIBRARY = ROOT / "timbrelib"
MAX_NAMES, MAX_LINES = 16, 300  # directly in the library; of a module


@pytest.fixture(scope="module")
def brightness(violin):
    """Add the guide's descriptor after a codebook without it was cached; its name and a timbre that has it."""
    before = set(DESCRIPTORS)
    exec(re.search(r"```python\n(.+?)```", GUIDE, re.DOTALL)[1], {})
    (name,) = DESCRIPTORS.keys() - before
    yield name, timbrelib.load("violin")
    del DESCRIPTORS[name]


def test_a_new_descriptor_is_in_the_codebook(brightness, violin):
    name, timbre = brightness
    codebook = timbre.codebook
    assert name not in list(violin.codebook)
    assert np.isfinite(codebook[name]).all()
    assert np.corrcoef(codebook[name], codebook["centroid"])[0, 1] > 0.9
    for known in violin.codebook:
        np.testing.assert_array_equal(codebook[known], violin.codebook[known])


@pytest.fixture(scope="module")
def rendering(brightness):
    name, timbre = brightness
    return timbre.render(timbre.target(name, "sin", n_frames=256))


def test_a_new_descriptor_is_followed(brightness, rendering):
    name, _ = brightness
    assert tracking_error(rendering.measured[name], rendering.targets[name]) < 1


def test_a_new_descriptor_is_drawn(brightness, rendering):
    name, timbre = brightness
    for figure in (timbre.codebook.plot(name), rendering.plot()):
        labels = {text for ax in figure.axes for text in (ax.get_xlabel(), ax.get_ylabel())}
        assert f"{name} ({DESCRIPTORS[name].unit})" in labels
        plt.close(figure)


def test_a_new_descriptor_is_saved(brightness, rendering, tmp_path):
    name, _ = brightness
    rendering.save(tmp_path / "new")
    content = json.loads((tmp_path / "new.json").read_text())
    for curves in ("targets", "selected", "measured"):
        assert len(content[curves][name]) == 256
    np.testing.assert_array_equal(timbrelib.load_rendering(tmp_path / "new.json").codes, rendering.codes)


def test_a_new_descriptor_is_offered_to_draw(brightness, tmp_path):
    name, _ = brightness
    pad = timbrelib.TargetPad("violin", folder=tmp_path)
    assert name in pad.menus["options"]["descriptor"]
    pad.set(descriptor=name)
    assert name in pad.rendering.targets
    pad.close()
    assert f"violin: {name} (" in timbrelib.CodeScatter("violin", name).codebook["label"]


def test_the_map_shows_the_library_and_its_floors():
    """The guide's map, the linter's layers and the folder have the same names, the first two in the same order."""
    chart = re.search(r"^    timbrelib/\n((?:      .+\n)+)", GUIDE, re.MULTILINE)[1]
    drawn = re.findall(r"^      (\w+)(?:/|\.py) ", chart, re.MULTILINE)
    (contract,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = [name.strip() for layer in contract["layers"] for name in layer.split("|")]
    there = {path.stem for path in LIBRARY.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert drawn == floors
    assert there - {"__init__", "__main__"} == set(floors)
    assert len(there) <= MAX_NAMES


def test_no_module_is_long():
    lines = {path: len(path.read_text().splitlines()) for path in LIBRARY.rglob("*") if path.suffix in (".py", ".js")}
    assert not {path.name: count for path, count in lines.items() if count > MAX_LINES}


def test_the_tour_of_the_library_runs(tmp_path, monkeypatch):
    """All but its last block, which trains a model."""
    for folder in ("Audio_Exemple", "notebooks"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.+?)```", (ROOT / "docs" / "python.md").read_text(), re.DOTALL)
    tour: dict = {}
    exec("\n".join(blocks[:-1]), tour)
    tour["pad"].close()
    plt.close("all")
    assert {"brightness.json", "brightness.png", "again.wav", "as_violin.wav"} <= {
        path.name for path in tmp_path.iterdir()
    }


@pytest.mark.parametrize("name", shipped_models())
def test_the_manifest_alone_says_how_a_timbre_is_rebuilt(name):
    (high_pass,) = {float(row["high_pass_hz"]) for row in manifest(name)}
    assert 20 <= high_pass <= 200


def test_citation_and_changelog_are_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert str(citation["version"]) == timbrelib.__version__
    assert citation["authors"][0]["name"].lower() in (ROOT / "LICENSE").read_text().lower()
    assert re.search(rf"^## \[{re.escape(timbrelib.__version__)}\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
