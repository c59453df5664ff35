"""Several processes that train one model together, on the engine that ``torchrun`` starts.

    torchrun --nproc-per-node 4 -m timbrelib train my_folder --name mysound

Each takes its share of a batch; gradients are averaged by DistributedDataParallel, and the
codebook learns from the latents of all.  One process alone needs none of this.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import Tensor
from torch import distributed as dist

PATIENCE = timedelta(days=1)  # that the others wait while the first reads the recordings


@contextmanager
def joined() -> Iterator[None]:
    """Join the others for the time of a block, if ``torchrun`` started this process."""
    if not dist.is_torchelastic_launched():
        yield
        return
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
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


def gathered(tensor: Tensor) -> Tensor:
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
    """Wait until all have come here."""
    if together():
        dist.barrier()
