"""Several processes that train one model together, on the engine that ``torchrun`` starts.

    torchrun --nproc-per-node 4 -m timbrelib train my_folder --name mysound

Each takes its share of a batch; gradients are averaged by DistributedDataParallel, and the
codebook learns from the latents of all.  One process alone needs none of this.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import Tensor
from torch import distributed as dist

PATIENCE = timedelta(days=1)  # that the others wait while the first reads the recordings


def resolve_device(name: str | torch.device | None) -> torch.device:
    """Give the device of a name, or by default a GPU if there is one: of several processes, each its own.

    Raises
    ------
    ValueError
        There is no such device.
    """
    if name in (None, "cuda") and torch.cuda.is_available():
        name = f"cuda:{int(os.environ.get('LOCAL_RANK', 0))}"
    try:
        device = torch.zeros(0, device=name or "cpu").device
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"there is no device {str(name)!r:.40} here: leave it out, or choose cpu or cuda") from error
    if device.type == "meta":
        raise ValueError("nothing can be computed on the device meta: leave it out, or choose cpu or cuda")
    return device


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Join the others for the time of a block, if ``torchrun`` started this process."""
    if not dist.is_torchelastic_launched():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
        dist.init_process_group("nccl", timeout=PATIENCE, device_id=device)
    else:
        dist.init_process_group("gloo", timeout=PATIENCE)
    try:
        yield
    finally:
        dist.destroy_process_group()


def together() -> bool:
    """Whether there are others."""
    return dist.is_initialized()


def count() -> int:
    """How many processes there are."""
    return dist.get_world_size() if together() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return dist.get_rank() if together() else 0


def all_gather(tensor: Tensor) -> Tensor:
    """Join the tensors of all processes, (n, ...) each, in the order of their ranks, (processes * n, ...)."""
    if not together():
        return tensor
    whole = [torch.empty_like(tensor) for _ in range(count())]
    dist.all_gather(whole, tensor.contiguous())
    return torch.cat(whole)


def agree(*tensors: Tensor) -> None:
    """Give all processes the first one's values, in place: sums on a GPU are not the same twice."""
    if together():
        for tensor in tensors:
            dist.broadcast(tensor, 0)


def wait() -> None:
    """Wait until all have come here.

    Raises
    ------
    ConnectionError
        One of them has stopped.
    """
    if together():
        try:
            dist.barrier()
        except RuntimeError as error:
            raise ConnectionError("another process has stopped: see what it says") from error
