"""An interrupted training resumes and ends with the weights of an uninterrupted one."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict

import numpy as np
import pytest
import torch
from conftest import ROOT

import timbrelib
from timbrelib.model.checkpoint import load_card
from timbrelib.model.network import VQVAEConfig
from timbrelib.recordings.training_frames import LEVEL_FILE, Frames, cut_frames
from timbrelib.training import resume
from timbrelib.training.config import FORMER_NAMES, TrainingConfig
from timbrelib.training.trainer import train

STEPS = 120
SETTINGS = [
    "--steps", str(STEPS), "--batch", "64", "--n-codes", "256", "--width", "256", "--kmeans-frames", "2000",
    "--log-every", "10", "--checkpoint-every", "0.3",
]  # fmt: skip
SMALL = VQVAEConfig(n_codes=32, code_size=8, width=32, blocks=1)
unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither these signals nor a limit of file sizes")


def command(models, name, *arguments):
    return [sys.executable, "-m", "timbrelib", "train", "--models", str(models), "--name", name, *arguments]


def start(*arguments, **options):
    """Start the command line with one thread, so that sums are reproducible."""
    return subprocess.Popen(
        command(*arguments), cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def finish(*arguments, **options):
    process = start(*arguments, **options)
    out, err = process.communicate(timeout=300)
    return process.returncode, out + err


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, strings_folder):
    """The model of a training that was not interrupted."""
    models = tmp_path_factory.mktemp("uninterrupted")
    code, said = finish(models, "strings", str(strings_folder), *SETTINGS)
    assert code == 0, said
    return models / "strings"


@unix
def test_a_training_killed_at_five_random_moments_ends_with_the_same_weights(tmp_path, strings_folder, uninterrupted):
    recordings = shutil.copytree(strings_folder, tmp_path / "strings")
    folder, random = resume.checkpoint_folder(tmp_path / "mine"), np.random.default_rng(6)

    def reached():
        return resume.load_checkpoint(folder)[1]["step"] if (folder / resume.STATE).exists() else 0

    steps = []
    for step in (0, *np.sort(random.integers(1, 60, 4))):
        process = start(tmp_path, "mine", *([str(recordings)] if recordings.exists() else []), *SETTINGS, "--resume")
        while not folder.exists() or reached() < step:
            time.sleep(0.02)
            assert process.poll() is None, process.communicate()
        time.sleep(random.uniform(0, 0.5))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        steps.append(reached())
        if (folder / resume.RUN).exists():
            shutil.rmtree(recordings, ignore_errors=True)  # a disk that was unplugged
    assert steps == sorted(steps)
    assert 0 < steps[-1] < STEPS
    code, said = finish(tmp_path, "mine", "--resume")
    assert code == 0, said
    for name in ("history.json", "model.safetensors", "decoded.wav"):
        assert (tmp_path / "mine" / name).read_bytes() == (uninterrupted / name).read_bytes(), name
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@unix
def test_ctrl_c_stops_with_advice_and_a_second_training_is_refused(tmp_path, strings_folder):
    process = start(tmp_path, "mine", str(strings_folder), *SETTINGS, "--steps", "5000")  # longer than the second takes
    while not (tmp_path / "mine.unfinished" / resume.STATE).exists():
        time.sleep(0.05)
        assert process.poll() is None
    code, said = finish(tmp_path, "mine", str(strings_folder), *SETTINGS, "--replace")
    assert (code, said.count("another training is running")) == (1, 1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command with --resume" in said
    assert "Traceback" not in said
    refusals = {
        (): "unfinished: continue it with --resume, or restart it with --replace",
        ("--resume", "--steps", "7"): "has other settings",
        ("--resume", "--shifts", "2"): "has other settings",
    }
    for arguments, sentence in refusals.items():
        code, said = finish(tmp_path, "mine", str(strings_folder), *arguments)
        assert (code, sentence in said) == (1, True), said


@unix
def test_a_full_disk_leaves_the_last_checkpoint_complete(tmp_path, strings_folder, uninterrupted):
    limit = 12_000_000  # bytes per file: enough for the frames, not for a checkpoint

    def limit_files():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    code, said = finish(tmp_path, "mine", str(strings_folder), *SETTINGS, preexec_fn=limit_files)
    assert code == 1
    assert "there is no space left in" in said
    assert "Traceback" not in said
    assert not list(tmp_path.rglob(".*"))  # no partial checkpoint
    code, said = finish(tmp_path, "mine", *SETTINGS, "--resume")
    assert code == 0, said
    assert (tmp_path / "mine" / "history.json").read_bytes() == (uninterrupted / "history.json").read_bytes()


@unix
def test_a_disk_too_small_for_the_frames_is_reported_and_left_empty(tmp_path, strings_folder):
    def limit_files():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    code, said = finish(tmp_path, "mine", str(strings_folder), *SETTINGS, preexec_fn=limit_files)
    assert (code, "there is no space left in" in said) == (1, True), said
    assert not list(tmp_path.iterdir())


def test_an_unfinished_training_survives_a_mistyped_argument(tmp_path, strings_folder):
    diverging = asdict(SMALL) | {"steps": 30, "batch": 32, "kmeans_frames": 500, "learning_rate": 1e10}
    with pytest.raises(FloatingPointError):
        timbrelib.train_timbre(strings_folder, tmp_path / "mine", diverging, progress=False, checkpoint_every=0)
    kept = [tmp_path / "mine.unfinished" / name for name in (resume.RUN, resume.STATE, LEVEL_FILE)]
    before = [path.read_bytes() for path in kept]
    for mistake in (
        {"folder": tmp_path / "nowhere"},
        {"device": "abacus"},
        {"shifts": (float("nan"),)},
        {"settings": {"steps": 0}},
        {"settings": {"n_codes": 0}},
        {"settings": {"stepps": 1}},
    ):
        settings = {"folder": strings_folder, "name": tmp_path / "mine", "overwrite": True} | mistake
        with pytest.raises((FileNotFoundError, ValueError)):
            timbrelib.train_timbre(**settings, progress=False)
    assert [path.read_bytes() for path in kept] == before


def test_a_resumed_training_ends_with_the_same_weights(tmp_path, phrases):
    frames, config = cut_frames(phrases[:3]), TrainingConfig(steps=40, batch=32, log_every=7)
    uninterrupted, _ = train(frames, config, SMALL, progress=False)

    class Vanishing(Frames):
        """Frames whose file disappears after some steps."""

        @property
        def floor(self):
            left.pop()
            return frames.floor

    left = list(range(29))
    broken = object.__new__(Vanishing)
    broken.__dict__ |= {"level": frames.level, "noise": frames.noise}
    with pytest.raises(IndexError):
        train(broken, config, SMALL, progress=False, checkpoints=tmp_path, checkpoint_every=0)
    resumed, history = train(frames, config, SMALL, progress=False, checkpoints=tmp_path)
    assert list(history["step"]) == [7, 14, 21, 28, 35, 40]
    for name, tensor in uninterrupted.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_a_loss_that_is_not_finite_stops_the_training_at_the_last_good_checkpoint(tmp_path, phrases):
    frames = cut_frames(phrases[:3])
    damaged = Frames(frames.level, frames.noise, frames.floor.copy())
    damaged.floor[::900] = np.nan
    config = TrainingConfig(steps=400, batch=8, kmeans_frames=100)
    with pytest.raises(FloatingPointError, match=r"the loss is not finite at step \d+"):
        train(damaged, config, SMALL, progress=False, checkpoints=tmp_path, checkpoint_every=0)
    tensors, progress = resume.load_checkpoint(tmp_path)
    assert progress["step"] > 0
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())
    _, history = train(frames, config, SMALL, progress=False, checkpoints=tmp_path)  # resumes from there
    assert np.isfinite(history["loss"]).all()


def test_the_learning_rate_may_be_lowered_when_resuming(tmp_path, strings_folder):
    config = asdict(SMALL) | {"steps": 30, "batch": 32, "kmeans_frames": 500}

    def run(settings, **options):
        timbrelib.train_timbre(strings_folder, tmp_path / "mine", settings, progress=False, **options)

    with pytest.raises(FloatingPointError, match="lower --learning-rate"):
        run(config | {"learning_rate": 1e30})
    (tmp_path / "mine.unfinished" / resume.STATE).unlink(missing_ok=True)
    with pytest.raises(ValueError, match="other settings"):
        run(config | {"steps": 4}, resume=True)
    run({"learning_rate": 1e-4}, resume=True)  # all other settings are kept
    assert load_card(tmp_path / "mine")["training"]["learning_rate"] == 1e-4


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_a_damaged_checkpoint_is_refused(tmp_path, phrases, keep):
    frames, config = cut_frames(phrases[:2]), TrainingConfig(steps=4, batch=32)
    train(frames, config, SMALL, progress=False, checkpoints=tmp_path)
    state = tmp_path / resume.STATE
    state.write_bytes(state.read_bytes()[:keep])
    with pytest.raises(ValueError, match="restart the training"):
        train(frames, config, SMALL, progress=False, checkpoints=tmp_path)


def test_the_checkpoint_of_another_training_is_refused(tmp_path, phrases):
    frames, config = cut_frames(phrases[:2]), TrainingConfig(steps=4, batch=32)
    train(frames, config, SMALL, progress=False, checkpoints=tmp_path)
    with pytest.raises(ValueError, match="not from this training"):
        train(frames, config, VQVAEConfig(n_codes=16, code_size=8, width=32, blocks=1), False, tmp_path)


def test_a_folder_without_a_model_is_not_overwritten(tmp_path, strings_folder):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README.md").write_text("something else")
    code, said = finish(tmp_path, "mine", str(strings_folder), "--replace")
    assert (code, "something other than a model" in said) == (1, True)
    assert (tmp_path / "mine" / "README.md").read_text() == "something else"


def test_an_unfinished_training_of_version_0_1_resumes(tmp_path, strings_folder, uninterrupted):
    folder = resume.checkpoint_folder(tmp_path / "mine")
    process = start(tmp_path, "mine", str(strings_folder), *SETTINGS)
    while not (folder / resume.STATE).exists():
        time.sleep(0.05)
        assert process.poll() is None
    process.kill()
    process.communicate()
    run = json.loads((folder / resume.RUN).read_text())
    for former, present in FORMER_NAMES.items():
        run["config"][former] = run["config"].pop(present)
    (folder / resume.RUN).write_text(json.dumps(run))
    options = ["--latents", "2000", "--record-every", "10", "--keep-every", "0.3"]
    code, said = finish(tmp_path, "mine", "--resume", *options)
    assert code == 0, said
    for name in ("history.json", "model.safetensors"):
        assert (tmp_path / "mine" / name).read_bytes() == (uninterrupted / name).read_bytes(), name
    assert set(FORMER_NAMES.values()) < set(load_card(tmp_path / "mine")["training"])


def test_a_lock_is_held_for_a_block_and_leaves_no_empty_folder(tmp_path):
    folder = tmp_path / "mine.unfinished"
    with resume.training_lock(folder):
        with pytest.raises(BlockingIOError, match="another training is running"), resume.training_lock(folder):
            pass
        assert folder.exists()
    assert not folder.exists()
    with resume.training_lock(folder):
        (folder / resume.RUN).touch()
    with resume.training_lock(folder):
        assert (folder / resume.RUN).exists()
