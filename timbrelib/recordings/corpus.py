"""Load recordings: one split of a timbre, or the excerpts that a scan found.

Notebook: 01_train.
"""

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import N_FFT
from timbrelib.audio.levels import is_silent
from timbrelib.audio.sound_files import BLOCK_SECONDS, stream_audio
from timbrelib.recordings.scan import SUFFIXES, scan_recordings
from timbrelib.recordings.splits import Excerpt

log = logging.getLogger(__name__)

DATA_VARIABLE = "TIMBRE_DATA"  # environment variable that overrides the folder of recordings
DATA_FOLDER = "recordings"  # the default, relative to the working directory
TEST_BLOCK_SECONDS = 120.0  # maximum length of a test recording, whose spectra are compared at once


@dataclass(frozen=True)
class Recording:
    """A recording in memory.

    Attributes
    ----------
    name : str
        Name of the file, for messages.
    audio : ndarray, float32, (n,)
        Mono at 22,050 Hz.

    Examples
    --------
    >>> import numpy as np
    >>> import timbrelib
    >>> timbrelib.Recording("silence.wav", np.zeros(22050, np.float32)).name
    'silence.wav'
    """

    name: str
    audio: np.ndarray


def data_folder(folder: str | Path | None = None) -> Path:
    """Folder of recordings: `folder` if given, else $TIMBRE_DATA, else ``recordings``."""
    return Path(folder or os.environ.get(DATA_VARIABLE) or DATA_FOLDER)


def load_recordings(domain: str, split: str, folder: str | Path | None = None) -> list[Recording]:
    """Load one split of the recordings of a timbre.

    Parameters
    ----------
    domain : str
        The timbre: name of a folder of sound files in `folder`.
    split : {"train", "valid", "test"}
        From the manifest, or for files that it does not list from
        `timbrelib.recordings.splits.assign_splits`.
    folder : str or Path, optional
        By default `data_folder`.

    Returns
    -------
    list of Recording
        Sorted by name; those longer than ten minutes (in the test split two) in several parts.
        Unusable files are skipped with a warning that names them.

    Raises
    ------
    FileNotFoundError
        The folder does not exist, or contains no sound of that split.

    Examples
    --------
    >>> import tempfile
    >>> import timbrelib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = timbrelib.write_strings(f"{folder}/strings", minutes=0.2)
    ...     recordings = timbrelib.load_recordings("strings", "train", folder)
    >>> [recording.audio.shape for recording in recordings]
    [(88200,), (88200,)]
    """
    root = data_folder(folder) / domain
    if not root.is_dir():
        raise FileNotFoundError(
            f"there are no recordings in {root}: set {DATA_VARIABLE} to a folder that contains a folder {domain}, "
            f"or download the originals with 'timbrelib download --domain {domain}'"
        )
    scan = scan_recordings(root)
    scan.warn()
    if not scan.split(split):
        raise FileNotFoundError(
            f"no sound in {root} belongs to the {split} split: add recordings ({', '.join(SUFFIXES)})"
        )
    return list(load_excerpts(scan.split(split)))


def load_excerpts(excerpts: Iterable[Excerpt]) -> Iterator[Recording]:
    """Load excerpts one after the other, long ones in several parts.

    Parts that are silent or shorter than a frame are skipped.

    Examples
    --------
    >>> import tempfile
    >>> import timbrelib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scan = timbrelib.scan_recordings(timbrelib.write_strings(f"{folder}/strings", minutes=0.2))
    ...     recordings = list(timbrelib.load_excerpts(scan.split("test")))
    >>> [recording.audio.shape for recording in recordings]
    [(88200,)]
    """
    for excerpt in excerpts:
        for audio in read_excerpt(excerpt, TEST_BLOCK_SECONDS if excerpt.split == "test" else BLOCK_SECONDS):
            if len(audio) >= N_FFT and not is_silent(audio):
                yield Recording(excerpt.name, audio)


def read_excerpt(excerpt: Excerpt, seconds: float) -> Iterator[np.ndarray]:
    """Read an excerpt block by block.

    Parameters
    ----------
    excerpt : Excerpt
    seconds : float
        Length of a block; the first and the last may be shorter.

    Yields
    ------
    ndarray, float32, (n,)
        Mono at 22,050 Hz.

    Raises
    ------
    ValueError, OSError
        The file was changed or removed after the scan, see `timbrelib.audio.sound_files.stream_audio`.
    """
    position = 0
    for block in stream_audio(excerpt.path, seconds, remark=log.debug):  # the scan has said it
        inside = block[max(0, excerpt.start - position) : max(0, excerpt.stop - position)]
        if len(inside):
            yield inside
        position += len(block)
