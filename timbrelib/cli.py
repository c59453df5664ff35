"""The command line: ``timbrelib --help``."""

import argparse
import logging
import shlex
import sys
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from timbrelib import __version__
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


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status; an expected error is one sentence."""
    options = command_line().parse_args(arguments)
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("timbrelib").setLevel(logging.INFO)  # and of other libraries, warnings only
    try:
        options.run(options)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        advice = "; run the same command with --resume to continue" if options.command == "train" else ""
        print(f"\nstopped{advice}", file=sys.stderr)
        return 130
    return 0


def command_line() -> argparse.ArgumentParser:
    """Describe the commands and their options."""
    parser = argparse.ArgumentParser(prog="timbrelib", description="VQ-VAE timbre models that follow descriptor curves")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    model_help = "name of a model, or its folder"

    command = commands.add_parser("train", help="train a model on a folder of recordings")
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
    command.set_defaults(run=run_train)

    command = commands.add_parser("evaluate", help="score a model on its test recordings")
    command.add_argument("model", help=model_help)
    command.add_argument("folder", nargs="?", help="recordings of its timbre (default: its folder in $TIMBRE_DATA)")
    command.add_argument("--write", action="store_true", help="update the scores on its card")
    command.set_defaults(run=run_evaluate)

    command = commands.add_parser("render", help="make a model follow a target curve")
    command.add_argument("model", help=model_help)
    command.add_argument("target", help="sin, exp, ramp, steps, or a CSV file of seconds and values")
    command.add_argument("--descriptor", default="centroid", help="descriptor of the curve (default: centroid)")
    command.add_argument(
        "--range", type=float, nargs=2, metavar=("LOW", "HIGH"),
        help="ends of a shape, in the descriptor's unit (default: the range that the codebook covers well)",
    )  # fmt: skip
    command.add_argument("--seconds", type=float, default=6.0, help="length of a shape (default: 6)")
    add_sound_options(command, SEARCH)
    command.add_argument("--out", help="path of the files, without suffix (default: MODEL_DESCRIPTOR_TARGET)")
    command.set_defaults(run=run_render)

    command = commands.add_parser("transfer", help="play a sound with the timbre of a model")
    command.add_argument("model", help=model_help)
    command.add_argument("sound", help="WAV, FLAC, MP3, Ogg or AIFF file")
    add_sound_options(command, [name for name in SEARCH if name != "continuity"])  # the pitch is always a target
    command.add_argument("--out", help="WAV file to write (default: transfer_SOUND_MODEL.wav)")
    command.set_defaults(run=run_transfer)

    command = commands.add_parser("models", help="list the models with their licences and scores")
    command.set_defaults(run=run_models)

    command = commands.add_parser("download", help="download the original recordings of a timbre and rebuild its files")
    command.add_argument("--domain", default="violin", help="timbre in the manifest (default: violin)")
    command.add_argument("--data", help="folder to fill (default: $TIMBRE_DATA, or recordings)")
    command.add_argument("--source", help="another address that serves owner/name/commit/path")
    command.set_defaults(run=run_download)

    command = commands.add_parser("figures", help="run the notebooks that make figures and sounds")
    command.add_argument("--model", help="name of a model, or its folder (default: all figures of the demo page)")
    command.add_argument(
        "--descriptors", nargs="+", default=["centroid", "fundamental"], metavar="DESCRIPTOR",
        help="descriptors to follow (default: centroid fundamental)",
    )  # fmt: skip
    command.set_defaults(run=run_figures)

    command = commands.add_parser("notebooks", help="execute the notebooks of the project in place")
    command.set_defaults(run=run_notebooks)

    command = commands.add_parser("scorecard", help="measure the examples and the models")
    command.add_argument("--model", help="name of a model, or its folder (default: all shipped ones)")
    command.add_argument("--examples", default="Audio_Exemple", help="folder of WAV and CSV files")
    command.add_argument("--data", help="folder of recordings; without it their scores are taken from the cards")
    command.add_argument("--out", help="also write the scorecard into this file")
    command.add_argument("--all", action="store_true", help="add every descriptor, shape and method (a minute or two)")
    command.set_defaults(run=run_scorecard)

    command = commands.add_parser("page", help="build the demo page from figures, sounds and scorecard")
    command.add_argument("--figures", default="figures", help="folder of figures")
    command.add_argument("--examples", default="Audio_Exemple", help="folder of sounds")
    command.add_argument("--scorecard", default="docs/scorecard.md", help="the scorecard in Markdown")
    command.add_argument("--out", default="site", help="folder to write")
    command.set_defaults(run=run_page)
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


def flag(name: str) -> str:
    """Write a setting as an option."""
    return "--" + name.replace("_", "-")


def run_train(options: argparse.Namespace) -> None:
    """Train, score and save a model."""
    from timbrelib.files import checked_name
    from timbrelib.model.registry import models_folder
    from timbrelib.training import distributed
    from timbrelib.training.recipe import train_timbre

    given = {name: getattr(options, name) for name in (*SETTINGS, *SIZES) if getattr(options, name) is not None}
    shifts = tuple(options.shifts) if options.shifts else None
    out = Path(options.models or models_folder()).absolute() / checked_name(options.name)
    model = train_timbre(
        options.folder, out, given, shifts=shifts, resume=options.resume, overwrite=options.replace,
        device=options.device, checkpoint_every=options.checkpoint_every,
    )  # fmt: skip
    folder = f"{options.models or models_folder()}/{model.name}"
    name = folder if options.models else model.name
    if distributed.rank() == 0:
        print(f"The model is in {folder}:")
        print("  training.png               its training and its codebook")
        print("  original.wav, decoded.wav  a test recording and its reconstruction")
        print("  README.md                  its scores")
        print(f"Use it: timbrelib render {shlex.quote(name)} sin, or MODEL = {name!r} in a notebook.")


def run_evaluate(options: argparse.Namespace) -> None:
    """Score a saved model."""
    from timbrelib.training.model_card import evaluate

    for name, value in evaluate(options.model, options.folder, options.write).items():
        print(f"{name}: {value}")


def run_render(options: argparse.Namespace) -> None:
    """Follow a target and print how closely."""
    import timbrelib
    from timbrelib.audio.frames import seconds_to_frames
    from timbrelib.control.curves import MAX_SECONDS, read_curve
    from timbrelib.control.targets import SHAPES

    descriptor = options.descriptor
    timbre = timbrelib.load(options.model, options.excitation, options.noise)
    if options.target in SHAPES:
        if not 0 < options.seconds <= MAX_SECONDS:
            raise ValueError(
                f"a target cannot last {options.seconds} s: give more than 0 and at most {MAX_SECONDS:.0f}"
            )
        low, high = options.range or (None, None)
        n_frames = seconds_to_frames(options.seconds)
        target = timbre.target(descriptor, options.target, low, high, n_frames, fit="shift")
    else:
        target = timbre.target(descriptor, read_curve(options.target, descriptor), fit="shift")
    rendering = timbre.render(target, **{name: getattr(options, name) for name in options.search})
    stem = options.out or f"{timbre.prefix}_{descriptor}_{Path(options.target).stem}"
    rendering.save(stem)
    timbrelib.plots.save_figure(f"{stem}.png", rendering.plot(f"{timbre.name} follows {options.target}"))
    print(f"{descriptor}: {rendering.score}")
    print(f"written: {stem}.wav, .csv, .json, .png")


def run_transfer(options: argparse.Namespace) -> None:
    """Transfer a sound and print what of it is preserved."""
    import timbrelib

    timbre = timbrelib.load(options.model, options.excitation, options.noise)
    search = {name: getattr(options, name) for name in options.search}
    transfer = timbre.transfer(timbrelib.load_audio(options.sound), **search)
    path = options.out or f"transfer_{Path(options.sound).stem}_{transfer.timbre}.wav"
    timbrelib.save_audio(path, transfer.audio)
    print(transfer)
    print(f"written: {path}")


def run_models(options: argparse.Namespace) -> None:
    """Print the models."""
    from timbrelib.evaluation.scorecard import model_table
    from timbrelib.model.registry import models_folder, own_models, shipped_models

    print(model_table(shipped_models()))
    if own_models():
        print(f"\nYour own, in {models_folder()}:\n\n{model_table(own_models())}")


def run_download(options: argparse.Namespace) -> None:
    """Print the licences, then download and rebuild."""
    from timbrelib.recordings.corpus import data_folder
    from timbrelib.recordings.download import SOURCE, download
    from timbrelib.recordings.manifest import credit, manifest

    print("These recordings are downloaded for your own use, under the licences of their makers:")
    credits = credit(row["file"] for row in manifest(options.domain))
    print("\n".join(f"  {line}" for line in credits), flush=True)
    folder = data_folder(options.data)
    built = download(options.domain, folder, options.source or SOURCE)
    print(f"{len(built)} recordings are in {folder / options.domain}")


def run_figures(options: argparse.Namespace) -> None:
    """Run the notebooks, and say which files changed."""
    from timbrelib.page.notebook_runner import make_figures

    print(make_figures(options.model, options.descriptors))


def run_notebooks(options: argparse.Namespace) -> None:
    """Execute the notebooks in place."""
    from timbrelib.page.notebook_runner import update_notebooks

    update_notebooks()


def run_scorecard(options: argparse.Namespace) -> None:
    """Print the scorecard."""
    from timbrelib.evaluation.scorecard import HEAD, full_scorecard, scorecards
    from timbrelib.files import atomic_write
    from timbrelib.model.registry import shipped_models

    names = [options.model] if options.model else shipped_models()
    text = scorecards(names, options.examples, options.data)
    print(text)
    if options.out:
        with atomic_write(options.out) as part:
            part.write_text(f"{HEAD}\n{text}\n", encoding="utf-8")
    for name in names if options.all else ():
        print(f"\n{full_scorecard(name, options.data)}")


def run_page(options: argparse.Namespace) -> None:
    """Build the demo page."""
    from timbrelib.page.builder import build_page

    print(f"open {build_page(options.figures, options.examples, options.scorecard, options.out)}")
