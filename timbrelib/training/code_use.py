"""How the codes of a model are used: which of them frames are assigned to, and how evenly.

Notebook: 01_train.
"""

import numpy as np
import torch
from torch import Tensor

from timbrelib.model.vqvae import VQVAE
from timbrelib.recordings.training_frames import MappedRows

BLOCK = 4096  # frames encoded at a time


def perplexity(count: np.ndarray) -> float:
    """Exponential of the entropy of codes used `count` times, (n_codes,): the number of codes, if all are equal."""
    share = count[count > 0] / count.sum()
    return float(np.exp(-np.sum(share * np.log(share))))


@torch.no_grad()
def encode_blocks(model: VQVAE, level: np.ndarray | MappedRows) -> Tensor:
    """Encode many frames, (n, N_BINS) in dB, block by block, to float32 (n, code_size)."""
    device = model.codebook.device
    starts = range(0, len(level), BLOCK)
    blocks = (torch.from_numpy(level[start : start + BLOCK]).to(device) for start in starts)  # (BLOCK, N_BINS) each
    return torch.cat([model.encode_frames(block.float()) for block in blocks])


def count_codes(model: VQVAE, level: np.ndarray | MappedRows) -> Tensor:
    """Count the frames, (n, N_BINS) in dB, assigned to each code, int64 (n_codes,)."""
    count = torch.zeros(model.config.n_codes, dtype=torch.int64)
    for start in range(0, len(level), BLOCK):
        codes = model.nearest(encode_blocks(model, level[start : start + BLOCK]))
        count += torch.bincount(codes, minlength=len(count))
    return count
