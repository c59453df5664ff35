"""Timbre transfer: render any sound with the codebook of another timbre.

Bitton, Esling and Harada, "Vector-Quantized Timbre Representation", 2020 (arXiv 2007.06349),
encode a sound with the model of another timbre, keep its gain and decode.  But an encoder
applied to sounds unlike its training data loses their pitch.  Here the codes are chosen as for
drawn targets (`timbrelib.control.matching.match`): near the sound in pitch, brightness and
spectrum, similar from frame to frame, and refined.

Notebook: 08_timbre_transfer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from timbrelib.audio.frames import frame_gain
from timbrelib.audio.levels import audible_level, measurable_frames
from timbrelib.audio.parallel import in_threads
from timbrelib.audio.player import play
from timbrelib.audio.progress import progress
from timbrelib.audio.sound_output import round_to_16_bits, save_audio, sound_path
from timbrelib.codebook.table import Codebook
from timbrelib.control.code_path import CodePath
from timbrelib.control.matching import BLOCK, CANDIDATES, MAX_BLEND_OCTAVES, retuned_errors
from timbrelib.control.refinement import error_unit, refine, signed_error
from timbrelib.control.search import Search
from timbrelib.control.transfer_scores import TransferScore, score_transfer
from timbrelib.control.transposition import reachable_centroid, transpose
from timbrelib.control.viterbi import Transitions, cheapest_path, select_candidates
from timbrelib.descriptors.pitch import track_pyin
from timbrelib.model.vqvae import VQVAE
from timbrelib.synthesis.excitation import Synthesiser

if TYPE_CHECKING:
    from IPython.display import HTML, Audio
    from matplotlib.figure import Figure

CENTROID_WEIGHT = 0.5  # of an error of 1 % of the centroid's range, relative to one of 10 cents of pitch
SPECTRUM_WEIGHT = 0.3  # of a distance of 1 dB between spectra
MANY = 8 * BLOCK  # frames whose spectra are compared with all codes at a time
MAX_ERROR = 60.0  # in units of 10 cents; of a code with a more distant pitch, or none


@dataclass
class Transfer:
    """A sound, and its rendering by another timbre.

    Attributes
    ----------
    timbre : str
        Name of the model that renders it.
    original : ndarray, float32, (n,)
        Rounded to 16 bits, as `save` writes it.
    semitones : float
        By which the pitch was transposed.
    code_path : CodePath
        Codes and their adjustments.
    gain : ndarray, float32, (frames,)
        The original's.
    f0 : ndarray, float64, (frames,)
        The original's fundamental in Hz, by pYIN; NaN where it is unvoiced.
    audio : ndarray, float32, (n,)
        Rounded to 16 bits, too.
    path : Path or None
        The WAV file, once it is saved.

    Examples
    --------
    >>> import tempfile
    >>> import timbrelib
    >>> transfer = timbrelib.load("viola").transfer(timbrelib.string_melody()[:44100])
    >>> transfer.score.voiced > 90  # %
    True
    >>> len(transfer.measured_f0) == len(transfer.f0)
    True
    >>> figure, player = transfer.plot(), transfer.play()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     transfer.save(f"{folder}/as_viola")
    """

    timbre: str
    original: np.ndarray
    semitones: float
    code_path: CodePath
    gain: np.ndarray
    f0: np.ndarray
    audio: np.ndarray
    path: Path | None = None

    def __repr__(self) -> str:
        transposed = f"transposed by {self.semitones:+g} semitones, " if self.semitones else ""
        return f"as {self.timbre}: {transposed}{self.score}"

    @cached_property
    def score(self) -> TransferScore:
        """How much of the sound is preserved."""
        return score_transfer(self.original, self.audio, self.semitones, self.f0, self.measured_f0)

    @cached_property
    def measured_f0(self) -> np.ndarray:
        """The fundamental of the transfer in Hz, by pYIN, float64 (frames,); NaN where it is unvoiced."""
        return track_pyin(self.audio)

    def plot(self, source: str = "original") -> "Figure":
        """Draw the spectrograms and pitches of the original, titled `source`, and of the transfer, with the score."""
        from timbrelib import plots

        result = f"as {self.timbre}"
        sounds, f0 = {source: self.original, result: self.audio}, {source: self.f0, result: self.measured_f0}
        f0 = {name: np.where(measurable_frames(frame_gain(sounds[name])), pitch, np.nan) for name, pitch in f0.items()}
        return plots.spectrograms(sounds, str(self.score), f0)

    def play(self, label: str = "") -> "HTML | Audio":
        """Show a player with a `label`, by default the score; it links the file if the sound is saved."""
        return play(self.path or self.audio, label or repr(self))

    def save(self, stem: str | Path) -> None:
        """Write the sound as `stem`.wav and the original as `stem`_input.wav, each atomically.

        With another suffix of a sound, both have that format, see `timbrelib.save_audio`.

        Raises
        ------
        ValueError
            The suffix is that of a sound that cannot be written.
        PermissionError
            The folder is not writable.
        """
        path = sound_path(stem)
        save_audio(path.with_stem(f"{path.stem}_input"), self.original)
        save_audio(path, self.audio)
        self.path = path


def transfer(model: VQVAE, codebook: Codebook, audio: np.ndarray, semitones: float | None, search: Search) -> Transfer:
    """Render a sound with another timbre, at the sound's level.

    Parameters
    ----------
    model : VQVAE
    codebook : Codebook
        Of the model; its excitation decodes.
    audio : ndarray, float, (n,)
        Mono at 22,050 Hz.
    semitones : float or None
        Transposition; None for the smallest number of octaves that brings most of the pitches
        into the model's range.
    search : Search

    Returns
    -------
    Transfer

    Raises
    ------
    ValueError
        `audio` is empty, silent, not mono, or contains NaN; or no code of the model is pitched.
    """
    sound = transpose(codebook, audio, semitones)
    f0, voiced, gain = sound.f0, sound.voiced, sound.gain
    low, high = codebook.full_range("fundamental")
    notes = np.where(voiced, np.clip(f0 * 2 ** (sound.semitones / 12), low, high), low)  # (frames,)
    curves = {"fundamental": notes, "centroid": reachable_centroid(codebook, sound.original, gain, notes[voiced])}
    path, decoded = match_sound(model, codebook, curves, voiced, sound.spectrum, gain, search)
    audio = round_to_16_bits(decoded[: len(sound.original)])
    return Transfer(model.name, sound.original, sound.semitones, path, gain, f0, audio)


def encode_and_decode(model: VQVAE, codebook: Codebook, audio: np.ndarray, semitones: float | None) -> Transfer:
    """Render a sound with another timbre as the paper does: encode, keep the gain, decode.

    Parameters
    ----------
    model, codebook, audio, semitones
        See `transfer`; the sound is transposed as there.

    Returns
    -------
    Transfer

    Raises
    ------
    ValueError
        `audio` is empty, silent, not mono, or contains NaN.
    """
    sound = transpose(codebook, audio, semitones)
    codes, _ = model.encode_spectra([sound.spectrum])
    path = CodePath(codes)
    decoded = path.longer().decode(model, np.append(sound.gain, sound.gain[-1]), codebook.excitation, codebook.noise)
    audio = round_to_16_bits(decoded[: len(sound.original)])
    return Transfer(model.name, sound.original, sound.semitones, path, sound.gain, sound.f0, audio)


def match_sound(
    model: VQVAE,
    codebook: Codebook,
    curves: Mapping[str, np.ndarray],
    voiced: np.ndarray,
    spectrum: np.ndarray,
    gain: np.ndarray,
    search: Search,
) -> tuple[CodePath, np.ndarray]:
    """Choose the codes that are near a sound in pitch, centroid and spectrum.

    Parameters
    ----------
    model, codebook, search
        See `transfer`.
    curves : mapping of str to ndarray, float64, (frames,)
        The ``fundamental`` and the ``centroid`` to follow, in Hz.
    voiced : ndarray, bool, (frames,)
        Where the fundamental is followed.
    spectrum : ndarray, float32, (frames, N_BINS)
        Magnitude spectra of the transposed sound.
    gain : ndarray, float32, (frames,)

    Returns
    -------
    path : CodePath
    audio : ndarray, float32, (frames * HOP,)
        Its sound, one hop longer than the frames, to cover the samples after the last complete hop.
    """
    units = {
        "fundamental": error_unit(codebook, "fundamental"),
        "centroid": error_unit(codebook, "centroid") / CENTROID_WEIGHT,
    }
    count, levels = min(CANDIDATES, len(codebook)), audible_level(model.spectra)

    def find_candidates(block: tuple[int, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        start, distance = block
        frames = slice(start, start + BLOCK)
        pitch, centroid = (curves[name][frames, None] for name in ("fundamental", "centroid"))  # (block, 1) each
        error = np.zeros((4, *distance.shape), dtype=np.float32)  # (errors, block, n_codes)
        rows = voiced[frames]  # elsewhere any pitch is right
        off = signed_error("fundamental", codebook["fundamental"], pitch[rows], units["fundamental"])  # (rows, n_codes)
        for place, value in zip((0, 3), retuned_errors(off, units["fundamental"], search.retune), strict=True):
            error[place, rows] = np.where(np.isnan(value), MAX_ERROR, value.clip(-MAX_ERROR, MAX_ERROR))
        error[1] = np.nan_to_num(signed_error("centroid", codebook["centroid"], centroid, units["centroid"]))
        error[2] = SPECTRUM_WEIGHT * (distance - distance.min(axis=1, keepdims=True))  # over the nearest code
        nearest = select_candidates(np.square(error).sum(axis=0), count)  # (block, n)
        return nearest, np.take_along_axis(error, nearest[None], axis=2)

    def distances() -> Iterator[tuple[int, np.ndarray]]:
        for start in range(0, len(gain), MANY):  # a product of large matrices takes all processors by itself
            distance = spectral_distances(audible_level(spectrum[start : start + MANY]), levels)  # (many, n_codes)
            for first in range(0, len(distance), BLOCK):
                yield start + first, distance[first : first + BLOCK]

    found = progress(in_threads(find_candidates, distances()), "choosing codes", -(-len(gain) // BLOCK))
    candidates, errors = zip(*found, strict=True)
    candidates_all, error = np.concatenate(candidates), np.concatenate(errors, axis=1)
    max_blend = [MAX_BLEND_OCTAVES / units["fundamental"], np.inf, np.inf, np.inf]
    transitions = Transitions(model.cepstra, codebook["fundamental"], search.smoothness, 0.0)
    codes = candidates_all[np.arange(len(gain)), cheapest_path(candidates_all, error, max_blend, transitions)]
    targets = dict(curves) | {"fundamental": np.where(voiced, curves["fundamental"], np.nan)}

    spectra = model.code_spectra(codebook.excitation, codebook.noise)
    synthesiser = Synthesiser(spectra, np.append(codes, codes[-1]), np.append(gain, gain[-1]).astype(np.float64))

    def decode(path: CodePath) -> np.ndarray:
        longer = path.longer()
        return synthesiser.play(longer.cents, longer.tilt)

    return refine(model, codebook, codes, targets, units, search, decode)


def spectral_distances(frames: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """RMS distances of levels in dB, (frames, N_BINS), from those of codes, (n_codes, N_BINS): (frames, n_codes)."""
    square = np.square(frames).sum(axis=1)[:, None] + np.square(codes).sum(axis=1) - 2 * frames @ codes.T
    return np.sqrt(np.maximum(square, 0) / codes.shape[1])
