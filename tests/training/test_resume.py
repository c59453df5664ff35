"""Whatever ends a training, it goes on and ends as if nothing had been."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT

import timbrelib
from timbrelib.model.checkpoint import load_card
from timbrelib.model.vqvae import VQVAEConfig
from timbrelib.recordings.training_frames import LEVEL, Frames, frames
from timbrelib.training import resume
from timbrelib.training.config import TrainingConfig
from timbrelib.training.trainer import train

SETTINGS = ["--steps", "80", "--batch", "64", "--latents", "2000", "--record-every", "10", "--keep-every", "0.3"]
SMALL = VQVAEConfig(n_codes=32, code_size=8, width=32, blocks=1)


def command(models, name, *arguments):
    return [sys.executable, "-m", "timbrelib", "train", "--models", str(models), "--name", name, *arguments]


def start(*arguments, **options):
    """Start the command line as its user would, with one thread, so that sums come out the same."""
    return subprocess.Popen(
        command(*arguments), cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def finish(*arguments, **options):
    process = start(*arguments, **options)
    out, err = process.communicate(timeout=300)
    return process.returncode, out + err


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, strings_folder):
    """The model of a training that nothing disturbs."""
    models = tmp_path_factory.mktemp("unbroken")
    code, said = finish(models, "strings", str(strings_folder), *SETTINGS)
    assert code == 0, said
    return models / "strings"


def test_a_training_killed_at_five_random_moments_ends_as_an_unbroken_one(tmp_path, strings_folder, unbroken):
    recordings = shutil.copytree(strings_folder, tmp_path / "strings")
    making, random = resume.checkpoint_folder(tmp_path / "mine"), np.random.default_rng(6)

    def reached():
        return resume.load_state(making)[1]["step"] if (making / resume.STATE).exists() else 0

    steps = []
    for step in (0, *np.sort(random.integers(1, 60, 4))):
        process = start(tmp_path, "mine", *([str(recordings)] if recordings.exists() else []), *SETTINGS, "--resume")
        while not making.exists() or reached() < step:
            time.sleep(0.02)
            assert process.poll() is None, process.communicate()
        time.sleep(random.uniform(0, 0.8))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        steps.append(reached())
        if (making / resume.RUN).exists():
            shutil.rmtree(recordings, ignore_errors=True)  # a disk that was unplugged
    assert steps == sorted(steps)
    assert 0 < steps[-1] < 80
    code, said = finish(tmp_path, "mine", "--resume")
    assert code == 0, said
    for name in ("history.json", "model.safetensors", "decoded.wav"):
        assert (tmp_path / "mine" / name).read_bytes() == (unbroken / name).read_bytes(), name
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_ctrl_c_stops_in_a_sentence_and_a_second_training_keeps_out(tmp_path, strings_folder):
    process = start(tmp_path, "mine", str(strings_folder), *SETTINGS)
    while not (tmp_path / "mine.unfinished" / resume.STATE).exists():
        time.sleep(0.05)
        assert process.poll() is None
    code, said = finish(tmp_path, "mine", str(strings_folder), *SETTINGS, "--replace")
    assert (code, said.count("another training is at work")) == (1, 1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "go on with the same command and --resume" in said
    assert "Traceback" not in said
    refusals = {
        (): "unfinished: go on with --resume, or start anew with --replace",
        ("--resume", "--steps", "7"): "has other settings",
        ("--resume", "--shifts", "2"): "has other settings",
    }
    for arguments, sentence in refusals.items():
        code, said = finish(tmp_path, "mine", str(strings_folder), *arguments)
        assert (code, sentence in said) == (1, True), said


def test_a_full_disk_leaves_the_last_checkpoint_whole(tmp_path, strings_folder, unbroken):
    room = 20_000_000  # bytes to a file: for the frames, not for a checkpoint

    def leave_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    code, said = finish(tmp_path, "mine", str(strings_folder), *SETTINGS, preexec_fn=leave_room)
    assert code == 1
    assert "there is no room to write into" in said
    assert "Traceback" not in said
    assert not list(tmp_path.rglob(".*"))  # no half of a checkpoint
    code, said = finish(tmp_path, "mine", *SETTINGS, "--resume")
    assert code == 0, said
    assert (tmp_path / "mine" / "history.json").read_bytes() == (unbroken / "history.json").read_bytes()


def test_a_disk_too_small_for_the_frames_is_named_and_left_empty(tmp_path, strings_folder):
    def leave_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    code, said = finish(tmp_path, "mine", str(strings_folder), *SETTINGS, preexec_fn=leave_room)
    assert (code, "there is no room to write into" in said) == (1, True), said
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_not_lost_by_a_mistyped_folder(tmp_path, strings_folder):
    config = TrainingConfig(steps=30, batch=32, latents=500, learning_rate=1e10)
    with pytest.raises(FloatingPointError):
        timbrelib.train_timbre(strings_folder, "mine", tmp_path, config, SMALL, progress=False, checkpoint_every=0)
    kept = [tmp_path / "mine.unfinished" / name for name in (resume.RUN, resume.STATE, LEVEL)]
    before = [path.read_bytes() for path in kept]
    for mistake in ({"folder": tmp_path / "nowhere"}, {"device": "abacus"}, {"shifts": (float("nan"),)}):
        settings = {"folder": strings_folder, "name": "mine", "models": tmp_path, "replacing": True} | mistake
        with pytest.raises((FileNotFoundError, ValueError)):
            timbrelib.train_timbre(**settings, progress=False)
    assert [path.read_bytes() for path in kept] == before


def test_a_checkpoint_goes_on_as_if_nothing_had_been(tmp_path, phrases):
    corpus, config = frames(phrases[:3]), TrainingConfig(steps=40, batch=32, log_every=7)
    whole, _ = train(corpus, config, SMALL, progress=False)

    class Vanishing(Frames):
        """Frames whose file is gone after so many steps."""

        @property
        def floor(self):
            left.pop()
            return corpus.floor

    left = list(range(29))
    broken = object.__new__(Vanishing)
    broken.__dict__["level"] = corpus.level
    with pytest.raises(IndexError):
        train(broken, config, SMALL, progress=False, unfinished=tmp_path, checkpoint_every=0)
    resumed, history = train(corpus, config, SMALL, progress=False, unfinished=tmp_path)
    assert list(history["step"]) == [7, 14, 21, 28, 35, 40]
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_a_loss_that_is_no_number_stops_in_a_sentence_at_the_last_good_checkpoint(tmp_path, phrases):
    corpus = frames(phrases[:3])
    spoilt = Frames(corpus.level, corpus.floor.copy())
    spoilt.floor[::900] = np.nan
    config = TrainingConfig(steps=400, batch=8, latents=100)
    with pytest.raises(FloatingPointError, match=r"the loss is not a number at step \d+"):
        train(spoilt, config, SMALL, progress=False, unfinished=tmp_path, checkpoint_every=0)
    tensors, progress = resume.load_state(tmp_path)
    assert progress["step"] > 0
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())
    _, history = train(corpus, config, SMALL, progress=False, unfinished=tmp_path)  # it goes on from there
    assert np.isfinite(history["loss"]).all()


def test_a_learning_rate_may_be_lowered_on_the_way(tmp_path, strings_folder):
    config = TrainingConfig(steps=30, batch=32, latents=500)

    def go_on(config, **options):
        timbrelib.train_timbre(strings_folder, "mine", tmp_path, config, SMALL, progress=False, **options)

    with pytest.raises(FloatingPointError, match="lower --learning-rate"):
        go_on(replace(config, learning_rate=1e30))
    (tmp_path / "mine.unfinished" / resume.STATE).unlink(missing_ok=True)
    with pytest.raises(ValueError, match="other settings"):
        go_on(replace(config, steps=4), resume=True)
    go_on({"learning_rate": 1e-4}, resume=True)  # the rest stays as it was
    assert load_card(tmp_path / "mine")["training"]["learning_rate"] == 1e-4


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_a_damaged_checkpoint_is_refused_in_a_sentence(tmp_path, phrases, keep):
    corpus, config = frames(phrases[:2]), TrainingConfig(steps=4, batch=32)
    train(corpus, config, SMALL, progress=False, unfinished=tmp_path)
    state = tmp_path / resume.STATE
    state.write_bytes(state.read_bytes()[:keep])
    with pytest.raises(ValueError, match="start the training anew"):
        train(corpus, config, SMALL, progress=False, unfinished=tmp_path)


def test_the_checkpoint_of_another_training_is_refused(tmp_path, phrases):
    corpus, config = frames(phrases[:2]), TrainingConfig(steps=4, batch=32)
    train(corpus, config, SMALL, progress=False, unfinished=tmp_path)
    with pytest.raises(ValueError, match="not of this training"):
        train(corpus, config, VQVAEConfig(n_codes=16, code_size=8, width=32, blocks=1), False, tmp_path)


def test_what_is_not_a_model_is_not_written_over(tmp_path, strings_folder):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README.md").write_text("of something else")
    code, said = finish(tmp_path, "mine", str(strings_folder), "--replace")
    assert (code, "something else than a model" in said) == (1, True)
    assert Path(tmp_path / "mine" / "README.md").read_text() == "of something else"
