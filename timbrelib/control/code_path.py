"""The codes of a sound, and how each of them is adjusted: moved in pitch, made brighter or darker.

Notebooks: 05_target_decode, 07_follow_a_line.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from timbrelib.codebook.table import Codebook
from timbrelib.model.vqvae import VQVAE
from timbrelib.synthesis.retuning import with_neighbours

MAX_NEIGHBOUR_CENTS = 150.0  # by which a neighbouring code is moved to the pitch of a frame; more is another note
DECIMALS = 2  # of cents and dB per octave, as they are saved


@dataclass(frozen=True)
class CodePath:
    """Codes and their adjustments.

    Attributes
    ----------
    codes : ndarray, int64, (frames,)
    cents : ndarray, float64, (frames, 3), or None
        See `timbrelib.synthesis.excitation.synthesise`.
    tilt : ndarray, float64, (frames,), or None
        In dB per octave.

    Examples
    --------
    >>> import numpy as np
    >>> import timbrelib
    >>> path = timbrelib.CodePath(np.array([4, 4, 7]), tilt=np.array([0.0, 1.5, 3.0]))
    >>> path.longer().codes
    array([4, 4, 7, 7])
    >>> path.decode(timbrelib.load_model("viola"), gain=0.05, excitation="mixed", noise=0.5).shape
    (1024,)
    """

    codes: np.ndarray
    cents: np.ndarray | None = None
    tilt: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def longer(self) -> "CodePath":
        """Hold the last frame for one more."""
        cents, tilt = (
            None if column is None else np.append(column, column[-1:], axis=0) for column in (self.cents, self.tilt)
        )
        return CodePath(np.append(self.codes, self.codes[-1]), cents, tilt)

    def decode(self, model: VQVAE, gain: np.ndarray | float | None, excitation: str, noise: float) -> np.ndarray:
        """Decode with `model`, `gain`, `excitation` and `noise` as in `VQVAE.decode`, float32 ((frames - 1) * HOP,)."""
        return model.decode(self.codes, gain, excitation, noise, self.cents, self.tilt)


def retune(codebook: Codebook, codes: np.ndarray, f0: np.ndarray, limit: float) -> np.ndarray | None:
    """Cents by which codes are moved to meet a fundamental.

    Parameters
    ----------
    codebook : Codebook
    codes : ndarray, int, (frames,)
    f0 : ndarray, float, (frames,)
        In Hz; NaN where codes stay as they are.
    limit : float
        Cents.

    Returns
    -------
    ndarray, float64, (frames, 3), or None
        Each frame moves its own code by at most `limit`, and its neighbours' to the same
        pitch, so that the three blend; None if nothing moves.
    """
    if limit == 0:
        return None
    own = codebook["fundamental"][codes]  # (frames,)
    cents = np.nan_to_num(np.clip(1200 * np.log2(f0 / own), -limit, limit))
    pitch = own * 2 ** (cents / 1200)
    around = (with_neighbours(values) for values in (own, cents))  # (frames, 3) each
    pitch_around, cents_around = around
    to_frame = 1200 * np.log2(pitch[:, None] / pitch_around)
    near = np.abs(to_frame) <= MAX_NEIGHBOUR_CENTS  # False for NaN
    return np.where(near, to_frame, cents_around).round(DECIMALS)


def selected_values(codebook: Codebook, path: CodePath, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Values of the chosen codes in the codebook, float64 (frames,) by descriptor; of a fundamental, as retuned."""
    selected = {name: codebook[name][path.codes] for name in names}
    if path.cents is not None and "fundamental" in selected:
        selected["fundamental"] = selected["fundamental"] * 2 ** (path.cents[:, 1] / 1200)
    return selected
