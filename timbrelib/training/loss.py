"""What a training lowers.

The log-spectral distance that a listener meets, for a bin counts only above the audible
floor of its recording; plus a little of the plain distance, which keeps the silent bins
sane; plus the pull of latents towards their codes (van den Oord et al., 2017, eq. 3).

Notebook: 01_train.
"""

import torch
from torch import Tensor, nn

from timbrelib.model.vqvae import VQVAE
from timbrelib.training.config import TrainingConfig
from timbrelib.training.quantizer import Codebook


class VQVAELoss(nn.Module):
    """The loss of a batch: a module, so that DistributedDataParallel can average its gradients."""

    def __init__(self, model: VQVAE, codebook: Codebook, config: TrainingConfig):
        super().__init__()
        self.model, self.codebook, self.config = model, codebook, config

    def forward(
        self, original: Tensor, floor: Tensor, quantised: bool, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Send frames through the network.

        Parameters
        ----------
        original : Tensor, float32, (batch, N_BINS)
            In dB.
        floor : Tensor, float32, (batch,)
            Level under which a bin is not heard.
        quantised : bool
            Whether through the codebook too, which then learns from it.
        generator : torch.Generator, optional
            See `Codebook.update`.

        Returns
        -------
        loss : Tensor, float32, ()
        distance : Tensor, float32, ()
            Audible distance in dB.
        codes : Tensor, int64, (processes * batch,), or None
        """
        latents = self.model.embed(original)  # (batch, code_size)
        pull, codes = latents.new_zeros(()), None
        if quantised:
            chosen = self.model.nearest(latents.detach())  # (batch,)
            codes = self.codebook.update(latents.detach(), chosen, generator)
            vectors = self.model.codebook[chosen]  # (batch, code_size)
            pull = torch.square(latents - vectors).mean()
            latents = latents + (vectors - latents).detach()  # straight-through gradient
        decoded = self.model.expand(latents)  # (batch, N_BINS)
        distance = audible_distance(decoded, original, floor)
        loss = (
            distance + self.config.inaudible_weight * frame_distance(decoded, original) + self.config.commitment * pull
        )
        return loss, distance, codes


def audible_distance(decoded: Tensor, original: Tensor, floor: Tensor) -> Tensor:
    """Log-spectral distance above the floor, mean over frames.

    Parameters
    ----------
    decoded, original : Tensor, float32, (batch, N_BINS)
        In dB.
    floor : Tensor, float32, (batch,)
        Level under which a bin is not heard.

    Returns
    -------
    Tensor, float32, ()
        In dB.
    """
    floor = floor[:, None]  # (batch, 1)
    return frame_distance(torch.maximum(decoded, floor), torch.maximum(original, floor))


def frame_distance(a: Tensor, b: Tensor) -> Tensor:
    """RMS over bins of a - b, both (batch, N_BINS), mean over frames."""
    return (torch.square(a - b).mean(dim=1) + 1e-3).sqrt().mean()
