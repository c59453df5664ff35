"""Distributed training: several processes, started by ``torchrun``, that train one model together.

    torchrun --nproc-per-node 4 -m timbrelib train my_folder --name mysound

Each process computes its part of a batch.  DistributedDataParallel averages the gradients, and
the codebook is updated with the latents of all processes.  Without ``torchrun`` every function
here is that of a single process.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import Tensor
from torch import distributed as dist

TIMEOUT = timedelta(days=1)  # other processes wait while the first reads the recordings


def resolve_device(name: str | torch.device | None) -> torch.device:
    """Return a device by name, by default a GPU if there is one; each process gets a GPU of its own.

    Raises
    ------
    ValueError
        The device does not exist, or there are more processes than GPUs.
    """
    if name in (None, "cuda") and torch.cuda.is_available():
        own, count = int(os.environ.get("LOCAL_RANK", 0)), torch.cuda.device_count()
        if own >= count:
            raise ValueError(
                f"this machine has {count} GPU(s), one per process: start fewer processes or add --device cpu"
            )
        name = f"cuda:{own}"
    try:
        device = torch.zeros(0, device=name or "cpu").device
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"there is no device {str(name)!r:.40}: leave it out, or choose cpu or cuda") from error
    if device.type == "meta":
        raise ValueError("the device meta does not compute: leave it out, or choose cpu or cuda")
    return device


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Join the process group for the duration of a block, if ``torchrun`` started this process."""
    if not dist.is_torchelastic_launched():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
        dist.init_process_group("nccl", timeout=TIMEOUT, device_id=device)
    else:
        dist.init_process_group("gloo", timeout=TIMEOUT)
    try:
        yield
    finally:
        dist.destroy_process_group()


def is_distributed() -> bool:
    """Whether this process belongs to a process group."""
    return dist.is_initialized()


def world_size() -> int:
    """Count the processes."""
    return dist.get_world_size() if is_distributed() else 1


def rank() -> int:
    """Index of this process, from 0."""
    return dist.get_rank() if is_distributed() else 0


def all_gather(tensor: Tensor) -> Tensor:
    """Concatenate the tensors of all processes, (n, ...) each, by rank: (processes * n, ...)."""
    if not is_distributed():
        return tensor
    gathered = [torch.empty_like(tensor) for _ in range(world_size())]
    dist.all_gather(gathered, tensor.contiguous())
    return torch.cat(gathered)


def broadcast(*tensors: Tensor) -> None:
    """Copy the tensors of the first process to all others, in place: sums on a GPU are not reproducible."""
    if is_distributed():
        for tensor in tensors:
            dist.broadcast(tensor, 0)


def barrier() -> None:
    """Wait until all processes have reached this call.

    Raises
    ------
    ConnectionError
        Another process has stopped.
    """
    if is_distributed():
        try:
            dist.barrier()
        except RuntimeError as error:
            raise ConnectionError("another process has stopped: see its error message") from error
