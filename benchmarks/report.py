"""Render ``results.json`` as ``README.md``: the tables of ``make bench``."""

import statistics

TITLES = {
    "synthesis": "Ways to make 23.8 s of sound",
    "control": "Analysis, matching, drawing",
    "encode": "Encoding",
    "decode": "Decoding",
    "training": "Training",
    "import": "Import",
}
TEMPLATE = """# Benchmarks

    make bench TIMBRE_DATA=FOLDER    # without recordings, all but the time to the LSD bar
    .venv/bin/python benchmarks/bench.py --quick --out build/bench    # a trial of half a minute, written elsewhere

They write `results.json`, with every sample, and this page from it.{kind}

The actions of a group take turns, each once to warm up and then once a round, so that what disturbs the machine
disturbs all alike. Ratios travel from machine to machine, seconds less.

## Ratios

The time of each action over that of its group's reference in the same round: median over the rounds, quartiles in
brackets. Where both make or take audio, it is the time per second of audio.

{ratios}

The codes are those of `Audio_Exemple/violin_centroid_sin.json`. Griffin-Lim has the same magnitudes; pyworld analyses
the decoded sound and synthesises it anew; *iSTFT alone* is librosa's, of a spectrum whose phases are given: the limit
for whatever ends in one. Where encoding and decoding have a ratio of 1 at every length, their cost grows linearly.
Training counts a hop of audio for each frame of each step, and includes all of `timbrelib.train`: statistics, k-means
and the count of use too.

## Absolute figures on this machine

{machine}

| action | median | best | x real time (median) |
|---|---|---|---|
{absolute}

| also | here |
|---|---|
{also}

## Aims

| aim | wanted | median here | met? |
|---|---|---|---|
{aims}
"""


def readme(results: dict) -> str:
    """Write the page.

    Parameters
    ----------
    results : dict
        As in ``results.json``.

    Returns
    -------
    str
        Markdown.
    """
    groups, machine = results["groups"], results["machine"]
    rows = {}
    for group in groups.values():
        rows |= {name: row for name, row in group["rows"].items() if name not in rows}  # a reference only once
    versions = ", ".join(f"{name} {found}" for name, found in machine["versions"].items() if found)
    return TEMPLATE.format(
        kind=" **These figures are of a quick trial**, of very few rounds." if results["quick"] else "",
        ratios="\n\n".join(ratio_table(TITLES[name], group) for name, group in groups.items()),
        machine=f"{results['date']}: {machine['cpu']}, {machine['cores']} cores, {machine['threads']} threads, "
        f"{machine['gpu'] or 'no GPU'}, {machine['os']}, Python {machine['python']};\n{versions}.",
        absolute="\n".join(absolute_row(name, row) for name, row in rows.items()),
        also="\n".join(f"| {what} | {here} |" for what, here in also(results)),
        aims="\n".join(map(aim_row, results["aims"])),
    )


def ratio_table(title: str, group: dict) -> str:
    """Make the table of a group."""
    rounds = len(group["rows"][group["reference"]]["samples_s"])
    plural = "" if rounds == 1 else "s"
    lines = [f"| {title}, {rounds} round{plural} | x *{group['reference']}* |", "|---|---|"]
    for name, row in group["rows"].items():
        if name != group["reference"]:
            low, middle, high = row["ratio"]
            lines.append(f"| {name} | **{middle:.3g}** ({low:.3g} to {high:.3g}) |")
    return "\n".join([*lines, *(f"| {name} | {why} |" for name, why in group.get("missing", {}).items())])


def absolute_row(name: str, row: dict) -> str:
    """Give the seconds of an action."""
    median, best = statistics.median(row["samples_s"]), min(row["samples_s"])
    speed = f"{row['audio_s'] / median:.3g}" if "audio_s" in row else "-"
    return f"| {name} | {say_seconds(median)} | {say_seconds(best)} | {speed} |"


def say_seconds(seconds: float) -> str:
    """Write a time in s, or in ms where it is short."""
    return f"{seconds:.3g} s" if seconds >= 0.1 else f"{1000 * seconds:.3g} ms"


def also(results: dict) -> list[tuple[str, str]]:
    """Say what is not the time of an action."""
    low, middle, high = results["training_audio_per_s"]
    blocks, memory, bar = results["blocks"], results["memory_mb"], results["lsd_bar"]
    length = f"{blocks['audio_s']:.3g} s"
    tried = [
        f"{run['steps']} steps, {run['minutes']:.3g} minutes: {run['lsd_db']:.2f} dB" for run in bar.get("tried", ())
    ]
    if tried and bar["tried"][-1]["lsd_db"] > bar["bar_db"]:
        tried.append("not reached")
    rows = [
        ("training, once it runs", f"{middle:.4g} ({low:.4g} to {high:.4g}) s of audio per second"),
        (f"violin's test split at {bar['bar_db']} dB LSD", bar.get("missing") or "; ".join(tried)),
        (f"decoding {length} in blocks or in one", say_difference(blocks["decode_db"])),
        (
            f"encoding {length} in blocks or in one",
            f"{blocks['encode_codes']} codes differ; gain: {say_difference(blocks['encode_gain_db'])}",
        ),
    ]
    for action, megabytes in memory.items():
        rows.append((f"peak memory to {action} 10 minutes, beyond that of 6 s", f"{megabytes} MB"))
    return rows


def say_difference(decibel: float | None) -> str:
    """Say how large the largest difference is."""
    return "the same bit for bit" if decibel is None else f"largest difference {decibel:.0f} dB relative to the peak"


def aim_row(aim: dict) -> str:
    """Compare a figure with what is wanted."""
    bound = "at most" if aim["unit"] == "s" else "at least"
    met = "yes" if aim["met"] else "no"
    return f"| {aim['what']} | {bound} {aim['aim']} {aim['unit']} | {aim['measured']:.3g} {aim['unit']} | {met} |"
