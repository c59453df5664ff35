import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from conftest import ROOT
from two_processes import learn

import timbrelib
from timbrelib.model.checkpoint import load_history
from timbrelib.training.distributed import resolve_device

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_two_processes_make_the_codebook_that_one_makes_of_twice_the_batch(tmp_path):
    run(*TORCHRUN, str(Path(__file__).with_name("two_processes.py")), str(tmp_path / "two.safetensors"))
    two, alone = safetensors.torch.load_file(tmp_path / "two.safetensors"), learn()
    torch.testing.assert_close(two["count"], alone.count, rtol=0, atol=0)
    torch.testing.assert_close(two["total"], alone.total, rtol=0, atol=0)
    torch.testing.assert_close(two["codebook"], alone.model.codebook, rtol=0, atol=0)


def test_a_training_in_two_processes_equals_one_with_twice_the_batch(tmp_path, strings_folder):
    settings = {"steps": 30, "log_every": 5, "kmeans_frames": 2000, "n_codes": 256, "width": 256}
    options = [part for name, value in settings.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    train = ["-m", "timbrelib", "train", str(strings_folder), "--models", str(tmp_path), "--name", "two"]
    run(*TORCHRUN, *train, "--device", "cpu", "--batch", "32", *options)
    settings |= {"batch": 64}
    timbrelib.train_timbre(strings_folder, tmp_path / "one", settings, progress=False, device="cpu")
    one, two = load_history(tmp_path / "one"), load_history(tmp_path / "two")
    np.testing.assert_allclose(two["loss"], one["loss"], rtol=0.005)
    np.testing.assert_allclose(two["codes_used"], one["codes_used"], rtol=0.02)
    np.testing.assert_allclose(two["perplexity"], one["perplexity"], rtol=0.02)
    assert "2 processes" in (tmp_path / "two" / "README.md").read_text()


def test_more_processes_than_gpus_are_told_so_in_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(ValueError, match=r"has 1 GPU.* start fewer processes or add --device cpu"):
        resolve_device(None)
