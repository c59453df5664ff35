"""Recordings of a timbre, and the frames that a model trains on.

Notebook: 01_train.
"""

import csv
import hashlib
import logging
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from timbrelib.audio import N_FFT, SAMPLE_RATE, load_audio, spectra, spectrum_gain, unit_level

log = logging.getLogger(__name__)

DATA_VARIABLE = "TIMBRE_DATA"  # environment variable that names the folder of recordings
DATA_FOLDER = "recordings"  # where it is looked for, and downloaded to, without that variable
OWN = "your own recordings"  # the maker of what the manifest does not know
SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".aiff", ".aif")
AUDIBLE = 60.0  # dB under a recording's loudest bin: what is fainter is neither heard nor scored


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
        Spectra in dB below a frame's whole energy (`timbrelib.audio.unit_level`).
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
    with (files("timbrelib") / "manifest.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


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


def split_by_name(names: Iterable[str]) -> dict[str, str]:
    """Split files that the manifest does not know: of every 20, 17 train, 1 validates, 2 test.

    They are dealt out in the order of a hash of their names, so that the split neither
    follows the folder's order nor changes from run to run, and two files already give a
    training and a test split.
    """
    shuffled = sorted(names, key=lambda name: hashlib.sha1(name.encode()).digest())
    deal = {0: "test", 10: "test", 5: "valid"}
    return {name: deal.get(place % 20, "train") for place, name in enumerate(shuffled)}


def recordings(domain: str, split: str, folder: str | Path | None = None) -> list[Recording]:
    """Load one split of a timbre's recordings.

    Parameters
    ----------
    domain : str
        The timbre: the name of a folder of sound files in `folder`.
    split : {"train", "valid", "test"}
        As the manifest says; files that it does not know are split by `split_by_name`.
    folder : str or Path, optional
        By default $TIMBRE_DATA, or ``recordings``.

    Returns
    -------
    list of Recording
        In the order of their names.  Unreadable and silent files are left out with a
        warning that names them.

    Raises
    ------
    FileNotFoundError
        There is no such folder or it holds no sound of that split.
    """
    root = data_folder(folder)
    home = root / domain
    if not home.is_dir():
        raise FileNotFoundError(
            f"there are no recordings in {home}: set {DATA_VARIABLE} to a folder that has a folder {domain}, "
            f"or fetch the originals with 'python -m timbrelib download --domain {domain}'"
        )
    paths = {p.relative_to(root).as_posix(): p for p in sorted(home.rglob("*")) if p.suffix.lower() in SUFFIXES}
    known = {row["file"]: row["split"] for row in _manifest_rows() if row["file"] in paths}
    splits = split_by_name(paths.keys() - known.keys()) | known
    found = []
    for name, path in paths.items():
        if splits[name] != split:
            continue
        try:
            audio = load_audio(path)
        except ValueError as error:
            log.warning("left out: %s", error)
            continue
        if not audio.any():
            log.warning("left out: %s is silent", path)
            continue
        found.append(Recording(name, audio))
    if not found:
        raise FileNotFoundError(
            f"no sound in {home} belongs to the {split} split: add recordings ({', '.join(SUFFIXES)})"
        )
    return found


def frames(corpus: Iterable[Recording], shifts: Sequence[float] = (0.0,)) -> Frames:
    """Cut recordings into audible training frames.

    Parameters
    ----------
    corpus : iterable of Recording
    shifts : sequence of float
        Semitones by which each recording is resampled, once for each; 0 leaves it as it is.

    Returns
    -------
    Frames
    """
    import librosa

    levels, floors = [], []
    for recording in corpus:
        for shift in shifts:
            audio = recording.audio
            if shift:
                audio = librosa.resample(
                    audio, orig_sr=SAMPLE_RATE, target_sr=SAMPLE_RATE / 2 ** (shift / 12), res_type="soxr_hq"
                )
            spectrum = spectra(audio)  # (frames, N_BINS)
            gain = spectrum_gain(spectrum)
            faintest = spectrum.max() * 10 ** (-AUDIBLE / 20)
            audible = spectrum.max(axis=1) > faintest
            levels.append(unit_level(spectrum[audible], gain[audible]).astype(np.float16))
            floors.append(20 * np.log10(faintest / (N_FFT * gain[audible])))
    return Frames(np.concatenate(levels), np.concatenate(floors).astype(np.float32))
