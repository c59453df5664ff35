"""Write sounds, in the format of their suffix, and round them to what a 16-bit file holds.

Notebooks: 01_train, 05_target_decode, 08_timbre_transfer.
"""

import logging
from io import BytesIO
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.audio.sound_files import check_audio
from timbrelib.files import atomic_write

log = logging.getLogger(__name__)

FORMATS = {  # of libsndfile, by suffix; it writes Ogg with another serial number each time
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".aiff": ("AIFF", "PCM_16"),
    ".aif": ("AIFF", "PCM_16"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
UNWRITABLE = (".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".wma", ".au", ".caf", ".w64")
FULL_SCALE = 0.99  # peak to which a sound that would clip is attenuated


def sound_path(path: str | Path) -> Path:
    """Complete the path of a sound to be written: with ``.wav``, unless it ends in the suffix of a sound.

    Raises
    ------
    ValueError
        It ends in the suffix of a sound that `save_audio` cannot write.
    """
    suffix = Path(path).suffix.lower()
    if suffix in UNWRITABLE:
        raise _unwritable(path)
    return Path(path) if suffix in FORMATS else Path(f"{path}.wav")


def _unwritable(path: str | Path) -> ValueError:
    return ValueError(f"{path} cannot be written as a sound: give it one of the suffixes {', '.join(FORMATS)}")


def save_audio(path: str | Path, audio: np.ndarray, compression: float | None = None) -> None:
    """Write a sound at 22,050 Hz, atomically; the suffix of the path decides on the format.

    ``.wav``, ``.flac`` and ``.aiff`` have 16 bits a sample; ``.mp3`` is compressed.

    A sound that exceeds full scale is attenuated as a whole, with a warning, rather than clipped.

    Parameters
    ----------
    path : str or Path
    audio : ndarray, float, (n,)
    compression : float, optional
        Of an MP3, from 0 (like the sound) to 0.95 (small); 0.4 by default.

    Raises
    ------
    ValueError
        `audio` is not finite mono, or the suffix is that of no format that can be written.
    PermissionError
        The folder is not writable.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import timbrelib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     timbrelib.save_audio(f"{folder}/sine.wav", 0.5 * np.sin(np.arange(22050) / 8))
    ...     Path(folder, "sine.wav").stat().st_size  # bytes
    44144
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise _unwritable(path)
    content = encode_audio(audio, str(path), *FORMATS[suffix], compression=compression)
    with atomic_write(path) as part:
        part.write_bytes(content)


def encode_audio(
    audio: np.ndarray,
    name: str = "the sound",
    file_format: str = "WAV",
    subtype: str = "PCM_16",
    compression: float | None = None,
) -> bytes:
    """Encode a sound as `save_audio` writes it; warnings call it `name`."""
    import soundfile

    audio = check_audio(audio)
    peak = np.abs(audio).max()
    if peak > 1:
        log.warning("%s would clip and is attenuated by %.1f dB", name, 20 * np.log10(peak / FULL_SCALE))
        audio = audio * (FULL_SCALE / peak)
    content = BytesIO()
    soundfile.write(content, audio, SAMPLE_RATE, subtype=subtype, format=file_format, compression_level=compression)
    return content.getvalue()


def round_to_16_bits(audio: np.ndarray) -> np.ndarray:
    """Round a sound, float (n,), to the samples that a 16-bit file holds of it, float32 (n,): multiples of 2**-15.

    WAV, FLAC and AIFF then hold exactly these samples, so that what is measured in memory is true of
    the file.  A sound that exceeds full scale is attenuated as `save_audio` does.

    Raises
    ------
    ValueError
        `audio` is not finite mono.
    """
    import soundfile

    # libsndfile itself decides how it rounds
    samples, _ = soundfile.read(BytesIO(encode_audio(audio)), dtype="float32")
    return samples
