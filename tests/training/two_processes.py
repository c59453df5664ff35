"""What each process of test_processes does: half of every batch, through one codebook; the first writes it."""

import sys
from pathlib import Path

import safetensors.torch
import torch

from timbrelib.model.vqvae import VQVAE, VQVAEConfig
from timbrelib.training import distributed
from timbrelib.training.config import TrainingConfig
from timbrelib.training.quantizer import Codebook

SIZES = VQVAEConfig(n_codes=32, code_size=4, width=8, blocks=1)
BATCH, UPDATES = 96, 200  # of all processes together


def learn() -> Codebook:
    """Let a codebook learn from latents that drift, so that codes die and restart."""
    torch.manual_seed(0)
    latents = torch.randn(UPDATES, BATCH, SIZES.code_size).cumsum(dim=0) / 3
    generator = torch.Generator().manual_seed(1)
    share = BATCH // distributed.count()
    codebook = Codebook(VQVAE(SIZES), TrainingConfig(batch=share, decay=0.8))
    codebook.cluster(latents[0])
    for batch in latents:
        mine = batch[distributed.rank() * share :][:share]
        codebook.update(mine, codebook.model.nearest(mine), generator)
    return codebook


if __name__ == "__main__":
    with distributed.joined(torch.device("cpu")):
        codebook = learn()
        if distributed.rank() == 0:
            content = {"codebook": codebook.model.codebook, "count": codebook.count, "total": codebook.total}
            safetensors.torch.save_file(content, Path(sys.argv[1]))
