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

    Examples
    --------
    >>> from timbrelib.descriptors import DESCRIPTORS, Descriptor, centroid
    >>> DESCRIPTORS["centroid"] == Descriptor(unit="Hz", log=False, measure=centroid)
    True
    """

    unit: str
    log: bool
    measure: Callable[[np.ndarray], np.ndarray]


def centroid(spectrum: np.ndarray) -> np.ndarray:
    """Spectral centroid in Hz of a `spectrum`, (frames, N_BINS) -> (frames,): magnitude-weighted mean frequency.

    Examples
    --------
    >>> import numpy as np
    >>> from timbrelib.descriptors import centroid
    >>> centroid(np.ones((1, 1025)))  # a flat spectrum, from 0 to 11,025 Hz
    array([5512.5])
    """
    import librosa

    return librosa.feature.spectral_centroid(S=spectrum.T, sr=SAMPLE_RATE)[0]


def bandwidth(spectrum: np.ndarray) -> np.ndarray:
    """Spectral bandwidth in Hz of a `spectrum`, (frames, N_BINS) -> (frames,): deviation around the centroid.

    Examples
    --------
    >>> import numpy as np
    >>> from timbrelib.descriptors import bandwidth
    >>> bandwidth(np.ones((1, 1025))).round()  # of a uniform distribution, 11,025 / sqrt(12)
    array([3186.])
    """
    import librosa

    return librosa.feature.spectral_bandwidth(S=spectrum.T, sr=SAMPLE_RATE)[0]


def rolloff(spectrum: np.ndarray) -> np.ndarray:
    """Spectral rolloff in Hz of a `spectrum`, (frames, N_BINS) -> (frames,): 85 % of the magnitude lies below it.

    Examples
    --------
    >>> import numpy as np
    >>> from timbrelib.descriptors import rolloff
    >>> rolloff(np.ones((1, 1025))).round()
    array([9378.])
    """
    import librosa

    return librosa.feature.spectral_rolloff(S=spectrum.T, sr=SAMPLE_RATE)[0]


def flatness(spectrum: np.ndarray) -> np.ndarray:
    """Spectral flatness of a `spectrum`, 0..1, (frames, N_BINS) -> (frames,): geometric / arithmetic mean power.

    Examples
    --------
    >>> import numpy as np
    >>> from timbrelib.descriptors import flatness
    >>> flatness(np.ones((1, 1025))).round(3)
    array([1.])
    """
    import librosa

    return librosa.feature.spectral_flatness(S=spectrum.T)[0]


def fundamental(spectrum: np.ndarray) -> np.ndarray:
    """Fundamental in Hz of a `spectrum`, (frames, N_BINS) -> (frames,); NaN where the frame is not clearly pitched.

    Examples
    --------
    >>> import timbrelib
    >>> sound = timbrelib.string_melody()
    >>> timbrelib.descriptors.fundamental(timbrelib.spectra(sound)[10:12]).round(-1)
    array([290., 290.])
    """
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
    """Look up a descriptor by its `name`.

    Raises
    ------
    ValueError
        No descriptor has that name; the message lists those that exist.

    Examples
    --------
    >>> from timbrelib.descriptors import descriptor
    >>> print(descriptor("fundamental").unit, descriptor("fundamental").log)
    Hz True
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

    Examples
    --------
    >>> import timbrelib
    >>> curves = timbrelib.descriptors.measure(timbrelib.string_melody()[:22050], ["centroid", "flatness"])
    >>> print(curves["centroid"].shape, curves["flatness"].max() < 0.1)
    (44,) True
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
