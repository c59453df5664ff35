"""Training on macOS and Windows, simulated on Linux by what they lack or refuse."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ROOT

from timbrelib.recordings.synthetic import write_strings
from timbrelib.training.model_card import peak_memory

PROGRAM = Path(__file__).with_name("other_systems.py")


@pytest.mark.parametrize("system", ["macos", "windows"])
def test_training_resuming_and_evaluation_need_nothing_that_only_linux_has(tmp_path, system):
    folder, models = write_strings(tmp_path / "strings", 0.5), tmp_path / "models"
    done = subprocess.run(
        [sys.executable, str(PROGRAM), system, str(folder), str(models)],
        cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert "mine.unfinished" in result["unfinished"]
    assert result["left"] == ["mine"]
    assert (result["memory_gb"] is None) == (system == "windows")


@pytest.mark.parametrize(("system", "counted"), [("linux", 3 * 2**20), ("darwin", 3 * 2**30)])
def test_macos_counts_memory_in_bytes_and_other_systems_in_kilobytes(monkeypatch, system, counted):
    def missing(*arguments, **options):
        raise FileNotFoundError

    resource = pytest.importorskip("resource")
    monkeypatch.setattr(Path, "read_text", missing)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(resource, "getrusage", lambda _: SimpleNamespace(ru_maxrss=counted))
    assert peak_memory() == 3
