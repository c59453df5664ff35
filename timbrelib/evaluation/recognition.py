"""Recognise the timbre of a sound, one half-second window at a time, with a classifier trained on real recordings.

A rendered sound is scored by the share of its windows that are recognised as the intended timbre.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import FRAME_RATE, N_BINS, N_FFT, SAMPLE_RATE, spectrum_blocks, spectrum_gain
from timbrelib.audio.levels import AUDIBLE_BIN, audible_frames
from timbrelib.audio.sound_files import check_audio
from timbrelib.descriptors import bandwidth, centroid, flatness, rolloff
from timbrelib.descriptors.pitch import estimate_pitch
from timbrelib.files import atomic_write, check_size, one_line
from timbrelib.recordings.corpus import Recording

STRINGS, VOICES = ("cello", "viola", "violin"), ("singing",)
WINDS = ("bassoon", "clarinet", "flute", "horn", "oboe", "saxophone", "trumpet")
TIMBRES = STRINGS + VOICES + WINDS
HEARD_AS = {"female": "singing"}  # timbres that it knows under a more general name
WINDOW = round(0.5 * FRAME_RATE)  # frames
HOP = WINDOW // 2  # frames from one window to the next
N_PARTIALS, N_MEL, N_MFCC = 16, 40, 20
SHIPPED = Path(str(files("timbrelib.evaluation") / "recognition.safetensors"))
TRAINING = "timbrelib.evaluation.recognition_training"  # module whose command trains it
MAX_BYTES = 2**20  # of a classifier on disk


@dataclass(frozen=True)
class Classifier:
    """Networks with one hidden layer, whose probabilities are averaged.

    Attributes
    ----------
    mean, scale : ndarray, float32, (features,)
        By which the features of a window are standardised.
    hidden, hidden_bias : ndarray, float16, (networks, features, units) and (networks, 1, units)
        First layer, followed by a ReLU.
    output, output_bias : ndarray, float16, (networks, units, timbres) and (networks, 1, timbres)
        Second layer, followed by a softmax.
    tested : ndarray, float32, (timbres,)
        Share of the windows of real test recordings that were recognised, by timbre; NaN if
        none were tested.
    timbres : tuple of str
        What the outputs are.
    """

    mean: np.ndarray
    scale: np.ndarray
    hidden: np.ndarray
    hidden_bias: np.ndarray
    output: np.ndarray
    output_bias: np.ndarray
    tested: np.ndarray
    timbres: tuple[str, ...]

    def recognise(self, audio: np.ndarray) -> np.ndarray:
        """Recognise the timbre of each audible window of a sound.

        Parameters
        ----------
        audio : ndarray, float, (n,)
            Mono at 22,050 Hz.

        Returns
        -------
        ndarray, str, (audible windows,)
            Names of timbres; `window_features` says which windows.

        Raises
        ------
        ValueError
            `audio` is not finite mono.
        """
        from scipy.special import softmax

        features = (window_features(audio) - self.mean) / self.scale  # (windows, features)
        units = np.maximum(features @ self.hidden + self.hidden_bias, 0)  # (networks, windows, units)
        probability = softmax(units @ self.output + self.output_bias, axis=2).mean(axis=0)  # (windows, timbres)
        return np.array(self.timbres)[probability.argmax(axis=1)]

    def accuracy(self, recordings: Iterable[Recording], timbre: str) -> float:
        """Mean share, over recordings of one timbre, of the windows that are recognised as it, 0..1."""
        return float(np.mean([heard_as(recording.audio, timbre, self) for recording in recordings]))

    def recorded_accuracy(self, timbre: str) -> float:
        """Share of the windows of real test recordings of a timbre that were recognised, 0..1; NaN if untested."""
        return float(self.tested[self.timbres.index(timbre)])

    def save(self, path: str | Path) -> None:
        """Write the classifier to a safetensors file, atomically."""
        import safetensors.numpy

        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in ARRAYS}
        with atomic_write(path) as part:
            part.write_bytes(safetensors.numpy.save(arrays, metadata={"timbres": " ".join(self.timbres)}))


ARRAYS = [field.name for field in fields(Classifier) if field.name != "timbres"]


def load_classifier(path: str | Path | None = None) -> Classifier:
    """Load a classifier that `Classifier.save` wrote, by default the shipped one.

    Raises
    ------
    FileNotFoundError
        The file does not exist.
    ValueError
        It is damaged or not a classifier.
    """
    import safetensors

    path = Path(path or SHIPPED)
    try:
        check_size(path, MAX_BYTES)
        with safetensors.safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in ARRAYS}
            timbres = tuple((file.metadata() or {})["timbres"].split())
        (n, inputs, units), outputs = arrays["hidden"].shape, len(timbres)
        layers = [(n, inputs, units), (n, 1, units), (n, units, outputs), (n, 1, outputs)]
        shapes = [(inputs,), (inputs,), *layers, (outputs,)]
        floats = all(array.dtype.kind == "f" for array in arrays.values())
        finite = floats and all(np.isfinite(array).all() for name, array in arrays.items() if name != "tested")
        if not finite or [array.shape for array in arrays.values()] != shapes:
            raise ValueError("its arrays do not fit together or are not finite floats")
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged or not a classifier ({one_line(error)}): train it again with 'python -m {TRAINING}'"
        ) from error
    return Classifier(**arrays, timbres=timbres)


@cache
def shipped_classifier() -> Classifier:
    """Load the shipped classifier once."""
    return load_classifier()


def known_timbre(domain: str) -> str | None:
    """Timbre as which the shipped classifier should recognise the sounds of a model, None if it does not know it.

    Examples
    --------
    >>> known_timbre("violin"), known_timbre("female"), known_timbre("shaker")
    ('violin', 'singing', None)
    """
    timbre = HEARD_AS.get(domain, domain)
    return timbre if timbre in shipped_classifier().timbres else None


def heard_as(audio: np.ndarray, timbre: str, classifier: Classifier | None = None) -> float:
    """Share of the audible half-second windows of a sound that are recognised as a timbre.

    Parameters
    ----------
    audio : ndarray, float, (n,)
        Mono at 22,050 Hz, at any level.
    timbre : str
        One of `TIMBRES`, or of those of `classifier`.
    classifier : Classifier, optional
        By default the shipped one.

    Returns
    -------
    float
        0..1; 0 for a silent sound.

    Raises
    ------
    ValueError
        The classifier does not know the timbre, or `audio` is not finite mono.

    Examples
    --------
    >>> import timbrelib
    >>> phrase = timbrelib.play_phrase(timbrelib.load("viola"))
    >>> timbrelib.heard_as(phrase, "viola") > timbrelib.heard_as(phrase, "trumpet")
    True
    """
    classifier = classifier or shipped_classifier()
    if timbre not in classifier.timbres:
        raise ValueError(f"the classifier does not know {timbre!r:.40}: choose one of {', '.join(classifier.timbres)}")
    names = classifier.recognise(audio)
    return float(np.mean(names == timbre)) if len(names) else 0.0


def window_features(audio: np.ndarray, hop: int = HOP) -> np.ndarray:
    """Describe each audible window of a sound, independently of its level.

    A window is `WINDOW` frames long; a sound that is shorter has one window.  Windows are
    audible up to 40 dB below the loudest one, and the frames of a window likewise.

    Parameters
    ----------
    audio : ndarray, float, (n,)
    hop : int
        Frames from one window to the next.

    Returns
    -------
    ndarray, float32, (audible windows, features)
        Mean, standard deviation and mean absolute change of the features of audible frames.
    """
    blocks = [(_frame_features(block), spectrum_gain(block)) for block in spectrum_blocks(check_audio(audio))]
    features, gain = (np.concatenate(parts) for parts in zip(*blocks, strict=True))  # (frames, columns), (frames,)
    starts = np.arange(0, max(1, len(gain) - WINDOW + 1), hop)
    window_gain = np.array([np.sqrt(np.mean(np.square(gain[start : start + WINDOW]))) for start in starts])
    starts = starts[audible_frames(window_gain)]
    rows = np.empty((len(starts), 3 * (features.shape[1] + 1)), dtype=np.float32)
    for row, start in zip(rows, starts, strict=True):
        window = gain[start : start + WINDOW]
        audible = audible_frames(window)
        level = 20 * np.log10(window[audible] / window.max())  # (audible frames,)
        frames = np.column_stack([features[start : start + WINDOW][audible], level])  # (audible frames, columns + 1)
        change = np.abs(np.diff(frames, axis=0)).sum(axis=0) / max(1, len(frames) - 1)
        row[:] = np.concatenate([frames.mean(axis=0), frames.std(axis=0), change])
    return rows


def _frame_features(spectrum: np.ndarray) -> np.ndarray:
    """Describe frames by partials, cepstrum, contrast and shape, (frames, N_BINS) -> float32 (frames, columns).

    Whatever is more than `AUDIBLE_BIN` below the loudest bin is raised to that floor.  Without
    it the classifier would recognise the noise floor and the codec of each set of recordings,
    which scores three per cent more in cross-validation and says nothing about other sounds.
    """
    import librosa

    peak = spectrum.max(axis=1, keepdims=True).clip(1e-20)  # (frames, 1)
    unit = np.maximum(spectrum / peak, 10 ** (-AUDIBLE_BIN / 20), dtype=np.float32)
    mel = np.square(unit) @ librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_MEL, fmin=40).T  # (frames, N_MEL)
    mel = np.maximum(10 * np.log10(mel / mel.max(axis=1, keepdims=True)), -AUDIBLE_BIN)
    cepstrum = librosa.feature.mfcc(S=mel.T, n_mfcc=N_MFCC)[1:]  # (N_MFCC - 1, frames)
    contrast = librosa.feature.spectral_contrast(S=unit.T, sr=SAMPLE_RATE, fmin=100.0)  # (bands, frames)
    shape = np.log2(np.maximum([measure(unit) for measure in (centroid, bandwidth, rolloff, flatness)], 1e-6))
    return np.vstack([_partial_levels(unit).T, cepstrum, contrast, shape]).T.astype(np.float32)


def _partial_levels(unit: np.ndarray) -> np.ndarray:
    """Levels of partials in dB relative to the loudest bin, (frames, N_BINS) -> (frames, N_PARTIALS)."""
    f0, _ = estimate_pitch(unit)
    frequency = f0[:, None] * np.arange(1, N_PARTIALS + 1)  # (frames, N_PARTIALS), Hz
    bins = np.rint(np.nan_to_num(frequency, nan=SAMPLE_RATE) * N_FFT / SAMPLE_RATE).astype(int)
    inside = bins < N_BINS - 1  # below the Nyquist frequency
    around = [np.take_along_axis(unit, np.where(inside, bins + step, 0), axis=1) for step in (-1, 0, 1)]
    return np.where(inside, 20 * np.log10(np.maximum.reduce(around)), -AUDIBLE_BIN)
