"""Train a VQ-VAE on frames.

Loss: the log-spectral distance that a listener meets, for a bin counts only above the
audible floor of its recording; plus a little of the plain distance, which keeps the silent
bins sane.  The codebook learns by exponential moving averages (van den Oord et al., 2017,
appendix A.1), starts from k-means over latents of a network trained without quantisation
(Łańcucki et al., "Robust training of vector quantized bottleneck models", IJCNN 2020), and
restarts codes that fall out of use (Dhariwal et al., "Jukebox", 2020, section 3.1).

Notebook: 01_train.
"""

import logging
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from timbrelib.datasets import Frames
from timbrelib.model import VQVAE, VQVAEConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingConfig:
    """How to train.

    Attributes
    ----------
    steps : int
        Optimiser steps.
    batch : int
        Frames a step.
    learning_rate : float
        Peak of a warm-up and cosine decay.
    unquantised : float
        Share of the steps before the codebook is made.
    commitment : float
        Weight of the pull of a latent towards its code (beta of the paper).
    silent_weight : float
        Weight of the plain distance over all bins, audible or not.
    decay : float
        Of the moving averages behind the codebook.
    latents : int
        Frames, at most, whose latents k-means clusters.
    record_every : int
        Steps between two rows of the history.
    seed : int
    """

    steps: int = 6000
    batch: int = 512
    learning_rate: float = 1e-3
    unquantised: float = 0.3
    commitment: float = 0.25
    silent_weight: float = 0.1
    decay: float = 0.99
    latents: int = 60_000
    record_every: int = 50
    seed: int = 0


class Codebook:
    """Moving averages that keep the model's codebook at the means of its latents.

    Parameters
    ----------
    model : VQVAE
        Its `codebook` is set here, and by every `update`.
    latents : Tensor, float32, (n, code_size)
        Latents to start from, clustered by k-means.
    config : TrainingConfig
    """

    def __init__(self, model: VQVAE, latents: Tensor, config: TrainingConfig):
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits

        n_codes = model.config.n_codes
        with threadpool_limits(1, user_api="openmp"):  # several threads would add up in a different order each time
            means = KMeans(n_codes, init="random", n_init=1, max_iter=20, random_state=config.seed).fit(latents.numpy())
        model.codebook.copy_(torch.from_numpy(means.cluster_centers_))
        self.model = model
        self.decay = config.decay
        self.fair_share = config.batch / n_codes  # latents a step for each code, were all used alike
        self.count = torch.full((n_codes,), self.fair_share)  # (n_codes,)
        self.total = model.codebook * self.fair_share  # (n_codes, code_size)

    @torch.no_grad()
    def update(self, latents: Tensor, codes: Tensor, generator: torch.Generator | None) -> None:
        """Move the codes towards the latents that chose them.

        Parameters
        ----------
        latents : Tensor, float32, (batch, code_size)
        codes : Tensor, int64, (batch,)
        generator : torch.Generator, optional
            Draws the latents from which dead codes restart; without it none restarts.
        """
        n_codes = len(self.count)
        count = torch.bincount(codes, minlength=n_codes).float()
        total = torch.zeros_like(self.total).index_add_(0, codes, latents)
        self.count.lerp_(count, 1 - self.decay)
        self.total.lerp_(total, 1 - self.decay)
        dead = torch.nonzero(self.count < 0.05 * self.fair_share)[:, 0]  # (dead,)
        if generator is not None and len(dead):
            fresh = latents[torch.randint(len(latents), (len(dead),), generator=generator)]  # (dead, code_size)
            self.count[dead] = self.fair_share
            self.total[dead] = fresh * self.fair_share
        self.model.codebook.copy_(self.total / self.count.clamp(min=1e-8)[:, None])


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


def perplexity(use: np.ndarray) -> float:
    """Give the number of equally used codes with the same entropy as `use`, counts (n_codes,)."""
    share = use[use > 0] / use.sum()
    return float(np.exp(-np.sum(share * np.log(share))))


def train(
    frames: Frames, config: TrainingConfig | None = None, sizes: VQVAEConfig | None = None, progress: bool = True
) -> tuple[VQVAE, dict[str, np.ndarray]]:
    """Train a model.

    Parameters
    ----------
    frames : Frames
    config : TrainingConfig, optional
    sizes : VQVAEConfig, optional
    progress : bool
        Show a progress bar.

    Returns
    -------
    model : VQVAE
        In evaluation mode, with its counts of code use.
    history : dict of str to ndarray, float64, (rows,)
        Every `record_every` steps: ``step``, ``loss`` (audible distance in dB),
        ``codes_used`` and ``perplexity`` over the frames since the last row; these two are
        0 before there is a codebook.

    Raises
    ------
    ValueError
        There are fewer frames than codes, or no step to take.
    """
    config, sizes = config or TrainingConfig(), sizes or VQVAEConfig()
    if config.steps < 1:
        raise ValueError(f"{config.steps} training steps train nothing: ask for at least 1")
    if len(frames.level) < sizes.n_codes:
        raise ValueError(
            f"the recordings hold {len(frames.level)} audible frames, fewer than the {sizes.n_codes} codes: "
            "add recordings or ask for a smaller codebook"
        )
    torch.manual_seed(config.seed)
    generator = torch.Generator().manual_seed(config.seed)
    level, floor = torch.from_numpy(frames.level), torch.from_numpy(frames.floor)
    model = VQVAE(sizes)
    sample = level[torch.randperm(len(level), generator=generator)[: config.latents]].float()  # (latents, N_BINS)
    model.mean.copy_(sample.mean(dim=0))
    model.std.copy_(sample.std(dim=0).clamp(min=1))
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, betas=(0.9, 0.99), weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: learning_rate_factor(step, config.steps))
    start = int(config.unquantised * config.steps)
    codebook = None
    history, losses, used = [], [], torch.zeros(sizes.n_codes, dtype=torch.int64)
    bar = tqdm(range(config.steps), desc="training", unit="step", mininterval=1, disable=not progress)
    for step in bar:
        drawn = torch.randint(len(level), (config.batch,), generator=generator)
        original, heard = level[drawn].float(), floor[drawn]  # (batch, N_BINS), (batch,)
        latents = model.embed(original)  # (batch, code_size)
        pull = torch.zeros(())
        if step == start:
            codebook = Codebook(model, embed_all(model, sample), config)
        if codebook is not None:
            codes = model.nearest(latents.detach())  # (batch,)
            settling = step >= 0.9 * config.steps  # a code born in the last steps would stay unlearnt
            codebook.update(latents.detach(), codes, None if settling else generator)
            quantised = model.codebook[codes]  # (batch, code_size)
            pull = torch.square(latents - quantised).mean()
            latents = latents + (quantised - latents).detach()  # straight-through gradient
            used += torch.bincount(codes, minlength=sizes.n_codes)
        decoded = model.expand(latents)  # (batch, N_BINS)
        distance = audible_distance(decoded, original, heard)
        loss = distance + config.silent_weight * frame_distance(decoded, original) + config.commitment * pull
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(distance.item())
        if (step + 1) % config.record_every == 0 or step + 1 == config.steps:
            row = {
                "step": step + 1,
                "loss": float(np.mean(losses)),
                "codes_used": int((used > 0).sum()),
                "perplexity": perplexity(used.numpy()) if used.any() else 0.0,
            }
            history.append(row)
            bar.set_postfix(loss=f"{row['loss']:.2f} dB", codes=row["codes_used"], refresh=False)
            losses, used = [], torch.zeros_like(used)
    model.half().float()  # rounded as it will be stored, so that what is scored is what is shipped
    model.use.copy_(count_use(model, level))
    return model.eval(), {name: np.array([row[name] for row in history], dtype=np.float64) for name in history[0]}


def learning_rate_factor(step: int, steps: int) -> float:
    """Warm up linearly over the first 200 steps (or a tenth), then decay to 2 % along a cosine."""
    warm = min(200, steps // 10 + 1)
    if step < warm:
        return (step + 1) / warm
    return 0.02 + 0.49 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


@torch.no_grad()
def embed_all(model: VQVAE, level: Tensor) -> Tensor:
    """Encode many frames, (n, N_BINS), in pieces, float32 (n, code_size)."""
    return torch.cat([model.embed(piece.float()) for piece in level.split(4096)])


def count_use(model: VQVAE, level: Tensor) -> Tensor:
    """Count how many frames, (n, N_BINS), choose each code, int64 (n_codes,)."""
    codes = model.nearest(embed_all(model, level))
    return torch.bincount(codes, minlength=model.config.n_codes)
