"""Read any sound file as mono at 22,050 Hz; write 16-bit WAV.

Notebooks: 01_train, 05_draw_target.
"""

import logging
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.files import atomic_write

log = logging.getLogger(__name__)

MIN_RATE, MAX_RATE = 1000, 768_000  # Hz; a file with another sample rate is taken to be damaged
MIN_SECONDS = 0.01  # of a sound file
MAX_SECONDS = 2 * 3600.0  # of a sound in memory; a few MB of FLAC can hold days of silence
BLOCK_SECONDS = 600.0  # of sound that `stream_audio` yields at a time
BLOCK_SAMPLES = 2**20  # samples, over all channels, read from a file at a time, whatever length its header claims
FULL_SCALE = 0.99  # peak to which a sound that would clip is attenuated


def load_audio(path: str | Path, max_seconds: float | None = None) -> np.ndarray:
    """Read a sound file as mono at 22,050 Hz.

    Parameters
    ----------
    path : str or Path
        Any format that libsndfile reads (WAV, FLAC, MP3, Ogg, AIFF), at any sample rate and
        bit depth.  Channels are averaged.
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
    """
    limit = MAX_SECONDS if max_seconds is None else max_seconds
    blocks, n_samples = [], 0
    for block in stream_audio(path, min(limit, BLOCK_SECONDS)):
        blocks.append(block)
        n_samples += len(block)
        if max_seconds is not None and n_samples >= max_seconds * SAMPLE_RATE:
            break
        if n_samples > MAX_SECONDS * SAMPLE_RATE:
            raise ValueError(f"{path} lasts longer than {MAX_SECONDS / 3600:g} hours: cut it into shorter sounds")
    return np.concatenate(blocks)[: int(limit * SAMPLE_RATE)]


def stream_audio(path: str | Path, seconds: float = BLOCK_SECONDS) -> Iterator[np.ndarray]:
    """Read a sound file as `load_audio` does, block by block, so that any length fits into memory.

    Parameters
    ----------
    path : str or Path
    seconds : float
        Length of a block.

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
    for piece in _resampled(Path(path)):
        pending.append(piece)
        n_pending += len(piece)
        if n_pending >= size:
            joined = np.concatenate(pending)
            complete = n_pending - n_pending % size
            yield from np.split(joined[:complete], complete // size)
            pending, n_pending = [joined[complete:]], n_pending - complete
    if n_pending:
        yield np.concatenate(pending)


def _resampled(path: Path) -> Iterator[np.ndarray]:
    """Resample the blocks of a sound file to 22,050 Hz, float32 (n,), exactly as `librosa.resample` does the whole."""
    import soxr

    stream, n_read, n_written = None, 0, 0
    for block, rate in _read_blocks(path):
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


def _read_blocks(path: Path) -> Iterator[tuple[np.ndarray, int]]:
    """Read a sound file in blocks: mono samples, float32 (n,), and their sample rate in Hz."""
    import soundfile

    if not path.is_file():
        raise FileNotFoundError(f"there is no sound file {path}: check the name and the folder")
    try:
        with soundfile.SoundFile(path) as file:
            rate, n_read = file.samplerate, 0
            if not MIN_RATE <= rate <= MAX_RATE:
                raise ValueError(
                    f"{path} has a sample rate of {rate} Hz: give a sound of at least {MIN_RATE} and at most {MAX_RATE}"
                )
            while len(samples := file.read(max(1, BLOCK_SAMPLES // file.channels), dtype="float32", always_2d=True)):
                n_read += len(samples)
                yield check_audio(samples.mean(axis=1), str(path)), rate  # (n, channels) -> (n,)
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


def save_audio(path: str | Path, audio: np.ndarray) -> None:
    """Write a 16-bit PCM WAV at 22,050 Hz, atomically.

    A sound that exceeds full scale is attenuated as a whole, with a warning, rather than clipped.

    Parameters
    ----------
    path : str or Path
    audio : ndarray, float, (n,)

    Raises
    ------
    ValueError
        `audio` is not finite mono.
    PermissionError
        The folder is not writable.
    """
    content = encode_wav(audio, str(path))
    with atomic_write(path) as part:
        part.write_bytes(content)


def encode_wav(audio: np.ndarray, name: str = "the sound") -> bytes:
    """Encode a sound as the WAV that `save_audio` writes; warnings call it `name`."""
    import soundfile

    audio = check_audio(audio)
    peak = np.abs(audio).max()
    if peak > 1:
        log.warning("%s would clip and is attenuated by %.1f dB", name, 20 * np.log10(peak / FULL_SCALE))
        audio = audio * (FULL_SCALE / peak)
    content = BytesIO()
    soundfile.write(content, audio, SAMPLE_RATE, subtype="PCM_16", format="WAV")
    return content.getvalue()
