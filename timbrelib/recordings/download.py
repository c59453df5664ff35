"""Download original recordings and rebuild the files that the shipped models were trained on.

Only the command ``timbrelib download`` accesses the network.

Notebook: 01_train.
"""

import logging
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote

import numpy as np

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.audio.sound_output import FULL_SCALE
from timbrelib.files import atomic_write
from timbrelib.recordings.manifest import manifest

log = logging.getLogger(__name__)

SOURCE = "https://raw.githubusercontent.com/"  # serves owner/name/commit/path
RAW = {  # of the originals without a header, all from one database
    "samplerate": 48_000, "channels": 1, "format": "RAW", "subtype": "PCM_16", "endian": "LITTLE",
}  # fmt: skip
MIN_CORRELATION = 0.3  # of two channels; below it their mean would cancel
GRID = 10  # samples to which the cuts were aligned; the seconds in the manifest are rounded more coarsely than a sample
FADE = 110  # samples


def download(domain: str, folder: str | Path, source: str = SOURCE) -> list[Path]:
    """Download the originals of a timbre and rebuild its recordings.

    Parameters
    ----------
    domain : str
        A timbre of the manifest.
    folder : str or Path
        Originals are written to its subfolder ``originals``, recordings to one with the name
        of the timbre.  Files that are already complete are kept.
    source : str
        Address that serves ``owner/name/commit/path``.

    Returns
    -------
    list of Path
        The recordings, in the order of the manifest.

    Raises
    ------
    ValueError
        The manifest does not contain the timbre, or an original differs from the manifest's.
    ConnectionError
        The source is unreachable or lacks an original.
    """
    import pooch
    from tqdm import tqdm

    folder = Path(folder)
    rows_of = defaultdict(list)
    for row in manifest(domain):
        original = "/".join((row["source_repo"], row["source_commit"], row["source_path"]))
        rows_of[original].append(row)
    pooch.get_logger().setLevel(logging.WARNING)
    originals = pooch.create(
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
            path = Path(originals.fetch(original))
        except OSError as error:
            raise ConnectionError(
                f"{original} could not be downloaded from {source} ({error}): "
                "check the network and run the command again, it continues where it stopped"
            ) from error
        except ValueError as error:
            raise ValueError(
                f"{original} from {source} is not the file that the manifest names (its sha256 differs): "
                "check the source and run the command again"
            ) from error
        audio = load_original(path, float(rows[0]["high_pass_hz"]))
        for row in missing:
            save_recording(folder / row["file"], cut_recording(audio, float(row["start_s"]), float(row["end_s"])))
    return [folder / row["file"] for rows in rows_of.values() for row in rows]


def load_original(path: Path, high_pass: float) -> np.ndarray:
    """Load an original as mono at 22,050 Hz and filter it.

    Mono is the mean of the channels, or the louder channel if their correlation is below
    `MIN_CORRELATION`.  A zero-phase Butterworth high-pass filter of order 4 removes the rumble
    below `high_pass` Hz, where the timbre has no notes.

    Returns
    -------
    ndarray, float64, (n,)
    """
    import librosa
    import soundfile
    from scipy.signal import butter, sosfiltfilt

    headerless = RAW if path.suffix == ".raw" else {}
    samples, rate = soundfile.read(path, always_2d=True, **headerless)  # (n, channels)
    mono = samples.mean(axis=1)
    if samples.shape[1] == 2 and np.corrcoef(samples.T)[0, 1] < MIN_CORRELATION:
        mono = samples[:, np.square(samples).sum(axis=0).argmax()]
    mono = librosa.resample(mono, orig_sr=rate, target_sr=SAMPLE_RATE, res_type="soxr_vhq")
    mono = mono - mono.mean()
    sections = butter(4, high_pass, "highpass", fs=SAMPLE_RATE, output="sos")
    return sosfiltfilt(sections, mono, padlen=min(SAMPLE_RATE // 2, len(mono) - 1))


def cut_recording(audio: np.ndarray, start: float, end: float) -> np.ndarray:
    """Cut audio from `start` to `end` in seconds, fade both ends, and limit the peak to `FULL_SCALE`."""
    first, last = (GRID * round(seconds * SAMPLE_RATE / GRID) for seconds in (start, end))
    if abs(end * SAMPLE_RATE - len(audio)) < 2:  # a cut at the end of the original is not aligned
        last = len(audio)
    recording = audio[first:last].copy()
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(FADE) / FADE)
    recording[:FADE] *= ramp
    recording[-FADE:] *= ramp[::-1]
    return recording * min(1, FULL_SCALE / np.abs(recording).max())


def save_recording(path: Path, audio: np.ndarray) -> None:
    """Write audio, float (n,), as a 16-bit FLAC file, atomically."""
    import soundfile

    with atomic_write(path) as part:
        soundfile.write(part, audio, SAMPLE_RATE, subtype="PCM_16", format="FLAC")
