"""Train a VQ-VAE on frames, in one process or several, with checkpoints to resume from.

Notebook: 01_train.
"""

import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from timbrelib.model.checkpoint import COLUMNS, VALID
from timbrelib.model.network import VQVAEConfig
from timbrelib.model.vqvae import VQVAE
from timbrelib.recordings.training_frames import Frames
from timbrelib.training import distributed
from timbrelib.training.batches import Batches
from timbrelib.training.code_use import count_codes, encode_blocks, perplexity
from timbrelib.training.config import CHECKPOINT_EVERY, TrainingConfig, learning_rate_factor
from timbrelib.training.loss import VQVAELoss, held_back_distance
from timbrelib.training.quantizer import EMAQuantizer
from timbrelib.training.resume import RESTART, STATE, load_checkpoint, save_checkpoint

LOWER_RATE = "restart with a lower --learning-rate, or resume from the last checkpoint with --resume and a lower one"
SETTLING = 0.9  # share of the steps after which no code restarts: it would not be trained to the end


def train(
    frames: Frames,
    config: TrainingConfig | None = None,
    sizes: VQVAEConfig | None = None,
    progress: bool = True,
    checkpoints: Path | None = None,
    checkpoint_every: float = CHECKPOINT_EVERY,
    device: str | torch.device | None = None,
    valid: Frames | None = None,
) -> tuple[VQVAE, dict[str, np.ndarray]]:
    """Train a model.

    Parameters
    ----------
    frames : Frames
        From `timbrelib.cut_frames`.
    config : TrainingConfig, optional
    sizes : VQVAEConfig, optional
    progress : bool
        Show a progress bar.
    checkpoints : Path, optional
        Folder to which checkpoints are written.  If it has one, the training resumes from it.
    checkpoint_every : float
        Seconds between checkpoints.
    device : str or torch.device, optional
        By default a GPU if there is one.
    valid : Frames, optional
        A few frames that are not trained on, to tell learning from memorising.

    Returns
    -------
    model : VQVAE
        In evaluation mode, on the CPU, with the number of frames assigned to each code.
    history : dict of str to ndarray, float64, (rows,)
        One row every `log_every` steps: ``step``, ``loss`` (audible distance in dB), and
        ``codes_used`` and ``perplexity`` since the previous row, which are 0 before the
        codebook is initialised; with `valid`, also its distance, ``valid_loss``.

    Raises
    ------
    ValueError
        There are fewer frames than codes, or the checkpoint is damaged or from another training.
    FloatingPointError
        The loss is no longer finite; the last checkpoint is from before.

    Examples
    --------
    >>> import timbrelib
    >>> frames = timbrelib.cut_frames([timbrelib.Recording("melody", timbrelib.string_melody())])
    >>> config, sizes = timbrelib.TrainingConfig(steps=2), timbrelib.VQVAEConfig(n_codes=16, width=32)
    >>> model, history = timbrelib.train(frames, config, sizes, progress=False)
    >>> print(len(model.codebook), history["step"])
    16 [2.]
    """
    trainer = Trainer(frames, config or TrainingConfig(), sizes or VQVAEConfig(), device, valid)
    if checkpoints and (checkpoints / STATE).exists():
        trainer.restore(*load_checkpoint(checkpoints))
    steps, first = trainer.config.steps, distributed.rank() == 0
    saved = time.monotonic()
    started = saved - trainer.seconds
    hidden = not (progress and first)
    with tqdm(
        total=steps, initial=trainer.steps_done, desc="training", unit="step", mininterval=1, disable=hidden
    ) as bar:
        while trainer.steps_done < steps:
            trainer.step()
            bar.set_postfix_str(trainer.describe_progress(), refresh=False)
            bar.update()
            now = time.monotonic()
            trainer.seconds = now - started
            if checkpoints and first and (now - saved >= checkpoint_every or trainer.steps_done == steps):
                save_checkpoint(checkpoints, *trainer.state())
                saved = time.monotonic()
    history = {name: np.array([row[name] for row in trainer.history], np.float64) for name in trainer.history[0]}
    return trainer.finish(), history


class Trainer:
    """A training in progress: everything that its next step depends on.

    Parameters
    ----------
    frames : Frames
    config : TrainingConfig
    sizes : VQVAEConfig
    device : str, torch.device or None
    valid : Frames or None
    """

    def __init__(
        self,
        frames: Frames,
        config: TrainingConfig,
        sizes: VQVAEConfig,
        device: str | torch.device | None,
        valid: Frames | None = None,
    ):
        check_sizes(len(frames.level), config, sizes)
        torch.manual_seed(config.seed)
        self.frames, self.valid, self.config = frames, valid, config
        self.device = distributed.resolve_device(device)
        self.batches = Batches(frames, self.device)
        self.generator = torch.Generator().manual_seed(config.seed)
        order = torch.randperm(len(frames.level), generator=self.generator)  # (frames,)
        self.sample = order[: config.kmeans_frames].numpy()  # (kmeans_frames,)
        self.model = VQVAE(sizes)
        level = torch.from_numpy(frames.level[self.sample]).float()  # (kmeans_frames, N_BINS)
        self.model.mean.copy_(level.mean(dim=0))
        self.model.std.copy_(level.std(dim=0).clamp(min=1))
        self.model.to(self.device)
        self.quantizer = EMAQuantizer(self.model, config)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=config.learning_rate, betas=(0.9, 0.99), weight_decay=1e-4
        )
        loss = VQVAELoss(self.model, self.quantizer, config)
        self.loss = DistributedDataParallel(loss, broadcast_buffers=False) if distributed.is_distributed() else loss
        self.steps_done, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []
        self.distances: list[float] = []  # since the last row of the history
        self.usage = torch.zeros(sizes.n_codes, dtype=torch.int64, device=self.device)  # likewise

    def step(self) -> None:
        """Take one step of the optimiser.

        Raises
        ------
        FloatingPointError
            The loss is not finite.
        """
        config = self.config
        start = int(config.warmup_fraction * config.steps)
        if self.steps_done == start:
            self.quantizer.initialise(encode_blocks(self.model, self.frames.level[self.sample]))
        n_all = config.batch * distributed.world_size()
        drawn = torch.randint(len(self.frames.level), (n_all,), generator=self.generator)  # the same in every process
        original, noise, floor = self.batches.gather(drawn[distributed.rank() * config.batch :][: config.batch])
        settling = self.steps_done >= SETTLING * config.steps
        loss, distance, codes = self.loss(
            original, noise, floor, self.steps_done >= start, None if settling else self.generator
        )
        values = distributed.all_gather(torch.stack([loss.detach(), distance.detach()])[None])  # (processes, 2)
        if not torch.isfinite(values).all():
            raise FloatingPointError(f"the loss is not finite at step {self.steps_done + 1}: {LOWER_RATE}")
        for group in self.optimiser.param_groups:
            group["lr"] = config.learning_rate * learning_rate_factor(self.steps_done, config.steps)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.steps_done += 1
        self.distances.append(values[:, 1].mean().item())
        if codes is not None:
            self.usage += torch.bincount(codes, minlength=len(self.usage))
        if self.steps_done % config.log_every == 0 or self.steps_done == config.steps:
            self._log()

    def _log(self) -> None:
        """Add a row to the history."""
        usage = self.usage.cpu().numpy()
        row = {"step": self.steps_done, "loss": float(np.mean(self.distances)), "codes_used": int((usage > 0).sum())}
        row["perplexity"] = perplexity(usage) if usage.any() else 0.0
        if self.valid:
            row[VALID] = held_back_distance(self.model, self.valid, bool(usage.any()))
        self.history.append(row)
        self.distances = []
        self.usage.zero_()

    def describe_progress(self) -> str:
        """Last row of the history as text for the progress bar."""
        if not self.history:
            return ""
        row = self.history[-1]
        codes = f", {row['codes_used']:.0f} codes, perplexity {row['perplexity']:.0f}" if row["codes_used"] else ""
        return f"loss {row['loss']:.2f} dB{codes}"

    def state(self) -> tuple[dict[str, Tensor], dict]:
        """Return tensors and progress for a checkpoint, from which `restore` continues.

        Raises
        ------
        FloatingPointError
            The weights are no longer finite.
        """
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for number, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{name}": tensor for name, tensor in moments.items()}
        tensors |= {"codebook.count": self.quantizer.count, "codebook.total": self.quantizer.total}
        tensors |= {"used": self.usage, "generator": self.generator.get_state()}
        if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
            raise FloatingPointError(f"the weights are not finite after step {self.steps_done}: {LOWER_RATE}")
        progress = {
            "step": self.steps_done, "seconds": self.seconds, "history": self.history, "losses": self.distances,
        }  # fmt: skip
        return {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, progress

    def restore(self, tensors: dict[str, Tensor], progress: dict) -> None:
        """Continue from a `state`.

        Raises
        ------
        ValueError
            The state is not from this training.
        """
        parts: dict[str, dict] = {"model": {}, "optimiser": {}, "codebook": {}}
        try:
            for name, tensor in tensors.items():
                part, _, rest = name.partition(".")
                if part in parts:
                    parts[part][rest] = tensor
            self.model.load_state_dict(parts["model"])
            moments: dict[int, dict[str, Tensor]] = {}
            for number, parameter in enumerate(self.model.parameters()):
                moments[number] = {"step": parts["optimiser"][f"{number}.step"]}
                for name in ("exp_avg", "exp_avg_sq"):
                    moments[number][name] = parts["optimiser"][f"{number}.{name}"].reshape(parameter.shape)
            self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": moments})
            for name, average in (("count", self.quantizer.count), ("total", self.quantizer.total)):
                average.copy_(parts["codebook"][name].reshape(average.shape))
            self.usage.copy_(tensors["used"].reshape(self.usage.shape))
            self.generator.set_state(tensors["generator"])
            self.steps_done, self.seconds = int(progress["step"]), float(progress["seconds"])
            self.distances = [float(distance) for distance in progress["losses"]]
            columns = (*COLUMNS, VALID) if self.valid else COLUMNS
            self.history = [{name: float(row[name]) for name in columns} for row in progress["history"]]
            n_rows = self.steps_done // self.config.log_every
            n_rows += self.steps_done == self.config.steps and self.steps_done % self.config.log_every > 0
            if not (0 < self.steps_done <= self.config.steps and len(self.history) == n_rows and self.seconds >= 0):
                raise ValueError("its steps and its history do not match")
        except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise ValueError(f"the checkpoint is not from this training: {RESTART}") from error

    def finish(self) -> VQVAE:
        """Return the model, rounded to the precision in which it is saved, so that the scores are those of the file."""
        model = self.model.cpu()
        model.half().float()
        model.use.copy_(count_codes(model, self.frames.level))
        return model.eval()


def check_sizes(n_frames: int, config: TrainingConfig, sizes: VQVAEConfig) -> None:
    """Check that there are frames for all codes, and that enough of them are clustered.

    Raises
    ------
    ValueError
        There are too few.
    """
    if n_frames < sizes.n_codes:
        raise ValueError(
            f"the recordings contain {n_frames} audible frames, fewer than the {sizes.n_codes} codes: "
            "add recordings or ask for a smaller codebook"
        )
    if config.kmeans_frames < sizes.n_codes:
        raise ValueError(
            f"k-means cannot make {sizes.n_codes} clusters of {config.kmeans_frames} frames: "
            "set kmeans_frames to at least the number of codes"
        )
