"""The VQ-VAE: the spectrum of a frame to one of K codes, and back to a spectrum.

van den Oord, Vinyals and Kavukcuoglu, "Neural Discrete Representation Learning", NeurIPS
2017 (arXiv 1711.00937).  Frames are normalised to unit gain as in Bitton, Esling and Harada,
"Vector-Quantized Timbre Representation", 2020 (arXiv 2007.06349).  Encoder and decoder see
one frame at a time, so that a code always has the same spectrum.

Notebook: 01_train.
"""

import copy
import hashlib
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from timbrelib.audio.frames import N_BINS, N_FFT, spectrum_blocks, spectrum_gain
from timbrelib.audio.levels import pairwise_distance, unit_level
from timbrelib.audio.sound_files import check_audio
from timbrelib.synthesis.excitation import synthesise

DEFAULT_GAIN = 0.05  # a comfortable level that keeps the peaks of any code below full scale
DECIBEL = 10 / math.log(10)  # dB per neper of power
MAX_SIZES = {"n_codes": 16_384, "code_size": 4096, "width": 16_384, "blocks": 64}  # n_codes**2 floats are 1 GB
PREFIXES = {"singing": "sing"}  # file names on the demo page, where they shorten the name of a timbre


@dataclass(frozen=True)
class VQVAEConfig:
    """Sizes of a model.

    Attributes
    ----------
    n_codes : int
        K, number of vectors in the codebook.
    code_size : int
        Dimension of a codebook vector.
    width : int
        Units of a hidden layer.
    blocks : int
        Residual blocks in the encoder, and in the decoder.

    Raises
    ------
    ValueError
        A size is not a whole number from 1 to its entry in `MAX_SIZES`.
    """

    n_codes: int = 1024
    code_size: int = 64
    width: int = 512
    blocks: int = 2

    def __post_init__(self) -> None:
        for name, most in MAX_SIZES.items():
            size = getattr(self, name)
            if type(size) is not int or not 1 <= size <= most:
                raise ValueError(f"a model cannot have a {name} of {size!r:.40}: give a whole number from 1 to {most}")


class Residual(nn.Module):
    """x + MLP(LayerNorm(x)), (batch, width) -> (batch, width)."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Add the block's output to `x`, float (batch, width)."""
        return x + self.outer(F.gelu(self.inner(self.norm(x))))


def network(n_in: int, n_out: int, config: VQVAEConfig) -> nn.Sequential:
    """Build linear, residual blocks, norm, linear: the architecture of both encoder and decoder."""
    blocks = [Residual(config.width) for _ in range(config.blocks)]
    return nn.Sequential(
        nn.Linear(n_in, config.width), *blocks, nn.LayerNorm(config.width), nn.Linear(config.width, n_out)
    )


class VQVAE(nn.Module):
    """A model of one timbre: encoder, codebook and decoder.

    Parameters
    ----------
    config : VQVAEConfig

    Attributes
    ----------
    codebook : Tensor, float32, (n_codes, code_size)
    use : Tensor, int64, (n_codes,)
        Number of training frames assigned to each code.
    mean, std : Tensor, float32, (N_BINS,)
        Mean and standard deviation of the training set's spectra in dB, which standardise them.
    name : str
        Name of the timbre.

    Examples
    --------
    >>> model = timbrelib.load_model("violin")
    >>> codes, gain = model.encode(timbrelib.load_audio("my.wav"))
    >>> audio = model.decode(codes, gain)
    """

    codebook: Tensor
    use: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, config: VQVAEConfig):
        super().__init__()
        self.config = config
        self.name = "untitled"
        self.encoder = network(N_BINS, config.code_size, config)
        self.decoder = network(config.code_size, N_BINS, config)
        self.register_buffer("codebook", torch.randn(config.n_codes, config.code_size))
        self.register_buffer("use", torch.zeros(config.n_codes, dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(N_BINS))
        self.register_buffer("std", torch.ones(N_BINS))

    @property
    def prefix(self) -> str:
        """Prefix of the file names of the model's figures and sounds, as on the demo page."""
        return PREFIXES.get(self.name, self.name)

    def encode_frames(self, level: Tensor) -> Tensor:
        """Encode spectra in dB (see `unit_level`), (batch, N_BINS), to latents, (batch, code_size)."""
        return self.encoder((level - self.mean) / self.std)

    def nearest(self, latent: Tensor) -> Tensor:
        """Nearest codebook vector of each latent, k* = argmin |z - e_k|: (batch, code_size) -> int64 (batch,)."""
        distance = self.codebook.square().sum(1) - 2 * latent @ self.codebook.T  # (batch, n_codes), without |latent|^2
        return distance.argmin(dim=1)

    def decode_latents(self, latent: Tensor) -> Tensor:
        """Decode latents, (batch, code_size), to spectra in dB (see `unit_level`), (batch, N_BINS).

        The output is normalised to unit gain, so that the codes carry no level.
        """
        level = self.decoder(latent) * self.std + self.mean
        return level - gain_level(level)

    @cached_property
    def spectra(self) -> np.ndarray:
        """Magnitude spectrum H of each code at unit gain, float32 (n_codes, N_BINS)."""
        exact = copy.deepcopy(self).double()  # its sums round to the same float32 with any number of threads
        with torch.no_grad():
            level = exact.decode_latents(exact.codebook).numpy()  # (n_codes, N_BINS)
        return (N_FFT * 10 ** (level / 20)).astype(np.float32)

    @cached_property
    def distance(self) -> np.ndarray:
        """Pairwise spectral distance of the codes, float32 (n_codes, n_codes), scaled to a median of 1."""
        return pairwise_distance(self.spectra)

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that identify the weights."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.state_dict().items()):
            digest.update(name.encode() + tensor.numpy().tobytes())
        return digest.hexdigest()[:16]

    def train(self, mode: bool = True) -> "VQVAE":
        """Switch between training and evaluation, and drop what was computed from the old weights."""
        for name in ("spectra", "distance", "fingerprint"):
            self.__dict__.pop(name, None)
        return super().train(mode)

    @torch.no_grad()
    def encode(self, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Encode a sound as one code and one gain per frame.

        Parameters
        ----------
        audio : ndarray, float, (n,)
            Mono at 22,050 Hz.

        Returns
        -------
        codes : ndarray, int64, (frames,)
        gain : ndarray, float32, (frames,)
            RMS of the windowed samples; 0 where the frame is silent and its code meaningless.

        Raises
        ------
        ValueError
            `audio` is empty, is not mono, or contains NaN.
        """
        codes, gain = [], []
        for spectrum in spectrum_blocks(check_audio(audio)):  # (frames, N_BINS)
            block_gain = spectrum_gain(spectrum)
            level = torch.from_numpy(unit_level(spectrum, block_gain))
            codes.append(self.nearest(self.encode_frames(level)).numpy())
            gain.append(block_gain)
        return np.concatenate(codes), np.concatenate(gain)

    def decode(
        self,
        codes: np.ndarray,
        gain: np.ndarray | float | None = None,
        excitation: str = "locked",
        seed: int = 0,
    ) -> np.ndarray:
        """Synthesise a sequence of codes.

        Parameters
        ----------
        codes : ndarray, int, (frames,)
        gain : ndarray, float, (frames,), or float, optional
            Linear gain of each frame; by default constant at `DEFAULT_GAIN`.
        excitation : {"locked", "noise"}
        seed : int
            Seed of the noise excitation.

        Returns
        -------
        ndarray, float32, ((frames - 1) * HOP,)

        Raises
        ------
        ValueError
            A code is not in the codebook, the gain has another shape or is negative, or the
            excitation does not exist.
        """
        codes = self._check_codes(codes)
        gain = np.asarray(DEFAULT_GAIN if gain is None else gain, dtype=np.float64)
        if gain.shape not in ((), codes.shape):
            raise ValueError(
                f"the gain has shape {gain.shape} for {len(codes)} codes: give one number or one per frame"
            )
        if not (np.isfinite(gain).all() and (gain >= 0).all()):
            raise ValueError("the gain contains negative or undefined values: give finite numbers >= 0")
        gain = np.broadcast_to(gain, codes.shape)
        return synthesise(self.spectra, codes, gain, excitation, seed)

    def reconstruct(self, audio: np.ndarray, excitation: str = "locked") -> np.ndarray:
        """Encode and decode a sound, float (n,), to one of the same length, float32 (n,)."""
        return self.decode_to(len(audio), *self.encode(audio), excitation)

    def decode_to(self, n_samples: int, codes: np.ndarray, gain: np.ndarray, excitation: str = "locked") -> np.ndarray:
        """Decode all frames of a sound to its exact length, float32 (n_samples,); see `decode`."""
        # one more frame covers the samples after the last complete hop
        longer = self.decode(np.append(codes, codes[-1]), np.append(gain, gain[-1]), excitation)
        return longer[:n_samples]

    def _check_codes(self, codes: np.ndarray) -> np.ndarray:
        codes = np.asarray(codes)
        if codes.ndim != 1 or len(codes) == 0 or not np.issubdtype(codes.dtype, np.integer):
            raise ValueError("codes must be a non-empty sequence of integers, shape (frames,)")
        if codes.min() < 0 or codes.max() >= self.config.n_codes:
            raise ValueError(
                f"codes run from {codes.min()} to {codes.max()}, but this codebook has 0 to {self.config.n_codes - 1}"
            )
        return codes


def gain_level(level: Tensor) -> Tensor:
    """Gain in dB of spectra in dB, (batch, N_BINS) -> (batch, 1)."""
    log_power = level / DECIBEL
    one_sided = torch.logsumexp(log_power[:, 1:-1] + math.log(2), dim=1, keepdim=True)  # (batch, 1)
    edges = torch.logsumexp(log_power[:, [0, -1]], dim=1, keepdim=True)  # (batch, 1)
    return torch.logaddexp(one_sided, edges) * DECIBEL
