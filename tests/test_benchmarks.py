import json
import os
import platform
import runpy
import statistics
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from conftest import ROOT

HOME = ROOT / "benchmarks"
KEPT = ("results.json", "README.md")
GROUPS = {"synthesis", "control", "encode", "decode", "training", "import"}
MACHINE = {"cpu", "cores", "threads", "gpu", "os", "python", "versions"}


@pytest.fixture(scope="module")
def readme():
    return runpy.run_path(str(HOME / "report.py"))["readme"]


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """A quick run in a folder of its own, and the committed files before it."""
    root = tmp_path_factory.mktemp("trial")
    for name in ("here", "home", "cache", "temporary"):
        (root / name).mkdir()
    environment = {
        **os.environ,
        "HOME": str(root / "home"),
        "XDG_CACHE_HOME": str(root / "cache"),
        "TMPDIR": str(root / "temporary"),
        "MPLCONFIGDIR": matplotlib.get_cachedir(),  # or matplotlib would list the fonts again
        "OMP_NUM_THREADS": "1",  # or threads would wait for those of other tests
    }
    before = {name: (HOME / name).read_bytes() for name in KEPT}
    command = [sys.executable, str(HOME / "bench.py"), "--quick", "--out", str(root / "out")]
    done = subprocess.run(command, cwd=root / "here", env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(root=root, before=before, results=json.loads((root / "out" / "results.json").read_text()))


def test_a_trial_writes_its_two_files_and_nothing_else(trial, readme):
    written = {path.relative_to(trial.root).as_posix() for path in trial.root.rglob("*") if path.is_file()}
    assert written == {"out/results.json", "out/README.md"}
    assert (trial.root / "out" / "README.md").read_text() == readme(trial.results)
    assert {name: (HOME / name).read_bytes() for name in KEPT} == trial.before


def test_a_trial_measures_every_alternative(trial):
    results = trial.results
    assert results["quick"]
    assert results["groups"].keys() == GROUPS
    assert results["machine"].keys() == MACHINE
    synthesis = results["groups"]["synthesis"]
    actions = [*synthesis["rows"], *synthesis["missing"]]
    for action in ("locked", "noise", "Griffin-Lim", "iSTFT alone", "pyworld"):
        assert any(action in name for name in actions), action
    assert all("pip install" in why for why in synthesis["missing"].values())
    assert results["blocks"]["encode_codes"] == 0
    assert results["blocks"]["decode_db"] is None or results["blocks"]["decode_db"] < -90
    assert [aim["aim"] for aim in results["aims"]] == [0.3, 0.3, 0.3, 0.15, 2, 450, 300]


def test_a_machine_without_proc_and_sets_of_processors_is_described_as_far_as_possible(monkeypatch):
    """As macOS and Windows, simulated."""
    describe = runpy.run_path(str(HOME / "timing.py"))["machine"]

    def missing(*arguments, **options):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    monkeypatch.setattr(platform, "freedesktop_os_release", missing)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    described = describe()
    assert described.keys() == MACHINE
    assert described["cores"] == os.cpu_count()
    assert described["cpu"]
    assert described["os"]


def test_a_memory_that_was_not_measured_is_not_given_a_size(readme):
    results = json.loads((HOME / "results.json").read_text())
    assert "| not measured |" in readme(results | {"memory_mb": {"decode": None}})


@pytest.mark.parametrize("which", ["kept", "trial"])
def test_ratios_and_aims_agree_with_the_samples(which, request):
    kept = json.loads((HOME / "results.json").read_text())
    results = kept if which == "kept" else request.getfixturevalue("trial").results
    for group in results["groups"].values():
        costs = {name: np.divide(row["samples_s"], row.get("audio_s", 1)) for name, row in group["rows"].items()}
        for name, row in group["rows"].items():
            expected = np.percentile(costs[name] / costs[group["reference"]], (25, 50, 75))
            assert row["ratio"] == pytest.approx(expected, rel=1e-3), name
    for aim in results["aims"]:
        if aim["unit"] != "s":
            row = next(
                group["rows"][aim["what"]] for group in results["groups"].values() if aim["what"] in group["rows"]
            )
            assert aim["measured"] == pytest.approx(row["audio_s"] / statistics.median(row["samples_s"]), rel=1e-3)
        assert aim["met"] == (aim["measured"] <= aim["aim"] if aim["unit"] == "s" else aim["measured"] >= aim["aim"])


def test_the_committed_page_is_that_of_the_committed_results(readme):
    assert (HOME / "README.md").read_text() == readme(json.loads((HOME / "results.json").read_text()))


def test_the_page_on_speed_quotes_the_committed_page():
    def rows(text):
        lines = [line for line in text.splitlines() if line.startswith("| ")]
        return {line.split(" | ")[0]: line for line in lines if line.count("|") == 5}

    quoted = rows((ROOT / "docs" / "speed.md").read_text())
    kept = rows((HOME / "README.md").read_text().split("## Aims")[0])
    quoted = {name: line for name, line in quoted.items() if name in kept}
    assert len(quoted) >= 6
    assert quoted == {name: kept[name] for name in quoted}
