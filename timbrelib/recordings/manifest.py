"""The manifest of the recordings that the shipped models were trained and tested on.

Notebook: 01_train.
"""

import csv
from collections import Counter
from collections.abc import Iterable
from importlib.resources import files

OWN_RECORDINGS = "your own recordings"  # credit of files that the manifest does not list


def manifest(domain: str) -> list[dict[str, str]]:
    """List the recordings of a timbre that the shipped models were trained and tested on.

    Parameters
    ----------
    domain : str
        The timbre, ``violin`` for instance.

    Returns
    -------
    list of dict
        One per file: ``file``, ``split``, ``sha256``, ``licence``, where the original is
        published, and how the file was cut from it.

    Raises
    ------
    ValueError
        The manifest does not contain the timbre; the message lists those that it does.
    """
    rows = manifest_rows()
    chosen = [row for row in rows if row["domain"] == domain]
    if not chosen:
        known = ", ".join(sorted({row["domain"] for row in rows}))
        raise ValueError(f"there is no timbre {domain!r} in the manifest: choose one of {known}")
    return chosen


def manifest_rows() -> list[dict[str, str]]:
    """All rows of the manifest, see `manifest`."""
    text = (files("timbrelib.recordings") / "manifest.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def manifest_splits() -> dict[str, str]:
    """Split of every file in the manifest, ``train``, ``valid`` or ``test``, by its name and by its SHA-256.

    A file that was rebuilt by another release of the FLAC encoder has the name alone.  A sound of
    two timbres trains, as far as its SHA-256 tells, if it trained either.
    """
    rows = manifest_rows()
    trained_last = sorted(rows, key=lambda row: row["split"] == "train")
    return {row["sha256"]: row["split"] for row in trained_last} | {row["file"]: row["split"] for row in rows}


def credit(names: Iterable[str]) -> list[str]:
    """Credit the sources of recordings: one line per repository and licence, with the number of recordings.

    Parameters
    ----------
    names : iterable of str
        Files as the manifest names them; all others are credited to `OWN_RECORDINGS`.

    Returns
    -------
    list of str
    """
    rows = {row["file"]: row for row in manifest_rows()}
    sources = Counter(
        f"{rows[name]['source_repo']}: {rows[name]['licence']}" if name in rows else OWN_RECORDINGS for name in names
    )
    return [f"{source}, {count} recording{'s' if count > 1 else ''}" for source, count in sorted(sources.items())]
