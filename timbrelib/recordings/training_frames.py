"""recordings.training_frames."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import N_BINS, N_FFT, SAMPLE_RATE, spectrum_blocks, spectrum_gain
from timbrelib.audio.levels import AUDIBLE, unit_level
from timbrelib.recordings.corpus import Recording

LEVEL, FLOOR = "level.f16", "floor.f32"  # files of frames


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
