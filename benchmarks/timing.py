"""Time actions for ``make bench``: interleaved, and compared within a round."""

import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch

PACKAGES = ("timbrelib", "torch", "librosa", "numpy", "scipy", "pyworld")
Actions = dict[str, Callable[[], object]]


def group(actions: Actions, rounds: int, audio_s: Sequence[float] = ()) -> dict:
    """Time interleaved actions, each once per round, before that once to warm up if there are several rounds.

    The first is the reference.

    Parameters
    ----------
    actions : dict of str to callable
    rounds : int
    audio_s : sequence of float, optional
        Seconds of audio that each action produces or consumes; ratios are then ratios of the
        time per second of audio.

    Returns
    -------
    dict
        ``reference``, the name of an action, and ``rows``: by action its ``samples_s`` (seconds,
        one per round), the quartiles of its ``ratio`` to the reference, and ``audio_s``.
    """
    samples = {name: [] for name in actions}
    for number in range(0 if rounds > 1 else 1, rounds + 1):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            if number:
                samples[name].append(significant(time.perf_counter() - start))
    audio_s = [significant(length) for length in audio_s]
    costs = np.array(list(samples.values())) / np.reshape(audio_s or 1, (-1, 1))  # (actions, rounds)
    rows = {
        name: {"samples_s": samples[name], "ratio": quartiles(cost / costs[0])}
        for name, cost in zip(actions, costs, strict=True)
    }
    for row, length in zip(rows.values(), audio_s, strict=False):
        row["audio_s"] = length
    return {"reference": next(iter(actions)), "rows": rows}


def quartiles(values: np.ndarray) -> list[float]:
    """Lower quartile, median and upper quartile."""
    return [significant(value) for value in np.percentile(values, (25, 50, 75))]


def significant(value: float) -> float:
    """Round to four significant digits."""
    return float(f"{value:.4g}")


def processor() -> str:
    """Name of the processor, as far as the system tells it."""
    with suppress(OSError):  # only Linux has the file
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor() or platform.machine()


def operating_system() -> str:
    """Name and version of the operating system."""
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:  # only Linux has the file
        return platform.platform()


def machine() -> dict:
    """Describe the machine by what determines its speed."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "cpu": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "os": operating_system(),
        "python": platform.python_version(),
        "versions": versions,
    }
