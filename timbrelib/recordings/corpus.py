"""Recordings of a timbre, and the frames that a model trains on.

Notebook: 01_train.
"""

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import N_FFT
from timbrelib.audio.sound_files import PART
from timbrelib.recordings.manifest import _manifest_rows
from timbrelib.recordings.scan import SUFFIXES, Excerpt, Scan, read_excerpt, survey

log = logging.getLogger(__name__)
DATA_VARIABLE = "TIMBRE_DATA"  # environment variable that names the folder of recordings
DATA_FOLDER = "recordings"  # where it is looked for, and downloaded to, without that variable
SCORED_PART = 120.0  # s; longer test recordings are taken for several, for their spectra are compared at once


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


def data_folder(folder: str | Path | None = None) -> Path:
    """Find the folder of recordings: `folder`, else $TIMBRE_DATA, else ``recordings``."""
    return Path(folder or os.environ.get(DATA_VARIABLE) or DATA_FOLDER)


def scan_recordings(folder: str | Path, progress: bool = False) -> Scan:
    """Scan a folder of recordings; those of the manifest have its splits.  Arguments and errors as `survey`."""
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
    found = scan_recordings(home)
    for name, why in found.refused.items():
        log.warning("left out: %s %s", name, why)
    if not found.of(split):
        raise FileNotFoundError(
            f"no sound in {home} belongs to the {split} split: add recordings ({', '.join(SUFFIXES)})"
        )
    return list(load_excerpts(found.of(split)))


def load_excerpts(pieces: Iterable[Excerpt]) -> Iterator[Recording]:
    """Read pieces one after the other, the long ones in parts; a silent part, or one of no whole frame, is left out."""
    for piece in pieces:
        for audio in read_excerpt(piece, SCORED_PART if piece.split == "test" else PART):
            if len(audio) >= N_FFT and audio.any():
                yield Recording(piece.name, audio)
