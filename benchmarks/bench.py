"""Benchmark the library against alternatives: ``make bench``.

Machines differ, and the speed of one machine varies from minute to minute.  So the actions of a
group are interleaved (A B C A B C ...), and each is compared with the group's reference in the
same round.  ``results.json`` keeps every sample; ``README.md`` is written from it alone.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from unittest.mock import patch

import librosa
import numpy as np
from report import readme
from timing import Actions, group, machine, quartiles, significant

import timbrelib
from timbrelib.audio import frames
from timbrelib.audio.frames import HOP, N_FFT, SAMPLE_RATE, seconds_to_frames
from timbrelib.control.matching import match
from timbrelib.control.search import Search
from timbrelib.control.targets import FRAMES, Target
from timbrelib.control.timbre import Timbre
from timbrelib.evaluation.metrics import reconstruction_distance
from timbrelib.files import write_text
from timbrelib.model.vqvae import VQVAE
from timbrelib.pad.axes import Axis, make_axis
from timbrelib.pad.controller import RenderRequest, page_result, render_request
from timbrelib.recordings.corpus import load_recordings
from timbrelib.recordings.synthetic import string_corpus
from timbrelib.recordings.training_frames import cut_frames
from timbrelib.synthesis import excitation
from timbrelib.training import model_card

HOME = Path(__file__).resolve().parent
RENDERING = HOME.parent / "Audio_Exemple" / "violin_centroid_sin.json"
LONG = 600  # s, more than a block of every kind
LSD_BAR = 4.9  # dB on the violin's test split
DECODE, IMPORT = "decode, mixed", "import timbrelib"
PYWORLD = "pyworld: DIO, StoneMask, CheapTrick and D4C every 5 ms, synthesis"
NO_PYWORLD = "pyworld is not installed: pip install pyworld==0.3.5 setuptools==80.10.2"
AIMS = (  # group, row, and its maximum time in s or minimum speed in x real time
    ("import", IMPORT, 0.3, "s"),
    ("control", "centroid target to 24 s of sound", 0.3, "s"),
    ("control", "fundamental target to 24 s of sound", 0.3, "s"),
    ("control", "centroid drawing to 6 s of sound, curves and spectrogram", 0.15, "s"),
    ("control", "analysis of the codebook", 2, "s"),
    ("synthesis", DECODE, 450, "x real time"),
    ("encode", "encode 24 s", 300, "x real time"),
)


def main() -> None:
    """Run the benchmarks and write ``results.json`` and ``README.md``."""
    parser = argparse.ArgumentParser(description="benchmark timbrelib against alternatives")
    parser.add_argument("--data", help="folder of recordings (default: $TIMBRE_DATA, or recordings)")
    parser.add_argument("--out", type=Path, default=HOME, help="folder to write into (default: benchmarks)")
    parser.add_argument("--quick", action="store_true", help="a trial: few rounds, and nothing that takes long")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache  # for the codebook table, removed afterwards
        results = measure(options.data, options.quick)
    for name, text in (("results.json", json.dumps(results, indent=1) + "\n"), ("README.md", readme(results))):
        write_text(options.out / name, text)
    print(f"written: {options.out / 'README.md'}, results.json")


def measure(data: str | None, quick: bool) -> dict:
    """Run all benchmarks; `data` is the folder of recordings, `quick` leaves out what takes long."""
    many, few = (1, 1) if quick else (15, 5)  # rounds
    timbre, saved = timbrelib.load("violin"), timbrelib.load_rendering(RENDERING)
    model, audio_s = timbre.model, (len(saved.codes) - 1) * HOP / SAMPLE_RATE

    actions, missing = synthesis_actions(model, saved.codes, saved.gain)
    reference = {DECODE: actions[DECODE]}
    groups = {"synthesis": group(actions, many, [audio_s] * len(actions)) | {"missing": missing}}
    groups["control"] = group(reference | control_actions(timbre), few)

    seconds = (24, 6) if quick else (24, 6, LONG)
    codes = {s: repeat_codes(model, saved.codes, seconds_to_frames(s)) for s in seconds}
    sounds = {s: model.decode(codes[s]) for s in seconds}
    groups["encode"] = group({f"encode {s} s": lambda s=s: model.encode(sounds[s]) for s in seconds}, few, seconds)
    groups["decode"] = group({f"decode {s} s": lambda s=s: model.decode(codes[s]) for s in seconds}, few, seconds)

    steps, corpus = ((2, 4) if quick else (50, 150)), cut_frames(string_corpus(1.0))
    step_s = timbrelib.TrainingConfig().batch * HOP / SAMPLE_RATE  # s of audio in a step
    runs = {
        f"train, {n} steps": lambda n=n: timbrelib.train(corpus, timbrelib.TrainingConfig(steps=n), progress=False)
        for n in steps
    }
    groups["training"] = group(reference | runs, few, [audio_s, *(n * step_s for n in steps)])
    short, long = (np.array(groups["training"]["rows"][name]["samples_s"]) for name in runs)
    programs = {"python alone": "", IMPORT: "import timbrelib"}
    programs[f"{IMPORT}, load a model"] = "import timbrelib; timbrelib.load_model('violin')"
    groups["import"] = group({name: lambda each=each: run(each) for name, each in programs.items()}, many)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "quick": quick,
        "machine": machine(),
        "aims": aims(groups),
        "groups": groups,
        # the two runs differ only in their steps, since both begin and end alike
        "training_audio_per_s": quartiles((steps[1] - steps[0]) * step_s / (long - short)),
        "blocks": compare_blocks(model, codes[seconds[-1]], sounds[seconds[-1]]),
        "memory_mb": {} if quick else {action: peak_memory(action) for action in ("decode", "encode")},
        "lsd_bar": {"bar_db": LSD_BAR} | ({"missing": "not in a trial"} if quick else time_to_bar(data)),
    }


def synthesis_actions(model: VQVAE, codes: np.ndarray, gain: np.ndarray) -> tuple[Actions, dict[str, str]]:
    """Synthesise codes and gain, (frames,), with the library and with alternatives; say why one is missing."""
    magnitude = (model.spectra[codes] * gain[:, None].astype(np.float32)).T  # (N_BINS, frames)
    sound = model.decode(codes, gain)
    spectrum = librosa.stft(sound, n_fft=N_FFT, hop_length=HOP)  # (N_BINS, frames)
    cents, tilt = np.random.default_rng(0).uniform(-1, 1, (2, len(codes))) * ([50], [1])  # (frames,) each
    shuffled = np.random.default_rng(0).permutation(model.config.n_codes)[: len(codes)]
    actions = {
        DECODE: lambda: model.decode(codes, gain),
        f"{DECODE}, another code every frame": lambda: model.decode(shuffled),
        "decode, retuned and tilted": lambda: model.decode(codes, gain, cents=cents, tilt=tilt),
        "decode, locked": lambda: model.decode(codes, gain, "locked"),
        "decode, noise (the paper's)": lambda: model.decode(codes, gain, "noise"),
        "Griffin-Lim, 32 iterations": lambda: librosa.griffinlim(
            magnitude, n_iter=32, hop_length=HOP, n_fft=N_FFT, random_state=0
        ),
        "iSTFT alone": lambda: librosa.istft(spectrum, n_fft=N_FFT, hop_length=HOP),
    }
    try:
        import pyworld
    except ModuleNotFoundError:  # pyworld, or the pkg_resources that it takes from setuptools before 81
        return actions, {PYWORLD: NO_PYWORLD}
    wave = sound.astype(np.float64)

    def analyse_and_synthesise() -> np.ndarray:
        f0, times = pyworld.dio(wave, SAMPLE_RATE)
        f0 = pyworld.stonemask(wave, f0, times, SAMPLE_RATE)
        envelope = pyworld.cheaptrick(wave, f0, times, SAMPLE_RATE)
        return pyworld.synthesize(f0, envelope, pyworld.d4c(wave, f0, times, SAMPLE_RATE), SAMPLE_RATE)

    return actions | {PYWORLD: analyse_and_synthesise}, {}


def control_actions(timbre: Timbre) -> Actions:
    """Analyse the codebook, follow targets of 24 s without scoring, and render drawings of 6 s for the page."""
    actions = {
        "analysis of the codebook": lambda: timbrelib.analyse_codebook(timbre.model, cache=False),
        "analysis of the codebook, cached": lambda: timbrelib.analyse_codebook(timbre.model),
    }
    for name in ("centroid", "fundamental"):
        target, drawn = (timbre.target(name, "sin", n_frames=n) for n in (FRAMES, seconds_to_frames(6)))
        request, axes = RenderRequest(timbre, {name: drawn.curve}), [make_axis(timbre.codebook, name)]
        actions[f"{name} target to 24 s of sound"] = partial(follow, timbre, target)
        actions[f"{name} drawing to 6 s of sound, curves and spectrogram"] = partial(draw, request, axes)
    return actions


def follow(timbre: Timbre, target: Target) -> np.ndarray:
    """Match a target and decode its codes."""
    path, audio = match(timbre.model, timbre.codebook, {target.descriptor: target.curve}, Search())
    return path.decode(timbre.model, None, timbre.excitation, timbre.noise) if audio is None else audio


def draw(request: RenderRequest, axes: Sequence[Axis]) -> dict:
    """Render a drawing as the drawing pad does, up to what the page shows."""
    rendering, _ = render_request(request)
    return page_result(rendering, axes)


def repeat_codes(model: VQVAE, codes: np.ndarray, n_frames: int) -> np.ndarray:
    """Repeat codes, (frames,), to a length, each time shifted to the next code, so that as many of them change."""
    repeat = np.arange(-(-n_frames // len(codes)))[:, None]
    return ((codes + repeat) % model.config.n_codes).ravel()[:n_frames]  # (repeats, frames) -> (n_frames,)


def run(program: str) -> None:
    """Run a program in a new Python process."""
    subprocess.run([sys.executable, "-c", program], check=True)


def aims(groups: dict) -> list[dict]:
    """Compare medians with the aims."""
    compared = []
    for name, row, aim, unit in AIMS:
        rows = groups[name]["rows"]
        seconds = np.array(rows[row]["samples_s"])
        if row == IMPORT:
            seconds -= rows["python alone"]["samples_s"]
        median = float(np.median(seconds))
        measured = median if unit == "s" else rows[row]["audio_s"] / median
        met = measured <= aim if unit == "s" else measured >= aim
        compared.append({"what": row, "aim": aim, "unit": unit, "measured": significant(measured), "met": met})
    return compared


def compare_blocks(model: VQVAE, codes: np.ndarray, sound: np.ndarray) -> dict:
    """Decode and encode in at least four blocks and in a single one; return the largest differences."""

    def decode_and_encode(decode_block: int, encode_block: int) -> tuple[np.ndarray, ...]:
        with patch.object(excitation, "BLOCK", decode_block), patch.object(frames, "BLOCK", encode_block):
            return model.decode(codes), *model.encode(sound)

    quarter = len(codes) // 4
    blocked = decode_and_encode(min(excitation.BLOCK, quarter), min(frames.BLOCK, quarter))
    whole = decode_and_encode(len(codes), len(codes))
    return {
        "audio_s": significant(len(sound) / SAMPLE_RATE),
        "decode_db": below_peak(blocked[0], whole[0]),
        "encode_codes": int((blocked[1] != whole[1]).sum()),
        "encode_gain_db": below_peak(blocked[2], whole[2]),
    }


def below_peak(blocked: np.ndarray, whole: np.ndarray) -> float | None:
    """Largest difference of two arrays, (n,), in dB relative to the peak; None if they are identical."""
    difference = np.abs(blocked - whole).max()
    return significant(20 * np.log10(difference / np.abs(whole).max())) if difference else None


def peak_memory(action: str) -> int | None:
    """Memory in MB that decoding or encoding 10 minutes needs beyond that for 6 s, including its result."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:  # a new process, of small memory
        return pool.submit(memory_growth, action).result()


def memory_growth(action: str) -> int | None:
    """Measure `peak_memory` in this process, which must have done nothing else; None where no system call tells it."""
    model, codes, peaks = timbrelib.load_model("violin"), timbrelib.load_rendering(RENDERING).codes, []
    noise = np.random.default_rng(0).standard_normal(LONG * SAMPLE_RATE, dtype=np.float32)
    for seconds in (6, LONG):
        if action == "decode":
            model.decode(repeat_codes(model, codes, seconds_to_frames(seconds)))
        else:
            model.encode(noise[: seconds * SAMPLE_RATE])
        peaks.append(model_card.peak_memory())
    return None if None in peaks else round((peaks[1] - peaks[0]) * 2**30 / 1e6)


def time_to_bar(data: str | None) -> dict:
    """Train complete runs, each twice as long, until the LSD of the violin's test split is low enough."""
    try:
        corpus, test = (load_recordings("violin", split, data) for split in ("train", "test"))
    except FileNotFoundError:
        return {"missing": "needs the recordings: make bench TIMBRE_DATA=FOLDER"}
    training_frames, tried, steps = cut_frames(corpus), [], 250
    while not tried or (tried[-1]["lsd_db"] > LSD_BAR and steps <= timbrelib.TrainingConfig().steps):
        start = time.perf_counter()
        model, _ = timbrelib.train(training_frames, timbrelib.TrainingConfig(steps=steps), progress=False)
        minutes = significant((time.perf_counter() - start) / 60)
        tried.append({"steps": steps, "minutes": minutes, "lsd_db": round(reconstruction_distance(model, test)[0], 2)})
        steps *= 2
    return {"tried": tried}


if __name__ == "__main__":
    main()
