"""The pages of the documentation: their links, and the index of the experiments."""

import re

import pytest
from conftest import ROOT

DOCS = ROOT / "docs"
DIFFERENCES = (DOCS / "differences.md").read_text(encoding="utf-8")
EXPERIMENTS = sorted((DOCS / "experiments").glob("*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")), *EXPERIMENTS]
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)")
ENTRY = re.compile(r"^\*([^*]+\?)\* (\d{4}-\d\d-\d\d), (\S+ `[0-9a-f]{7}`); (.+)\.$")  # first line of an experiment


def prose(page):
    """Text of a page without its code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def headings(page):
    """Headings of a page, by the anchor that a link to them has."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"): heading for heading in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_to_a_file_and_a_heading(page):
    for _, path, anchor in LINK.findall(prose(page)):
        target = (page.parent / path) if path else page
        assert target.exists(), path
        assert not anchor or anchor in headings(target), f"{path}#{anchor}"


def test_the_first_page_of_the_docs_lists_every_page():
    linked = {path for _, path, _ in LINK.findall(prose(DOCS / "README.md"))}
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= linked


def test_the_index_of_experiments_says_of_every_entry_what_the_entry_says():
    """Question, date, version of the code, and whether it is current, superseded or without its command."""
    rows = re.findall(
        r"^\| \[(.+?)\]\((\S+)\) \| (.+) \| (.+) \| (.+) \| (.+) \|$", prose(DOCS / "experiments.md"), re.M
    )
    index = {link: (question, date, version, status) for question, link, _, date, version, status in rows}
    entries = {}
    for page in EXPERIMENTS:
        for section in prose(page).split("\n## ")[1:]:
            heading, first = section.split("\n", 3)[:3:2]
            fields = ENTRY.match(first)
            assert fields, f"{page.name}: {heading}"
            assert "Verdict: " in " ".join(section.split()), f"{page.name}: {heading}"
            anchor = next(anchor for anchor, known in headings(page).items() if known == heading)
            entries[f"experiments/{page.name}#{anchor}"] = fields.groups()
    assert len(rows) == len(index)
    assert {link: plain(fields) for link, fields in index.items()} == {
        link: plain(fields) for link, fields in entries.items()
    }
    assert all(re.match(r"(current|superseded by \[)", fields[-1]) for fields in entries.values())


def plain(fields):
    """Fields with the text of their links alone, since the same page has another path in the index."""
    return tuple(LINK.sub(r"\1", field) for field in fields)


def test_what_the_differences_bring_is_quoted_from_the_linked_pages():
    rows = [line.strip("| ").split(" | ") for line in DIFFERENCES.splitlines() if "](" in line and line.startswith("|")]
    assert len(rows) >= 9
    for topic, _, _, brings in rows:
        pages = [(ROOT / "docs" / page).read_text(encoding="utf-8") for page in re.findall(r"\]\(([^)#]+)", brings)]
        for figure in re.findall(r"\d[\d.,]*\d|\d", re.sub(r"\(\[.+?\)\)", "", brings)):
            pattern = rf"(?<![\d.,]){re.escape(figure)}(?![.,]?\d)"
            assert any(re.search(pattern, page) for page in pages), (topic, figure)


def test_the_page_on_differences_is_short():
    words = [word for word in DIFFERENCES.split() if word.strip("|-")]
    assert len(words) <= 900
