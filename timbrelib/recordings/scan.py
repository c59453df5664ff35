"""Scan a folder of recordings: what is usable, what is rejected and why, and which split each recording belongs to.

Notebook: 01_train.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from timbrelib.audio.frames import N_FFT, SAMPLE_RATE
from timbrelib.audio.sound_files import stream_audio
from timbrelib.model.registry import WEIGHTS
from timbrelib.recordings.manifest import manifest_splits

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".aiff", ".aif")
SPLITS = ("train", "valid", "test")
SINGLE_CUTS = {"train": (0.0, 0.85), "valid": (0.85, 0.9), "test": (0.9, 1.0)}  # shares of the only recording
MIN_MINUTES = {"train": 5.0, "test": 0.25}  # below which the report warns
WARNINGS = {
    "train": "add recordings, or also train on pitch-shifted copies (--shifts -1 0 1)",
    "test": "the scores will be unreliable",
}


@dataclass(frozen=True)
class Excerpt:
    """A recording, or the part of it that belongs to a split.

    Attributes
    ----------
    name : str
        Path that starts with the name of the scanned folder, as in the manifest: ``violin/scale.flac``.
    path : Path
    split : {"train", "valid", "test"}
    start, stop : int
        Samples at 22,050 Hz.
    """

    name: str
    path: Path
    split: str
    start: int
    stop: int

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return (self.stop - self.start) / SAMPLE_RATE


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
    """

    folder: Path
    excerpts: list[Excerpt]
    rejected: dict[str, str]
    ignored: dict[str, int]

    def split(self, name: str) -> list[Excerpt]:
        """Excerpts of a split: ``train``, ``valid`` or ``test``."""
        return [excerpt for excerpt in self.excerpts if excerpt.split == name]

    def minutes(self, split: str) -> float:
        """Duration of a split in minutes."""
        return sum(excerpt.seconds for excerpt in self.split(split)) / 60

    def __str__(self) -> str:
        n_recordings = len({excerpt.path for excerpt in self.excerpts})
        lines = [f"{self.folder}: {n_recordings} usable recording{'' if n_recordings == 1 else 's'}"]
        lines += [f"  {split:<5} {len(self.split(split)):4d}, {self.minutes(split):6.2f} minutes" for split in SPLITS]
        if n_recordings == 1:
            lines.append("  the only recording is divided: its last tenth is the test split")
        if self.rejected:
            lines.append(f"{len(self.rejected)} rejected:")
            lines += [f"  {name}: {reason}" for name, reason in self.rejected.items()]
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
        Sound files at any depth.  Hidden files, and files in the folder of a model, are
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
    """
    root = Path(folder).resolve()
    if not root.is_dir():
        raise FileNotFoundError(
            f"there is no folder of recordings {folder}: check the name, "
            "or download those of a shipped model with 'timbrelib download --domain violin'"
        )
    paths = sorted(path for path in root.rglob("*") if path.is_file() and _is_eligible(path, root))
    sound_paths = [path for path in paths if path.suffix.lower() in SUFFIXES]
    lengths: dict[Path, int] = {}
    rejected = {}
    for path in tqdm(sound_paths, desc="scanning", unit="file", mininterval=1, disable=not progress):
        try:
            lengths[path] = _count_samples(path)
        except (ValueError, OSError) as error:
            rejected[path.relative_to(root).as_posix()] = str(error).removeprefix(f"{path} ")
    recordings = [
        Excerpt(f"{root.name}/{path.relative_to(root).as_posix()}", path, "train", 0, length)
        for path, length in lengths.items()
    ]
    ignored = Counter(path.suffix.lower() for path in paths if path.suffix.lower() not in SUFFIXES)
    return Scan(Path(folder), assign_splits(recordings, manifest_splits()), rejected, dict(ignored))


def _is_eligible(path: Path, root: Path) -> bool:
    """Whether a file below `root` is neither hidden nor an example in the folder of a model."""
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return not hidden and not (path.parent / WEIGHTS).exists()


def _count_samples(path: Path) -> int:
    """Read a whole recording and count its samples at 22,050 Hz.

    Raises
    ------
    ValueError
        The recording is damaged, silent or shorter than a frame.
    OSError
        The file no longer exists or cannot be read.
    """
    n_samples, silent = 0, True
    for block in stream_audio(path):
        n_samples += len(block)
        silent = silent and not block.any()
    if n_samples < N_FFT:
        raise ValueError(f"{path} lasts {1000 * n_samples / SAMPLE_RATE:.0f} ms, less than a frame of 93 ms")
    if silent:
        raise ValueError(f"{path} is silent")
    return n_samples


def assign_splits(recordings: Iterable[Excerpt], known: Mapping[str, str]) -> list[Excerpt]:
    """Assign recordings to splits: of every 20, 17 for training, 1 for validation, 2 for testing.

    They are assigned in the order of a hash of their names, so that the splits depend neither
    on the order of the folder nor on chance.  The longest is always in the training split.  A
    single recording is divided instead, as in `SINGLE_CUTS`.

    Parameters
    ----------
    recordings : iterable of Excerpt
        Whole recordings.
    known : mapping of str to str
        Splits that are already determined, by name.

    Returns
    -------
    list of Excerpt
        In the same order.
    """
    recordings = list(recordings)
    new = [recording for recording in recordings if recording.name not in known]
    if len(new) == len(recordings) == 1:
        single, end = new[0], new[0].stop
        return [
            replace(single, split=split, start=round(first * end), stop=round(last * end))
            for split, (first, last) in SINGLE_CUTS.items()
        ]
    shuffled = sorted(new, key=lambda recording: hashlib.sha1(recording.name.encode()).digest())
    longest = max(shuffled, key=lambda recording: recording.stop, default=None)
    names = [recording.name for recording in shuffled if recording is not longest]
    places = {0: "test", 10: "test", 5: "valid"}
    splits = {name: places.get(place % 20, "train") for place, name in enumerate(names)} | dict(known)
    return [replace(recording, split=splits.get(recording.name, "train")) for recording in recordings]
