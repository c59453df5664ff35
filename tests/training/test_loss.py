import pytest
import torch

import timbrelib
from timbrelib.training.config import TrainingConfig
from timbrelib.training.loss import VQVAELoss, audible_distance, spectral_distance
from timbrelib.training.quantizer import EMAQuantizer


def test_spectral_distance_is_the_rms_over_bins_and_the_mean_over_frames():
    a = torch.zeros(2, 4)
    b = torch.tensor([[3.0, 3, 3, 3], [2.0, 0, 0, 0]])  # RMS 3 and 1
    assert spectral_distance(a, b).item() == pytest.approx(2, abs=1e-3)


def test_differences_below_the_threshold_are_not_audible():
    original, decoded = torch.full((1, 4), -70.0), torch.full((1, 4), -50.0)
    assert audible_distance(decoded, original, torch.tensor([-40.0])).item() == pytest.approx(0, abs=0.05)
    assert audible_distance(decoded, original, torch.tensor([-60.0])).item() == pytest.approx(10, abs=1e-3)


def loss_of(noise, **settings):
    """Loss of frames with a share of noise, whose spectra are always the same."""
    torch.manual_seed(0)
    model = timbrelib.VQVAE(timbrelib.VQVAEConfig(n_codes=4, code_size=2, width=8, blocks=1))
    config = TrainingConfig(**settings)
    loss = VQVAELoss(model, EMAQuantizer(model, config), config)
    original = torch.full((3, 1025), -40.0)
    with torch.no_grad():
        predicted = model.decode_latents(model.encode_frames(original))[1]
        return loss(original, predicted + noise, torch.full((3,), -60.0), False, None)[0].item()


def test_the_loss_grows_with_the_squared_error_of_the_share_of_noise():
    right, wrong, worse = (loss_of(noise, noise_weight=5) for noise in (0, 0.1, 0.2))
    assert wrong - right == pytest.approx(5 * 0.1**2, rel=1e-3)
    assert worse - right == pytest.approx(5 * 0.2**2, rel=1e-3)
    assert loss_of(0.2, noise_weight=0) == pytest.approx(loss_of(0, noise_weight=0))


def test_without_quantisation_there_are_no_codes_and_the_codebook_stays():
    model = timbrelib.VQVAE(timbrelib.VQVAEConfig(n_codes=4, code_size=2, width=8, blocks=1))
    config = TrainingConfig(batch=3)
    loss, before = VQVAELoss(model, EMAQuantizer(model, config), config), model.codebook.clone()
    batch = torch.full((3, 1025), -40.0), torch.zeros(3, 1025), torch.full((3,), -60.0)
    assert loss(*batch, False, None)[2] is None
    assert torch.equal(model.codebook, before)
    codes = loss(*batch, True, None)[2]
    assert codes.shape == (3,)
    assert not torch.equal(model.codebook, before)
