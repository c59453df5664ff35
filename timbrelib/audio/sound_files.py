"""Read any sound file as mono at 22,050 Hz, without an offset or rumble; write WAV, FLAC, AIFF and MP3.

Notebooks: 01_train, 06_draw_target.
"""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from timbrelib.audio.conditioning import BLOCK_SAMPLES, HIGH_PASS, REMOVED, HighPass, loudest_channel, remove_rumble
from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.audio.levels import SILENCE
from timbrelib.audio.unfinished_wav import open_sound

log = logging.getLogger(__name__)

MIN_RATE, MAX_RATE = 1000, 768_000  # Hz; a file with another sample rate is taken to be damaged
MIN_SECONDS = 0.01  # of a sound file
MAX_SECONDS = 2 * 3600.0  # of a sound in memory; a few MB of FLAC can hold days of silence
BLOCK_SECONDS = 600.0  # of sound that `stream_audio` yields at a time


def load_audio(path: str | bytes | Path, max_seconds: float | None = None) -> np.ndarray:
    """Read a sound file as mono at 22,050 Hz.

    Parameters
    ----------
    path : str, bytes or Path
        Any format that libsndfile reads (WAV, FLAC, MP3, Ogg, AIFF), at any sample rate and
        bit depth.  Channels are averaged, unless they cancel: then the loudest is taken, with a
        warning.  What lies below 20 Hz is removed, see `timbrelib.audio.conditioning`.
    max_seconds : float, optional
        Read no more than this from the beginning; by default the whole file.

    Returns
    -------
    ndarray, float32, (n,)
        Samples, nominally in -1..1.

    Raises
    ------
    FileNotFoundError
        The file does not exist.
    ValueError
        The file is not audio, is damaged, is shorter than 10 ms or longer than two hours, has
        a sample rate below 1,000 Hz or above 768,000 Hz, or contains NaN or infinity.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import timbrelib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     timbrelib.save_audio(f"{folder}/sine.flac", 0.5 * np.sin(np.arange(22050) / 8))
    ...     audio = timbrelib.load_audio(f"{folder}/sine.flac", max_seconds=0.5)
    >>> audio.shape
    (11025,)
    """
    path, limit = Path(os.fsdecode(path)), MAX_SECONDS if max_seconds is None else max_seconds
    blocks, n_samples = [], 0
    for block in stream_audio(path, min(limit, BLOCK_SECONDS)):
        blocks.append(block)
        n_samples += len(block)
        if max_seconds is not None and n_samples >= max_seconds * SAMPLE_RATE:
            break
        if n_samples > MAX_SECONDS * SAMPLE_RATE:
            raise ValueError(f"{path} lasts longer than {MAX_SECONDS / 3600:g} hours: cut it into shorter sounds")
    return np.concatenate(blocks)[: int(limit * SAMPLE_RATE)]


def read_samples(path: str | Path) -> np.ndarray:
    """Read a sound file as `load_audio` does, but leave what lies below 20 Hz: float32 (n,) at 22,050 Hz.

    From a 16-bit file that this library wrote, these are the samples of `round_to_16_bits`.

    Raises
    ------
    FileNotFoundError, ValueError
        As in `load_audio`, at any length.
    """
    return np.concatenate(list(_resampled(Path(path), log.warning)))


def stream_audio(
    path: str | bytes | Path, seconds: float = BLOCK_SECONDS, remark: Callable[[str], None] = log.warning
) -> Iterator[np.ndarray]:
    """Read a sound file as `load_audio` does, block by block, so that any length fits into memory.

    Parameters
    ----------
    path : str, bytes or Path
    seconds : float
        Length of a block.
    remark : callable
        Takes a sentence on what had to be done to the sound; by default it is logged.

    Yields
    ------
    ndarray, float32, (n,)
        Mono at 22,050 Hz.  The last block holds the remainder, at least one sample.

    Raises
    ------
    FileNotFoundError, ValueError
        As in `load_audio`, at any length; a fault further on in the file is raised when it is reached.
    """
    if not 1 <= seconds * SAMPLE_RATE < np.inf:
        raise ValueError(f"a block of sound cannot last {seconds} s: give at least one sample")
    size = round(seconds * SAMPLE_RATE)
    pending, n_pending = [], 0
    for piece in _filtered(Path(os.fsdecode(path)), remark):
        pending.append(piece)
        n_pending += len(piece)
        if n_pending >= size:
            joined = np.concatenate(pending)
            complete = n_pending - n_pending % size
            yield from np.split(joined[:complete], complete // size)
            pending, n_pending = [joined[complete:]], n_pending - complete
    if n_pending:
        yield np.concatenate(pending)


def _filtered(path: Path, remark: Callable[[str], None]) -> Iterator[np.ndarray]:
    """Remove what lies below hearing from the blocks of a sound file, float32 (n,) at 22,050 Hz."""
    high_pass, n_samples = HighPass(), 0
    for block in _resampled(path, remark):
        n_samples += len(block)
        yield high_pass.play(block)
    yield high_pass.finish()
    if high_pass.removed > max(REMOVED * high_pass.remaining, SILENCE**2 * n_samples):
        remark(f"{path} has an offset or rumble below {HIGH_PASS:.0f} Hz, which is removed")


def _resampled(path: Path, remark: Callable[[str], None]) -> Iterator[np.ndarray]:
    """Resample the blocks of a sound file to 22,050 Hz, float32 (n,), exactly as `librosa.resample` does the whole."""
    import soxr

    stream, n_read, n_written = None, 0, 0
    for block, rate in _read_blocks(path, remark):
        n_read += len(block)
        if rate == SAMPLE_RATE:
            yield block
            continue
        stream = stream or soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="VHQ")
        piece = stream.resample_chunk(block)
        n_written += len(piece)
        yield piece
    if stream:
        rest = stream.resample_chunk(np.empty(0, np.float32), last=True)
        missing = int(np.ceil(n_read * (SAMPLE_RATE / rate))) - n_written - len(rest)
        yield np.pad(rest, (0, max(missing, 0)))  # up to the sample in which the sound ends


def _read_blocks(path: Path, remark: Callable[[str], None]) -> Iterator[tuple[np.ndarray, int]]:
    """Read a sound file in blocks: mono samples, float32 (n,), and their sample rate in Hz."""
    import soundfile

    if not path.is_file():
        raise FileNotFoundError(f"there is no sound file {path}: check the name and the folder")
    try:
        with open_sound(path, remark) as file:
            channel = loudest_channel(file)
            if channel is not None:
                remark(f"{path} has channels that cancel in their mean: channel {channel + 1}, the loudest, is taken")
            rate, n_read = file.samplerate, 0
            if not MIN_RATE <= rate <= MAX_RATE:
                raise ValueError(
                    f"{path} has a sample rate of {rate} Hz: give a sound of at least {MIN_RATE} and at most {MAX_RATE}"
                )
            while len(samples := file.read(max(1, BLOCK_SAMPLES // file.channels), dtype="float32", always_2d=True)):
                n_read += len(samples)
                mono = samples.mean(axis=1) if channel is None else samples[:, channel]  # (n, channels) -> (n,)
                yield check_audio(mono, str(path)), rate
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: a suffix that means raw samples
        reason = getattr(error, "error_string", error)
        raise ValueError(
            f"{path} cannot be read as audio ({reason}): give a WAV, FLAC, MP3, Ogg or AIFF file"
        ) from error
    if n_read < MIN_SECONDS * rate:
        raise ValueError(
            f"{path} lasts {1000 * n_read / rate:.1f} ms: give a sound of at least {1000 * MIN_SECONDS:.0f} ms"
        )


def check_audio(audio: np.ndarray, name: str = "the audio") -> np.ndarray:
    """Return `audio` as contiguous float32, or raise an error that calls it `name`.

    Raises
    ------
    ValueError
        `audio` is not one non-empty channel of finite floats.
    """
    audio = np.asarray(audio)
    if audio.ndim != 1:
        raise ValueError(f"{name} has shape {audio.shape}: give one channel of samples, shape (n,)")
    if len(audio) == 0:
        raise ValueError(f"{name} is empty: give at least {1000 * MIN_SECONDS:.0f} ms of sound")
    if not np.issubdtype(audio.dtype, np.floating) or not np.isfinite(audio).all():
        raise ValueError(
            f"{name} contains values that are not finite floats (NaN, infinity or integers): repair it first"
        )
    return np.ascontiguousarray(audio, dtype=np.float32)


def clean_audio(audio: np.ndarray, name: str = "the audio") -> np.ndarray:
    """Check audio that did not come from a file, and remove what lies below hearing as from a file: float32 (n,).

    Raises
    ------
    ValueError
        See `check_audio`.
    """
    return remove_rumble(check_audio(audio, name))
