import json
import re

import numpy as np
import pytest
import yaml
from conftest import ROOT
from matplotlib import pyplot as plt

import timbrelib
from timbrelib import codebook, plots
from timbrelib.control import targets
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.evaluation import metrics
from timbrelib.model.registry import shipped_models
from timbrelib.pad.code_scatter import CodeScatter
from timbrelib.pad.target_pad import TargetPad
from timbrelib.recordings import corpus

GUIDE = (ROOT / "CONTRIBUTING.md").read_text()


@pytest.fixture(scope="module")
def brightness(violin, violin_table):
    """The descriptor that the guide adds, after a table without it was cached: its name and the table with it."""
    before = set(DESCRIPTORS)
    exec(re.search(r"```python\n(.+?)```", GUIDE, re.DOTALL)[1], {})
    (name,) = DESCRIPTORS.keys() - before
    yield name, timbrelib.analyse_codebook(violin)
    del DESCRIPTORS[name]


def test_a_new_descriptor_is_in_the_table(brightness, violin_table):
    name, table = brightness
    assert name not in violin_table.dtype.names
    assert np.isfinite(table[name]).all()
    assert np.corrcoef(table[name], table["centroid"])[0, 1] > 0.9
    for known in violin_table.dtype.names:
        np.testing.assert_array_equal(table[known], violin_table[known])


@pytest.fixture(scope="module")
def rendering(brightness, violin):
    name, table = brightness
    curve = timbrelib.target("sin", name, *targets.span(table, name), n_frames=256)
    return timbrelib.render(violin, table, {name: curve})


def test_a_new_descriptor_is_followed(brightness, rendering):
    name, _ = brightness
    assert metrics.tracking_error(rendering.measured[name], rendering.targets[name]) < 1


def test_a_new_descriptor_is_drawn(brightness, rendering, violin):
    name, table = brightness
    points, explained = codebook.project(violin)
    figures = [
        plots.codebook(points, table[name], table["use"] > 0, explained, name),
        plots.decoding(rendering, metrics.say_rendering(rendering), violin.name),
    ]
    for figure in figures:
        labels = {text for ax in figure.axes for text in (ax.get_xlabel(), ax.get_ylabel())}
        assert f"{name} ({DESCRIPTORS[name].unit})" in labels
        plt.close(figure)


def test_a_new_descriptor_is_saved(brightness, rendering, violin, tmp_path):
    name, table = brightness
    timbrelib.save_rendering(tmp_path / "new", violin, table, rendering)
    content = json.loads((tmp_path / "new.json").read_text())
    for series in ("targets", "selected", "measured"):
        assert len(content[series][name]) == 256
    np.testing.assert_array_equal(timbrelib.load_rendering(tmp_path / "new.json").codes, rendering.codes)


def test_a_new_descriptor_is_offered_to_draw(brightness, tmp_path):
    name, _ = brightness
    pad = TargetPad("violin", folder=tmp_path)
    assert name in pad.settings.descriptor.options
    pad.settings.descriptor.value = name
    assert name in pad.rendering.targets
    pad.close()
    assert f"violin: {name} (" in CodeScatter("violin", name).codebook["label"]


def test_the_guide_names_every_module():
    table = GUIDE.split("| modules |")[1].split("\n\n")[0]
    named = re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines()[1:]))
    assert sorted(named) == sorted(path.stem for path in (ROOT / "timbrelib").glob("*.py"))


@pytest.mark.parametrize("name", shipped_models())
def test_the_manifest_alone_says_how_a_timbre_is_rebuilt(name):
    (high_pass,) = {float(row["high_pass_hz"]) for row in corpus.manifest(name)}
    assert 20 <= high_pass <= 200


def test_citation_and_changelog_are_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert str(citation["version"]) == timbrelib.__version__
    assert citation["authors"][0]["name"].lower() in (ROOT / "LICENSE").read_text().lower()
    assert re.search(rf"^## \[{re.escape(timbrelib.__version__)}\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
