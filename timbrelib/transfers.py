"""Timbre transfer: any sound, played by the codebook of another timbre.

Bitton, Esling and Harada, "Vector-Quantized Timbre Representation", 2020 (arXiv 2007.06349),
encode a sound with the model of another timbre, keep its gain and decode.  An encoder that
has never heard such a sound guesses, though, and its guesses lose the notes.  Here the series
of codes is chosen as for drawn targets (`timbrelib.match`): near the sound in pitch,
brightness and spectrum, alike from frame to frame, and heard.

Notebook: 07_timbre_transfer.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from timbrelib.audio import SAMPLE_RATE, check_audio, frame_gain, spectra
from timbrelib.codebook import INNER, common_span
from timbrelib.control import BLOCK, CANDIDATES, LOST, MIXABLE, ROUNDS, SMOOTHNESS, error_in_units, unit
from timbrelib.descriptors import SILENCE, measure, measure_all, track_fundamental
from timbrelib.evaluation import audible, rank_correlation, within_cents
from timbrelib.lines import hold, voiced_fundamental, whole_octaves
from timbrelib.model import VQVAE
from timbrelib.paths import audible_level, heard_path, least_errors
from timbrelib.targets import reach, span

log = logging.getLogger(__name__)

BRIGHTNESS = 0.5  # weight of an error of 1 % of the centroid's range, beside one of 10 cents of pitch
SPECTRUM = 0.3  # weight of a distance of 1 dB between spectra
FURTHEST = 60.0  # error, in units of 10 cents, of a code that has another note or none


@dataclass(frozen=True)
class Transfer:
    """A sound, and what another timbre makes of it.

    Attributes
    ----------
    original : ndarray, float32, (n,)
        The sound as it was given.
    semitones : float
        By which its pitch was moved.
    codes : ndarray, int64, (frames,)
    gain : ndarray, float32, (frames,)
        The original's.
    audio : ndarray, float32, (n,)
        The sound of the codes.
    """

    original: np.ndarray
    semitones: float
    codes: np.ndarray
    gain: np.ndarray
    audio: np.ndarray


@dataclass(frozen=True)
class Survival:
    """What of a sound is left after its transfer.

    Attributes
    ----------
    pitch : float
        Share of the frames voiced in both whose pitches are within 50 cents, in %, once the
        original's is moved as the transfer was; NaN where no frame is voiced in both.
    voiced : float
        Share of the original's voiced frames that are voiced in the transfer, in %.
    loudness : float
        Mean distance of the gains of the audible frames in dB.
    centroid : float
        Spearman's correlation of the centroids of the audible frames.
    """

    pitch: float
    voiced: float
    loudness: float
    centroid: float

    def __str__(self) -> str:
        return (
            f"pitch {self.pitch:.1f} % within 50 cents, loudness {self.loudness:.2f} dB off, "
            f"centroid Spearman {self.centroid:.3f}"
        )


def transfer(
    model: VQVAE,
    table: np.ndarray,
    audio: np.ndarray,
    semitones: float | None = None,
    smoothness: float = SMOOTHNESS,
    rounds: int = ROUNDS,
) -> Transfer:
    """Let a model play a sound of another timbre, with its loudness.

    Parameters
    ----------
    model : VQVAE
    table : ndarray, structured, (n_codes,)
        Its own, from `timbrelib.analyse_codebook`.
    audio : ndarray, float, (n,)
        Mono at 22,050 Hz.
    semitones : float, optional
        By which to move the pitch; by default the octaves, as few as possible, that bring most
        of it into the model's range.
    smoothness, rounds
        See `timbrelib.match`.

    Returns
    -------
    Transfer

    Raises
    ------
    ValueError
        `audio` is empty, silent, not mono, or holds NaN; or no code of the model is pitched.

    Examples
    --------
    >>> violin = timbrelib.load_model("violin")
    >>> played = timbrelib.transfer(violin, timbrelib.analyse_codebook(violin), timbrelib.load_audio("my.wav"))
    >>> timbrelib.save_audio("as_violin.wav", played.audio)
    """
    import librosa

    audio = check_audio(audio)
    gain = frame_gain(audio)
    if gain.max() <= SILENCE:
        raise ValueError("the sound is silent and has nothing to transfer: give another")
    f0, voiced = voiced_fundamental(audio)
    if semitones is None:
        semitones = 12 * whole_octaves(f0[voiced], *span(table, "fundamental")) if voiced.any() else 0
    moved = librosa.effects.pitch_shift(audio, sr=SAMPLE_RATE, n_steps=semitones) if semitones else audio
    low, high = reach(table, "fundamental")
    notes = np.where(voiced, np.clip(f0 * 2 ** (semitones / 12), low, high), low)  # (frames,)
    brightness = reachable_centroid(table, audio, gain, notes[voiced])  # (frames,)
    wanted = {"fundamental": notes, "centroid": brightness}
    units = {"fundamental": unit(table, "fundamental"), "centroid": unit(table, "centroid") / BRIGHTNESS}

    def errors(values: np.ndarray | Mapping[str, np.ndarray], frames: slice, lost: float) -> np.ndarray:
        """Errors of values, (n,) or (frames, n), as (2, frames, n); none in pitch where the sound has none."""
        of_pitch, of_centroid = (
            error_in_units(name, values[name], wanted[name][frames, None], units[name]) for name in wanted
        )
        of_pitch = np.where(voiced[frames, None], np.nan_to_num(of_pitch, nan=lost).clip(-FURTHEST, FURTHEST), 0)
        return np.stack([of_pitch, np.nan_to_num(of_centroid)])

    candidates, candidate_errors, spectrum = [], [], spectra(moved)
    count = min(CANDIDATES, len(table))
    for start in range(0, len(gain), BLOCK):
        frames = slice(start, start + BLOCK)
        distance = distances(spectrum[frames], model.spectra)  # (block, n_codes)
        further = SPECTRUM * (distance - distance.min(axis=1, keepdims=True))  # than the nearest code
        error = np.concatenate([errors(table, frames, FURTHEST), further[None]]).astype(np.float32)
        nearest, their_error = least_errors(error, count)  # (block, n), (3, block, n)
        candidates.append(nearest)
        candidate_errors.append(their_error)

    def hear(codes: np.ndarray) -> np.ndarray:
        heard = measure_all(model.decode(codes, gain), wanted)
        return errors({name: heard[name][: len(codes), None] for name in wanted}, slice(None), LOST)[:, :, 0]

    codes = heard_path(
        np.concatenate(candidates),
        np.concatenate(candidate_errors, axis=1),
        [MIXABLE / units["fundamental"], np.inf, np.inf],
        smoothness * model.distance,
        hear,
        rounds,
    )
    return Transfer(audio, semitones, codes, gain, model.decode_to(len(audio), codes, gain))


def reachable_centroid(table: np.ndarray, audio: np.ndarray, gain: np.ndarray, notes: np.ndarray) -> np.ndarray:
    """Move the centroid of a sound to where the codebook has it at all of the sound's pitches.

    Parameters
    ----------
    table : ndarray, structured, (n_codes,)
    audio : ndarray, float32, (n,)
    gain : ndarray, float, (frames,)
        The sound's; where it is inaudible, the centroid is that of the nearest frame that is not.
    notes : ndarray, float, (n,)
        Fundamentals in Hz.

    Returns
    -------
    ndarray, float64, (frames,)
        In Hz; narrowed only if it is wider than what the codebook has.
    """
    centroid = measure(audio, "centroid")
    known = np.isfinite(centroid) & audible(gain)
    low, high = np.percentile(centroid[known], INNER)
    dark, bright = shared_span(table, notes)
    width = min(1, (bright - dark) / max(high - low, 1e-9))
    shift = max(dark - low, 0) + min(bright - (low + width * (high - low)), 0)
    return low + width * (hold(centroid, known).clip(low, high) - low) + shift


def shared_span(table: np.ndarray, notes: np.ndarray) -> tuple[float, float]:
    """Give the range of centroids, in Hz, that codes of all these pitches have; where they share none, the whole."""
    if len(notes):
        try:
            return common_span(table, "centroid", "fundamental", *np.percentile(notes, INNER))
        except ValueError:
            log.warning("no brightness is common to all notes of the sound: dark notes will not be as bright as asked")
    return span(table, "centroid")


def distances(frames: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """RMS distances in dB of spectra, (frames, N_BINS), from those of codes, (n_codes, N_BINS): (frames, n_codes)."""
    from sklearn.metrics import euclidean_distances

    return euclidean_distances(audible_level(frames), audible_level(codes)) / np.sqrt(codes.shape[1])


def survival(original: np.ndarray, decoded: np.ndarray, semitones: float = 0) -> Survival:
    """Measure what of a sound is left after its transfer.

    Parameters
    ----------
    original, decoded : ndarray, float32, (n,)
    semitones : float
        By which the transfer moved the pitch.

    Returns
    -------
    Survival

    Raises
    ------
    ValueError
        The lengths differ, or the original is silent.
    """
    if len(original) != len(decoded):
        raise ValueError(f"the sounds have {len(original)} and {len(decoded)} samples: cut them to the same length")
    gains = frame_gain(original), frame_gain(decoded)
    if gains[0].max() <= SILENCE:
        raise ValueError("the original is silent: nothing of it could be left")
    before, after = track_fundamental(original), track_fundamental(decoded)
    both = np.isfinite(before) & np.isfinite(after)
    heard = audible(gains[0])
    levels = [20 * np.log10(np.maximum(gain[heard], 1e-9)) for gain in gains]
    centroids = [measure(sound, "centroid")[heard] for sound in (original, decoded)]
    return Survival(
        within_cents(after[both], before[both] * 2 ** (semitones / 12), 50) if both.any() else np.nan,
        float(100 * both.sum() / max(np.isfinite(before).sum(), 1)),
        float(np.mean(np.abs(levels[0] - levels[1]))),
        rank_correlation(centroids[1], np.nan_to_num(centroids[0])),
    )
