"""Render ``results.json`` as ``README.md``: the tables of ``make bench``."""

import statistics

from timbrelib.evaluation.markdown import markdown_table

TITLES = {
    "synthesis": "Synthesis of 23.8 s of audio",
    "control": "Codebook analysis, target matching, drawing pad",
    "encode": "Encoding",
    "decode": "Decoding",
    "training": "Training",
    "import": "Import",
}
TEMPLATE = """# Benchmarks

    make bench TIMBRE_DATA=FOLDER    # without recordings, the time to the LSD bar is left out
    .venv/bin/python benchmarks/bench.py --quick --out build/bench    # a trial of half a minute, written elsewhere

Both write `results.json`, with every sample, and this page from it.{kind}

The actions of a group are interleaved, each once to warm up and then once per round, so that disturbances of the
machine affect all of them alike. Ratios carry over to other machines better than seconds do.

## Ratios

The time of each action divided by that of the group's reference in the same round: median over the rounds, with the
quartiles in brackets. If both produce or consume audio, it is the time per second of audio.

{ratios}

The codes are those of `Audio_Exemple/violin_centroid_sin.json`. Griffin-Lim starts from the same magnitudes; pyworld
analyses and resynthesises the decoded sound; *iSTFT alone* is librosa's, for a spectrum whose phases are known: the
lower limit for every method that ends in an iSTFT. A ratio near 1 at every length means that the cost of encoding or
decoding grows linearly. Training counts one hop of audio for each frame of each step, and includes all of
`timbrelib.train`: statistics, k-means and counting the codes.

## Absolute times on this machine

{machine}

{absolute}

{other}

## Aims

{aims}
"""


def readme(results: dict) -> str:
    """Write the page.

    Parameters
    ----------
    results : dict
        The content of ``results.json``.

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
    times = (time_row(name, row) for name, row in rows.items())
    return TEMPLATE.format(
        kind=" **These are the results of a quick trial** of very few rounds." if results["quick"] else "",
        ratios="\n\n".join(ratio_table(TITLES[name], group) for name, group in groups.items()),
        machine=f"{results['date']}: {machine['cpu']}, {machine['cores']} cores, {machine['threads']} threads, "
        f"{machine['gpu'] or 'no GPU'}, {machine['os']}, Python {machine['python']};\n{versions}.",
        absolute=markdown_table(("action", "median", "best", "x real time (median)"), times),
        other=markdown_table(("other measurement", "here"), other_rows(results)),
        aims=markdown_table(("action", "aim", "median here", "met"), map(aim_row, results["aims"])),
    )


def ratio_table(title: str, group: dict) -> str:
    """Write the ratios of a group as a table."""
    rounds = len(group["rows"][group["reference"]]["samples_s"])
    rows = []
    for name, row in group["rows"].items():
        if name != group["reference"]:
            low, middle, high = row["ratio"]
            rows.append((name, f"**{middle:.3g}** ({low:.3g} to {high:.3g})"))
    rows += group.get("missing", {}).items()
    return markdown_table((f"{title}, {rounds} round{'s' * (rounds > 1)}", f"x *{group['reference']}*"), rows)


def time_row(name: str, row: dict) -> tuple[str, ...]:
    """Write the median and the best time of an action."""
    median, best = statistics.median(row["samples_s"]), min(row["samples_s"])
    speed = f"{row['audio_s'] / median:.3g}" if "audio_s" in row else "-"
    return name, format_seconds(median), format_seconds(best), speed


def format_seconds(seconds: float) -> str:
    """Write a time in s, or in ms if it is short."""
    return f"{seconds:.3g} s" if seconds >= 0.1 else f"{1000 * seconds:.3g} ms"


def other_rows(results: dict) -> list[tuple[str, str]]:
    """Write the measurements that are not the time of an action."""
    low, middle, high = results["training_audio_per_s"]
    blocks, memory, bar = results["blocks"], results["memory_mb"], results["lsd_bar"]
    length = f"{blocks['audio_s']:.3g} s"
    tried = [
        f"{run['steps']} steps, {run['minutes']:.3g} minutes: {run['lsd_db']:.2f} dB" for run in bar.get("tried", ())
    ]
    if tried and bar["tried"][-1]["lsd_db"] > bar["bar_db"]:
        tried.append("not reached")
    rows = [
        ("training speed, without start and end", f"{middle:.4g} ({low:.4g} to {high:.4g}) s of audio per second"),
        (
            f"training until the violin's test split has an LSD of {bar['bar_db']} dB",
            bar.get("missing") or "; ".join(tried),
        ),
        (f"decoding {length} in blocks compared with a single block", format_difference(blocks["decode_db"])),
        (
            f"encoding {length} in blocks compared with a single block",
            f"{blocks['encode_codes']} codes differ; gain: {format_difference(blocks['encode_gain_db'])}",
        ),
    ]
    for action, megabytes in memory.items():
        rows.append(
            (
                f"peak memory to {action} 10 minutes, in addition to that for 6 s",
                "not measured" if megabytes is None else f"{megabytes} MB",
            )
        )
    return rows


def format_difference(decibel: float | None) -> str:
    """Write the largest difference of two arrays, None if there is none."""
    return "identical bit for bit" if decibel is None else f"largest difference {decibel:.0f} dB relative to the peak"


def aim_row(aim: dict) -> tuple[str, ...]:
    """Write a median and its aim."""
    bound = "at most" if aim["unit"] == "s" else "at least"
    met = "yes" if aim["met"] else "no"
    return aim["what"], f"{bound} {aim['aim']} {aim['unit']}", f"{aim['measured']:.3g} {aim['unit']}", met
