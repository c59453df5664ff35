"""Noise excitation: white noise filtered by the magnitude spectra, frame by frame.

The decoder of Bitton, Esling and Harada, "Vector-Quantized Timbre Representation", 2020
(arXiv 2007.06349, section 3): every frame of the STFT of white noise is multiplied by the
magnitude spectrum of its code, a subtractive synthesis without any periodicity.

Notebook: 04_target_decode.
"""

from collections.abc import Iterator

import numpy as np

from timbrelib.audio.frames import HOP, N_BINS, N_FFT
from timbrelib.synthesis.blending import BLOCK, blend_neighbours


def noise_spectra(spectra: np.ndarray, triples: np.ndarray, gain: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """Filter white noise.

    Parameters
    ----------
    spectra : ndarray, float32, (n_codes, N_BINS)
        Unit-gain magnitude spectra of all codes.
    triples : ndarray, int, (frames, 3)
        See `timbrelib.synthesis.blending.blend_neighbours`.
    gain : ndarray, float, (frames,)
    seed : int

    Yields
    ------
    ndarray, complex64, (frames in the block, N_BINS)
    """
    level = noise_level(len(triples), seed)
    for start, noise in zip(range(0, len(triples), BLOCK), noise_blocks(len(triples), seed), strict=True):
        frames = slice(start, start + BLOCK)
        blends, rows = blend_neighbours(spectra, triples[frames])
        magnitude = blends[rows] * gain[frames, None].astype(np.float32)  # (block, N_BINS)
        yield magnitude * (noise / level)


def noise_blocks(n_frames: int, seed: int) -> Iterator[np.ndarray]:
    """Compute the STFT of white noise in blocks, complex64 (frames in the block, N_BINS)."""
    import librosa

    for noise in white_noise(n_frames, seed):
        yield librosa.stft(noise, n_fft=N_FFT, hop_length=HOP, center=False).T  # (N_BINS, block) -> (block, N_BINS)


def white_noise(n_frames: int, seed: int) -> Iterator[np.ndarray]:
    """Draw the samples under each block of frames, float32 (n,); consecutive blocks share N_FFT - HOP samples."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal(N_FFT - HOP).astype(np.float32)
    for start in range(0, n_frames, BLOCK):
        fresh = rng.standard_normal(min(BLOCK, n_frames - start) * HOP).astype(np.float32)
        noise = np.concatenate([shared, fresh])
        shared = noise[len(fresh) :]
        yield noise


def noise_level(n_frames: int, seed: int) -> np.float32:
    """RMS magnitude of the STFT of the white noise, over all frames and bins."""
    power = np.empty((n_frames, N_BINS), dtype=np.float32)  # not summed by block, which would round differently
    for start, noise in zip(range(0, n_frames, BLOCK), noise_blocks(n_frames, seed), strict=True):
        power[start : start + BLOCK] = np.square(np.abs(noise))
    return np.sqrt(np.mean(power))
