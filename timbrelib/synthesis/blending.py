"""Blend the spectra of neighbouring frames, so that codes crossfade.

In the vector-quantized timbre model of Bitton, Esling and Harada, "Vector-Quantized Timbre
Representation", 2020 (arXiv 2007.06349), a frame has exactly one code.  An abrupt change
from one magnitude spectrum to another splatters energy over all frequencies; here every
frame has the mean of its own spectrum (weight 1/2) and its neighbours' (1/4 each), so that
a change takes three frames.

Notebook: 05_target_decode.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from timbrelib.audio.frames import spectrum_gain
from timbrelib.synthesis.retuning import with_neighbours


@dataclass(frozen=True)
class CodeSpectra:
    """What each code sounds like: magnitudes of its partials and of its noise, at unit gain together.

    Attributes
    ----------
    partials, noise : ndarray, float32, (n_codes, N_BINS), or None
        One of them may be missing.
    """

    partials: np.ndarray | None
    noise: np.ndarray | None

    def __len__(self) -> int:
        """Count the codes."""
        return next(len(part) for part in (self.partials, self.noise) if part is not None)


@dataclass(frozen=True)
class Blends:
    """Blended spectra of a block of frames, at unit gain.

    Attributes
    ----------
    partials, noise : ndarray, float32, (distinct, N_BINS), or None
        The distinct blends; held codes make most frames equal.
    rows : ndarray, int64, (1 + frames,)
        Index of each frame's blend; the first is the frame before the block (in the first
        block, its first frame).
    gain : ndarray, float32, (frames, 1)
        Requested gain of each frame.
    """

    partials: np.ndarray | None
    noise: np.ndarray | None
    rows: np.ndarray
    gain: np.ndarray


def blend_blocks(
    spectra: CodeSpectra,
    codes: np.ndarray,
    gain: np.ndarray,
    block: int,
    move: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Iterator[Blends]:
    """Blend the spectrum of each frame with those of its neighbours; a code that stays keeps its spectrum.

    Parameters
    ----------
    spectra : CodeSpectra
    codes : ndarray, int, (frames,)
    gain : ndarray, float, (frames,)
    block : int
        Frames in a block.
    move : callable, optional
        Moved partials of the codes before, of and after some frames, int (n,): float32 (3, n, N_BINS), see
        `timbrelib.synthesis.retuning.Retuner.move`.

    Yields
    ------
    Blends
    """
    triples = with_neighbours(codes)  # (frames, 3)
    for start in range(0, len(codes), block):
        frames = np.arange(start - 1, min(start + block, len(codes))).clip(min=0)  # (1 + block,)
        if move is None:
            key = np.ravel_multi_index(tuple(triples[frames].T), (len(spectra),) * 3)  # one number per triple
            _, first, rows = np.unique(key, return_index=True, return_inverse=True)
        else:
            first = rows = np.arange(len(frames))
        chosen = frames[first]  # (distinct,)
        partials = noise = None
        if spectra.partials is not None:
            three = spectra.partials[triples[chosen].T] if move is None else move(chosen)
            partials = _blend(*three)  # three times (distinct, N_BINS) -> (distinct, N_BINS)
        if spectra.noise is not None:
            noise = _blend(*spectra.noise[triples[chosen].T])
        blended = [blend for blend in (partials, noise) if blend is not None]
        unit = np.sqrt(sum(np.square(spectrum_gain(blend)) for blend in blended))  # (distinct,)
        for blend in blended:
            blend /= unit[:, None]
        yield Blends(partials, noise, rows, gain[frames[1:], None].astype(np.float32))


def _blend(before: np.ndarray, here: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Weight the spectra of three frames 1 : 2 : 1, (n, N_BINS) each."""
    blend = before + after
    blend += 2 * here
    return blend
