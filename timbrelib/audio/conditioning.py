"""What is done to every sound that enters: several channels become one, and what lies below hearing is removed.

Notebook: 01_train.
"""

from typing import TYPE_CHECKING

import numpy as np

from timbrelib.audio.frames import SAMPLE_RATE

if TYPE_CHECKING:
    from soundfile import SoundFile

HIGH_PASS = 20.0  # Hz, the lower limit of hearing, where 6 dB are lost; above 30 Hz nothing is
REACH = 2048  # samples on either side of each that the filter takes into account
EDGE = SAMPLE_RATE // 10  # samples at either end whose mean is taken to be the offset beyond it
CANCELLED = 0.1  # of the power of the loudest channel; a fainter mean means that the channels cancel
REMOVED = 0.01  # of the power that remains; less that is removed is not worth a word
BLOCK_SAMPLES = 2**20  # samples, over all channels, read from a file at a time, whatever length its header claims


class HighPass:
    """A gentle high-pass filter for a sound at 22,050 Hz, block by block: no offset, no rumble below hearing.

    A windowed sinc without delay or change of phase (Oppenheim and Schafer, "Discrete-Time
    Signal Processing", 2010, section 7.5): what lies above stays as it is, also when a sound is
    filtered again.

    Attributes
    ----------
    removed, remaining : float
        Energy below and above the filter's edge, of all blocks so far.
    """

    def __init__(self) -> None:
        from scipy.signal import firwin

        self.low_pass = firwin(2 * REACH + 1, HIGH_PASS, window="hann", fs=SAMPLE_RATE).astype(np.float32)
        self.waiting: np.ndarray | None = None  # samples that later ones still need
        self.removed = self.remaining = 0.0

    def play(self, block: np.ndarray) -> np.ndarray:
        """Filter the next block, float32 (n,): float32 samples, up to `REACH` before its end."""
        from scipy.signal import oaconvolve

        if self.waiting is None:
            offset = block[:EDGE].mean() if len(block) else 0.0
            self.waiting = np.full(REACH, offset, np.float32)
        samples = np.concatenate([self.waiting, block])
        if len(samples) <= 2 * REACH:
            self.waiting = samples
            return np.empty(0, np.float32)
        low = oaconvolve(samples, self.low_pass, mode="valid")
        self.waiting = samples[len(samples) - 2 * REACH :]
        high = samples[REACH : len(samples) - REACH] - low
        self.removed += float(np.square(low).sum(dtype=np.float64))
        self.remaining += float(np.square(high).sum(dtype=np.float64))
        return high

    def finish(self) -> np.ndarray:
        """Filter what remains after the last block, float32 (n,)."""
        if self.waiting is None:
            return np.empty(0, np.float32)
        return self.play(np.full(REACH, self.waiting[-EDGE:].mean(), np.float32))


def remove_rumble(audio: np.ndarray) -> np.ndarray:
    """Remove what lies below hearing from a whole sound, float32 (n,) -> float32 (n,)."""
    high_pass = HighPass()
    return np.concatenate([high_pass.play(audio), high_pass.finish()])


def loudest_channel(file: "SoundFile") -> int | None:
    """Find the loudest channel of an open sound file if its channels cancel in their mean, else None.

    Channels of opposite phase, as from a wrongly wired cable or a stereo effect, leave little
    but rounding noise in the mean.
    """
    if file.channels == 1:
        return None
    mean, each = 0.0, np.zeros(file.channels)
    while len(samples := file.read(max(1, BLOCK_SAMPLES // file.channels), dtype="float32", always_2d=True)):
        mean += float(np.square(samples.mean(axis=1)).sum(dtype=np.float64))  # (n, channels) -> (n,)
        each += np.square(samples).sum(axis=0, dtype=np.float64)  # (n, channels) -> (channels,)
    file.seek(0)
    return int(each.argmax()) if mean < CANCELLED * each.max() else None
