"""Fetch the original recordings, and rebuild from them the files that the models trained on.

Nothing is fetched unless this is asked for: ``timbrelib download``.

Notebook: 01_train says how.
"""

import logging
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote

import numpy as np

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.audio.sound_files import FULL_SCALE
from timbrelib.files import atomic_write
from timbrelib.recordings.manifest import manifest

log = logging.getLogger(__name__)
SOURCE = "https://raw.githubusercontent.com/"  # serves owner/name/commit/path
ALIKE = 0.3  # correlation of two channels under which their mean would cancel
GRID = 10  # samples on which recordings were cut; the manifest's seconds have too few decimals to tell
FADE = 110  # samples


def download(domain: str, folder: str | Path, source: str = SOURCE) -> list[Path]:
    """Fetch the originals of a timbre and rebuild its recordings.

    Parameters
    ----------
    domain : str
        A timbre of the manifest.
    folder : str or Path
        Originals go to ``originals``, recordings to a folder of the timbre's name in it.
        What is there already, whole, is not fetched or rebuilt again.
    source : str
        Address under which ``owner/name/commit/path`` is served.

    Returns
    -------
    list of Path
        The recordings, in the order of the manifest.

    Raises
    ------
    ValueError
        There is no such timbre, or an original is not the one that the manifest names.
    ConnectionError
        The source cannot be reached or lacks an original.
    """
    import pooch
    from tqdm import tqdm

    folder = Path(folder)
    rows_of = defaultdict(list)
    for row in manifest(domain):
        original = "/".join((row["source_repo"], row["source_commit"], row["source_path"]))
        rows_of[original].append(row)
    pooch.get_logger().setLevel(logging.WARNING)
    shelf = pooch.create(
        path=folder / "originals",
        base_url=source,
        registry={original: rows[0]["source_sha256"] for original, rows in rows_of.items()},
        urls={original: source.rstrip("/") + "/" + quote(original) for original in rows_of},
        retry_if_failed=2,
    )
    for original, rows in tqdm(rows_of.items(), desc=f"{domain} originals", unit="file"):
        missing = [row for row in rows if not (folder / row["file"]).exists()]
        if not missing:
            continue
        try:
            path = Path(shelf.fetch(original))
        except OSError as error:
            raise ConnectionError(
                f"{original} could not be fetched from {source} ({error}): "
                "check the network and run the command again, it goes on where it stopped"
            ) from error
        except ValueError as error:
            raise ValueError(
                f"{original} from {source} is not the file that the manifest names (its sha256 differs): "
                "check the source and run the command again"
            ) from error
        prepared = prepare(path, float(rows[0]["high_pass_hz"]))
        for row in missing:
            write_recording(folder / row["file"], cut(prepared, float(row["start_s"]), float(row["end_s"])))
    return [folder / row["file"] for rows in rows_of.values() for row in rows]


def prepare(path: Path, high_pass: float) -> np.ndarray:
    """Read an original as the corpus has it, before cutting.

    Mono: the channels' mean, or the louder channel where their correlation is under
    `ALIKE`.  22,050 Hz.  Without the rumble below `high_pass` Hz, where the timbre has no
    notes (zero-phase Butterworth high-pass of order 4).

    Returns
    -------
    ndarray, float64, (n,)
    """
    import librosa
    import soundfile
    from scipy.signal import butter, sosfiltfilt

    samples, rate = soundfile.read(path, always_2d=True)  # (n, channels)
    mono = samples.mean(axis=1)
    if samples.shape[1] == 2 and np.corrcoef(samples.T)[0, 1] < ALIKE:
        mono = samples[:, np.square(samples).sum(axis=0).argmax()]
    mono = librosa.resample(mono, orig_sr=rate, target_sr=SAMPLE_RATE, res_type="soxr_vhq")
    mono = mono - mono.mean()
    sections = butter(4, high_pass, "highpass", fs=SAMPLE_RATE, output="sos")
    return sosfiltfilt(sections, mono, padlen=min(SAMPLE_RATE // 2, len(mono) - 1))


def cut(audio: np.ndarray, start: float, end: float) -> np.ndarray:
    """Cut from `start` to `end` in seconds, fade both ends, and keep the peak below full scale."""
    first, last = (GRID * round(seconds * SAMPLE_RATE / GRID) for seconds in (start, end))
    if abs(end * SAMPLE_RATE - len(audio)) < 2:  # it ends where the original does, on the grid or not
        last = len(audio)
    piece = audio[first:last].copy()
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(FADE) / FADE)
    piece[:FADE] *= ramp
    piece[-FADE:] *= ramp[::-1]
    return piece * min(1, FULL_SCALE / np.abs(piece).max())


def write_recording(path: Path, audio: np.ndarray) -> None:
    """Write 16-bit FLAC, whole or not at all."""
    import soundfile

    with atomic_write(path) as part:
        soundfile.write(part, audio, SAMPLE_RATE, subtype="PCM_16", format="FLAC")
