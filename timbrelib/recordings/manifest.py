"""recordings.manifest."""

import csv
from collections import Counter
from collections.abc import Iterable
from importlib.resources import files

OWN = "your own recordings"  # the maker of what the manifest does not know


def manifest(domain: str) -> list[dict[str, str]]:
    """List the recordings that the shipped models were trained and tested on.

    Parameters
    ----------
    domain : str
        The timbre, ``violin`` or another.

    Returns
    -------
    list of dict
        One a file: file, split, sha256, licence, and where its original is and how it was
        cut from it.

    Raises
    ------
    ValueError
        The manifest has no such timbre; the message lists those it has.
    """
    rows = _manifest_rows()
    chosen = [row for row in rows if row["domain"] == domain]
    if not chosen:
        known = ", ".join(sorted({row["domain"] for row in rows}))
        raise ValueError(f"there is no timbre {domain!r} in the manifest: choose one of {known}")
    return chosen


def _manifest_rows() -> list[dict[str, str]]:
    return list(
        csv.DictReader((files("timbrelib.recordings") / "manifest.csv").read_text(encoding="utf-8").splitlines())
    )


def credit(names: Iterable[str]) -> list[str]:
    """Credit the makers of recordings, given by name: repository, licence and count, a line each.

    Recordings that the manifest does not know are counted as the reader's own.
    """
    rows = {row["file"]: row for row in _manifest_rows()}
    makers = Counter(f"{rows[name]['source_repo']}: {rows[name]['licence']}" if name in rows else OWN for name in names)
    return [f"{maker}, {count} recording{'s' if count > 1 else ''}" for maker, count in sorted(makers.items())]
