"""Batches of training frames on the device that trains.

Notebook: 01_train.
"""

import numpy as np
import torch
from torch import Tensor

from timbrelib.recordings.training_frames import Frames, MappedRows

MAX_RESIDENT = 0.5  # share of a GPU's free memory that the frames may take; more of them stay on the CPU
BLOCK = 2**16  # frames copied to a GPU at a time


class Batches:
    """Training frames, from which batches are gathered on a device.

    On a GPU with enough memory all frames are copied once, since gathering a batch on the CPU
    and copying it takes longer than a step of the optimiser.

    Parameters
    ----------
    frames : Frames
    device : torch.device
    """

    def __init__(self, frames: Frames, device: torch.device) -> None:
        self.frames, self.device = frames, device
        self.resident: tuple[Tensor, ...] = ()
        columns = (frames.level, frames.noise, frames.floor)
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if sum(column.nbytes for column in columns) <= MAX_RESIDENT * free:
                self.resident = tuple(copy_to_device(column, device) for column in columns)

    def gather(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gather frames on the device.

        Parameters
        ----------
        rows : Tensor, int64, (batch,)
            Their indices, on the CPU.

        Returns
        -------
        level, noise : Tensor, float32, (batch, N_BINS)
            Spectra in dB, and the share of noise in each bin, 0..1.
        floor : Tensor, float32, (batch,)
            Audibility threshold in dB.
        """
        if self.resident:
            rows = rows.to(self.device)
            level, noise, floor = (column[rows] for column in self.resident)
        else:
            columns = (self.frames.level, self.frames.noise, self.frames.floor)
            level, noise, floor = (torch.from_numpy(column[rows.numpy()]).to(self.device) for column in columns)
        return level.float(), noise.float() / 255, floor


def copy_to_device(column: np.ndarray | MappedRows, device: torch.device) -> Tensor:
    """Copy a column of frames, (frames, ...), block by block, since it may be larger than the memory of the CPU."""
    resident = torch.from_numpy(column[:0]).new_empty(column.shape, device=device)
    for start in range(0, len(column), BLOCK):
        resident[start : start + BLOCK] = torch.from_numpy(column[start : start + BLOCK])
    return resident
