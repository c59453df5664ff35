"""The quantizer while it learns: k-means initialisation, moving averages, random restarts.

The codebook is updated by exponential moving averages (van den Oord et al., "Neural Discrete
Representation Learning", NeurIPS 2017, appendix A.1), initialised by k-means over the latents
of a network trained without quantisation (Łańcucki et al., "Robust training of vector
quantized bottleneck models", IJCNN 2020), and codes that fall out of use restart (Dhariwal et
al., "Jukebox", 2020, section 3.1).

Notebook: 01_train.
"""

import torch
from torch import Tensor

from timbrelib.model.vqvae import VQVAE
from timbrelib.training import distributed
from timbrelib.training.config import TrainingConfig

DEAD = 0.05  # share of the uniform count below which a code restarts


class EMAQuantizer:
    """Exponential moving averages that keep the codebook of a model at the means of its latents.

    With N_i the moving average of the number of latents assigned to code i, and m_i that of
    their sum, the codebook vector is e_i = m_i / N_i (van den Oord et al., 2017, appendix A.1).  In
    distributed training every process uses the latents of all, so that the codebook is that of
    a single process with the whole batch.

    Parameters
    ----------
    model : VQVAE
        `update` sets its `codebook`.
    config : TrainingConfig

    Attributes
    ----------
    count : Tensor, float32, (n_codes,)
        N_i, latents per step.
    total : Tensor, float32, (n_codes, code_size)
        m_i, sum of latents per step.
    """

    def __init__(self, model: VQVAE, config: TrainingConfig):
        n_codes = model.config.n_codes
        self.model = model
        self.decay = config.ema_decay
        self.seed = config.seed
        self.uniform_count = config.batch * distributed.world_size() / n_codes  # if all codes were used equally
        self.count = torch.full((n_codes,), self.uniform_count, dtype=torch.float32, device=model.codebook.device)
        self.total = model.codebook * self.uniform_count

    @torch.no_grad()
    def initialise(self, latents: Tensor) -> None:
        """Set the codebook to the k-means centroids of latents, float32 (n, code_size)."""
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits

        n_codes = len(self.count)
        with threadpool_limits(1, user_api="openmp"):  # the order of sums would depend on the timing of threads
            kmeans = KMeans(n_codes, init="random", n_init=1, max_iter=20, random_state=self.seed)
            kmeans.fit(latents.cpu().numpy())
        self.model.codebook.copy_(torch.from_numpy(kmeans.cluster_centers_))
        distributed.broadcast(self.model.codebook)
        self.count.fill_(self.uniform_count)
        self.total.copy_(self.model.codebook * self.uniform_count)

    @torch.no_grad()
    def update(self, latents: Tensor, codes: Tensor, generator: torch.Generator | None) -> Tensor:
        """Move the codebook vectors towards the latents assigned to them.

        Parameters
        ----------
        latents : Tensor, float32, (batch, code_size)
        codes : Tensor, int64, (batch,)
            The code of each latent.
        generator : torch.Generator, optional
            Draws the latents at which dead codes restart, in the same state in every process;
            without it no code restarts.

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
        distributed.broadcast(self.count, self.total)
        dead = torch.nonzero(self.count < DEAD * self.uniform_count)[:, 0]  # (dead,)
        if generator is not None and len(dead):
            drawn = torch.randint(len(latents), (len(dead),), generator=generator)  # (dead,)
            self.count[dead] = self.uniform_count
            self.total[dead] = latents[drawn.to(latents.device)] * self.uniform_count
        self.model.codebook.copy_(self.total / self.count.clamp(min=1e-8)[:, None])
        return codes
