"""The reference that make docs builds from the docstrings."""

import re
import subprocess
import sys

import pytest
from conftest import ROOT

import timbrelib

pytest.importorskip("pdoc", reason="needs pdoc")


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Its folder, built without a warning."""
    out = tmp_path_factory.mktemp("site") / "api"
    command = [sys.executable, "-W", "error::UserWarning", str(ROOT / "docs" / "reference.py"), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"open {out / 'index.html'}\n"
    return out


def sections(page):
    """Names that a page documents."""
    return set(re.findall(r'<(?:section|div) id="([^"]+)"', page.read_text(encoding="utf-8")))


def test_every_public_name_and_its_methods_are_in_the_reference(reference):
    functions = set(timbrelib.__all__) - {"descriptors", "plots"}
    assert functions | {"Timbre.render", "Codebook.percentile_range"} <= sections(reference / "timbrelib.html")
    assert {"measure", "centroid"} <= sections(reference / "timbrelib" / "descriptors.html")
    assert {"spectrogram", "save_figure"} <= sections(reference / "timbrelib" / "plots.html")


def test_nothing_private_is_in_the_reference(reference):
    for page in reference.rglob("*.html"):
        names = {part for name in sections(page) for part in name.split(".")}
        assert not [name for name in names if name.startswith("_") and name != "__init__"]


def test_the_reference_loads_nothing_from_another_host(reference):
    for page in reference.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"""(?:src=|<link[^>]*href=|url\(|@import |import\(|fetch\()["' ]*([^"' )>]+)""", text)
        assert not [address for address in loaded if re.match(r"(https?:)?//", address)]
