"""Settings of a training, in a module of their own so that the command line lists them without importing torch.

Notebook: 01_train.
"""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

CHECKPOINT_EVERY = 20.0  # seconds between checkpoints
FORMER_NAMES = {
    "unquantised": "warmup_fraction",
    "silent_weight": "inaudible_weight",
    "record_every": "log_every",
    "latents": "kmeans_frames",
    "decay": "ema_decay",
}  # names that version 0.1.0 gave to settings, in its files and commands, and their present names


def current_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Rename settings from `FORMER_NAMES` to their present names."""
    return {FORMER_NAMES.get(name, name): value for name, value in settings.items()}


def _setting(default: float, minimum: float, description: str) -> Any:
    """Declare a setting, of the type of its default, with the description that the command line prints."""
    return field(default=default, metadata={"minimum": minimum, "help": description})


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training; ``timbrelib train --help`` describes each.

    Raises
    ------
    ValueError
        A setting has the wrong type or is out of range.

    Examples
    --------
    >>> import timbrelib
    >>> config = timbrelib.TrainingConfig(steps=600, seed=1)
    >>> print(config.batch, config.commitment)
    512 0.25
    """

    steps: int = _setting(6000, 1, "optimiser steps")
    batch: int = _setting(512, 1, "frames per step, in each process")
    learning_rate: float = _setting(1e-3, 0, "peak learning rate, between linear warm-up and cosine decay")
    warmup_fraction: float = _setting(0.3, 0, "fraction of the steps without quantisation, before k-means")
    commitment: float = _setting(0.25, 0, "weight of the commitment loss, beta of the VQ-VAE paper")
    inaudible_weight: float = _setting(0.1, 0, "weight of the distance over all bins, inaudible ones included")
    noise_weight: float = _setting(10.0, 0, "weight of the squared error of the share of noise in each bin")
    ema_decay: float = _setting(0.99, 0, "decay per step of the moving averages that update the codebook")
    kmeans_frames: int = _setting(60_000, 1, "maximum number of frames whose latents k-means clusters")
    log_every: int = _setting(50, 1, "steps between two rows of the training history")
    seed: int = _setting(0, 0, "seed of the weights, the batches and k-means")

    def __post_init__(self) -> None:
        for setting in fields(self):
            name, value, minimum = setting.name, getattr(self, setting.name), setting.metadata["minimum"]
            if isinstance(setting.default, int):
                if not (type(value) is int and minimum <= value < 2**31):
                    raise ValueError(f"{name} cannot be {value!r:.40}: give a whole number of at least {minimum}")
            elif not (type(value) in (int, float) and minimum <= value <= sys.float_info.max):
                raise ValueError(f"{name} cannot be {value!r:.40}: give a number of at least {minimum}")
        if max(self.warmup_fraction, self.ema_decay) >= 1:
            raise ValueError("warmup_fraction and ema_decay are fractions: give numbers from 0 to below 1")


def learning_rate_factor(step: int, steps: int) -> float:
    """Linear warm-up over 200 steps (or a tenth of all, if fewer), then cosine decay to 2 %."""
    warmup = min(200, steps // 10 + 1)
    if step < warmup:
        return (step + 1) / warmup
    return 0.02 + 0.49 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
