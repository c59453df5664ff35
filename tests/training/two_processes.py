"""Program of each process of test_distributed: half of every batch, one codebook, which the first process writes."""

import sys
from pathlib import Path

import safetensors.torch
import torch

from timbrelib.model.network import VQVAEConfig
from timbrelib.model.vqvae import VQVAE
from timbrelib.training import distributed
from timbrelib.training.config import TrainingConfig
from timbrelib.training.quantizer import EMAQuantizer

SIZES = VQVAEConfig(n_codes=32, code_size=4, width=8, blocks=1)
BATCH, UPDATES = 96, 200  # BATCH is that of all processes together


def learn() -> EMAQuantizer:
    """Update a codebook with latents that drift, so that codes die and restart."""
    torch.manual_seed(0)
    latents = torch.randn(UPDATES, BATCH, SIZES.code_size).cumsum(dim=0) / 3
    generator = torch.Generator().manual_seed(1)
    share = BATCH // distributed.world_size()
    quantizer = EMAQuantizer(VQVAE(SIZES), TrainingConfig(batch=share, ema_decay=0.8))
    quantizer.initialise(latents[0])
    for batch in latents:
        own = batch[distributed.rank() * share :][:share]
        quantizer.update(own, quantizer.model.nearest(own), generator)
    return quantizer


if __name__ == "__main__":
    with distributed.process_group(torch.device("cpu")):
        quantizer = learn()
        if distributed.rank() == 0:
            content = {"codebook": quantizer.model.codebook, "count": quantizer.count, "total": quantizer.total}
            safetensors.torch.save_file(content, Path(sys.argv[1]))
