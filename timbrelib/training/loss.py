"""Training loss: audible log-spectral distance and commitment.

The loss of the VQ-VAE (van den Oord, Vinyals and Kavukcuoglu, "Neural Discrete Representation
Learning", NeurIPS 2017, eq. 3) is reconstruction + codebook + commitment.  Here

- the reconstruction term is the log-spectral distance in dB.  Only differences above the
  audibility threshold of the recording count in full; a second, small term covers all bins and
  keeps the inaudible ones bounded.
- the codebook term is replaced by moving averages (`timbrelib.training.quantizer`).
- the commitment term is unchanged: beta |z - sg(e)|^2, where sg stops the gradient.

Notebook: 01_train.
"""

import torch
from torch import Tensor, nn

from timbrelib.model.vqvae import VQVAE
from timbrelib.recordings.training_frames import Frames
from timbrelib.training.config import TrainingConfig
from timbrelib.training.quantizer import EMAQuantizer


class VQVAELoss(nn.Module):
    """Loss of a batch, as a module so that DistributedDataParallel averages its gradients.

    Parameters
    ----------
    model : VQVAE
    quantizer : EMAQuantizer
        Of the model.
    config : TrainingConfig
    """

    def __init__(self, model: VQVAE, quantizer: EMAQuantizer, config: TrainingConfig):
        super().__init__()
        self.model, self.quantizer, self.config = model, quantizer, config

    def forward(
        self, original: Tensor, noise: Tensor, floor: Tensor, quantised: bool, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Encode and decode frames, and compare.

        Parameters
        ----------
        original : Tensor, float32, (batch, N_BINS)
            Spectra in dB.
        noise : Tensor, float32, (batch, N_BINS)
            Share of noise in each bin, 0..1.
        floor : Tensor, float32, (batch,)
            Audibility threshold in dB.
        quantised : bool
            Whether the latents are quantised, which also updates the codebook.
        generator : torch.Generator, optional
            See `EMAQuantizer.update`.

        Returns
        -------
        loss : Tensor, float32, ()
        distance : Tensor, float32, ()
            Audible distance in dB.
        codes : Tensor, int64, (processes * batch,), or None
            Codes of all processes; None without quantisation.
        """
        latents = self.model.encode_frames(original)  # (batch, code_size)
        commitment, codes = latents.new_zeros(()), None
        if quantised:
            chosen = self.model.nearest(latents.detach())  # (batch,)
            codes = self.quantizer.update(latents.detach(), chosen, generator)
            vectors = self.model.codebook[chosen]  # (batch, code_size)
            commitment = torch.square(latents - vectors).mean()
            latents = latents + (vectors - latents).detach()  # straight-through gradient
        decoded, decoded_noise = self.model.decode_latents(latents)  # (batch, N_BINS) each
        distance = audible_distance(decoded, original, floor)
        loss = (
            distance
            + self.config.inaudible_weight * spectral_distance(decoded, original)
            + self.config.noise_weight * torch.square(decoded_noise - noise).mean()
            + self.config.commitment * commitment
        )
        return loss, distance, codes


@torch.no_grad()
def held_back_distance(model: VQVAE, frames: Frames, quantised: bool) -> float:
    """Audible distance in dB of frames that the training does not use, through the codebook or without it."""
    device = model.codebook.device
    original = torch.from_numpy(frames.level[:]).to(device).float()  # (frames, N_BINS)
    latents = model.encode_frames(original)  # (frames, code_size)
    if quantised:
        latents = model.codebook[model.nearest(latents)]
    decoded, _ = model.decode_latents(latents)
    return audible_distance(decoded, original, torch.from_numpy(frames.floor).to(device)).item()


def audible_distance(decoded: Tensor, original: Tensor, floor: Tensor) -> Tensor:
    """Log-spectral distance above the audibility threshold, mean over frames.

    Parameters
    ----------
    decoded, original : Tensor, float32, (batch, N_BINS)
        Spectra in dB.
    floor : Tensor, float32, (batch,)
        Threshold in dB, to which lower levels are raised.

    Returns
    -------
    Tensor, float32, ()
        In dB.
    """
    floor = floor[:, None]  # (batch, 1)
    return spectral_distance(torch.maximum(decoded, floor), torch.maximum(original, floor))


def spectral_distance(a: Tensor, b: Tensor) -> Tensor:
    """RMS over bins of the difference of spectra in dB, (batch, N_BINS) each, mean over frames."""
    return (torch.square(a - b).mean(dim=1) + 1e-3).sqrt().mean()  # the offset bounds the gradient of the root at 0
