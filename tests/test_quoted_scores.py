"""README, documentation and notebooks quote the scorecard: one number for one sound."""

import json
import re

import pytest
from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PLAYER = re.compile(r'^(?:<[^>]+>)?([^<]*): <a href="../Audio_Exemple/(\w+)\.wav"')
SCORES = {  # by column of the scorecard, as the text of a score has them
    "error": re.compile(r"(?<!level )error ([\d.]+)"),
    "Spearman": re.compile(r"(?<!centroid )Spearman ([\d.]+)"),
    "RPA 50 cents": re.compile(r"([\d.]+) % \(50 cents\)"),
    "RPA 20 cents": re.compile(r"([\d.]+) % \(20 cents\)"),
}
TRANSFER = re.compile(
    r"pitch ([\d.]+) % within 50 cents, ([\d.]+) % of the voiced frames voiced, "
    r"level error ([\d.]+) dB, centroid Spearman ([\d.]+)"
)
METHODS = {"path, mixed": "this library", "nearest codes, noise": "paper's method"}


def table_rows(text):
    """Rows of Markdown tables, each a dict by the header of its column."""
    rows, header = [], None
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] if line.startswith("|") else None
        if not cells or set("".join(cells)) == {"-"}:
            header = header if cells else None
        elif header is None:
            header = cells
        else:
            rows.append(dict(zip(header, cells, strict=True)))
    return rows


def scores(text):
    """Rows of the Markdown tables of sounds, by sound and maker, with ``heard`` for every column *heard as ...*."""
    return {
        (row["sound"], row["made by"]): {column.partition(" as")[0]: cell for column, cell in row.items()}
        for row in table_rows(text)
        if {"sound", "made by"} <= set(row)
    }


SOUNDS = scores((ROOT / "docs" / "scorecard.md").read_text())
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def outputs(path):
    """Texts that the cells of a notebook show: of players, of tables."""
    for cell in json.loads(path.read_text())["cells"]:
        for output in cell.get("outputs", []):
            for kind in ("text/html", "text/markdown"):
                yield "".join(output.get("data", {}).get(kind, []))


def says(cell, quoted):
    """Whether one of the numbers in a cell of the scorecard rounds to a quoted one."""
    decimals = len(quoted.partition(".")[2])
    return any(f"{float(number):.{decimals}f}" == quoted for number in re.findall(r"\d+(?:\.\d+)?", cell))


def transfers():
    """Scores of the transfers of generated sounds in docs/measures.md, by the pair in a file name."""
    pair, inputs, found = "", "", {}
    for row in table_rows((ROOT / "docs" / "measures.md").read_text()):
        if "pair" in row:
            pair, inputs = row["pair"] or pair, row["input"] or inputs
            if (inputs, row["method"]) == ("generated", "here"):
                found["_".join(pair.split(", "))] = [cell.split()[0] for cell in list(row.values())[3:]]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_table_of_sounds_quotes_the_scorecard(page):
    for sound, quoted in scores(page.read_text()).items():
        assert quoted.items() <= SOUNDS[sound].items(), sound


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_player_in_a_notebook_quotes_the_scorecard(path):
    for label, name in (player.groups() for text in outputs(path) if (player := PLAYER.match(text))):
        if transfer := TRANSFER.search(label):
            assert list(transfer.groups()) == transfers()[name.removeprefix("transfer_")], name
        for column, score in SCORES.items():
            for quoted in score.findall(label):
                if not transfer:
                    cell = SOUNDS[name, "this library"][column]
                    assert says(cell, quoted), f"{name}: {column} is {cell}, and the notebook says {label}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_comparison_of_methods_in_a_notebook_agrees_with_the_scorecard(path):
    for row in (row for text in outputs(path) for row in table_rows(text) if row.get("method") in METHODS):
        sound = f"violin_{row['descriptor']}_{row['shape']}", METHODS[row["method"]]
        row["heard"] = row["heard as"]
        for column, cell in SOUNDS.get(sound, {}).items():
            assert row.get(column, cell) == cell, (sound, column)
