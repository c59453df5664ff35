"""Training frames: the audible frames of recordings at unit gain, in memory or on disk.

Notebook: 01_train.
"""

import mmap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from timbrelib.audio.frames import N_BINS, N_FFT, SAMPLE_RATE, spectrum_blocks, spectrum_gain
from timbrelib.audio.levels import AUDIBLE_BIN, unit_level
from timbrelib.recordings.corpus import Recording
from timbrelib.recordings.noise_share import noise_share_blocks

SAMPLED = 1024  # frames of `sample_frames`
LEVEL_FILE, NOISE_FILE, FLOOR_FILE = "level.f16", "noise.u8", "floor.f32"  # raw arrays, little-endian


class MappedRows:
    """Array of shape (frames, N_BINS) in a file that is mapped into memory, which then holds only the pages in use.

    Indexing copies, so that nothing refers to the map when it is closed: while a file is mapped,
    Windows refuses to remove it.

    Parameters
    ----------
    path : Path
        Raw array, not empty.
    dtype : dtype
    """

    def __init__(self, path: Path, dtype: DTypeLike) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._rows: np.ndarray | None = np.frombuffer(self._map, dtype).reshape(-1, N_BINS)  # (frames, N_BINS)
        self.shape, self.dtype, self.nbytes = self._rows.shape, self._rows.dtype, self._rows.nbytes

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Copy rows, by an index as of an array: a slice, or int64 (n,)."""
        if self._rows is None:
            raise ValueError("the file of these frames is closed: load them again")
        return np.array(self._rows[rows])

    def close(self) -> None:
        """Close the file."""
        self._rows = None
        self._map.close()


@dataclass(frozen=True)
class Frames:
    """Audible frames of many recordings.

    Attributes
    ----------
    level : ndarray or MappedRows, float16, (frames, N_BINS)
        Spectra in dB relative to the energy of the frame, see `timbrelib.audio.levels.unit_level`.
    noise : ndarray or MappedRows, uint8, (frames, N_BINS)
        Share of noise in each bin, from 0 to 255, see `timbrelib.recordings.noise_share`.
    floor : ndarray, float32, (frames,)
        Audibility threshold on the same scale: `AUDIBLE_BIN` dB below the loudest bin of the recording.

    Examples
    --------
    >>> import numpy as np
    >>> import timbrelib
    >>> frames = timbrelib.cut_frames([timbrelib.Recording("melody", timbrelib.string_melody())])
    >>> isinstance(frames, timbrelib.Frames), frames.level.dtype, frames.floor.shape == (len(frames.level),)
    (True, dtype('float16'), True)
    """

    level: np.ndarray | MappedRows
    noise: np.ndarray | MappedRows
    floor: np.ndarray


def cut_frames(recordings: Iterable[Recording], shifts: Sequence[float] = (0.0,)) -> Frames:
    """Cut recordings into audible frames, in memory.

    Parameters
    ----------
    recordings : iterable of Recording
        At least one.
    shifts : sequence of float
        Semitones by which each recording is resampled, one copy per shift; 0 is the original.

    Returns
    -------
    Frames

    Examples
    --------
    >>> import timbrelib
    >>> melody = timbrelib.Recording("melody", timbrelib.string_melody())
    >>> frames = timbrelib.cut_frames([melody], shifts=(0, 1))
    >>> print(frames.level.shape[1], frames.level.shape == frames.noise.shape)
    1025 True
    """
    return Frames(*(np.concatenate(blocks) for blocks in zip(*_frame_blocks(recordings, shifts), strict=True)))


def save_frames(folder: Path, recordings: Iterable[Recording], shifts: Sequence[float] = (0.0,)) -> int:
    """Cut recordings into audible frames, in files that `load_frames` maps into memory.

    Parameters
    ----------
    folder : Path
    recordings, shifts
        See `cut_frames`.

    Returns
    -------
    int
        Number of frames.

    Raises
    ------
    OSError
        The disk is full.
    """
    n_frames = 0
    with ExitStack() as stack:
        files = [stack.enter_context((folder / name).open("wb")) for name in (LEVEL_FILE, NOISE_FILE, FLOOR_FILE)]
        for block in _frame_blocks(recordings, shifts):
            for file, column in zip(files, block, strict=True):
                file.write(column.data)
            n_frames += len(block[-1])
    return n_frames


@contextmanager
def load_frames(folder: Path) -> Iterator[Frames]:
    """Map the files of `save_frames` into memory for the duration of a block.

    Raises
    ------
    ValueError
        The sizes of the files do not match, or they are empty.
    """
    level, noise, floor = paths = [folder / name for name in (LEVEL_FILE, NOISE_FILE, FLOOR_FILE)]
    sizes = [path.stat().st_size if path.exists() else -1 for path in paths]
    n_frames = sizes[-1] // 4
    if sizes == [0, 0, 0]:
        raise ValueError("the recordings contain no audible frames: add recordings")
    if n_frames <= 0 or sizes != [2 * N_BINS * n_frames, N_BINS * n_frames, 4 * n_frames]:
        raise ValueError(
            f"the frames in {folder} are incomplete or those of another release: restart the training with --replace"
        )
    with closing(MappedRows(level, np.float16)) as levels, closing(MappedRows(noise, np.uint8)) as shares:
        yield Frames(levels, shares, np.fromfile(floor, np.float32))


def sample_frames(folder: Path) -> Frames | None:
    """Load some of the frames of `save_frames` into memory: at most `SAMPLED`, evenly spaced; None if there are none.

    Raises
    ------
    ValueError
        The sizes of the files do not match.
    """
    if not (folder / FLOOR_FILE).exists() or not (folder / FLOOR_FILE).stat().st_size:
        return None
    with load_frames(folder) as frames:
        rows = np.linspace(0, len(frames.floor) - 1, min(SAMPLED, len(frames.floor))).astype(int)
        return Frames(frames.level[rows], frames.noise[rows], frames.floor[rows])


def _frame_blocks(recordings: Iterable[Recording], shifts: Sequence[float]) -> Iterator[tuple[np.ndarray, ...]]:
    """Cut recordings into audible frames, one block of frames at a time; arrays in the order of `Frames`."""
    import librosa

    for recording in recordings:
        for shift in shifts:
            audio = recording.audio
            if shift:
                audio = librosa.resample(
                    audio, orig_sr=SAMPLE_RATE, target_sr=SAMPLE_RATE / 2 ** (shift / 12), res_type="soxr_hq"
                )
            threshold = max(spectrum.max() for spectrum in spectrum_blocks(audio)) * 10 ** (-AUDIBLE_BIN / 20)
            for spectrum, noise in zip(spectrum_blocks(audio), noise_share_blocks(audio), strict=True):
                gain = spectrum_gain(spectrum)
                audible = spectrum.max(axis=1) > threshold
                level = unit_level(spectrum[audible], gain[audible])
                floor = 20 * np.log10(threshold / (N_FFT * gain[audible]))
                yield level.astype(np.float16), noise[audible], floor.astype(np.float32)
