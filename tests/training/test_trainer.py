import numpy as np
import pytest
import torch
from conftest import tone, white_noise

import timbrelib
from timbrelib.evaluation.metrics import log_spectral_distance
from timbrelib.model.network import VQVAEConfig
from timbrelib.model.vqvae import VQVAE
from timbrelib.recordings.corpus import Recording
from timbrelib.recordings.training_frames import cut_frames
from timbrelib.training.code_use import perplexity
from timbrelib.training.config import TrainingConfig


def test_training_lowers_the_loss_and_uses_the_codebook(small):
    model, history = small
    assert history["loss"][-1] < 0.6 * history["loss"][0]
    assert history["codes_used"][-1] > 32
    assert history["step"][-1] == 150
    assert (model.use > 0).float().mean() > 0.7


def test_a_trained_model_reconstructs_strings_better_than_an_untrained_one(small, phrases):
    trained, _ = small
    torch.manual_seed(0)
    untrained = VQVAE(trained.config).eval()
    sound = phrases[0].audio
    before, after = (log_spectral_distance(sound, model.reconstruct(sound)) for model in (untrained, trained))
    assert after < before - 5


def test_a_model_learns_where_recordings_are_noise():
    """Tones in noise, whose partials are 28 bins apart, and noise alone."""
    tones = [Recording(f"tone {seed}", tone(300, 3, 12) + 0.3 * white_noise(1.0, seed)) for seed in range(4)]
    frames = cut_frames([*tones, Recording("noise", white_noise(3.0))])
    config = TrainingConfig(steps=300, batch=64, kmeans_frames=200)
    sizes = VQVAEConfig(n_codes=8, code_size=8, width=32, blocks=1)
    model, _ = timbrelib.train(frames, config, sizes, progress=False)
    codes, _ = model.encode(tones[0].audio)
    share = model.noise_share[np.bincount(codes[4:-4]).argmax()]  # (N_BINS,)
    bins = 300 * 2048 / 22_050
    partials, gaps = (share[np.rint(bins * (np.arange(1, 11) + half)).astype(int)] for half in (0, 0.5))
    assert partials.mean() < 0.25
    assert gaps.mean() > 0.5
    hiss, _ = model.encode(white_noise(1.0, seed=9))
    assert model.noise_share[np.bincount(hiss[4:-4]).argmax()].mean() > 0.7


def test_a_trained_model_of_strings_has_less_noise_at_its_partials(small):
    model, _ = small
    share, level = model.noise_share, model.spectra
    loud = level > 0.3 * level.max(axis=1, keepdims=True)
    assert share[loud].mean() < share[~loud].mean() - 0.1


def test_the_same_seed_gives_the_same_model(phrases):
    sizes = VQVAEConfig(n_codes=16, code_size=8, width=16, blocks=1)
    config = TrainingConfig(steps=20, batch=64)
    first, second = (timbrelib.train(cut_frames(phrases[:2]), config, sizes, progress=False)[0] for _ in range(2))
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name


def test_perplexity_counts_equally_used_codes():
    assert perplexity(np.array([5, 5, 5, 5, 0])) == pytest.approx(4)
    assert perplexity(np.array([9, 0])) == pytest.approx(1)


def test_too_few_frames_are_refused(phrases):
    with pytest.raises(ValueError, match="fewer than the 1024 codes"):
        timbrelib.train(cut_frames(phrases[:1]), progress=False)


def test_a_device_that_does_not_exist_is_refused(phrases):
    with pytest.raises(ValueError, match="no device"):
        timbrelib.train(cut_frames(phrases), TrainingConfig(), VQVAEConfig(n_codes=16), device="abacus")


def test_frames_that_are_held_back_tell_learning_from_memorising(phrases):
    """Noise is trained on: its distance falls, while that of strings, which no step has seen, stays high."""
    noise = cut_frames([Recording("noise", white_noise(2.0))])
    strings = cut_frames([Recording(phrase.name, phrase.audio) for phrase in phrases[:1]])
    config = TrainingConfig(steps=60, batch=64, log_every=20)
    _, history = timbrelib.train(noise, config, VQVAEConfig(n_codes=16, width=32), progress=False, valid=strings)
    assert history["loss"][-1] < history["loss"][0]
    assert history["valid_loss"][-1] > 2 * history["loss"][-1]
    _, same = timbrelib.train(noise, config, VQVAEConfig(n_codes=16, width=32), progress=False, valid=noise)
    assert same["valid_loss"][-1] < 1.5 * same["loss"][-1]
