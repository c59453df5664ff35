"""What each command does, from its parsed options to printed lines; libraries are imported when they are needed."""

import argparse
import shlex
from pathlib import Path

from timbrelib.cli.outputs import check_outputs, starts_with


def run_train(options: argparse.Namespace) -> None:
    """Train, score and save a model."""
    from timbrelib.files import checked_name
    from timbrelib.model.registry import models_folder
    from timbrelib.training import distributed
    from timbrelib.training.recipe import train_timbre

    given = {name: getattr(options, name) for name in options.settings if getattr(options, name) is not None}
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
        if (out / "training.png").exists():
            print("  training.png               its training and its codebook")
        print("  original.wav, decoded.wav  a test recording and its reconstruction")
        print("  README.md                  its scores")
        print(f"Use it: timbrelib render {shlex.quote(name)} sin, or MODEL = {name!r} in a notebook.")


def run_evaluate(options: argparse.Namespace) -> None:
    """Score a saved model, or write its card again."""
    from timbrelib.model.registry import model_folder
    from timbrelib.training.model_card import evaluate, update_card

    if options.card:
        update_card(options.model)
        print(f"written: {model_folder(options.model) / 'README.md'}")
        return
    for name, value in evaluate(options.model, options.folder, options.write).items():
        print(f"{name}: {value}")


def run_render(options: argparse.Namespace) -> None:
    """Follow a target and print how closely."""
    import timbrelib
    from timbrelib.audio.frames import seconds_to_frames
    from timbrelib.audio.sound_output import sound_path
    from timbrelib.control.curves import MAX_SECONDS, read_curve
    from timbrelib.control.targets import SHAPES
    from timbrelib.files import printable

    descriptor = options.descriptor
    timbre = timbrelib.load(options.model, options.excitation, options.noise)
    inputs = [] if options.target in SHAPES else [options.target]
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
    out = Path(options.out or f"{timbre.prefix}_{descriptor}_{Path(options.target).stem}")
    sound = sound_path(out.with_suffix("") if out.suffix.lower() in (".csv", ".json", ".png") else out)
    base = sound.with_suffix("")
    check_outputs([sound, *(f"{base}.{suffix}" for suffix in ("csv", "json", "png"))], inputs, options.overwrite)
    rendering = timbre.render(target, **{name: getattr(options, name) for name in options.search})
    rendering.save(sound)
    timbrelib.plots.save_figure(f"{base}.png", rendering.plot(f"{timbre.name} follows {printable(options.target)}"))
    print(f"{descriptor}: {rendering.score}")
    print(f"written: {sound}, .csv, .json, .png")


def run_transfer(options: argparse.Namespace) -> None:
    """Transfer a sound and print what of it is preserved."""
    import timbrelib
    from timbrelib.audio.sound_output import sound_path

    timbre = timbrelib.load(options.model, options.excitation, options.noise)
    search = {name: getattr(options, name) for name in options.search}
    path = sound_path(options.out or f"transfer_{Path(options.sound).stem}_{timbre.name}")
    check_outputs([path], [options.sound], options.overwrite)
    transfer = timbre.transfer(timbrelib.load_audio(options.sound), **search)
    timbrelib.save_audio(path, transfer.audio)
    print(transfer)
    print(f"written: {path}")


def run_export(options: argparse.Namespace) -> None:
    """Write a model for other instruments, and print the licence of what is written."""
    import timbrelib
    from timbrelib.control.instruments.sfz import instrument_files

    given = {name: getattr(options, name) for name in (*options.of_wavetable, *options.of_sfz)}
    given = {name: value for name, value in given.items() if value is not None}
    foreign = sorted(given.keys() - (options.of_wavetable if options.to == "wavetable" else options.of_sfz))
    if foreign:
        raise ValueError(f"--{foreign[0]} does not apply to --to {options.to}: leave it out")
    timbre, card = timbrelib.load(options.model, noise=given.pop("noise", None)), timbrelib.load_card(options.model)
    if options.to == "wavetable":
        path = Path(options.out or f"{timbre.prefix}_{given.get('descriptor', 'centroid')}")
        path = path if path.suffix.lower() == ".wav" else Path(f"{path}.wav")
        check_outputs([path], overwrite=options.overwrite)
        count = len(timbrelib.save_wavetable(path, timbre, card, **given))
        print(f"written: {path}, {count} frames of 2,048 samples")
    else:
        folder = Path(options.out or f"{timbre.prefix}_sfz")
        check_outputs(instrument_files(folder, timbre.name), overwrite=options.overwrite)
        regions = timbrelib.save_sfz(folder, timbre, card, **given)
        print(f"written: {instrument_files(folder, timbre.name)[0]}, {len(regions)} samples, LICENSE.txt")
    print(f"licence: {card['licence']}; pass it on with the credits, which the files contain")


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
    from timbrelib.files import write_text
    from timbrelib.model.registry import shipped_models

    if options.out:
        check_outputs([options.out], overwrite=options.overwrite, is_ours=starts_with(HEAD.partition(";")[0]))
    names = [options.model] if options.model else shipped_models()
    text = scorecards(names, options.examples, options.data)
    print(text)
    if options.out:
        write_text(options.out, f"{HEAD}\n{text}\n")
    for name in names if options.all else ():
        print(f"\n{full_scorecard(name, options.data)}")


def run_page(options: argparse.Namespace) -> None:
    """Build the demo page."""
    from timbrelib.page.builder import HEAD, build_page

    out = Path(options.out)
    check_outputs([out / "index.html"], overwrite=options.overwrite, is_ours=starts_with(HEAD))
    # folders whose files would be copied onto themselves
    check_outputs([out / "figures", out / "audio"], [options.figures, options.examples], overwrite=True)
    print(f"open {build_page(options.figures, options.examples, options.scorecard, options.out)}")
