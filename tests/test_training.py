import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
from conftest import ROOT

import timbrelib
from timbrelib.audio import SAMPLE_RATE
from timbrelib.datasets import frames
from timbrelib.model import VQVAE, VQVAEConfig
from timbrelib.training import Codebook, TrainingConfig, perplexity


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
    with torch.no_grad():
        Codebook(model, latents, TrainingConfig(batch=64, seed=2))
    nearest = torch.cdist(latents, model.codebook).min(dim=1).values
    assert nearest.median() < 0.1  # k-means from random points may leave a few clusters shared


def test_a_dead_code_restarts_at_a_latent_of_the_batch():
    model = VQVAE(VQVAEConfig(n_codes=4, code_size=2, width=8, blocks=1))
    codebook = Codebook(
        model, torch.randn(100, 2, generator=torch.Generator().manual_seed(0)), TrainingConfig(batch=16)
    )
    latents = torch.full((16, 2), 7.0)
    generator = torch.Generator().manual_seed(0)
    for _ in range(400):
        codebook.update(latents, torch.zeros(16, dtype=torch.int64), generator)
    np.testing.assert_allclose(model.codebook.numpy(), 7, atol=0.2)


def test_without_a_generator_no_code_restarts():
    model = VQVAE(VQVAEConfig(n_codes=4, code_size=2, width=8, blocks=1))
    codebook = Codebook(
        model, torch.randn(100, 2, generator=torch.Generator().manual_seed(0)), TrainingConfig(batch=16)
    )
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
    from timbrelib.evaluation import log_spectral_distance

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


def test_the_command_trains_on_a_folder_and_the_model_loads(tmp_path, phrases):
    folder = tmp_path / "data" / "strings"
    folder.mkdir(parents=True)
    for number, phrase in enumerate(phrases * 5):
        soundfile.write(folder / f"{number:02}.wav", phrase.audio, SAMPLE_RATE)
    (folder / "broken.wav").write_text("no sound")
    soundfile.write(folder / "silent.wav", np.zeros(9000), SAMPLE_RATE)
    out = tmp_path / "strings"
    done = run(
        "train",
        "--domain",
        "strings",
        "--data",
        str(tmp_path / "data"),
        "--out",
        str(out),
        "--steps",
        "8",
        "--shifts",
        "-1",
        "0",
        "1",
    )
    assert done.returncode == 0, done.stderr
    assert "broken.wav cannot be read" in done.stderr
    assert "silent.wav is silent" in done.stderr
    model = timbrelib.load_model(out)
    assert model.name == "strings"
    assert model.config.n_codes == 1024
    card = (out / "README.md").read_text()
    assert "timbrelib train --domain strings --shifts -1 0 1`" in card  # how to repeat it
    assert "your own recordings" in card
    assert "yours to choose" in card


def test_an_output_folder_that_cannot_be_written_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("in the way")
    refused = run("train", "--domain", "kazoo", "--data", str(tmp_path), "--out", str(tmp_path / "file" / "model"))
    assert refused.returncode == 1
    assert "choose a folder that you may write to" in refused.stderr


def test_the_command_says_what_is_missing(tmp_path):
    refused = run("train", "--domain", "kazoo", "--data", str(tmp_path))
    assert refused.returncode == 1
    assert "TIMBRE_DATA" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_own_recordings_beside_share_alike_ones_do_not_free_the_weights(tmp_path, phrases):
    from timbrelib.checkpoint import load_card
    from timbrelib.datasets import manifest
    from timbrelib.recipe import train_timbre

    rows = manifest("violin")
    known = [next(row["file"] for row in rows if row["split"] == split) for split in ("train", "test")]
    for number, name in enumerate([*known, *(f"violin/mine {number}.wav" for number in range(12))]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, phrases[number % len(phrases)].audio, SAMPLE_RATE)
    train_timbre("violin", tmp_path, tmp_path / "mixed", TrainingConfig(steps=2))
    assert load_card(tmp_path / "mixed")["licence"] == "CC BY-SA 4.0"
