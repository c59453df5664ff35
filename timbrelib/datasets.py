"""Recordings of a timbre, and the frames that a model trains on.

Notebook: 01_train.
"""

import csv
import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from timbrelib.audio import N_BINS, N_FFT, PART, SAMPLE_RATE, spectrum_blocks, spectrum_gain, unit_level
from timbrelib.survey import SUFFIXES, Piece, Survey, piece_parts, survey

log = logging.getLogger(__name__)

DATA_VARIABLE = "TIMBRE_DATA"  # environment variable that names the folder of recordings
DATA_FOLDER = "recordings"  # where it is looked for, and downloaded to, without that variable
OWN = "your own recordings"  # the maker of what the manifest does not know
AUDIBLE = 60.0  # dB under a recording's loudest bin: what is fainter is neither heard nor scored
SCORED_PART = 120.0  # s; longer test recordings are taken for several, for their spectra are compared at once
LEVEL, FLOOR = "level.f16", "floor.f32"  # files of frames


@dataclass(frozen=True)
class Recording:
    """One sound of a corpus.

    Attributes
    ----------
    name : str
        For messages: the file's name.
    audio : ndarray, float32, (n,)
        Mono at 22,050 Hz.
    """

    name: str
    audio: np.ndarray


@dataclass(frozen=True)
class Frames:
    """Audible frames of many recordings.

    Attributes
    ----------
    level : ndarray, float16, (frames, N_BINS)
        Perhaps mapped from a file.  Spectra in dB below a frame's whole energy (`timbrelib.audio.unit_level`).
    floor : ndarray, float32, (frames,)
        On the same scale, the level of a bin `AUDIBLE` dB under its recording's loudest.
    """

    level: np.ndarray
    floor: np.ndarray


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
    return list(csv.DictReader((files("timbrelib") / "manifest.csv").read_text(encoding="utf-8").splitlines()))


def credit(names: Iterable[str]) -> list[str]:
    """Credit the makers of recordings, given by name: repository, licence and count, a line each.

    Recordings that the manifest does not know are counted as the reader's own.
    """
    rows = {row["file"]: row for row in _manifest_rows()}
    makers = Counter(f"{rows[name]['source_repo']}: {rows[name]['licence']}" if name in rows else OWN for name in names)
    return [f"{maker}, {count} recording{'s' if count > 1 else ''}" for maker, count in sorted(makers.items())]


def data_folder(folder: str | Path | None = None) -> Path:
    """Find the folder of recordings: `folder`, else $TIMBRE_DATA, else ``recordings``."""
    return Path(folder or os.environ.get(DATA_VARIABLE) or DATA_FOLDER)


def look_through(folder: str | Path, progress: bool = False) -> Survey:
    """Survey a folder of recordings; those of the manifest have its splits.  Arguments and errors as `survey`."""
    return survey(folder, {row["file"]: row["split"] for row in _manifest_rows()}, progress)


def recordings(domain: str, split: str, folder: str | Path | None = None) -> list[Recording]:
    """Load one split of a timbre's recordings.

    Parameters
    ----------
    domain : str
        The timbre: the name of a folder of sound files in `folder`.
    split : {"train", "valid", "test"}
        As the manifest says; files that it does not know are dealt out, see `timbrelib.survey.deal`.
    folder : str or Path, optional
        By default $TIMBRE_DATA, or ``recordings``.

    Returns
    -------
    list of Recording
        In the order of their names, those over ten minutes (of the test split: two) in parts.
        Files that cannot be used are left out with a warning that names them.

    Raises
    ------
    FileNotFoundError
        There is no such folder or it holds no sound of that split.
    """
    home = data_folder(folder) / domain
    if not home.is_dir():
        raise FileNotFoundError(
            f"there are no recordings in {home}: set {DATA_VARIABLE} to a folder that has a folder {domain}, "
            f"or fetch the originals with 'timbrelib download --domain {domain}'"
        )
    found = look_through(home)
    for name, why in found.refused.items():
        log.warning("left out: %s %s", name, why)
    if not found.of(split):
        raise FileNotFoundError(
            f"no sound in {home} belongs to the {split} split: add recordings ({', '.join(SUFFIXES)})"
        )
    return list(load_pieces(found.of(split)))


def load_pieces(pieces: Iterable[Piece]) -> Iterator[Recording]:
    """Read pieces one after the other, the long ones in parts; a silent part, or one of no whole frame, is left out."""
    for piece in pieces:
        for audio in piece_parts(piece, SCORED_PART if piece.split == "test" else PART):
            if len(audio) >= N_FFT and audio.any():
                yield Recording(piece.name, audio)


def frames(corpus: Iterable[Recording], shifts: Sequence[float] = (0.0,)) -> Frames:
    """Cut recordings into audible training frames, in memory.

    Parameters
    ----------
    corpus : iterable of Recording
    shifts : sequence of float
        Semitones by which each recording is resampled, once for each; 0 leaves it as it is.

    Returns
    -------
    Frames
    """
    levels, floors = zip(*frame_blocks(corpus, shifts), strict=True)
    return Frames(np.concatenate(levels), np.concatenate(floors))


def store_frames(folder: Path, corpus: Iterable[Recording], shifts: Sequence[float] = (0.0,)) -> None:
    """Cut recordings into audible training frames, in files for `stored_frames`; else as `frames`.

    Raises
    ------
    OSError
        The disk is full.
    """
    with (folder / LEVEL).open("wb") as levels, (folder / FLOOR).open("wb") as floors:
        for level, floor in frame_blocks(corpus, shifts):
            levels.write(level.data)
            floors.write(floor.data)


def stored_frames(folder: Path) -> Frames:
    """Map the frames that `store_frames` wrote into memory, where only what is in use takes room.

    Raises
    ------
    ValueError
        The files do not fit together, or there is nothing in them.
    """
    level, floor = folder / LEVEL, folder / FLOOR
    count = floor.stat().st_size // 4
    if count == 0:
        raise ValueError("there is no sound to train on: add recordings")
    if level.stat().st_size != count * N_BINS * 2 or floor.stat().st_size != count * 4:
        raise ValueError(f"the frames in {folder} are damaged: start the training anew with --replace")
    return Frames(np.memmap(level, np.float16, "r", shape=(count, N_BINS)), np.fromfile(floor, np.float32))


def frame_blocks(
    corpus: Iterable[Recording], shifts: Sequence[float] = (0.0,)
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut recordings into audible frames, a block of frames at a time; arrays as in `Frames`."""
    import librosa

    for recording in corpus:
        for shift in shifts:
            audio = recording.audio
            if shift:
                audio = librosa.resample(
                    audio, orig_sr=SAMPLE_RATE, target_sr=SAMPLE_RATE / 2 ** (shift / 12), res_type="soxr_hq"
                )
            faintest = max(spectrum.max() for spectrum in spectrum_blocks(audio)) * 10 ** (-AUDIBLE / 20)
            for spectrum in spectrum_blocks(audio):  # (frames, N_BINS)
                gain = spectrum_gain(spectrum)
                audible = spectrum.max(axis=1) > faintest
                level = unit_level(spectrum[audible], gain[audible])
                floor = 20 * np.log10(faintest / (N_FFT * gain[audible]))
                yield level.astype(np.float16), floor.astype(np.float32)
