"""Model cards as Markdown, in the order of Mitchell et al., "Model Cards for Model Reporting", 2019 (arXiv 1810.03993).

Notebook: 01_train.
"""

import shlex
import textwrap
from dataclasses import fields
from pathlib import Path
from typing import Any

from timbrelib.audio.frames import FRAME_RATE, N_FFT, SAMPLE_RATE
from timbrelib.evaluation.markdown import markdown_table
from timbrelib.evaluation.recognition import HEARD_AS
from timbrelib.files import write_text
from timbrelib.model.network import VQVAEConfig
from timbrelib.model.registry import shipped_models
from timbrelib.recordings.manifest import OWN_RECORDINGS
from timbrelib.training.config import TrainingConfig

FEW_MINUTES = 2.0  # of sound, below which a card warns
FRAME_MS = 1000 * N_FFT / SAMPLE_RATE
INTENDED_USE = (
    "Sounds that follow a curve of brightness or pitch, timbre transfer, and the study of how descriptors are ordered "
    "in a codebook. It is neither a sampler of the instrument nor an imitation of a person: do not present its sounds "
    "as anyone's playing or singing."
)
KINDS = ("real", "decoded")  # of the sounds whose scores stand side by side


def write_card_text(folder: Path, card: dict[str, Any]) -> None:
    """Write a card as Markdown into the folder of its model, atomically."""
    write_text(folder / "README.md", card_text(card))


def card_text(card: dict[str, Any]) -> str:
    """Format a card as Markdown.

    Parameters
    ----------
    card : dict
        From `timbrelib.training.model_card.make_card`, or read from a model's ``card.json`` and
        renewed by `timbrelib.training.model_card.write_card`.

    Returns
    -------
    str
    """
    sources = "\n".join(f"- {source}" for source in card["sources"])
    return f"""# {card["name"]}

{_wrap(_model(card))}

## Intended use

{_wrap(INTENDED_USE)}

## Limits

{_limits(card)}

## Scores against real recordings

{_scores(card)}

## Data

{_wrap(_data(card))}

{sources}

## Training

{_wrap(_training(card))}

    {train_command(card)}

## Licence

Of the weights, and of audio made with them: {card["licence"]}.
"""


def _wrap(text: str, indent: str = "") -> str:
    """Break a paragraph into lines, at spaces alone."""
    return textwrap.fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _plural(count: int, word: str) -> str:
    """Format a number of things."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _duration(minutes: float) -> str:
    """Format a duration."""
    return f"{minutes:.1f} minutes" if minutes >= 1 else _plural(round(60 * minutes), "second")


def _model(card: dict[str, Any]) -> str:
    """Say what a model is, and then in the field's terms."""
    sizes = card["sizes"]
    below = "" if card.get("noise_below_fundamental", True) else ", little of it below the fundamental"
    return (
        f'The timbre "{card["domain"]}" as {sizes["n_codes"]:,} spectra, learned from {card["data"]["minutes"]} '
        "minutes of recordings. The library plays them one after the other, so that the sound follows a drawn curve, a "
        "melody or another sound. In the field's terms: a VQ-VAE (vector-quantised autoencoder) of spectra at unit "
        f"gain, with {sizes['n_codes']:,} codes of {sizes['code_size']} numbers, an encoder and a decoder of "
        f"{_plural(sizes['blocks'], 'residual block')} and {sizes['width']} units, {card['size_mb']} MB. A frame lasts "
        f"{FRAME_MS:.0f} ms, and one starts every {1000 / FRAME_RATE:.0f} ms. The amount of noise of its mixed "
        f"excitation is {card['noise']:g} (0: partials alone, 1: as in the recordings){below}."
    )


def _limits(card: dict[str, Any]) -> str:
    """List what a model cannot do, from what was measured of its codes and from its data."""
    import librosa

    minutes, ranges = card["data"]["minutes"], card["ranges"]
    low, high = ranges["centroid"]
    brightness = f"a brightness (spectral centroid) of {low:,} to {high:,} Hz"
    if "fundamental" in ranges:
        low, high = ranges["fundamental"]
        lowest, highest = librosa.hz_to_note([low, high], unicode=False)
        covered = f"Pitches from {lowest} to {highest} ({low:,} to {high:,} Hz) and {brightness}"
    else:
        covered = f"No clear pitch, and {brightness}"
    makers = len({source.partition(": ")[2].rpartition(", ")[0] for source in card["sources"]})
    if all(source.startswith(OWN_RECORDINGS) for source in card["sources"]):
        heard = f"It learned from {minutes} minutes of sound"
    elif makers == 1:
        heard = f"It learned from {minutes} minutes of a single maker of recordings, so from one player or a few"
    else:
        heard = f"It learned from {minutes} minutes of {makers} makers of recordings, so from few players or singers"
    few = " So little sound holds few notes and colours." if minutes < FEW_MINUTES else ""
    limits = [
        f"{covered}: the middle 94 % of its codes. Outside it has few, and it does not have every brightness at every "
        "pitch.",
        f"One code is one spectrum. What changes within its {FRAME_MS:.0f} ms is not modelled: attacks, consonants, "
        f"fast vibrato. Chords, rooms and stereo are not either; the sound is mono and ends at "
        f"{SAMPLE_RATE / 2:,.0f} Hz.",
        f"{heard}; other instruments, players and rooms sound different.{few}",
    ]
    return "\n".join(_wrap(f"- {limit}", "  ") for limit in limits)


def _scores(card: dict[str, Any]) -> str:
    """Format the scores of recordings and of their reconstructions side by side."""
    scores, heard = card["scores"], HEARD_AS.get(card["domain"], card["domain"])

    def spread(name: str, digits: int, unit: str = "") -> str:
        low, middle, high = scores[name]
        return f"{middle:.{digits}f}{unit} ({low:.{digits}f} to {high:.{digits}f})"

    rows = [
        ("tone over noise (harmonic-to-noise ratio, HNR)", *(spread(f"hnr_db_{kind}", 1, " dB") for kind in KINDS)),
        ("change from frame to frame (spectral flux)", *(spread(f"flux_{kind}", 3) for kind in KINDS)),
    ]
    if {f"jumps_{kind}" for kind in KINDS} <= set(scores):
        rows.append(("pitch jumps per second", *(f"{scores[f'jumps_{kind}']:.2f}" for kind in KINDS)))
    if {f"heard_as_{kind}" for kind in KINDS} <= set(scores):
        shares = (f"{100 * scores[f'heard_as_{kind}']:.0f} %" for kind in KINDS)
        rows.append((f"half-seconds that a classifier hears as {heard}", *shares))
    rows.append(("difference from the recording (log-spectral distance, LSD)", "0 dB", f"{scores['lsd_db']:.2f} dB"))
    duration = f" ({_duration(card['data']['test_minutes'])})" if "test_minutes" in card["data"] else ""
    before = (
        f"Measured on {_plural(scores['test_recordings'], 'recording')}{duration} that did not train the model, and on "
        "what the model makes of them, encoded and decoded. The closer the two columns, the better."
    )
    after = (
        "HNR and flux: median over frames (10th to 90th percentile). LSD: mean weighted by duration; unweighted it is "
        f"{scores['lsd_plain_db']:.2f} dB. {100 * scores['codebook_use']:.1f} % of the codes are used by the training "
        f"frames, as many as {scores['perplexity']:,.0f} codes used equally (perplexity)."
    )
    if card["name"] in shipped_models():
        after += " How closely the model follows curves is in docs/scorecard.md."
    return "\n\n".join(
        [_wrap(before), markdown_table(("measure", "recordings", "reconstructions"), rows), _wrap(after)]
    )


def _data(card: dict[str, Any]) -> str:
    """Describe the recordings of a model, up to the list of their sources."""
    data = card["data"]
    shifts = [f"{shift:.2g}" for shift in data["semitone_shifts"] if shift]
    text = f"{_plural(data['recordings'], 'recording')} with {data['minutes']} minutes train the model"
    text += f", together with copies shifted by {', '.join(shifts)} semitones" if shifts else ""
    if "test_minutes" in data:
        text += f"; {_duration(data['valid_minutes'])} validate it, and {_duration(data['test_minutes'])} test it"
    return f"{text}. Sources and licences of the recordings that train it:"


def _training(card: dict[str, Any]) -> str:
    """Say what a training did and cost, up to the command that repeats it."""
    training = card["training"]
    machine = training.get("machine", cpu_threads(training["threads"]))
    memory = f" and {training['memory_gb']} GB of memory" if training["memory_gb"] else ""
    return (
        f"{_plural(training['steps'], 'step')} of {_plural(training['batch'], 'frame')} with seed {training['seed']}, "
        f"in {training['minutes']} minutes{memory} on {machine}. To repeat it:"
    )


def train_command(card: dict[str, Any]) -> str:
    """Command that repeats a training, with all settings that are not the default."""
    training, shifts = card["training"], card["data"]["semitone_shifts"]
    name = f"my_{card['name']}" if card["name"] in shipped_models() else card["name"]
    processes = training.get("processes", 1)
    program = f"torchrun --nproc-per-node {processes} -m timbrelib" if processes > 1 else "timbrelib"
    command = f"{program} train {shlex.quote('FOLDER/' + card['domain'])} --name {shlex.quote(name)}"
    if shifts != [0]:
        command += f" --shifts {' '.join(f'{shift:g}' for shift in shifts)}"
    for settings, given in ((TrainingConfig, training), (VQVAEConfig, card["sizes"])):
        for setting in fields(settings):
            value = given.get(setting.name, setting.default)
            if value != setting.default and setting.name != "outputs":
                command += f" --{setting.name.replace('_', '-')} {value}"
    return command


def cpu_threads(count: int) -> str:
    """Format a number of threads."""
    return _plural(count, "CPU thread")
