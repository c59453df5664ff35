"""The commands and their options."""

import argparse
from collections.abc import Iterable
from dataclasses import fields

from timbrelib import __version__
from timbrelib.cli import commands
from timbrelib.control.search import CONTINUITY, REFINEMENTS, RETUNE, SMOOTHNESS, TILT
from timbrelib.training.config import CHECKPOINT_EVERY, FORMER_NAMES, TrainingConfig

SETTINGS = {field.name: field for field in fields(TrainingConfig)}
SIZES = {  # of timbrelib.VQVAEConfig, which would import torch
    "n_codes": "codes in the codebook (default: 1024)",
    "code_size": "dimension of a codebook vector (default: 64)",
    "width": "units of a hidden layer (default: 512)",
    "blocks": "residual blocks in the encoder, and in the decoder (default: 2)",
}
SEARCH = {  # numbers of timbrelib.control.search.Search: default and description
    "smoothness": (SMOOTHNESS, "how smoothly codes follow each other; 0 is exact"),
    "continuity": (CONTINUITY, "how strongly the note is kept if the pitch is not a target; 0 leaves it free"),
    "retune": (RETUNE, "cents by which a code is moved at most to meet a fundamental"),
    "tilt": (TILT, "dB per octave by which a frame is made brighter or darker at most to meet other targets"),
    "refinements": (REFINEMENTS, "number of times the sound is measured and its adjustment corrected"),
}


def command_line() -> argparse.ArgumentParser:
    """Describe the commands and their options."""
    parser = argparse.ArgumentParser(prog="timbrelib", description="VQ-VAE timbre models that follow descriptor curves")
    parser.add_argument("--version", action="version", version=__version__)
    added = parser.add_subparsers(dest="command", required=True, metavar="command")
    model_help = "name of a model, or its folder"

    command = added.add_parser("train", help="train a model on a folder of recordings")
    command.add_argument("folder", nargs="?", help="sound files in any sub-folders; not needed to resume")
    command.add_argument("--name", required=True, help="name of the model in notebooks, the pad and commands")
    command.add_argument("--models", help="folder to save it in (default: $TIMBRE_MODELS, or the user's data folder)")
    command.add_argument("--resume", action="store_true", help="continue an interrupted training, if there is one")
    command.add_argument("--replace", action="store_true", help="overwrite a model or training of that name")
    command.add_argument("--device", help="cpu, cuda or another device of torch (default: a GPU if there is one)")
    command.add_argument(
        "--checkpoint-every", "--keep-every", type=float, default=CHECKPOINT_EVERY, metavar="SECONDS",
        help="time between checkpoints (default: %(default)s)",
    )  # fmt: skip
    command.add_argument(
        "--shifts", type=float, nargs="+", metavar="SEMITONES",
        help="pitch shifts of the training recordings; include 0 to keep the originals (default: 0)",
    )  # fmt: skip
    former = {new: old for old, new in FORMER_NAMES.items()}
    for name, field in SETTINGS.items():
        kind = type(field.default)
        help_text = f"{field.metadata['help']} (default: {field.default:g})"
        command.add_argument(flag(name), type=kind, metavar=kind.__name__, help=help_text)
        if name in former:
            command.add_argument(flag(former[name]), dest=name, type=kind, help=argparse.SUPPRESS)
    for name, description in SIZES.items():
        command.add_argument(flag(name), type=int, metavar="int", help=description)
    command.set_defaults(run=commands.run_train, settings=[*SETTINGS, *SIZES])

    command = added.add_parser("evaluate", help="score a model on its test recordings")
    command.add_argument("model", help=model_help)
    command.add_argument("folder", nargs="?", help="recordings of its timbre (default: its folder in $TIMBRE_DATA)")
    which = command.add_mutually_exclusive_group()
    which.add_argument("--write", action="store_true", help="update the scores on its card")
    which.add_argument(
        "--card", action="store_true", help="write its card again from the stored scores, and score nothing"
    )
    command.set_defaults(run=commands.run_evaluate)

    command = added.add_parser("render", help="make a model follow a target curve")
    command.add_argument("model", help=model_help)
    command.add_argument("target", help="sin, exp, ramp, steps, or a CSV file of seconds and values")
    command.add_argument("--descriptor", default="centroid", help="descriptor of the curve (default: centroid)")
    command.add_argument(
        "--range", type=float, nargs=2, metavar=("LOW", "HIGH"),
        help="ends of a shape, in the descriptor's unit (default: the range that the codebook covers well)",
    )  # fmt: skip
    command.add_argument("--seconds", type=float, default=6.0, help="length of a shape (default: 6)")
    add_sound_options(command, SEARCH)
    command.add_argument(
        "--out", help="path of the files, without suffix or with that of the sound (default: MODEL_DESCRIPTOR_TARGET)"
    )
    add_overwrite(command)
    command.set_defaults(run=commands.run_render)

    command = added.add_parser("transfer", help="play a sound with the timbre of a model")
    command.add_argument("model", help=model_help)
    command.add_argument("sound", help="WAV, FLAC, MP3, Ogg or AIFF file")
    add_sound_options(command, [name for name in SEARCH if name != "continuity"])  # the pitch is always a target
    command.add_argument("--out", help="WAV, FLAC, AIFF or MP3 file to write (default: transfer_SOUND_MODEL.wav)")
    add_overwrite(command)
    command.set_defaults(run=commands.run_transfer)

    command = added.add_parser("export", help="write a model as a wavetable or a sampled instrument")
    command.add_argument("model", help=model_help)
    command.add_argument(
        "--to", required=True, choices=["wavetable", "sfz"],
        help="wavetable: single periods for Serum, Vital, Surge XT and others; sfz: looped notes for samplers",
    )  # fmt: skip
    table = command.add_argument_group("wavetable")
    table.add_argument("--descriptor", help="descriptor along which the frames are ordered (default: centroid)")
    table.add_argument(
        "--note", help="the codes are from the octave around this note, such as A4 (default: the fullest octave)"
    )
    table.add_argument("--count", type=int, metavar="FRAMES", help="number of frames, 2 to 256 (default: 64)")
    sampled = command.add_argument_group("sfz")
    sampled.add_argument(
        "--step", type=int, metavar="SEMITONES", help="from one sampled note to the next, 1 to 12 (default: 3)"
    )
    sampled.add_argument(
        "--layers", type=int, help="samples per note, from dark for soft keys to bright for loud ones (default: 3)"
    )
    sampled.add_argument(
        "--noise", type=float, metavar="AMOUNT",
        help="noise of the samples, from 0 to 1 (as in the recordings; default: the model's own)",
    )  # fmt: skip
    command.set_defaults(of_wavetable=["descriptor", "note", "count"], of_sfz=["step", "layers", "noise"])
    command.add_argument(
        "--out", help="WAV file of a wavetable, or folder of an instrument (default: MODEL_DESCRIPTOR.wav, MODEL_sfz)"
    )
    add_overwrite(command)
    command.set_defaults(run=commands.run_export)

    command = added.add_parser("models", help="list the models with their licences and scores")
    command.set_defaults(run=commands.run_models)

    command = added.add_parser("download", help="download the original recordings of a timbre and rebuild its files")
    command.add_argument("--domain", default="violin", help="timbre in the manifest (default: violin)")
    command.add_argument("--data", help="folder to fill (default: $TIMBRE_DATA, or recordings)")
    command.add_argument("--source", help="another address that serves owner/name/commit/path")
    command.set_defaults(run=commands.run_download)

    command = added.add_parser("figures", help="run the notebooks that make figures and sounds")
    command.add_argument("--model", help="name of a model, or its folder (default: all figures of the demo page)")
    command.add_argument(
        "--descriptors", nargs="+", default=["centroid", "fundamental"], metavar="DESCRIPTOR",
        help="descriptors to follow (default: centroid fundamental)",
    )  # fmt: skip
    command.set_defaults(run=commands.run_figures)

    command = added.add_parser("notebooks", help="execute the notebooks of the project in place")
    command.set_defaults(run=commands.run_notebooks)

    command = added.add_parser("scorecard", help="measure the examples and the models")
    command.add_argument("--model", help="name of a model, or its folder (default: all shipped ones)")
    command.add_argument("--examples", default="Audio_Exemple", help="folder of WAV and CSV files")
    command.add_argument("--data", help="folder of recordings; without it their scores are taken from the cards")
    command.add_argument("--out", help="also write the scorecard into this file")
    add_overwrite(command)
    command.add_argument("--all", action="store_true", help="add every descriptor, shape and method (a minute or two)")
    command.set_defaults(run=commands.run_scorecard)

    command = added.add_parser("page", help="build the demo page from figures, sounds and scorecard")
    command.add_argument("--figures", default="figures", help="folder of figures")
    command.add_argument("--examples", default="Audio_Exemple", help="folder of sounds")
    command.add_argument("--scorecard", default="docs/scorecard.md", help="the scorecard in Markdown")
    command.add_argument("--out", default="site", help="folder to write")
    add_overwrite(command)
    command.set_defaults(run=commands.run_page)
    return parser


def add_sound_options(command: argparse.ArgumentParser, search: Iterable[str]) -> None:
    """Add the options of a sound: its excitation, and some of the settings in `SEARCH`."""
    command.add_argument("--excitation", default="mixed", help="mixed, locked or noise (default: mixed)")
    command.add_argument(
        "--noise", type=float, metavar="AMOUNT",
        help="noise of the mixed excitation, from 0 (locked) to 1 (as in the recordings; default: the model's own)",
    )  # fmt: skip
    for name in search:
        default, description = SEARCH[name]
        kind = type(default)
        command.add_argument(
            flag(name), type=kind, metavar=kind.__name__, default=default, help=f"{description} (default: {default:g})"
        )
    command.set_defaults(search=list(search))


def add_overwrite(command: argparse.ArgumentParser) -> None:
    """Add the option without which a command replaces nothing that it did not make."""
    command.add_argument("--overwrite", action="store_true", help="replace files that exist")


def flag(name: str) -> str:
    """Write a setting as an option."""
    return "--" + name.replace("_", "-")
