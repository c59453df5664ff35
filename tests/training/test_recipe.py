import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from conftest import ROOT

import timbrelib
from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.cli import main
from timbrelib.model.checkpoint import load_card
from timbrelib.model.registry import shipped_folder
from timbrelib.recordings.manifest import manifest
from timbrelib.recordings.synthetic import string_corpus, write_strings


def run(*arguments):
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "timbrelib", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def refusal(capsys, *arguments):
    """What the command line says when it refuses."""
    assert main(arguments) == 1
    return capsys.readouterr().err


def test_the_command_trains_on_a_folder_and_the_model_works_by_its_name(tmp_path, strings_folder, monkeypatch, capsys):
    folder = shutil.copytree(strings_folder, tmp_path / "my strings")
    (folder / "broken.wav").write_text("no sound")
    soundfile.write(folder / "silent.wav", np.zeros(9000), SAMPLE_RATE)
    monkeypatch.setenv("TIMBRE_MODELS", str(tmp_path / "models"))
    settings = ["--steps", "8", "--shifts", "-1", "0", "1", "--kmeans-frames", "2000"]
    done = run("train", str(folder), "--name", "strings", *settings)
    assert done.returncode == 0, done.stderr
    assert "30 usable recordings" in done.stderr
    assert "broken.wav: cannot be read" in done.stderr
    assert "silent.wav: is silent" in done.stderr
    assert "the train split has only" in done.stderr
    assert "timbrelib render strings sin" in done.stdout
    files = {path.name for path in (tmp_path / "models" / "strings").iterdir()}
    assert files >= {"training.png", "original.wav", "decoded.wav", "README.md"}
    card = (tmp_path / "models" / "strings" / "README.md").read_text()
    command = "timbrelib train FOLDER/my strings --name strings --shifts -1 0 1 --steps 8 --kmeans-frames 2000"
    assert command in card.replace("'", "")
    assert "yours to choose" in card

    model = timbrelib.load_model("strings")
    assert model.name == "strings"
    assert model.config.n_codes == 1024
    assert "strings" in timbrelib.list_models().index
    assert main(["models"]) == 0
    assert "| strings |" in capsys.readouterr().out
    assert "strings" in models_in_the_pad()
    stem = tmp_path / "brightness"
    assert main(["render", "strings", "sin", "--seconds", "2", "--out", str(stem)]) == 0
    assert re.search(r"centroid: error .*, Spearman", capsys.readouterr().out)
    assert {path.suffix for path in tmp_path.glob("brightness.*")} == {".wav", ".csv", ".json", ".png"}
    assert main(["render", "strings", f"{stem}.csv", "--out", str(tmp_path / "again")]) == 0
    assert re.search(r"centroid: error .*, Spearman", capsys.readouterr().out)
    assert main(["transfer", "strings", f"{stem}.wav", "--out", str(tmp_path / "played.wav")]) == 0
    assert "within 50 cents" in capsys.readouterr().out
    assert (tmp_path / "played.wav").exists()
    assert main(["evaluate", "strings", str(folder)]) == 0
    assert f"lsd_db: {load_card('strings')['scores']['lsd_db']}" in capsys.readouterr().out


def models_in_the_pad():
    from timbrelib.pad.settings import first_settings

    return first_settings("violin").models


def test_a_figure_that_fails_does_not_withhold_the_model(tmp_path, strings_folder, monkeypatch, caplog):
    def fail(*arguments):
        raise RuntimeError("latex could not be found")

    monkeypatch.setattr("timbrelib.plots.save_figure", fail)
    sizes = {"n_codes": 32, "code_size": 8, "width": 16, "blocks": 1}
    timbrelib.train_timbre(
        strings_folder, tmp_path / "strings", {"steps": 4, "kmeans_frames": 500, **sizes}, progress=False
    )
    assert "training.png could not be drawn (latex could not be found): the model is complete" in caplog.text
    files = {path.name for path in (tmp_path / "strings").iterdir()}
    assert files >= {"config.json", "model.safetensors", "original.wav", "decoded.wav", "README.md"}
    assert "training.png" not in files


def test_an_existing_model_is_not_overwritten_by_mistake(tmp_path, strings_folder, capsys):
    shutil.copytree(shipped_folder() / "violin", tmp_path / "mine")
    train = ["train", str(strings_folder), "--models", str(tmp_path), "--name", "mine", "--steps", "2"]
    assert re.search(r"the model .*mine exists: ", refusal(capsys, *train))
    assert main([*train, "--kmeans-frames", "2000", "--replace"]) == 0
    assert load_card(tmp_path / "mine")["training"]["steps"] == 2


def test_the_name_of_a_shipped_model_is_refused(tmp_path, strings_folder, capsys):
    said = refusal(capsys, "train", str(strings_folder), "--models", str(tmp_path), "--name", "violin")
    assert "my_violin" in said


@pytest.mark.parametrize("name", ["../elsewhere", "", "a/b", ".hidden"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path, strings_folder, capsys, name):
    said = refusal(capsys, "train", str(strings_folder), "--name", name, "--models", str(tmp_path))
    assert "not a name for a file" in said


@pytest.mark.parametrize("name", ["", ".hidden", "a/.hidden", "a/b/.."])
def test_a_path_must_end_in_a_name(tmp_path, strings_folder, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="not a name for a file"):
        timbrelib.train_timbre(strings_folder, name)
    assert not list(tmp_path.iterdir())


def test_an_output_folder_that_is_not_writable_is_refused_before_training(tmp_path, strings_folder, capsys):
    (tmp_path / "file").write_text("in the way")
    said = refusal(capsys, "train", str(strings_folder), "--name", "kazoo", "--models", str(tmp_path / "file"))
    assert "choose a folder that you may write to" in said


def test_too_few_recordings_are_refused_and_leave_no_files(tmp_path, capsys):
    folder = write_strings(tmp_path / "strings", 0.3)
    said = refusal(capsys, "train", str(folder), "--name", "kazoo", "--models", str(tmp_path / "models"))
    assert "fewer than the 1024 codes" in said
    assert not list((tmp_path / "models").iterdir())


def test_the_command_names_a_missing_folder(tmp_path, capsys):
    said = refusal(capsys, "train", str(tmp_path / "nowhere"), "--name", "kazoo", "--models", str(tmp_path))
    assert "there is no folder of recordings" in said


def test_recordings_of_ones_own_do_not_free_the_weights_of_share_alike_ones(tmp_path, phrases):
    rows = manifest("violin")
    known = [next(row["file"] for row in rows if row["split"] == split) for split in ("train", "test")]
    for number, name in enumerate([*known, *(f"violin/mine {number}.wav" for number in range(12))]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, phrases[number % len(phrases)].audio, SAMPLE_RATE)
    settings = {"steps": 2, "kmeans_frames": 2000}
    timbrelib.train_timbre(tmp_path / "violin", tmp_path / "models" / "mixed", settings, progress=False)
    assert load_card(tmp_path / "models" / "mixed")["licence"] == "CC BY-SA 4.0"


def test_training_on_an_hour_takes_less_than_two_gigabytes(tmp_path):
    """In a process of its own, whose memory is counted from the first import on."""
    block = np.concatenate([phrase.audio for phrase in string_corpus(1.0)])
    folder = tmp_path / "hour"
    folder.mkdir()
    with soundfile.SoundFile(folder / "long.wav", "w", SAMPLE_RATE, 1) as file:
        for _ in range(58):
            file.write(block)
    soundfile.write(folder / "short.wav", np.tile(block, 2), SAMPLE_RATE)
    models = tmp_path / "models"
    done = run(
        "train", str(folder), "--name", "hour", "--models", str(models), "--steps", "6", "--warmup-fraction", "0.5"
    )
    assert done.returncode == 0, done.stderr
    card = load_card(models / "hour")
    assert card["data"]["minutes"] == 58
    assert card["training"]["memory_gb"] < 2
