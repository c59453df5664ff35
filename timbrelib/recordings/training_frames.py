"""Training frames: the audible frames of recordings at unit gain, in memory or on disk.

Notebook: 01_train.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import N_BINS, N_FFT, SAMPLE_RATE, spectrum_blocks, spectrum_gain
from timbrelib.audio.levels import AUDIBLE_BIN, unit_level
from timbrelib.recordings.corpus import Recording

LEVEL_FILE, FLOOR_FILE = "level.f16", "floor.f32"  # raw arrays, little-endian


@dataclass(frozen=True)
class Frames:
    """Audible frames of many recordings.

    Attributes
    ----------
    level : ndarray, float16, (frames, N_BINS)
        Spectra in dB relative to the energy of the frame, see `timbrelib.audio.levels.unit_level`;
        possibly mapped from a file.
    floor : ndarray, float32, (frames,)
        Audibility threshold on the same scale: `AUDIBLE_BIN` dB below the loudest bin of the recording.
    """

    level: np.ndarray
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
    """
    levels, floors = zip(*_frame_blocks(recordings, shifts), strict=True)
    return Frames(np.concatenate(levels), np.concatenate(floors))


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
    with (folder / LEVEL_FILE).open("wb") as levels, (folder / FLOOR_FILE).open("wb") as floors:
        for level, floor in _frame_blocks(recordings, shifts):
            levels.write(level.data)
            floors.write(floor.data)
            n_frames += len(floor)
    return n_frames


def load_frames(folder: Path) -> Frames:
    """Map the files of `save_frames` into memory, which then holds only the pages in use.

    Raises
    ------
    ValueError
        The sizes of the files do not match, or they are empty.
    """
    level, floor = folder / LEVEL_FILE, folder / FLOOR_FILE
    n_frames = floor.stat().st_size // 4
    if n_frames == 0:
        raise ValueError("the recordings contain no audible frames: add recordings")
    if level.stat().st_size != n_frames * N_BINS * 2 or floor.stat().st_size != n_frames * 4:
        raise ValueError(f"the frames in {folder} are damaged: restart the training with --replace")
    return Frames(np.memmap(level, np.float16, "r", shape=(n_frames, N_BINS)), np.fromfile(floor, np.float32))


def _frame_blocks(recordings: Iterable[Recording], shifts: Sequence[float]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut recordings into audible frames, one block of frames at a time; arrays as in `Frames`."""
    import librosa

    for recording in recordings:
        for shift in shifts:
            audio = recording.audio
            if shift:
                audio = librosa.resample(
                    audio, orig_sr=SAMPLE_RATE, target_sr=SAMPLE_RATE / 2 ** (shift / 12), res_type="soxr_hq"
                )
            threshold = max(spectrum.max() for spectrum in spectrum_blocks(audio)) * 10 ** (-AUDIBLE_BIN / 20)
            for spectrum in spectrum_blocks(audio):  # (frames, N_BINS)
                gain = spectrum_gain(spectrum)
                audible = spectrum.max(axis=1) > threshold
                level = unit_level(spectrum[audible], gain[audible])
                floor = 20 * np.log10(threshold / (N_FFT * gain[audible]))
                yield level.astype(np.float16), floor.astype(np.float32)
