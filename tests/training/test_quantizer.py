import numpy as np
import torch

from timbrelib.model.network import VQVAEConfig
from timbrelib.model.vqvae import VQVAE
from timbrelib.training.config import TrainingConfig
from timbrelib.training.quantizer import EMAQuantizer

FOUR = VQVAEConfig(n_codes=4, code_size=2, width=8, blocks=1)


def test_the_codebook_is_initialised_at_the_centroids_of_clusters():
    centres = torch.eye(8) * 10
    latents = centres.repeat(50, 1) + 0.01 * torch.randn(400, 8, generator=torch.Generator().manual_seed(0))
    model = VQVAE(VQVAEConfig(n_codes=8, code_size=8, width=8, blocks=1))
    EMAQuantizer(model, TrainingConfig(batch=64, seed=2)).initialise(latents)
    nearest = torch.cdist(latents, model.codebook).min(dim=1).values
    assert nearest.median() < 0.1  # k-means from random points may leave a few clusters shared


def test_a_dead_code_restarts_at_a_latent_of_the_batch():
    model = VQVAE(FOUR)
    quantizer = EMAQuantizer(model, TrainingConfig(batch=16))
    quantizer.initialise(torch.randn(100, 2, generator=torch.Generator().manual_seed(0)))
    latents = torch.full((16, 2), 7.0)
    generator = torch.Generator().manual_seed(0)
    for _ in range(400):
        quantizer.update(latents, torch.zeros(16, dtype=torch.int64), generator)
    np.testing.assert_allclose(model.codebook.numpy(), 7, atol=0.2)


def test_without_a_generator_no_code_restarts():
    model = VQVAE(FOUR)
    quantizer = EMAQuantizer(model, TrainingConfig(batch=16))
    quantizer.initialise(torch.randn(100, 2, generator=torch.Generator().manual_seed(0)))
    before = model.codebook[1:].clone()
    for _ in range(400):
        quantizer.update(torch.full((16, 2), 7.0), torch.zeros(16, dtype=torch.int64), None)
    np.testing.assert_allclose(model.codebook[1:], before, rtol=1e-3)
