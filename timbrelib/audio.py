"""Audio files, and the frame grid that the whole library shares.

A frame is 2048 samples under a Hann window, one every 512 samples, the first centred on
sample 0.  Its loudness is the gain g; its unit-gain magnitude spectrum is the timbre.

Notebooks: 01_train, 05_draw_target.
"""

import logging
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from timbrelib.files import written_whole

log = logging.getLogger(__name__)

SAMPLE_RATE = 22_050  # Hz
N_FFT = 2048  # samples in a frame
HOP = 512  # samples from one frame to the next
N_BINS = N_FFT // 2 + 1
FULL_SCALE = 0.99  # peak to which a sound too loud for a file is lowered
SLOWEST, FASTEST = 1000, 768_000  # Hz; a file of fewer or more samples a second is damaged
SHORTEST = 0.01  # s; anything shorter holds no frame worth the name
PART = 600.0  # s; of a sound read in parts
LONGEST_SOUND = 2 * 3600.0  # s held in memory as one array; a few MB of FLAC can be days of silence
FAINTEST = -80.0  # dB below the energy of a frame: what is fainter is cut off, for the ear cuts it off too
BLOCK = 4096  # frames held in memory at a time, so that an hour of sound fits
CACHED = 128  # frames transformed at a time: few enough for the processor's cache
READ = 2**20  # samples of all channels that are read from a file at a time, whatever length its header claims


def load_audio(path: str | Path, longest: float | None = None) -> np.ndarray:
    """Read a sound file as mono at 22,050 Hz.

    Parameters
    ----------
    path : str or Path
        Any format that libsndfile reads: wav, flac, mp3, ogg, aiff; any rate, any number
        of channels (they are averaged), any bit depth.
    longest : float, optional
        Seconds from the beginning that are read; by default all.

    Returns
    -------
    ndarray, float32, (n,)
        Samples, nominally in -1..1.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is not audio, is damaged, is shorter than 10 ms or longer than two hours, has
        fewer than 1,000 or more than 768,000 samples a second, or holds NaN or infinity.
    """
    most = LONGEST_SOUND if longest is None else longest
    parts, n_samples = [], 0
    for part in sound_parts(path, min(most, PART)):
        parts.append(part)
        n_samples += len(part)
        if longest is not None and n_samples >= longest * SAMPLE_RATE:
            break
        if n_samples > LONGEST_SOUND * SAMPLE_RATE:
            raise ValueError(f"{path} lasts longer than {LONGEST_SOUND / 3600:g} hours: cut it into shorter sounds")
    return np.concatenate(parts)[: int(most * SAMPLE_RATE)]


def sound_parts(path: str | Path, seconds: float = PART) -> Iterator[np.ndarray]:
    """Read a sound file as `load_audio` does, part by part, so that any length of it fits into memory.

    Parameters
    ----------
    path : str or Path
    seconds : float
        Length of a part.

    Yields
    ------
    ndarray, float32, (n,)
        Mono at 22,050 Hz, of `seconds`; the last part has the rest, at least one sample.

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_audio` says, for any length; what is wrong further on in the file is said there.
    """
    if not 1 <= seconds * SAMPLE_RATE < np.inf:
        raise ValueError(f"a part of a sound cannot last {seconds} s: give at least a sample's time")
    size = round(seconds * SAMPLE_RATE)
    held, n_held = [], 0
    for piece in _resampled(Path(path)):
        held.append(piece)
        n_held += len(piece)
        if n_held >= size:
            whole = np.concatenate(held)
            full = n_held - n_held % size
            yield from np.split(whole[:full], full // size)
            held, n_held = [whole[full:]], n_held - full
    if n_held:
        yield np.concatenate(held)


def _resampled(path: Path) -> Iterator[np.ndarray]:
    """Bring the blocks of a sound file to 22,050 Hz, float32 (n,): what `librosa.resample` makes of the whole."""
    import soxr

    stream, n_read, n_given = None, 0, 0
    for block, rate in _blocks(path):
        n_read += len(block)
        if rate == SAMPLE_RATE:
            yield block
            continue
        stream = stream or soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="VHQ")
        piece = stream.resample_chunk(block)
        n_given += len(piece)
        yield piece
    if stream:
        rest = stream.resample_chunk(np.empty(0, np.float32), last=True)
        missing = int(np.ceil(n_read * (SAMPLE_RATE / rate))) - n_given - len(rest)
        yield np.pad(rest, (0, max(missing, 0)))  # to the whole sample in which the sound ends


def _blocks(path: Path) -> Iterator[tuple[np.ndarray, int]]:
    """Read a sound file block by block: mono samples, float32 (n,), and their rate in Hz."""
    import soundfile

    if not path.is_file():
        raise FileNotFoundError(f"there is no sound file {path}: check the name and the folder")
    try:
        with soundfile.SoundFile(path) as file:
            rate, n_read = file.samplerate, 0
            if not SLOWEST <= rate <= FASTEST:
                raise ValueError(
                    f"{path} has {rate} samples a second: give a sound of at least {SLOWEST} and at most {FASTEST}"
                )
            while len(samples := file.read(max(1, READ // file.channels), dtype="float32", always_2d=True)):
                n_read += len(samples)
                yield check_audio(samples.mean(axis=1), str(path)), rate  # (n, channels) -> (n,)
    except (soundfile.LibsndfileError, TypeError) as error:  # the latter for a suffix that stands for raw samples
        said = getattr(error, "error_string", error)
        raise ValueError(f"{path} cannot be read as audio ({said}): give a wav, flac, mp3, ogg or aiff file") from error
    if n_read < SHORTEST * rate:
        raise ValueError(
            f"{path} lasts {1000 * n_read / rate:.1f} ms: give a sound of at least {1000 * SHORTEST:.0f} ms"
        )


def check_audio(audio: np.ndarray, name: str = "the audio") -> np.ndarray:
    """Return `audio` as float32, or say in a sentence why it cannot be used.

    Raises
    ------
    ValueError
        `audio` is not one non-empty channel of finite numbers.
    """
    audio = np.asarray(audio)
    if audio.ndim != 1:
        raise ValueError(f"{name} has shape {audio.shape}: give one channel of samples, shape (n,)")
    if len(audio) == 0:
        raise ValueError(f"{name} is empty: give at least {1000 * SHORTEST:.0f} ms of sound")
    if not np.issubdtype(audio.dtype, np.floating) or not np.isfinite(audio).all():
        raise ValueError(f"{name} holds values that are not finite floats (NaN, infinity or integers): repair it first")
    return np.ascontiguousarray(audio, dtype=np.float32)


def save_audio(path: str | Path, audio: np.ndarray) -> None:
    """Write a 16-bit PCM wav at 22,050 Hz, whole or not at all.

    A sound that exceeds full scale is lowered as a whole, with a warning, rather than clipped.

    Raises
    ------
    ValueError
        `audio` is not finite mono.
    PermissionError
        The folder cannot be written to.
    """
    content = wav_bytes(audio, str(path))
    with written_whole(path) as part:
        part.write_bytes(content)


def wav_bytes(audio: np.ndarray, name: str = "the sound") -> bytes:
    """Encode a sound as the wav that `save_audio` writes; warnings call it `name`."""
    import soundfile

    audio = check_audio(audio)
    peak = np.abs(audio).max()
    if peak > 1:
        log.warning("%s would clip and is lowered by %.1f dB", name, 20 * np.log10(peak / FULL_SCALE))
        audio = audio * (FULL_SCALE / peak)
    content = BytesIO()
    soundfile.write(content, audio, SAMPLE_RATE, subtype="PCM_16", format="WAV")
    return content.getvalue()


def frame_count(n_samples: int) -> int:
    """Count the frames of `n_samples` samples: one more than the whole hops in them."""
    return 1 + n_samples // HOP


def frame_times(n_frames: int) -> np.ndarray:
    """Centres of frames in seconds, float64 (n_frames,)."""
    return np.arange(n_frames) * (HOP / SAMPLE_RATE)


def spectrum_blocks(audio: np.ndarray) -> Iterator[np.ndarray]:
    """Magnitude spectra of the frames, a block of frames at a time.

    Parameters
    ----------
    audio : ndarray, float32, (n,)

    Yields
    ------
    ndarray, float32, (frames in the block, N_BINS)
        |STFT| on the grid; blocks follow one another without overlap.
    """
    from scipy.fft import rfft
    from scipy.signal import get_window

    window, n_frames = get_window("hann", N_FFT), frame_count(len(audio))
    frames = sliding_window_view(np.pad(audio, N_FFT // 2), N_FFT)[::HOP]  # (n_frames, N_FFT)
    for start in range(0, n_frames, BLOCK):
        spectrum = np.empty((min(BLOCK, n_frames - start), N_BINS), dtype=np.float32)
        for first in range(0, len(spectrum), CACHED):
            some = slice(first, min(first + CACHED, len(spectrum)))
            transform = rfft(frames[start:][some] * window, axis=1, workers=-1)  # (some, N_BINS)
            np.abs(transform.astype(np.complex64), out=spectrum[some])
        yield spectrum


def spectra(audio: np.ndarray) -> np.ndarray:
    """Magnitude spectra of all frames at once, float32 (frames, N_BINS)."""
    return np.concatenate(list(spectrum_blocks(audio)))


def spectrum_gain(spectrum: np.ndarray) -> np.ndarray:
    """Gain of frames from their magnitude spectra.

    The gain is the RMS of the windowed samples; by Parseval's theorem it is a weighted sum
    over bins, in which every bin but the first and last stands for two.

    Parameters
    ----------
    spectrum : ndarray, (..., N_BINS)

    Returns
    -------
    ndarray, (...)
        Linear gain.
    """
    power = np.square(spectrum)
    both_sides = 2 * power.sum(axis=-1) - power[..., 0] - power[..., -1]
    return np.sqrt(both_sides) / N_FFT


def frame_gain(audio: np.ndarray) -> np.ndarray:
    """Gain of every frame of `audio`, float32 (n,) -> float32 (frames,), without transforming it."""
    from scipy.signal import get_window

    n_frames, quarters = frame_count(len(audio)), N_FFT // HOP
    weight = np.square(get_window("hann", N_FFT)).astype(np.float32).reshape(quarters, HOP)
    power = np.square(np.pad(audio, N_FFT // 2)[: (n_frames + quarters - 1) * HOP]).reshape(-1, HOP)  # (hops, HOP)
    share = power @ weight.T  # (hops, quarters)
    energy = sum(share[quarter : quarter + n_frames, quarter] for quarter in range(quarters))  # (frames,)
    return np.sqrt(energy / N_FFT)


def unit_level(spectrum: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Bring spectra, (frames, N_BINS), to gain 1 and into dB below a frame's whole energy, float32.

    Silence becomes a flat spectrum at the faintest level.
    """
    whole = N_FFT * gain[:, None]
    share = np.divide(spectrum, whole, out=np.zeros_like(spectrum), where=whole > 0)
    return 20 * np.log10(np.maximum(share, 10 ** (FAINTEST / 20), dtype=np.float32))
