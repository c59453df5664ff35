"""Program of test_other_systems: train, stop, resume, evaluate and train again, as another system would.

Linux stands in for macOS and Windows, and simulates what they lack or refuse:
``/proc``, ``os.sched_getaffinity``, the Unix modules that only Windows lacks, and its refusal to
remove, rename or replace a file that is open or mapped into memory.
"""

import builtins
import gc
import io
import json
import os
import sys
from pathlib import Path

UNIX_ONLY = {"fcntl", "grp", "pwd", "resource", "termios"}
SETTINGS = {
    "steps": 40, "batch": 32, "kmeans_frames": 500, "n_codes": 32, "code_size": 8, "width": 32, "blocks": 1,
}  # fmt: skip


def asked_by_the_library(frame):
    """Whether code of the library called, perhaps through pathlib; other libraries have code for every system."""
    while str(frame.f_globals.get("__name__")).startswith("pathlib"):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__")).startswith("timbrelib")


def without_proc():
    """Have neither ``/proc`` nor a set of processors per process, as macOS and Windows."""
    really_open = io.open

    def open_elsewhere(file, *arguments, **options):
        if str(file).startswith("/proc/") and asked_by_the_library(sys._getframe(1)):
            raise FileNotFoundError(2, "simulated: there is no such file", str(file))
        return really_open(file, *arguments, **options)

    io.open = builtins.open = open_elsewhere
    del os.sched_getaffinity
    os.process_cpu_count = os.cpu_count  # as Python 3.13 defines it there


def without_unix_modules():
    """Have none of the modules that only Unix has."""
    really_import = builtins.__import__

    def import_elsewhere(name, *arguments, **options):
        if name in UNIX_ONLY and asked_by_the_library(sys._getframe(1)):
            raise ModuleNotFoundError(f"simulated: no module named {name!r}", name=name)
        return really_import(name, *arguments, **options)

    builtins.__import__ = import_elsewhere


def in_use(path):
    """Whether this process has a file open or mapped into memory."""
    path = os.path.realpath(path)
    handles = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
    maps = os.open("/proc/self/maps", os.O_RDONLY)
    with os.fdopen(maps, "rb") as file:
        mapped = os.fsencode(path) in {line.split(maxsplit=5)[-1].strip() for line in file}
    return mapped or path in {os.path.realpath(handle) for handle in handles}


def refusing_what_is_in_use():
    """Refuse to remove, rename or replace what this process uses, and let a lock remove its file, as on Windows."""
    import filelock

    def careful(function):
        def refusing(*paths, **options):
            for path in paths:
                if in_use(path):
                    raise PermissionError(13, "simulated: the file is used by a process", str(path))
            return function(*paths, **options)

        return refusing

    for name in ("remove", "rename", "replace", "unlink"):
        setattr(os, name, careful(getattr(os, name)))
    really_release = filelock.FileLock.release

    def release(lock, *arguments, **options):
        really_release(lock, *arguments, **options)
        Path(lock.lock_file).unlink(missing_ok=True)

    filelock.FileLock.release = release


def main(system, folder, models):
    without_proc()
    if system == "windows":
        without_unix_modules()
        refusing_what_is_in_use()
    gc.disable()  # so that nothing is closed by chance

    import timbrelib
    from timbrelib.cli import main as command
    from timbrelib.model.checkpoint import load_card
    from timbrelib.training.model_card import evaluate
    from timbrelib.training.trainer import Trainer

    name, step = models / "mine", Trainer.step

    def train(**options):
        return timbrelib.train_timbre(folder, name, progress=False, checkpoint_every=0, **options)

    def interrupted(trainer):
        if trainer.steps_done == 25:
            raise KeyboardInterrupt
        step(trainer)

    kept = []  # what a notebook keeps: the last error with all its variables, and models
    for again in (False, True) if system == "windows" else (False,):
        Trainer.step = interrupted
        try:
            train(settings=SETTINGS, overwrite=True)
        except KeyboardInterrupt as stopped:
            kept.append(stopped)
        Trainer.step = step
        unfinished = sorted(path.name for path in models.iterdir())
        kept.append(train(settings=SETTINGS, overwrite=True) if again else train(resume=True))
    kept.append(evaluate(name, folder, write=True))
    for _ in range(2):
        assert (
            command(
                ["render", str(name), "sin", "--seconds", "1", "--out", str(models / "mine" / "sound"), "--overwrite"]
            )
            == 0
        )
    files = sorted(path.relative_to(models).parts[0] for path in models.rglob("*"))
    print(json.dumps({
        "unfinished": unfinished, "left": sorted(set(files)), "memory_gb": load_card(name)["training"]["memory_gb"],
    }))  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
