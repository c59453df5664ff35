"""Train a VQ-VAE on frames, in one process or several, and go on after a break.

Notebook: 01_train.
"""

import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from timbrelib.model.checkpoint import COLUMNS
from timbrelib.model.vqvae import VQVAE, VQVAEConfig
from timbrelib.recordings.training_frames import Frames
from timbrelib.training import distributed
from timbrelib.training.config import CHECKPOINT_EVERY, TrainingConfig
from timbrelib.training.loss import VQVAELoss
from timbrelib.training.quantizer import Codebook
from timbrelib.training.resume import ANEW, STATE, load_state, save_state

LOWER = ": train anew with a lower --learning-rate, or go on from the last checkpoint with --resume and a lower one"
PIECE = 4096  # frames encoded at a time


def train(
    frames: Frames,
    config: TrainingConfig | None = None,
    sizes: VQVAEConfig | None = None,
    progress: bool = True,
    unfinished: Path | None = None,
    checkpoint_every: float = CHECKPOINT_EVERY,
    device: str | torch.device | None = None,
) -> tuple[VQVAE, dict[str, np.ndarray]]:
    """Train a model.

    Parameters
    ----------
    frames : Frames
    config : TrainingConfig, optional
    sizes : VQVAEConfig, optional
    progress : bool
        Show a progress bar.
    unfinished : Path, optional
        Folder in which to keep checkpoints.  If one is there, the training goes on from it.
    checkpoint_every : float
        Seconds between checkpoints.
    device : str or torch.device, optional
        As torch names it; by default a GPU if there is one.

    Returns
    -------
    model : VQVAE
        In evaluation mode, on the CPU, with its counts of code use.
    history : dict of str to ndarray, float64, (rows,)
        Every `log_every` steps: ``step``, ``loss`` (audible distance in dB),
        ``codes_used`` and ``perplexity`` over the frames since the last row; these two are
        0 before there is a codebook.

    Raises
    ------
    ValueError
        There are fewer frames than codes, or the checkpoint is damaged or another training's.
    FloatingPointError
        The loss is not a number any more; the last checkpoint is from before.
    """
    training = Training(frames, config or TrainingConfig(), sizes or VQVAEConfig(), device)
    if unfinished and (unfinished / STATE).exists():
        training.restore(*load_state(unfinished))
    steps, first = training.config.steps, distributed.rank() == 0
    kept = time.monotonic()
    began = kept - training.seconds
    hidden = not (progress and first)
    with tqdm(total=steps, initial=training.taken, desc="training", unit="step", mininterval=1, disable=hidden) as bar:
        while training.taken < steps:
            training.step()
            bar.set_postfix_str(training.say(), refresh=False)
            bar.update()
            now = time.monotonic()
            training.seconds = now - began
            if unfinished and first and (now - kept >= checkpoint_every or training.taken == steps):
                save_state(unfinished, *training.state())
                kept = time.monotonic()
    history = {name: np.array([row[name] for row in training.history], np.float64) for name in training.history[0]}
    return training.finish(), history


class Training:
    """A training under way: all that its next step depends on.

    Parameters
    ----------
    frames : Frames
    config : TrainingConfig
    sizes : VQVAEConfig
    device : str, torch.device or None
    """

    def __init__(self, frames: Frames, config: TrainingConfig, sizes: VQVAEConfig, device: str | torch.device | None):
        check_enough(frames, config, sizes)
        torch.manual_seed(config.seed)
        self.frames, self.config, self.device = frames, config, distributed.resolve_device(device)
        self.generator = torch.Generator().manual_seed(config.seed)
        order = torch.randperm(len(frames.level), generator=self.generator)  # (frames,)
        self.sample = order[: config.latents].numpy()  # (latents,)
        self.model = VQVAE(sizes)
        level = torch.from_numpy(frames.level[self.sample]).float()  # (latents, N_BINS)
        self.model.mean.copy_(level.mean(dim=0))
        self.model.std.copy_(level.std(dim=0).clamp(min=1))
        self.model.to(self.device)
        self.codebook = Codebook(self.model, config)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, betas=(0.9, 0.99), weight_decay=1e-4
        )
        objective = VQVAELoss(self.model, self.codebook, config)
        self.objective = (
            DistributedDataParallel(objective, broadcast_buffers=False) if distributed.together() else objective
        )
        self.taken, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []
        self.losses: list[float] = []
        self.used = torch.zeros(sizes.n_codes, dtype=torch.int64, device=self.device)

    def step(self) -> None:
        """Take one step of the optimiser.

        Raises
        ------
        FloatingPointError
            The loss is not a number.
        """
        config = self.config
        start = int(config.warmup_fraction * config.steps)
        if self.taken == start:
            self.codebook.cluster(encode_all(self.model, self.frames.level[self.sample]))
        n_all = config.batch * distributed.count()
        drawn = torch.randint(len(self.frames.level), (n_all,), generator=self.generator)  # the same in every process
        mine = drawn[distributed.rank() * config.batch :][: config.batch].numpy()  # (batch,)
        original = torch.from_numpy(self.frames.level[mine]).to(self.device).float()  # (batch, N_BINS)
        floor = torch.from_numpy(self.frames.floor[mine]).to(self.device)  # (batch,)
        settling = self.taken >= 0.9 * config.steps  # a code born in the last steps would stay unlearnt
        loss, distance, codes = self.objective(
            original, floor, self.taken >= start, None if settling else self.generator
        )
        values = distributed.all_gather(torch.stack([loss.detach(), distance.detach()])[None])  # (processes, 2)
        if not torch.isfinite(values).all():
            raise FloatingPointError(f"the loss is not a number at step {self.taken + 1}{LOWER}")
        for group in self.optimiser.param_groups:
            group["lr"] = config.learning_rate * learning_rate_factor(self.taken, config.steps)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.taken += 1
        self.losses.append(values[:, 1].mean().item())
        if codes is not None:
            self.used += torch.bincount(codes, minlength=len(self.used))
        if self.taken % config.log_every == 0 or self.taken == config.steps:
            self._record()

    def _record(self) -> None:
        """Add a row to the history."""
        used = self.used.cpu().numpy()
        row = {"step": self.taken, "loss": float(np.mean(self.losses)), "codes_used": int((used > 0).sum())}
        self.history.append(row | {"perplexity": perplexity(used) if used.any() else 0.0})
        self.losses = []
        self.used.zero_()

    def say(self) -> str:
        """Say how it goes, for the progress bar."""
        if not self.history:
            return ""
        row = self.history[-1]
        codes = f", {row['codes_used']:.0f} codes, perplexity {row['perplexity']:.0f}" if row["codes_used"] else ""
        return f"loss {row['loss']:.2f} dB{codes}"

    def state(self) -> tuple[dict[str, Tensor], dict]:
        """Give tensors and progress, for `restore`.

        Raises
        ------
        FloatingPointError
            The weights are not numbers any more.
        """
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for number, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{name}": tensor for name, tensor in moments.items()}
        tensors |= {"codebook.count": self.codebook.count, "codebook.total": self.codebook.total}
        tensors |= {"used": self.used, "generator": self.generator.get_state()}
        if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
            raise FloatingPointError(
                f"the weights are not numbers any more after step {self.taken}: lower the learning rate"
            )
        progress = {"step": self.taken, "seconds": self.seconds, "history": self.history, "losses": self.losses}
        return {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, progress

    def restore(self, tensors: dict[str, Tensor], progress: dict) -> None:
        """Go on from where a training was when it gave its `state`.

        Raises
        ------
        ValueError
            It is not the state of this training.
        """
        parts: dict[str, dict] = {"model": {}, "optimiser": {}, "codebook": {}}
        try:
            for name, tensor in tensors.items():
                kind, _, rest = name.partition(".")
                if kind in parts:
                    parts[kind][rest] = tensor
            self.model.load_state_dict(parts["model"])
            moments: dict[int, dict[str, Tensor]] = {}
            for number, parameter in enumerate(self.model.parameters()):
                moments[number] = {"step": parts["optimiser"][f"{number}.step"]}
                for name in ("exp_avg", "exp_avg_sq"):
                    moments[number][name] = parts["optimiser"][f"{number}.{name}"].reshape(parameter.shape)
            self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": moments})
            for name, average in (("count", self.codebook.count), ("total", self.codebook.total)):
                average.copy_(parts["codebook"][name].reshape(average.shape))
            self.used.copy_(tensors["used"].reshape(self.used.shape))
            self.generator.set_state(tensors["generator"])
            self.taken, self.seconds = int(progress["step"]), float(progress["seconds"])
            self.losses = [float(loss) for loss in progress["losses"]]
            self.history = [{name: float(row[name]) for name in COLUMNS} for row in progress["history"]]
            rows = self.taken // self.config.log_every
            rows += self.taken == self.config.steps and self.taken % self.config.log_every > 0
            if not (0 < self.taken <= self.config.steps and len(self.history) == rows and self.seconds >= 0):
                raise ValueError("its steps do not fit together")
        except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise ValueError(f"the checkpoint is not of this training: {ANEW}") from error

    def finish(self) -> VQVAE:
        """Give the model, rounded as it will be stored, so that what is scored is what is shipped."""
        model = self.model.cpu()
        model.half().float()
        model.use.copy_(count_use(model, self.frames.level))
        return model.eval()


def check_enough(frames: Frames, config: TrainingConfig, sizes: VQVAEConfig) -> None:
    """See that there are frames for all codes, and that enough of them are clustered.

    Raises
    ------
    ValueError
        There are fewer.
    """
    if len(frames.level) < sizes.n_codes:
        raise ValueError(
            f"the recordings hold {len(frames.level)} audible frames, fewer than the {sizes.n_codes} codes: "
            "add recordings or ask for a smaller codebook"
        )
    if config.latents < sizes.n_codes:
        raise ValueError(f"{config.latents} latents make no {sizes.n_codes} clusters: ask for as many latents as codes")


def perplexity(use: np.ndarray) -> float:
    """Give the number of equally used codes with the same entropy as `use`, counts (n_codes,)."""
    share = use[use > 0] / use.sum()
    return float(np.exp(-np.sum(share * np.log(share))))


def learning_rate_factor(step: int, steps: int) -> float:
    """Warm up linearly over the first 200 steps (or a tenth), then decay to 2 % along a cosine."""
    warm = min(200, steps // 10 + 1)
    if step < warm:
        return (step + 1) / warm
    return 0.02 + 0.49 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


@torch.no_grad()
def encode_all(model: VQVAE, level: np.ndarray) -> Tensor:
    """Encode many frames, (n, N_BINS), in pieces, float32 (n, code_size)."""
    device = model.codebook.device
    pieces = [level[start : start + PIECE] for start in range(0, len(level), PIECE)]  # (PIECE, N_BINS) each
    return torch.cat([model.embed(torch.from_numpy(np.array(piece)).to(device).float()) for piece in pieces])


def count_use(model: VQVAE, level: np.ndarray) -> Tensor:
    """Count how many frames, (n, N_BINS), choose each code, int64 (n_codes,)."""
    use = torch.zeros(model.config.n_codes, dtype=torch.int64)
    for start in range(0, len(level), PIECE):
        use += torch.bincount(model.nearest(encode_all(model, level[start : start + PIECE])), minlength=len(use))
    return use
