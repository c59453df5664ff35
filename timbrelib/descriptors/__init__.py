"""Acoustic descriptors of frames, which target curves can control.

Each descriptor is one function from magnitude spectra to one value per frame, registered in
`DESCRIPTORS`.  A new entry there appears in the codebook table, the targets and the figures.

Notebooks: 02_codebook_pca, 03_descriptor_histogram, 05_target_decode.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from timbrelib.audio.frames import SAMPLE_RATE, spectrum_blocks, spectrum_gain
from timbrelib.audio.levels import SILENCE
from timbrelib.audio.sound_files import check_audio
from timbrelib.descriptors.pitch import VOICED, estimate_pitch

BLOCK = 128  # frames measured at a time, few enough for the processor's cache


@dataclass(frozen=True)
class Descriptor:
    """One acoustic descriptor.

    Attributes
    ----------
    unit : str
        Unit for axis labels; empty for a ratio.
    log : bool
        Whether distances are perceived on a logarithmic scale, as for a fundamental.
    measure : callable
        Function from magnitude spectra, float (frames, N_BINS), to values, float (frames,).
    """

    unit: str
    log: bool
    measure: Callable[[np.ndarray], np.ndarray]


def centroid(spectrum: np.ndarray) -> np.ndarray:
    """Spectral centroid in Hz, (frames, N_BINS) -> (frames,): magnitude-weighted mean frequency."""
    import librosa

    return librosa.feature.spectral_centroid(S=spectrum.T, sr=SAMPLE_RATE)[0]


def bandwidth(spectrum: np.ndarray) -> np.ndarray:
    """Spectral bandwidth in Hz, (frames, N_BINS) -> (frames,): standard deviation around the centroid."""
    import librosa

    return librosa.feature.spectral_bandwidth(S=spectrum.T, sr=SAMPLE_RATE)[0]


def rolloff(spectrum: np.ndarray) -> np.ndarray:
    """Spectral rolloff in Hz, (frames, N_BINS) -> (frames,): 85 % of the magnitude lies below it."""
    import librosa

    return librosa.feature.spectral_rolloff(S=spectrum.T, sr=SAMPLE_RATE)[0]


def flatness(spectrum: np.ndarray) -> np.ndarray:
    """Spectral flatness in 0..1, (frames, N_BINS) -> (frames,): geometric over arithmetic mean of the power."""
    import librosa

    return librosa.feature.spectral_flatness(S=spectrum.T)[0]


def fundamental(spectrum: np.ndarray) -> np.ndarray:
    """Fundamental in Hz, (frames, N_BINS) -> (frames,); NaN where the frame is not clearly pitched."""
    f0, periodicity = estimate_pitch(spectrum)
    return np.where(periodicity >= VOICED, f0, np.nan)


DESCRIPTORS = {
    "centroid": Descriptor("Hz", False, centroid),
    "bandwidth": Descriptor("Hz", False, bandwidth),
    "rolloff": Descriptor("Hz", False, rolloff),
    "flatness": Descriptor("", False, flatness),
    "fundamental": Descriptor("Hz", True, fundamental),
}


def descriptor(name: str) -> Descriptor:
    """Look up a descriptor by name.

    Raises
    ------
    ValueError
        No descriptor has that name; the message lists those that exist.
    """
    if name not in DESCRIPTORS:
        raise ValueError(f"there is no descriptor {name!r}: choose one of {', '.join(DESCRIPTORS)}")
    return DESCRIPTORS[name]


def measure(
    audio: np.ndarray, names: Iterable[str], track_f0: Callable[[np.ndarray], np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Measure descriptors on every frame of a sound.

    Parameters
    ----------
    audio : ndarray, float, (n,)
    names : iterable of str
        Keys of `DESCRIPTORS`.
    track_f0 : callable, optional
        Measures the fundamental instead of the descriptor's own function, from audio, float
        (n,), to Hz, float (frames,): `timbrelib.descriptors.pitch.track_pyin` to score a
        sound, `timbrelib.descriptors.pitch.track_autocorrelation` to show it quickly.

    Returns
    -------
    dict of str to ndarray, float64, (frames,)
        Values in the descriptor's unit; NaN where it is undefined (silence, no pitch).

    Raises
    ------
    ValueError
        A descriptor does not exist, or `audio` is not finite mono.
    """
    audio = check_audio(audio)
    names = list(names)
    functions = {name: descriptor(name).measure for name in names}
    measured: dict[str, np.ndarray] = {}
    if track_f0 and functions.pop("fundamental", None):
        measured["fundamental"] = track_f0(audio)
    values: dict[str, list[np.ndarray]] = {name: [] for name in functions}
    for spectrum in spectrum_blocks(audio) if functions else ():
        for start in range(0, len(spectrum), BLOCK):
            block = spectrum[start : start + BLOCK]  # (block, N_BINS)
            sounding = spectrum_gain(block) > SILENCE  # (block,)
            for name, function in functions.items():
                values[name].append(np.where(sounding, function(block), np.nan))
    measured |= {name: np.concatenate(blocks).astype(np.float64) for name, blocks in values.items()}
    return {name: measured[name] for name in names}
