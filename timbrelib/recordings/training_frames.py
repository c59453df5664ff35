"""Training frames: the audible frames of recordings at unit gain, in memory or on disk.

Notebook: 01_train.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import N_BINS, N_FFT, SAMPLE_RATE, spectrum_blocks, spectrum_gain
from timbrelib.audio.levels import AUDIBLE_BIN, unit_level
from timbrelib.recordings.corpus import Recording
from timbrelib.recordings.noise_share import noise_share_blocks

LEVEL_FILE, NOISE_FILE, FLOOR_FILE = "level.f16", "noise.u8", "floor.f32"  # raw arrays, little-endian


@dataclass(frozen=True)
class Frames:
    """Audible frames of many recordings.

    Attributes
    ----------
    level : ndarray, float16, (frames, N_BINS)
        Spectra in dB relative to the energy of the frame, see `timbrelib.audio.levels.unit_level`;
        possibly mapped from a file.
    noise : ndarray, uint8, (frames, N_BINS)
        Share of noise in each bin, from 0 to 255, see `timbrelib.recordings.noise_share`; possibly mapped.
    floor : ndarray, float32, (frames,)
        Audibility threshold on the same scale: `AUDIBLE_BIN` dB below the loudest bin of the recording.
    """

    level: np.ndarray
    noise: np.ndarray
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


def load_frames(folder: Path) -> Frames:
    """Map the files of `save_frames` into memory, which then holds only the pages in use.

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
    shape = (n_frames, N_BINS)
    return Frames(
        np.memmap(level, np.float16, "r", shape=shape),
        np.memmap(noise, np.uint8, "r", shape=shape),
        np.fromfile(floor, np.float32),
    )


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
