"""The layers of a model and their sizes.

Notebook: 01_train.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MAX_SIZES = {
    "n_codes": 16_384,
    "code_size": 4096,
    "width": 16_384,
    "blocks": 64,
    "outputs": 2,
}  # n_codes**2 floats are 1 GB
DECIBEL = 10 / math.log(10)  # dB per neper of power

# MKL chooses the code of a function when it is first called.  Called first by several threads at once, one of them may
# get a less accurate code (https://github.com/pytorch/pytorch/issues/188792), so each is called here by one thread.
for _dtype in (torch.float32, torch.float64):
    torch.zeros(1, dtype=_dtype).exp().log().sqrt()


@dataclass(frozen=True)
class VQVAEConfig:
    """Sizes of a model.

    Attributes
    ----------
    n_codes : int
        K, number of vectors in the codebook.
    code_size : int
        Dimension of a codebook vector.
    width : int
        Units of a hidden layer.
    blocks : int
        Residual blocks in the encoder, and in the decoder.
    outputs : int
        Spectra that the decoder predicts: the magnitude alone (1, as in release 0.1.0), or the
        magnitude and the share of noise in each bin (2).

    Raises
    ------
    ValueError
        A size is not a whole number from 1 to its entry in `MAX_SIZES`.

    Examples
    --------
    >>> import timbrelib
    >>> timbrelib.VQVAEConfig(n_codes=256, code_size=32)
    VQVAEConfig(n_codes=256, code_size=32, width=512, blocks=2, outputs=2)
    """

    n_codes: int = 1024
    code_size: int = 64
    width: int = 512
    blocks: int = 2
    outputs: int = 2

    def __post_init__(self) -> None:
        for name, most in MAX_SIZES.items():
            size = getattr(self, name)
            if type(size) is not int or not 1 <= size <= most:
                raise ValueError(f"a model cannot have a {name} of {size!r:.40}: give a whole number from 1 to {most}")


class Residual(nn.Module):
    """x + MLP(LayerNorm(x)), (batch, width) -> (batch, width)."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, dtype=torch.float32)
        self.inner = nn.Linear(width, width, dtype=torch.float32)
        self.outer = nn.Linear(width, width, dtype=torch.float32)

    def forward(self, x: Tensor) -> Tensor:
        """Add the block's output to `x`, float (batch, width)."""
        return x + self.outer(F.gelu(self.inner(self.norm(x))))


def network(n_in: int, n_out: int, config: VQVAEConfig) -> nn.Sequential:
    """Build linear, residual blocks, norm, linear, in float32: the architecture of both encoder and decoder."""
    blocks = [Residual(config.width) for _ in range(config.blocks)]
    return nn.Sequential(
        nn.Linear(n_in, config.width, dtype=torch.float32),
        *blocks,
        nn.LayerNorm(config.width, dtype=torch.float32),
        nn.Linear(config.width, n_out, dtype=torch.float32),
    )


def gain_level(level: Tensor) -> Tensor:
    """Gain in dB of spectra in dB, (batch, N_BINS) -> (batch, 1)."""
    log_power = level / DECIBEL
    one_sided = torch.logsumexp(log_power[:, 1:-1] + math.log(2), dim=1, keepdim=True)  # (batch, 1)
    edges = torch.logsumexp(log_power[:, [0, -1]], dim=1, keepdim=True)  # (batch, 1)
    return torch.logaddexp(one_sided, edges) * DECIBEL
