"""What a folder of recordings holds: what can be used, what not and why, and which part tests the model.

Notebook: 01_train.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from timbrelib.audio.frames import N_FFT, SAMPLE_RATE
from timbrelib.audio.sound_files import stream_audio
from timbrelib.model.registry import WEIGHTS

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".aiff", ".aif")
SPLITS = ("train", "valid", "test")
CUTS = {"train": (0.0, 0.85), "valid": (0.85, 0.9), "test": (0.9, 1.0)}  # shares of a recording that is alone
LITTLE = {"train": 5.0, "test": 0.25}  # minutes; with less a model is poor, or its score says little


@dataclass(frozen=True)
class Excerpt:
    """A recording, or the share of it that belongs to a split.

    Attributes
    ----------
    name : str
        Path from the folder's own name on, as in the manifest: ``violin/scale.flac``.
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
        """Length."""
        return (self.stop - self.start) / SAMPLE_RATE


@dataclass(frozen=True)
class Scan:
    """What a folder holds.

    Attributes
    ----------
    folder : Path
    pieces : list of Excerpt
        In the order of their names.
    refused : dict of str to str
        Why a sound file cannot be used, by name.
    other : dict of str to int
        How many files are not of a format that is read, by suffix.
    """

    folder: Path
    pieces: list[Excerpt]
    refused: dict[str, str]
    other: dict[str, int]

    def of(self, split: str) -> list[Excerpt]:
        """Pieces of a split."""
        return [piece for piece in self.pieces if piece.split == split]

    def minutes(self, split: str) -> float:
        """Minutes of sound in a split."""
        return sum(piece.seconds for piece in self.of(split)) / 60

    def report(self) -> str:
        """Say what is taken, in which split, what is refused and why, and where there is too little."""
        lines = [f"{self.folder}: {len({piece.path for piece in self.pieces})} recordings taken"]
        lines += [f"  {split:<5} {len(self.of(split)):4d} in {self.minutes(split):6.2f} minutes" for split in SPLITS]
        if len({piece.path for piece in self.pieces}) == 1:
            lines.append("  the only recording is cut: its end tests the model")
        if self.refused:
            lines.append(f"{len(self.refused)} refused")
            lines += [f"  {name}: {why}" for name, why in self.refused.items()]
        if self.other:
            counts = ", ".join(f"{count} {suffix or 'without suffix'}" for suffix, count in sorted(self.other.items()))
            lines.append(f"not read, since they are no {', '.join(SUFFIXES)}: {counts}")
        for split, least in LITTLE.items():
            if self.minutes(split) < least:
                lines.append(f"warning: {self.minutes(split):.2f} minutes to {split} on are little: {ADVICE[split]}")
        return "\n".join(lines)


ADVICE = {
    "train": "add recordings, or train on shifted ones too (--shifts -1 0 1)",
    "test": "the score will say little",
}


def survey(folder: str | Path, known: Mapping[str, str] | None = None, progress: bool = False) -> Scan:
    """Listen to all that a folder holds, once, and deal it out to the splits.

    Parameters
    ----------
    folder : str or Path
        Sound files in any nesting.  Hidden files are passed over, and so is what lies in the
        folder of a model.
    known : mapping of str to str, optional
        Splits by name; what is not in it is dealt out by `deal`.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Scan

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    """
    home = Path(folder).resolve()
    if not home.is_dir():
        raise FileNotFoundError(
            f"there is no folder of recordings {folder}: check the name, "
            "or fetch those of a shipped model with 'timbrelib download --domain violin'"
        )
    paths = sorted(path for path in home.rglob("*") if path.is_file() and is_eligible(path, home))
    sounds = [path for path in paths if path.suffix.lower() in SUFFIXES]
    lengths: dict[Path, int] = {}
    refused = {}
    for path in tqdm(sounds, desc="listening", unit="file", mininterval=1, disable=not progress):
        try:
            lengths[path] = readable_length(path)
        except (ValueError, OSError) as error:
            refused[path.relative_to(home).as_posix()] = str(error).removeprefix(f"{path} ")
    whole = [
        Excerpt(f"{home.name}/{path.relative_to(home).as_posix()}", path, "train", 0, lengths[path]) for path in lengths
    ]
    other = Counter(path.suffix.lower() for path in paths if path.suffix.lower() not in SUFFIXES)
    return Scan(Path(folder), deal(whole, known or {}), refused, dict(other))


def is_eligible(path: Path, home: Path) -> bool:
    """Tell whether a file in a folder of recordings is one that its owner means."""
    hidden = any(part.startswith(".") for part in path.relative_to(home).parts)
    return not hidden and not (path.parent / WEIGHTS).exists()  # beside which lie examples of a model


def readable_length(path: Path) -> int:
    """Listen to a recording and count its samples at 22,050 Hz.

    Raises
    ------
    ValueError
        It is corrupt, silent or shorter than a frame.
    OSError
        It has disappeared or cannot be read.
    """
    length, heard = 0, False
    for part in stream_audio(path):
        length += len(part)
        heard = heard or bool(part.any())
    if length < N_FFT:
        raise ValueError(f"{path} lasts {1000 * length / SAMPLE_RATE:.0f} ms, less than a frame of 93 ms")
    if not heard:
        raise ValueError(f"{path} is silent")
    return length


def deal(pieces: Iterable[Excerpt], known: Mapping[str, str]) -> list[Excerpt]:
    """Deal recordings out: of every 20, 17 train, 1 validates, 2 test.

    They are dealt in the order of a hash of their names, so that the split neither follows
    the folder's order nor changes from run to run.  The longest always trains.  A recording
    that is alone is cut instead.

    Parameters
    ----------
    pieces : iterable of Excerpt
        Whole recordings.
    known : mapping of str to str
        Splits that are settled, by name.

    Returns
    -------
    list of Excerpt
        In the same order.
    """
    pieces = list(pieces)
    fresh = [piece for piece in pieces if piece.name not in known]
    if len(fresh) == len(pieces) == 1:
        alone, end = fresh[0], fresh[0].stop
        return [
            replace(alone, split=split, start=round(first * end), stop=round(last * end))
            for split, (first, last) in CUTS.items()
        ]
    shuffled = sorted(fresh, key=lambda piece: hashlib.sha1(piece.name.encode()).digest())
    longest = max(shuffled, key=lambda piece: piece.stop, default=None)
    dealt = [piece.name for piece in shuffled if piece is not longest]
    places = {0: "test", 10: "test", 5: "valid"}
    splits = {name: places.get(place % 20, "train") for place, name in enumerate(dealt)} | dict(known)
    return [replace(piece, split=splits.get(piece.name, "train")) for piece in pieces]


def read_excerpt(piece: Excerpt, seconds: float) -> Iterator[np.ndarray]:
    """Read a piece in parts.

    Parameters
    ----------
    piece : Excerpt
    seconds : float
        Length of the parts, but for those at the ends.

    Yields
    ------
    ndarray, float32, (n,)
        Mono at 22,050 Hz.

    Raises
    ------
    ValueError, OSError
        As `timbrelib.audio.stream_audio` says: it has changed or disappeared since it was listened to.
    """
    place = 0
    for part in stream_audio(piece.path, seconds):
        inside = part[max(0, piece.start - place) : max(0, piece.stop - place)]
        if len(inside):
            yield inside
        place += len(part)
