"""Batches of training frames on the device that trains.

Notebook: 01_train.
"""

import torch
from torch import Tensor

from timbrelib.recordings.training_frames import Frames

MAX_RESIDENT = 0.5  # share of a GPU's free memory that the frames may take; more of them stay on the CPU


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
                self.resident = tuple(torch.tensor(column, device=device) for column in columns)

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
        return level.float(), noise / 255, floor
