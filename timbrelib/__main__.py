"""The command line: ``python -m timbrelib --help``."""

import argparse
import logging
import sys
from dataclasses import fields

from timbrelib import __version__
from timbrelib.training import TrainingConfig


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status; an expected error is one sentence."""
    parser = argparse.ArgumentParser(prog="python -m timbrelib", description="VQ-VAE timbre models under control")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser("train", help="train a model on a folder of recordings")
    command.add_argument("--domain", default="violin", help="timbre: the name of a folder of recordings")
    command.add_argument("--data", help="folder that holds it (default: $TIMBRE_DATA, or recordings)")
    command.add_argument("--out", help="folder of the model to write (default: models/DOMAIN)")
    for field in fields(TrainingConfig):
        flag = "--" + field.name.replace("_", "-")
        command.add_argument(flag, type=field.type, default=field.default, help=f"default: {field.default}")
    command.add_argument(
        "--shifts", type=float, nargs="+", default=[0.0], metavar="SEMITONES", help="also train on shifted recordings"
    )
    command.set_defaults(run=run_train)

    command = commands.add_parser("download", help="fetch the original recordings of a timbre and rebuild its files")
    command.add_argument("--domain", default="violin", help="timbre of the manifest")
    command.add_argument("--data", help="folder to fill (default: $TIMBRE_DATA, or recordings)")
    command.add_argument("--source", help="another address that serves owner/name/commit/path")
    command.set_defaults(run=run_download)

    command = commands.add_parser("score", help="score a model on its test recordings again and rewrite its card")
    command.add_argument("--model", default="violin", help="name of a shipped model, or a folder")
    command.add_argument("--data", help="folder of recordings (default: $TIMBRE_DATA, or recordings)")
    command.set_defaults(run=run_score)

    command = commands.add_parser("scorecard", help="measure the examples and the model")
    command.add_argument("--model", help="name of a shipped model, or a folder (default: all shipped ones)")
    command.add_argument("--examples", default="Audio_Exemple", help="folder of wav and csv files")
    command.add_argument("--data", help="folder of recordings; without it their scores are the recorded ones")
    command.add_argument("--timings", action="store_true", help="time analysis, matching and decoding too")
    command.add_argument("--out", help="file to write it into as well")
    command.add_argument("--all", action="store_true", help="every descriptor, shape and way as well (a minute or two)")
    command.set_defaults(run=run_scorecard)

    command = commands.add_parser("models", help="list the shipped models, with licence and scores")
    command.set_defaults(run=run_models)

    command = commands.add_parser("page", help="build the demo page from figures, sounds and scorecard")
    command.add_argument("--figures", default="figures", help="folder of figures")
    command.add_argument("--examples", default="Audio_Exemple", help="folder of sounds")
    command.add_argument("--scorecard", default="docs/scorecard.md", help="the scorecard, in Markdown")
    command.add_argument("--out", default="site", help="folder to write")
    command.set_defaults(run=run_page)

    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        options.run(options)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def run_train(options: argparse.Namespace) -> None:
    """Train, score and save a model."""
    from timbrelib.recipe import train_timbre

    config = TrainingConfig(**{field.name: getattr(options, field.name) for field in fields(TrainingConfig)})
    out = options.out or f"models/{options.domain}"
    train_timbre(options.domain, options.data, out, config, tuple(options.shifts))
    print(f"the model is in {out}: read {out}/README.md, load it with timbrelib.load_model({out!r})")


def run_download(options: argparse.Namespace) -> None:
    """Show the licences, then fetch and rebuild."""
    from timbrelib.datasets import credit, data_folder, manifest
    from timbrelib.download import SOURCE, download

    print("These recordings are fetched for your own use, under the licences of their makers:")
    print("\n".join(f"  {line}" for line in credit(row["file"] for row in manifest(options.domain))))
    print("The Philharmonia's may not be passed on 'as is'.", flush=True)
    folder = data_folder(options.data)
    built = download(options.domain, folder, options.source or SOURCE)
    print(f"{len(built)} recordings are in {folder / options.domain}")


def run_score(options: argparse.Namespace) -> None:
    """Score a model again."""
    from timbrelib.recipe import score_again

    for name, value in score_again(options.model, options.data).items():
        print(f"{name}: {value}")


def run_scorecard(options: argparse.Namespace) -> None:
    """Print the scorecard."""
    from timbrelib.checkpoint import shipped_models
    from timbrelib.files import written_whole
    from timbrelib.scorecard import HEAD, full_scorecard, scorecards

    names = [options.model] if options.model else shipped_models()
    text = scorecards(names, options.examples, options.data, options.timings)
    print(text)
    if options.out:
        with written_whole(options.out) as part:
            part.write_text(f"{HEAD}\n{text}\n", encoding="utf-8")
    for name in names if options.all else ():
        print(f"\n{full_scorecard(name, options.data)}")


def run_models(options: argparse.Namespace) -> None:
    """Print the shipped models."""
    from timbrelib.checkpoint import load_card, shipped_models

    print("| model | LSD on test recordings | codes in use, perplexity | trained on | in | licence |")
    print("|---|---|---|---|---|---|")
    for card in map(load_card, shipped_models()):
        scores, training = card["scores"], card["training"]
        print(
            f"| {card['name']} | {scores['lsd_db']:.2f} dB | {100 * scores['codebook_use']:.0f} %, "
            f"{scores['perplexity']:.0f} | {card['data']['minutes']:.1f} minutes of sound | "
            f"{training['minutes']:.1f} minutes, {training['memory_gb']:.1f} GB | {card['licence']} |"
        )


def run_page(options: argparse.Namespace) -> None:
    """Build the page."""
    from timbrelib.page import build_page

    print(f"open {build_page(options.figures, options.examples, options.scorecard, options.out)}")


if __name__ == "__main__":
    sys.exit(main())
