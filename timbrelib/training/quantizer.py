"""The codebook's own learning: k-means to start from, moving averages, restarts.

It learns by exponential moving averages (van den Oord et al., 2017, appendix A.1), starts
from k-means over latents of a network trained without quantisation (Łańcucki et al.,
"Robust training of vector quantized bottleneck models", IJCNN 2020), and restarts codes
that fall out of use (Dhariwal et al., "Jukebox", 2020, section 3.1).

Notebook: 01_train.
"""

import torch
from torch import Tensor

from timbrelib.model.vqvae import VQVAE
from timbrelib.training import distributed
from timbrelib.training.config import TrainingConfig


class Codebook:
    """Moving averages that keep the model's codebook at the means of its latents.

    Where several processes train together, all of them do the same with the latents of all:
    the codebook is the one that a single process with as many times the batch would have.

    Parameters
    ----------
    model : VQVAE
        Its `codebook` is set by every `update`.
    config : TrainingConfig

    Attributes
    ----------
    count : Tensor, float32, (n_codes,)
        Moving average of the latents a step for each code.
    total : Tensor, float32, (n_codes, code_size)
        Moving average of their sum.
    """

    def __init__(self, model: VQVAE, config: TrainingConfig):
        n_codes = model.config.n_codes
        self.model = model
        self.decay = config.decay
        self.seed = config.seed
        self.fair_share = config.batch * distributed.count() / n_codes  # latents a step for each, were all used alike
        self.count = torch.full((n_codes,), self.fair_share, device=model.codebook.device)
        self.total = model.codebook * self.fair_share

    @torch.no_grad()
    def cluster(self, latents: Tensor) -> None:
        """Set the codebook to the centres of latents, float32 (n, code_size), by k-means."""
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits

        n_codes = len(self.count)
        with threadpool_limits(1, user_api="openmp"):  # several threads would add up in a different order each time
            means = KMeans(n_codes, init="random", n_init=1, max_iter=20, random_state=self.seed)
            means.fit(latents.cpu().numpy())
        self.model.codebook.copy_(torch.from_numpy(means.cluster_centers_))
        distributed.agree(self.model.codebook)
        self.count.fill_(self.fair_share)
        self.total.copy_(self.model.codebook * self.fair_share)

    @torch.no_grad()
    def update(self, latents: Tensor, codes: Tensor, generator: torch.Generator | None) -> Tensor:
        """Move the codes towards the latents that chose them.

        Parameters
        ----------
        latents : Tensor, float32, (batch, code_size)
        codes : Tensor, int64, (batch,)
        generator : torch.Generator, optional
            Draws the latents from which dead codes restart, the same ones in every process;
            without it none restarts.

        Returns
        -------
        Tensor, int64, (processes * batch,)
            The codes of all processes.
        """
        latents, codes = distributed.all_gather(latents), distributed.all_gather(codes)  # (processes * batch, ...)
        count = torch.bincount(codes, minlength=len(self.count)).float()
        total = torch.zeros_like(self.total).index_add_(0, codes, latents)
        self.count.lerp_(count, 1 - self.decay)
        self.total.lerp_(total, 1 - self.decay)
        distributed.agree(self.count, self.total)
        dead = torch.nonzero(self.count < 0.05 * self.fair_share)[:, 0]  # (dead,)
        if generator is not None and len(dead):
            drawn = torch.randint(len(latents), (len(dead),), generator=generator)  # (dead,)
            self.count[dead] = self.fair_share
            self.total[dead] = latents[drawn.to(latents.device)] * self.fair_share
        self.model.codebook.copy_(self.total / self.count.clamp(min=1e-8)[:, None])
        return codes
