import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
from conftest import ROOT

import timbrelib
from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.cli import main
from timbrelib.model.checkpoint import load_card
from timbrelib.model.vqvae import VQVAE, VQVAEConfig
from timbrelib.recordings.synthetic import string_corpus, write_strings
from timbrelib.recordings.training_frames import frames
from timbrelib.training.quantizer import Codebook
from timbrelib.training.trainer import TrainingConfig, perplexity


def run(*arguments, **options):
    """Run the command line as its user would."""
    return subprocess.run(
        [sys.executable, "-m", "timbrelib", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )


def test_the_codebook_starts_at_the_centres_of_clusters():
    centres = torch.eye(8) * 10
    latents = centres.repeat(50, 1) + 0.01 * torch.randn(400, 8, generator=torch.Generator().manual_seed(0))
    model = VQVAE(VQVAEConfig(n_codes=8, code_size=8, width=8, blocks=1))
    Codebook(model, TrainingConfig(batch=64, seed=2)).cluster(latents)
    nearest = torch.cdist(latents, model.codebook).min(dim=1).values
    assert nearest.median() < 0.1  # k-means from random points may leave a few clusters shared


def test_a_dead_code_restarts_at_a_latent_of_the_batch():
    model = VQVAE(VQVAEConfig(n_codes=4, code_size=2, width=8, blocks=1))
    codebook = Codebook(model, TrainingConfig(batch=16))
    codebook.cluster(torch.randn(100, 2, generator=torch.Generator().manual_seed(0)))
    latents = torch.full((16, 2), 7.0)
    generator = torch.Generator().manual_seed(0)
    for _ in range(400):
        codebook.update(latents, torch.zeros(16, dtype=torch.int64), generator)
    np.testing.assert_allclose(model.codebook.numpy(), 7, atol=0.2)


def test_without_a_generator_no_code_restarts():
    model = VQVAE(VQVAEConfig(n_codes=4, code_size=2, width=8, blocks=1))
    codebook = Codebook(model, TrainingConfig(batch=16))
    codebook.cluster(torch.randn(100, 2, generator=torch.Generator().manual_seed(0)))
    before = model.codebook[1:].clone()
    for _ in range(400):
        codebook.update(torch.full((16, 2), 7.0), torch.zeros(16, dtype=torch.int64), None)
    np.testing.assert_allclose(model.codebook[1:], before, rtol=1e-3)


def test_training_lowers_the_loss_and_uses_the_codebook(small):
    model, history = small
    assert history["loss"][-1] < 0.6 * history["loss"][0]
    assert history["codes_used"][-1] > 32
    assert history["step"][-1] == 150
    assert (model.use > 0).float().mean() > 0.7


def test_a_trained_model_rebuilds_strings_better_than_an_untrained_one(small, phrases):
    from timbrelib.evaluation.metrics import log_spectral_distance

    trained, _ = small
    torch.manual_seed(0)
    untrained = VQVAE(trained.config).eval()
    sound = phrases[0].audio
    before, after = (log_spectral_distance(sound, model.reconstruct(sound)) for model in (untrained, trained))
    assert after < before - 5


def test_the_same_seed_gives_the_same_model(phrases):
    sizes = VQVAEConfig(n_codes=16, code_size=8, width=16, blocks=1)
    config = TrainingConfig(steps=20, batch=64)
    first, second = (timbrelib.train(frames(phrases[:2]), config, sizes, progress=False)[0] for _ in range(2))
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name


def test_perplexity_counts_equally_used_codes():
    assert perplexity(np.array([5, 5, 5, 5, 0])) == pytest.approx(4)
    assert perplexity(np.array([9, 0])) == pytest.approx(1)


def test_too_few_frames_are_refused(phrases):
    with pytest.raises(ValueError, match="fewer than the 1024 codes"):
        timbrelib.train(frames(phrases[:1]), progress=False)


def test_settings_that_make_no_sense_are_refused():
    for settings in ({"steps": 0}, {"batch": 1.5}, {"learning_rate": float("nan")}, {"decay": 1.0}, {"seed": True}):
        with pytest.raises(ValueError, match="give"):
            TrainingConfig(**settings)


def test_the_command_trains_on_a_folder_and_the_model_works_by_its_name(tmp_path, strings_folder, monkeypatch, capsys):
    folder = shutil.copytree(strings_folder, tmp_path / "my strings")
    (folder / "broken.wav").write_text("no sound")
    soundfile.write(folder / "silent.wav", np.zeros(9000), SAMPLE_RATE)
    monkeypatch.setenv("TIMBRE_MODELS", str(tmp_path / "models"))
    settings = ["--steps", "8", "--shifts", "-1", "0", "1", "--latents", "2000"]
    done = run("train", str(folder), "--name", "strings", *settings)
    assert done.returncode == 0, done.stderr
    assert "30 recordings taken" in done.stderr
    assert "broken.wav: cannot be read" in done.stderr
    assert "silent.wav: is silent" in done.stderr
    assert "minutes to train on are little" in done.stderr
    assert "timbrelib render strings sin" in done.stdout
    files = {path.name for path in (tmp_path / "models" / "strings").iterdir()}
    assert files >= {"training.png", "original.wav", "decoded.wav", "README.md"}
    card = (tmp_path / "models" / "strings" / "README.md").read_text()
    how = "timbrelib train FOLDER/my strings --name strings --shifts -1 0 1 --steps 8 --latents 2000"
    assert how in card.replace("'", "")
    assert "yours to choose" in card

    model = timbrelib.load_model("strings")
    assert model.name == "strings"
    assert model.config.n_codes == 1024
    assert "strings" in [each["name"] for each in timbrelib.list_models()]
    assert main(["models"]) == 0
    assert "| strings |" in capsys.readouterr().out
    assert "strings" in settings_of_the_pad()
    stem = tmp_path / "brightness"
    assert main(["render", "strings", "sin", "--seconds", "2", "--out", str(stem)]) == 0
    assert "error, Spearman" in capsys.readouterr().out
    assert {path.suffix for path in tmp_path.glob("brightness.*")} == {".wav", ".csv", ".json", ".png"}
    assert main(["render", "strings", f"{stem}.csv", "--out", str(tmp_path / "again")]) == 0
    assert "error, Spearman" in capsys.readouterr().out
    assert main(["transfer", "strings", f"{stem}.wav", "--out", str(tmp_path / "played.wav")]) == 0
    assert "within 50 cents" in capsys.readouterr().out
    assert (tmp_path / "played.wav").exists()
    assert main(["evaluate", "strings", str(folder)]) == 0
    assert f"lsd_db: {load_card('strings')['scores']['lsd_db']}" in capsys.readouterr().out


def settings_of_the_pad():
    from timbrelib.pad.controls import Settings

    return Settings("violin", ROOT).model.options


def test_an_existing_model_is_not_written_over_by_mistake(tmp_path, strings_folder):
    shutil.copytree(ROOT / "timbrelib" / "models" / "violin", tmp_path / "mine")
    refused = run("train", str(strings_folder), "--models", str(tmp_path), "--name", "mine", "--steps", "2")
    assert refused.returncode == 1
    assert "there is a model" in refused.stderr
    replaced = run(
        "train", str(strings_folder), "--models", str(tmp_path), "--name", "mine", "--steps", "2", "--latents", "2000",
        "--replace",
    )  # fmt: skip
    assert replaced.returncode == 0, replaced.stderr
    assert load_card(tmp_path / "mine")["training"]["steps"] == 2


def test_the_name_of_a_shipped_model_is_refused(tmp_path, strings_folder):
    refused = run("train", str(strings_folder), "--models", str(tmp_path), "--name", "violin")
    assert refused.returncode == 1
    assert "my_violin" in refused.stderr


@pytest.mark.parametrize("name", ["../elsewhere", "", "a/b", ".hidden"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, strings_folder, name):
    with pytest.raises(ValueError, match="no name"):
        timbrelib.train_timbre(strings_folder, name, tmp_path)


def test_an_output_folder_that_cannot_be_written_is_refused_before_training(tmp_path, strings_folder):
    (tmp_path / "file").write_text("in the way")
    refused = run("train", str(strings_folder), "--name", "kazoo", "--models", str(tmp_path / "file"))
    assert refused.returncode == 1
    assert "choose a folder that you may write to" in refused.stderr


def test_too_little_is_refused_and_leaves_nothing(tmp_path):
    home = write_strings(tmp_path / "strings", 0.3)
    refused = run("train", str(home), "--name", "kazoo", "--models", str(tmp_path / "models"))
    assert refused.returncode == 1
    assert "fewer than the 1024 codes" in refused.stderr
    assert not list((tmp_path / "models").iterdir())


def test_the_command_says_what_is_missing(tmp_path):
    refused = run("train", str(tmp_path / "nowhere"), "--name", "kazoo", "--models", str(tmp_path))
    assert refused.returncode == 1
    assert "there is no folder of recordings" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_device_that_is_not_there_is_refused(phrases):
    with pytest.raises(ValueError, match="no device"):
        timbrelib.train(frames(phrases), TrainingConfig(), VQVAEConfig(n_codes=16), device="abacus")


def test_own_recordings_beside_share_alike_ones_do_not_free_the_weights(tmp_path, phrases):
    from timbrelib.recordings.manifest import manifest

    rows = manifest("violin")
    known = [next(row["file"] for row in rows if row["split"] == split) for split in ("train", "test")]
    for number, name in enumerate([*known, *(f"violin/mine {number}.wav" for number in range(12))]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, phrases[number % len(phrases)].audio, SAMPLE_RATE)
    timbrelib.train_timbre(
        tmp_path / "violin", "mixed", tmp_path / "models", TrainingConfig(steps=2, latents=2000), progress=False
    )
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
    done = run(
        "train",
        str(folder),
        "--name",
        "hour",
        "--models",
        str(tmp_path / "models"),
        "--steps",
        "6",
        "--warmup_fraction",
        "0.5",
    )
    assert done.returncode == 0, done.stderr
    card = load_card(tmp_path / "models" / "hour")
    assert card["data"]["minutes"] == 58
    assert card["training"]["memory_gb"] < 2
