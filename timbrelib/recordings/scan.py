"""Scan a folder of recordings: what is usable, what is rejected and why, and which split each recording belongs to.

Notebook: 01_train.
"""

import hashlib
import logging
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from timbrelib.audio.frames import N_FFT, SAMPLE_RATE
from timbrelib.audio.levels import is_silent
from timbrelib.audio.sound_files import stream_audio
from timbrelib.files import printable
from timbrelib.model.registry import WEIGHTS
from timbrelib.recordings.manifest import manifest_splits
from timbrelib.recordings.splits import SPLITS, Excerpt, assign_splits

log = logging.getLogger(__name__)

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".aiff", ".aif")
MIN_MINUTES = {"train": 5.0, "test": 0.25}  # below which the report warns
WARNINGS = {
    "train": "add recordings, or also train on pitch-shifted copies (--shifts -1 0 1)",
    "test": "the scores will be unreliable",
}


@dataclass(frozen=True)
class Scan:
    """Content of a folder of recordings; its text is a report.

    Attributes
    ----------
    folder : Path
    excerpts : list of Excerpt
        Sorted by path.
    rejected : dict of str to str
        Reason why a sound file is unusable, by name.
    ignored : dict of str to int
        Number of files that are not sound files, by suffix.
    skipped : dict of str to str
        Reason why a file or folder was not looked at, by name.
    remarks : list of str
        What had to be done to sounds: an offset removed, one of two channels taken.

    Examples
    --------
    >>> import tempfile
    >>> import timbrelib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scan = timbrelib.scan_recordings(timbrelib.write_strings(f"{folder}/strings", minutes=0.2))
    >>> scan.warn()  # logs the unusable files, of which there are none
    >>> print(len(scan.split("train")), round(scan.minutes("test"), 2), scan.rejected)
    2 0.07 {}
    """

    folder: Path
    excerpts: list[Excerpt]
    rejected: dict[str, str]
    ignored: dict[str, int]
    skipped: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def split(self, name: str) -> list[Excerpt]:
        """Excerpts of the split called `name`: ``train``, ``valid`` or ``test``."""
        return [excerpt for excerpt in self.excerpts if excerpt.split == name]

    def minutes(self, split: str) -> float:
        """Duration of a `split` in minutes."""
        return sum(excerpt.seconds for excerpt in self.split(split)) / 60

    def warn(self) -> None:
        """Log the unusable files, and what had to be done to others, where no report is shown."""
        for name, reason in self.rejected.items():
            log.warning("skipped: %s %s", name, reason)
        for remark in self.remarks:
            log.warning("%s", remark)

    def __str__(self) -> str:
        n_recordings = len({excerpt.path for excerpt in self.excerpts})
        lines = [f"{printable(self.folder)}: {n_recordings} usable recording{'' if n_recordings == 1 else 's'}"]
        lines += [f"  {split:<5} {len(self.split(split)):4d}, {self.minutes(split):6.2f} minutes" for split in SPLITS]
        if n_recordings == 1:
            lines.append("  the only recording is divided: its last tenth is the test split")
        if self.rejected:
            lines.append(f"{len(self.rejected)} rejected:")
            lines += [f"  {name}: {reason}" for name, reason in self.rejected.items()]
        lines += [f"skipped: {name}, {reason}" for name, reason in self.skipped.items()]
        lines += self.remarks
        if self.ignored:
            counts = [f"{count} {suffix or 'without suffix'}" for suffix, count in sorted(self.ignored.items())]
            lines.append(f"ignored, not {', '.join(SUFFIXES)}: {', '.join(counts)}")
        for split, minimum in MIN_MINUTES.items():
            minutes = self.minutes(split)
            if minutes < minimum:
                lines.append(f"warning: the {split} split has only {minutes:.2f} minutes: {WARNINGS[split]}")
        return "\n".join(lines)


def scan_recordings(folder: str | Path, progress: bool = False) -> Scan:
    """Read every sound file of a folder once and assign each to a split.

    Parameters
    ----------
    folder : str or Path
        Sound files at any depth, also in folders that are linked.  Hidden files, files in the
        folder of a model, and folders that were already read through another link, are
        skipped.  Files of the manifest have its splits, see `assign_splits` for all others.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Scan

    Raises
    ------
    FileNotFoundError
        The folder does not exist.

    Examples
    --------
    >>> import tempfile
    >>> import timbrelib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scan = timbrelib.scan_recordings(timbrelib.write_strings(f"{folder}/strings", minutes=0.2))
    >>> print(len(scan.excerpts), scan.ignored)
    3 {}
    """
    root = Path(folder).resolve()
    if not root.is_dir():
        raise FileNotFoundError(
            f"there is no folder of recordings {folder}: check the name, "
            "or download those of a shipped model with 'timbrelib download --domain violin'"
        )
    skipped: dict[str, str] = {}
    paths = sorted(_walk(root, skipped))
    sound_paths = [path for path in paths if path.suffix.lower() in SUFFIXES]
    lengths: dict[Path, int] = {}
    rejected: dict[str, str] = {}
    remarks: list[str] = []
    for path in tqdm(sound_paths, desc="scanning", unit="file", mininterval=1, disable=not progress):
        name = printable(path.relative_to(root).as_posix())
        found: list[str] = []
        try:
            lengths[path] = _count_samples(path, found)
        except (ValueError, OSError) as error:
            rejected[name] = printable(str(error).removeprefix(f"{path} "))
        else:
            remarks += [printable(f"{name} {text.removeprefix(f'{path} ')}") for text in found]
    recordings = [
        Excerpt(printable(path.relative_to(root.parent).as_posix()), path, "train", 0, length, _digest(path))
        for path, length in lengths.items()
    ]
    ignored = Counter(printable(path.suffix.lower()) for path in paths if path.suffix.lower() not in SUFFIXES)
    excerpts = assign_splits(recordings, manifest_splits())
    return Scan(Path(folder), excerpts, rejected, dict(ignored), skipped, remarks)


def _walk(root: Path, skipped: dict[str, str]) -> Iterator[Path]:
    """Find the files below a folder that may be recordings, and note in `skipped` what is not looked at, and why."""
    visited = set()  # so that a link to a folder above ends
    for name, folders, files in os.walk(root, followlinks=True):
        folder, place = Path(name), printable(Path(name).relative_to(root).as_posix())
        real = folder.resolve()
        if real in visited:
            folders.clear()
            skipped[place] = "a link to a folder that was already read"
            continue
        visited.add(real)
        if WEIGHTS in files:
            skipped[place] = "the folder of a model"
            files.clear()
        visible = [name for name in folders if not name.startswith(".")]
        folders[:] = sorted(visible, key=lambda name: ((folder / name).is_symlink(), name))  # links come last
        for file in files:
            path = folder / file
            if path.is_file() and not file.startswith("."):
                yield path
            elif path.is_symlink() and not path.exists():
                skipped[printable(path.relative_to(root).as_posix())] = "a link to nothing"


def _digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _count_samples(path: Path, remarks: list[str]) -> int:
    """Read a whole recording, count its samples at 22,050 Hz, and add what had to be done to it to `remarks`.

    Raises
    ------
    ValueError
        The recording is damaged, silent or shorter than a frame.
    OSError
        The file no longer exists or cannot be read.
    """
    n_samples, silent = 0, True
    for block in stream_audio(path, remark=remarks.append):
        n_samples += len(block)
        silent = silent and is_silent(block)
    if n_samples < N_FFT:
        raise ValueError(f"{path} lasts {1000 * n_samples / SAMPLE_RATE:.0f} ms, less than a frame of 93 ms")
    if silent:
        raise ValueError(f"{path} is silent")
    return n_samples
