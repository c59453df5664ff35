"""What is saved with a model to look at and listen to: its training and codebook, a recording and its reconstruction.

Notebook: 01_train.
"""

import errno
import logging
from pathlib import Path

import numpy as np

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.audio.sound_output import save_audio
from timbrelib.codebook.analysis import analyse_codebook
from timbrelib.codebook.table import Codebook
from timbrelib.files import one_line
from timbrelib.model.vqvae import VQVAE

log = logging.getLogger(__name__)

SECONDS = 10.0  # maximum length of the recording
FIGURE = "training.png"
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # of the disk, the quota or the size of a file


def save_examples(folder: Path, model: VQVAE, history: dict[str, np.ndarray], audio: np.ndarray) -> None:
    """Draw the training and the codebook, and write a test recording, float32 (n,), and its reconstruction.

    A figure that fails is a warning, for the model is finished.

    Raises
    ------
    OSError
        The disk is full.
    """
    example = audio[: int(SECONDS * SAMPLE_RATE)]
    save_audio(folder / "original.wav", example)
    save_audio(folder / "decoded.wav", model.reconstruct(example))
    codebook = analyse_codebook(model)
    try:
        draw_training(folder / FIGURE, codebook, history)
    except Exception as error:  # of matplotlib, whatever it is
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise
        log.warning("%s could not be drawn (%s): the model is complete without it", FIGURE, one_line(error))


def draw_training(path: Path, codebook: Codebook, history: dict[str, np.ndarray]) -> None:
    """Draw the training and, below it, the codebook into a PNG, and close the figure, which a notebook would show."""
    from matplotlib import pyplot

    from timbrelib import plots

    figure, (top, bottom) = plots.stacked([3.6, 5.2])
    plots.training_history(history, top)
    codebook.scatter("centroid", bottom)
    plots.save_figure(path, figure)
    pyplot.close(figure)
