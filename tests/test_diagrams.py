"""The diagrams of the documentation."""

import re
from xml.etree import ElementTree

import pytest
from conftest import ROOT

DIAGRAMS = sorted((ROOT / "docs" / "diagrams").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=DIAGRAMS, ids=lambda path: path.stem)
def diagram(request):
    return request.param


def test_a_diagram_says_in_words_what_it_shows(diagram):
    drawing = ElementTree.parse(diagram).getroot()
    assert drawing.tag == f"{SVG}svg"
    assert drawing.get("role") == "img"
    labels = [drawing.find(f"{SVG}{name}") for name in ("title", "desc")]
    assert all(label.text.strip() for label in labels)
    assert drawing.get("aria-labelledby").split() == [label.get("id") for label in labels]


def test_a_diagram_can_be_read_on_a_phone(diagram):
    _, _, width, height = map(float, ElementTree.parse(diagram).getroot().get("viewBox").split())
    text = diagram.read_text(encoding="utf-8")
    sizes = [float(size) for size in re.findall(r"font: (\d+)px", text)]
    assert width <= 800
    assert height <= 360
    assert sizes
    assert min(sizes) * 390 / width > 10  # pixels


def test_a_diagram_needs_no_other_host_or_font_file(diagram):
    text = diagram.read_text(encoding="utf-8").replace(SVG.strip("{}"), "")
    assert not re.search(r"https?:|//|@import|@font-face|href|<script", text)
    assert set(re.findall(r"url\((.)", text)) <= {"#"}


def test_a_diagram_is_shown_in_a_document(diagram):
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]
    shown = "\n".join(document.read_text(encoding="utf-8") for document in documents)
    assert re.search(rf"!\[[^]]+\]\([^)]*diagrams/{diagram.name}\)", shown)
