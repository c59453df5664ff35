"""Write tables in Markdown.

Notebook: 10_evaluation.
"""

from collections.abc import Iterable, Sequence


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table in Markdown, without a final line break."""
    table = ["| " + " | ".join(cells) + " |" for cells in (headers, *rows)]
    return "\n".join([table[0], "|" + "---|" * len(headers), *table[1:]])
