"""Multisampled instruments in SFZ, the text format of samplers: looped notes of a model over its range."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from timbrelib.audio.frames import N_BINS
from timbrelib.audio.wav_chunks import RATE, encode_instrument_wav, loop_chunk, text_chunk
from timbrelib.control.instruments.periodic import (
    clear_codes,
    credits_text,
    harmonic_amplitudes,
    level_loop,
    make_loop,
    partials_and_noise,
)
from timbrelib.control.matching import unclear_pitch
from timbrelib.control.viterbi import Transitions, cheapest_path, select_candidates
from timbrelib.files import atomic_write, write_text

if TYPE_CHECKING:
    from timbrelib.control.timbre import Timbre

SECONDS = 2.0  # of a loop, about
MARGIN = 64  # samples around a loop, in which the interpolation of samplers reads
PEAK = 0.9  # of the loudest sample
MAX_LAYERS, MAX_STEP = 8, 12
BRIGHTNESS = (15, 85)  # percentiles of the centroid at a pitch, of the softest and of the loudest layer
AROUND = 600.0  # cents around a note whose codes tell how dark and bright it can be
CENTS, OCTAVES = 50.0, 0.1  # of retuning, and of the centroid, that cost as much as a change at the median distance
CANDIDATES = 24  # codes among which each note chooses
MOVEMENT = 4  # codes through which a loop moves, at most
MOVEMENT_CENTS, MOVEMENT_OCTAVES = 100.0, 0.08  # from the note, and from the centroid of its code
HEAD = """\
// {name}: {count} samples of the model's codes, as darker and brighter layers by velocity.
// Licence and credits: LICENSE.txt
// The modulation wheel adds vibrato.
<global> loop_mode=loop_continuous ampeg_attack=0.04 ampeg_release=0.25 amp_veltrack=80
bend_up=200 bend_down=-200 pitchlfo_freq=5.5 pitchlfo_depthcc1=25
"""


@dataclass(frozen=True)
class Region:
    """A sample of an instrument and where it plays.

    Attributes
    ----------
    sample : str
        Path of the WAV file in the folder of the instrument.
    low, high : int
        MIDI keys, both included.
    key : int
        That it sounds at without transposition.
    softest, loudest : int
        MIDI velocities, both included.
    """

    sample: str
    low: int
    high: int
    key: int
    softest: int
    loudest: int


def instrument_files(folder: str | Path, name: str) -> list[Path]:
    """Files and folders that `save_sfz` writes into a `folder` for the model of a `name`."""
    return [Path(folder, f"{name}.sfz"), Path(folder, "LICENSE.txt"), Path(folder, "samples")]


def save_sfz(
    folder: str | Path, timbre: "Timbre", card: dict[str, Any], step: int = 3, layers: int = 3
) -> list[Region]:
    """Write a timbre as an instrument for samplers: an SFZ file, its samples, and the licence.

    A sample is a steady note that loops exactly: its period divides the loop, and its noise is
    periodic too.  It moves slowly through codes of the same pitch and brightness.

    Parameters
    ----------
    folder : str or Path
        Gets ``NAME.sfz``, ``LICENSE.txt`` and ``samples/*.wav`` (16 bits, 44,100 Hz, about 2 s).
    timbre : Timbre
        With its excitation and noise.
    card : dict
        Of the model, from `timbrelib.load_card`: its licence and sources.
    step : int
        Semitones from one sampled note to the next, 1 to 12.
    layers : int
        Samples per note, from dark for soft keys to bright for loud ones, 1 to 8.

    Returns
    -------
    list of Region

    Raises
    ------
    ValueError
        The timbre has no partials or no pitched codes, or `step` or `layers` is out of range.

    Examples
    --------
    >>> import tempfile
    >>> import timbrelib
    >>> viola, card = timbrelib.load("viola"), timbrelib.load_card("viola")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     regions = timbrelib.save_sfz(folder, viola, card, step=12, layers=2)
    >>> regions[0].sample
    'samples/053_F3_1.wav'
    """
    for name, number, most in (("step", step, MAX_STEP), ("layers", layers, MAX_LAYERS)):
        if not 1 <= number <= most:
            raise ValueError(f"the {name} cannot be {number}: give a whole number from 1 to {most}")
    partials, noise = partials_and_noise(timbre)
    codes = clear_codes(timbre)
    sfz, licence, _ = instrument_files(folder, timbre.name)
    regions = _regions(timbre, step, layers)
    notes = np.array(sorted({region.key for region in regions}))
    sounds = {}
    for layer, percentile in enumerate(np.linspace(*BRIGHTNESS, layers) if layers > 1 else [50]):
        chosen = _choose(timbre, codes, notes, percentile)
        played = [region for region in regions if region.sample.endswith(f"_{layer + 1}.wav")]
        for region, code in zip(played, chosen, strict=True):
            sounds[region] = _sample(timbre, partials, noise, _similar(timbre, codes, code, region.key), region.key)
    scale = PEAK / max(np.abs(sound).max() for sound in sounds.values())
    credit = credits_text(card)
    credit_chunk = text_chunk(card["licence"], credit)
    write_text(licence, credit)
    for region, sound in sounds.items():
        looped = np.concatenate([sound[-MARGIN:], sound, sound[:MARGIN]])
        loop = loop_chunk(region.key, MARGIN, MARGIN + len(sound) - 1)
        with atomic_write(Path(folder, region.sample)) as part:
            part.write_bytes(encode_instrument_wav(scale * looped, {"LIST": credit_chunk, "smpl": loop}))
    lines = [_line(region, len(sounds[region])) for region in regions]
    write_text(sfz, HEAD.format(name=timbre.name, count=len(regions)) + "".join(lines))  # last: it is then complete
    return regions


def _regions(timbre: "Timbre", step: int, layers: int) -> list[Region]:
    """Divide the keys of a model's range and the velocities among samples, layer by layer."""
    import librosa

    low, high = np.rint(librosa.hz_to_midi(timbre.codebook.percentile_range("fundamental"))).astype(int).tolist()
    edges = np.rint(np.linspace(0, 127, layers + 1)).astype(int).tolist()
    regions = []
    for layer in range(layers):
        for first in range(low, high + 1, step):
            last = min(first + step - 1, high)
            key = (first + last) // 2
            name = librosa.midi_to_note(key, unicode=False).replace("#", "s")  # SFZ takes # as an instruction
            sample = f"samples/{key:03d}_{name}_{layer + 1}.wav"
            regions.append(Region(sample, first, last, key, edges[layer] + 1, edges[layer + 1]))
    return regions


def _line(region: Region, length: int) -> str:
    """Write a region with a loop of some samples as SFZ."""
    return (
        f"<region> sample={region.sample} lokey={region.low} hikey={region.high} pitch_keycenter={region.key} "
        f"lovel={region.softest} hivel={region.loudest} loop_start={MARGIN} loop_end={MARGIN + length - 1}\n"
    )


def _choose(timbre: "Timbre", codes: np.ndarray, notes: np.ndarray, percentile: float) -> np.ndarray:
    """Choose a code for each MIDI note, near a percentile of the brightness, by the path search: int64 (notes,)."""
    cents, centroid = _cents(timbre, codes, notes), timbre.codebook["centroid"][codes]  # (notes, codes), (codes,)
    octaves = np.empty(cents.shape)
    for row, distance in enumerate(np.abs(cents)):
        around = distance <= max(AROUND, distance.min())
        octaves[row] = np.log2(centroid / np.percentile(centroid[around], percentile))
    unclear = np.broadcast_to(unclear_pitch(timbre.codebook)[codes], cents.shape)
    error = np.stack([cents / CENTS, octaves / OCTAVES, unclear]).astype(np.float32)  # (3, notes, codes)
    candidates = select_candidates(np.square(error).sum(axis=0), min(CANDIDATES, len(codes)))
    error = np.take_along_axis(error, candidates[None], axis=2)  # (3, notes, candidates)
    transitions = Transitions(timbre.model.cepstra, timbre.codebook["fundamental"], smoothness=1.0, continuity=0.0)
    path = cheapest_path(codes[candidates], error, [0.0] * len(error), transitions)
    return codes[candidates[np.arange(len(notes)), path]]


def _cents(timbre: "Timbre", codes: np.ndarray, notes: np.ndarray) -> np.ndarray:
    """Cents from MIDI notes to the fundamentals of codes, float64 (notes, codes)."""
    import librosa

    return 100 * (librosa.hz_to_midi(timbre.codebook["fundamental"][codes]) - notes[:, None])


def _similar(timbre: "Timbre", codes: np.ndarray, code: int, key: int) -> np.ndarray:
    """Find a code, and the codes near it in pitch, brightness and spectrum, int64 (at most `MOVEMENT`,)."""
    centroid, points = timbre.codebook["centroid"], timbre.model.cepstra
    similar = np.abs(_cents(timbre, codes, np.array([key]))[0]) <= MOVEMENT_CENTS
    similar &= np.abs(np.log2(centroid[codes] / centroid[code])) <= MOVEMENT_OCTAVES
    others = codes[similar & (codes != code)]
    distance = np.linalg.norm(points[others] - points[code], axis=1)
    return np.append(code, others[distance.argsort(kind="stable")[: MOVEMENT - 1]])


def _sample(timbre: "Timbre", partials: np.ndarray, noise: np.ndarray, ring: np.ndarray, key: int) -> np.ndarray:
    """Play a MIDI key as a loop that moves through the codes of a ring and back, float64 (n,), of RMS 1."""
    import librosa

    f0, frequency = timbre.codebook["fundamental"][ring], float(librosa.midi_to_hz(key))
    periods = round(SECONDS * frequency)
    length = round(periods * RATE / frequency)
    amplitude = harmonic_amplitudes(partials[ring], f0)  # (ring, harmonics)
    phase = np.random.default_rng(0).random(int(amplitude.shape[1]))  # equal in all samples, and of a low peak
    # noise is loudest around the partials of its code, so it moves with them
    moved = np.arange(N_BINS) * (f0 / frequency)[:, None]  # (ring, N_BINS), in bins
    noise = np.stack(
        [np.interp(bins, np.arange(N_BINS), level) for bins, level in zip(moved, noise[ring], strict=True)]
    )
    steady = make_loop(amplitude, periods, length, phase, noise)  # (ring, length)
    # each code fades in while the one before it fades out, once around the loop
    turn = len(ring) * np.arange(length) / length - np.arange(len(ring))[:, None]  # (ring, length)
    from_middle = np.abs((turn + len(ring) / 2) % len(ring) - len(ring) / 2)
    share = np.cos(np.pi / 2 * np.minimum(from_middle, 1)) ** 2 if len(ring) > 1 else np.ones((1, length))
    return level_loop((share * steady).sum(axis=0))  # (ring, length) -> (length,)
