"""synthesis.noise."""

from collections.abc import Iterator

import numpy as np

from timbrelib.audio.frames import HOP, N_BINS, N_FFT
from timbrelib.synthesis.blending import BLOCK, fade_changes


def noise_spectra(table: np.ndarray, fades: np.ndarray, gain: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """Filter white noise; the rest as `locked_spectra`."""
    level = noise_level(len(fades), seed)
    for start, noise in zip(range(0, len(fades), BLOCK), noise_blocks(len(fades), seed), strict=True):
        frames = slice(start, start + BLOCK)
        blends, rows = fade_changes(table, fades[frames])
        magnitude = blends[rows] * gain[frames, None].astype(np.float32)  # (block, N_BINS)
        yield magnitude * (noise / level)


def noise_blocks(n_frames: int, seed: int) -> Iterator[np.ndarray]:
    """STFT of white noise, complex64 (frames in the block, N_BINS) at a time."""
    import librosa

    for noise in white_noise(n_frames, seed):
        yield librosa.stft(noise, n_fft=N_FFT, hop_length=HOP, center=False).T  # (N_BINS, block) -> (block, N_BINS)


def white_noise(n_frames: int, seed: int) -> Iterator[np.ndarray]:
    """Draw the samples under the frames of each block, float32 (n,); blocks share those under the frames of both."""
    rng = np.random.default_rng(seed)
    overlap = rng.standard_normal(N_FFT - HOP).astype(np.float32)
    for start in range(0, n_frames, BLOCK):
        fresh = rng.standard_normal(min(BLOCK, n_frames - start) * HOP).astype(np.float32)
        noise = np.concatenate([overlap, fresh])
        overlap = noise[len(fresh) :]
        yield noise


def noise_level(n_frames: int, seed: int) -> np.float32:
    """RMS magnitude of all of `noise_blocks`."""
    power = np.empty((n_frames, N_BINS), dtype=np.float32)  # whole, for the sum of blocks rounds to another level
    for start, noise in zip(range(0, n_frames, BLOCK), noise_blocks(n_frames, seed), strict=True):
        power[start : start + BLOCK] = np.square(np.abs(noise))
    return np.sqrt(np.mean(power))
