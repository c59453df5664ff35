"""Settings of a training, in a module of its own so that the command line knows them without loading torch.

Notebook: 01_train.
"""

import math
from dataclasses import asdict, dataclass

CHECKPOINT_EVERY = 20.0  # s between checkpoints


@dataclass(frozen=True)
class TrainingConfig:
    """How to train.

    Attributes
    ----------
    steps : int
        Optimiser steps.
    batch : int
        Frames a step, of each process.
    learning_rate : float
        Peak of a warm-up and cosine decay.
    warmup_fraction : float
        Share of the steps before the codebook is made.
    commitment : float
        Weight of the pull of a latent towards its code (beta of the paper).
    inaudible_weight : float
        Weight of the plain distance over all bins, audible or not.
    decay : float
        Of the moving averages behind the codebook.
    latents : int
        Frames, at most, whose latents k-means clusters.
    log_every : int
        Steps between two rows of the history.
    seed : int

    Raises
    ------
    ValueError
        A setting makes no sense.
    """

    steps: int = 6000
    batch: int = 512
    learning_rate: float = 1e-3
    warmup_fraction: float = 0.3
    commitment: float = 0.25
    inaudible_weight: float = 0.1
    decay: float = 0.99
    latents: int = 60_000
    log_every: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        whole = {"steps": 1, "batch": 1, "latents": 1, "log_every": 1, "seed": 0}
        for name, value in asdict(self).items():
            if name in whole and not (type(value) is int and whole[name] <= value < 2**31):
                raise ValueError(f"{value!r:.40} is no {name} to train with: give a whole number from {whole[name]} on")
            if name not in whole and not (type(value) in (int, float) and math.isfinite(value) and value >= 0):
                raise ValueError(f"{value!r:.40} is no {name} to train with: give a number from 0 on")
        if max(self.warmup_fraction, self.decay) >= 1:
            raise ValueError("warmup_fraction and decay are shares: give numbers from 0 to below 1")
