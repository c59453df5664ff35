"""The command line: ``timbrelib --help``."""

import argparse
import logging
import shlex
import sys
from dataclasses import fields
from pathlib import Path

from timbrelib import __version__
from timbrelib.training.config import CHECKPOINT_EVERY, TrainingConfig

SETTINGS = {field.name: field for field in fields(TrainingConfig)}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status; an expected error is one sentence."""
    options = command_line().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        options.run(options)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        kept = "; go on with the same command and --resume" if options.command == "train" else ""
        print(f"\nstopped{kept}", file=sys.stderr)
        return 130
    return 0


def command_line() -> argparse.ArgumentParser:
    """Describe the commands and their options."""
    parser = argparse.ArgumentParser(prog="timbrelib", description="VQ-VAE timbre models under control")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    command = commands.add_parser("train", help="train a model on a folder of recordings")
    command.add_argument("folder", nargs="?", help="sound files in any nesting; not needed to resume")
    command.add_argument("--name", required=True, help="the model's, by which notebooks, pad and commands find it")
    command.add_argument("--models", help="folder to save it in (default: $TIMBRE_MODELS, or among the user's data)")
    command.add_argument(
        "--resume", action="store_true", help="go on with a training that was interrupted, if there is one"
    )
    command.add_argument(
        "--replace", action="store_true", help="write over a model, or unfinished training, of that name"
    )
    command.add_argument("--device", help="cpu, cuda or another that torch knows (default: a GPU if there is one)")
    command.add_argument(
        "--keep-every",
        type=float,
        default=CHECKPOINT_EVERY,
        metavar="S",
        help="between checkpoints (default: %(default)s)",
    )
    command.add_argument(
        "--shifts", type=float, nargs="+", metavar="SEMITONES", help="by which to resample; 0: as they are (default)"
    )
    for name, field in SETTINGS.items():
        kind = type(field.default)
        command.add_argument(flag(name), type=kind, metavar=kind.__name__, help=f"default: {field.default}")
    command.set_defaults(run=run_train)

    command = commands.add_parser("evaluate", help="score a model on recordings that were held back")
    command.add_argument("model", help="name of a model, or a folder")
    command.add_argument("folder", nargs="?", help="recordings of its timbre (default: its folder in $TIMBRE_DATA)")
    command.add_argument("--write", action="store_true", help="rewrite its card")
    command.set_defaults(run=run_evaluate)

    command = commands.add_parser("render", help="let a model follow a target")
    command.add_argument("model", help="name of a model, or a folder")
    command.add_argument("target", help="sin, exp, ramp, steps, or a CSV file of seconds and values")
    command.add_argument("--descriptor", default="centroid", help="what moves along it (default: centroid)")
    command.add_argument(
        "--range", type=float, nargs=2, metavar=("LOW", "HIGH"), help="of a shape (default: the codebook's)"
    )
    command.add_argument("--seconds", type=float, default=6.0, help="of a shape (default: 6)")
    command.add_argument("--excitation", default="locked", help="locked or noise (default: locked)")
    command.add_argument("--out", help="path of the files to write, without suffix (default: MODEL_DESCRIPTOR_TARGET)")
    command.set_defaults(run=run_render)

    command = commands.add_parser("transfer", help="let a model play a sound")
    command.add_argument("model", help="name of a model, or a folder")
    command.add_argument("sound", help="wav, flac, mp3, ogg or aiff file")
    command.add_argument("--out", help="wav file to write (default: transfer_SOUND_MODEL.wav)")
    command.set_defaults(run=run_transfer)

    command = commands.add_parser("models", help="list the models, with licence and scores")
    command.set_defaults(run=run_models)

    command = commands.add_parser("download", help="fetch the original recordings of a timbre and rebuild its files")
    command.add_argument("--domain", default="violin", help="timbre of the manifest")
    command.add_argument("--data", help="folder to fill (default: $TIMBRE_DATA, or recordings)")
    command.add_argument("--source", help="another address that serves owner/name/commit/path")
    command.set_defaults(run=run_download)

    command = commands.add_parser("scorecard", help="measure the examples and the model")
    command.add_argument("--model", help="name of a model, or a folder (default: all shipped ones)")
    command.add_argument("--examples", default="Audio_Exemple", help="folder of wav and csv files")
    command.add_argument("--data", help="folder of recordings; without it their scores are the recorded ones")
    command.add_argument("--out", help="file to write it into as well")
    command.add_argument("--all", action="store_true", help="every descriptor, shape and way as well (a minute or two)")
    command.set_defaults(run=run_scorecard)

    command = commands.add_parser("page", help="build the demo page from figures, sounds and scorecard")
    command.add_argument("--figures", default="figures", help="folder of figures")
    command.add_argument("--examples", default="Audio_Exemple", help="folder of sounds")
    command.add_argument("--scorecard", default="docs/scorecard.md", help="the scorecard, in Markdown")
    command.add_argument("--out", default="site", help="folder to write")
    command.set_defaults(run=run_page)
    return parser


def flag(name: str) -> str:
    """Write a setting as an option."""
    return "--" + name.replace("_", "-")


def run_train(options: argparse.Namespace) -> None:
    """Train, score and save a model."""
    from timbrelib.model.registry import models_folder
    from timbrelib.training import distributed
    from timbrelib.training.recipe import train_timbre

    given = {name: getattr(options, name) for name in SETTINGS if getattr(options, name) is not None}
    shifts = tuple(options.shifts) if options.shifts else None
    model = train_timbre(
        options.folder, options.name, options.models, given, shifts=shifts, resume=options.resume,
        replacing=options.replace, device=options.device, checkpoint_every=options.checkpoint_every,
    )  # fmt: skip
    folder = f"{options.models or models_folder()}/{model.name}"
    name = folder if options.models else model.name
    if distributed.rank() == 0:
        print(f"The model is in {folder}:")
        print("  training.png               how it learned, and its codebook")
        print("  original.wav, decoded.wav  a sound that was held back, and what the model makes of it")
        print("  README.md                  its scores")
        print(f"Use it: timbrelib render {shlex.quote(name)} sin, or MODEL = {name!r} in a notebook.")


def run_evaluate(options: argparse.Namespace) -> None:
    """Score a model again."""
    from timbrelib.training.model_card import evaluate

    for name, value in evaluate(options.model, options.folder, options.write).items():
        print(f"{name}: {value}")


def run_render(options: argparse.Namespace) -> None:
    """Let a model follow a target, and say how closely it does."""
    import timbrelib
    from timbrelib import plots
    from timbrelib.audio.frames import seconds_to_frames
    from timbrelib.control.curves import LONGEST, read_curve
    from timbrelib.control.scores import say_rendering
    from timbrelib.control.targets import SHAPES, bring_inside, span

    name = options.descriptor
    model = timbrelib.load_model(options.model)
    table = timbrelib.analyse_codebook(model, options.excitation)
    if options.target in SHAPES:
        if not 0 < options.seconds <= LONGEST:
            raise ValueError(f"a target cannot last {options.seconds} s: give more than 0 and at most {LONGEST:.0f}")
        low, high = options.range or span(table, name)
        curve = timbrelib.target(options.target, name, low, high, seconds_to_frames(options.seconds))
    else:
        curve = read_curve(options.target, name)
    curve = bring_inside(table, name, curve, "map")
    rendering = timbrelib.render(model, table, {name: curve}, excitation=options.excitation)
    said, stem = say_rendering(rendering), options.out or f"{model.prefix}_{name}_{Path(options.target).stem}"
    timbrelib.save_rendering(stem, model, table, rendering)
    plots.save_figure(f"{stem}.png", plots.decoding(rendering, said, f"{model.name} follows {options.target}"))
    print(f"{name}: {said[name]}")
    print(f"written: {stem}.wav, .csv, .json, .png")


def run_transfer(options: argparse.Namespace) -> None:
    """Let a model play a sound, and say what of it survives."""
    import timbrelib
    from timbrelib.control.transfer import transfer_score

    model = timbrelib.load_model(options.model)
    played = timbrelib.transfer(model, timbrelib.analyse_codebook(model), timbrelib.load_audio(options.sound))
    path = options.out or f"transfer_{Path(options.sound).stem}_{model.name}.wav"
    timbrelib.save_audio(path, played.audio)
    moved = f"moved by {played.semitones:+g} semitones; " if played.semitones else ""
    print(f"{moved}{transfer_score(played.original, played.audio, played.semitones)}")
    print(f"written: {path}")


def run_models(options: argparse.Namespace) -> None:
    """Print the models."""
    from timbrelib.model.registry import models_folder, own_models, shipped_models

    print(model_table(shipped_models()))
    if own_models():
        print(f"\nYour own, in {models_folder()}:\n\n{model_table(own_models())}")


def model_table(names: list[str]) -> str:
    """Write the cards of models as a table in Markdown."""
    from timbrelib.model.checkpoint import load_card

    lines = [
        "| model | LSD on test recordings | codes in use, perplexity | trained on | in | licence |",
        "|---|---|---|---|---|---|",
    ]
    for card in map(load_card, names):
        scores, training = card["scores"], card["training"]
        lines.append(
            f"| {card['name']} | {scores['lsd_db']:.2f} dB | {100 * scores['codebook_use']:.0f} %, "
            f"{scores['perplexity']:.0f} | {card['data']['minutes']:.1f} minutes of sound | "
            f"{training['minutes']:.1f} minutes, {training['memory_gb']:.1f} GB | {card['licence']} |"
        )
    return "\n".join(lines)


def run_download(options: argparse.Namespace) -> None:
    """Show the licences, then fetch and rebuild."""
    from timbrelib.recordings.corpus import data_folder
    from timbrelib.recordings.download import SOURCE, download
    from timbrelib.recordings.manifest import credit, manifest

    print("These recordings are fetched for your own use, under the licences of their makers:")
    print("\n".join(f"  {line}" for line in credit(row["file"] for row in manifest(options.domain))))
    print("The Philharmonia's may not be passed on 'as is'.", flush=True)
    folder = data_folder(options.data)
    built = download(options.domain, folder, options.source or SOURCE)
    print(f"{len(built)} recordings are in {folder / options.domain}")


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
    """Build the page."""
    from timbrelib.page.builder import build_page

    print(f"open {build_page(options.figures, options.examples, options.scorecard, options.out)}")
