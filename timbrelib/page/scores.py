"""The scorecard on the page: as a whole, by sound, and its main rows."""

from collections import defaultdict

import mistune

MAKERS = {
    "published": "published",
    "paper's method": "paper's method",
    "this library": "here",
}  # of the scorecard's rows
WORDS = {"error": "mean error, % of the range", "RPA 50 cents": "within 50 cents of the target"}  # of measures


def read_cells(text: str) -> dict[str, dict[str, dict[str, str]]]:
    """Read the tables of a scorecard in Markdown.

    Parameters
    ----------
    text : str

    Returns
    -------
    dict of str to dict
        By the name of a sound and by who made it (``published``, ``paper's method``, ``here``),
        the cells that are not empty, by the header of their column.
    """
    cells: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    columns: list[str] = []
    for line in text.splitlines():
        name, made_by, *row = line.strip("| ").split(" | ") if line.startswith("| ") else ("", "")
        if name in ("sound", "measure"):
            columns = row  # of the table that begins here
        elif made_by in MAKERS:
            found = {column: cell for column, cell in zip(columns, row, strict=True) if cell != "-"}
            cells[name][MAKERS[made_by]] = found
        elif name.endswith("_sorted"):
            cells[name]["here"] = {"": made_by}
    return cells


def read_scores(text: str) -> dict[str, dict[str, str]]:
    """Read the scores of sounds from a scorecard in Markdown.

    Parameters
    ----------
    text : str

    Returns
    -------
    dict of str to dict
        By the name of a sound, its scores in words by who made it: ``published``, ``paper's
        method`` and ``here``.
    """
    return {
        name: {
            made_by: ", ".join(f"{column} {cell}".strip() for column, cell in row.items())
            for made_by, row in rows.items()
        }
        for name, rows in read_cells(text).items()
    }


def main_scores(cells: dict[str, dict[str, dict[str, str]]], name: str) -> dict[str, dict[str, str]]:
    """Choose the measures of a sound that say most, by measure and by who made it.

    How closely it follows its target (the error, or the raw pitch accuracy where nobody reports
    an error in the same unit), how often its pitch jumps, and how often a classifier hears the
    instrument that it should be.
    """
    rows = cells.get(name, {})
    tracking = next((column for column in ("RPA 50 cents", "error") if all(column in row for row in rows.values())), "")
    heard = next((column for row in rows.values() for column in row if column.startswith("heard as")), "")
    chosen = {tracking: WORDS.get(tracking, tracking), "jumps/s": "pitch jumps per second", heard: heard}
    return {
        words: {made_by: row.get(column, "") for made_by, row in rows.items()}
        for column, words in chosen.items()
        if column and any(column in row for row in rows.values())
    }


class ScorecardRenderer(mistune.HTMLRenderer):
    """Markdown as a part of the page, without its title and the links that only work in ``docs/``."""

    def heading(self, text: str, level: int, **attributes: str) -> str:
        """Write a heading one level lower; leave out the title."""
        return "" if level == 1 else super().heading(text, level + 1, **attributes)

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Write links to other hosts as links, and all others as text."""
        return super().link(text, url, title) if url.startswith("https://") else text
