"""The VQ-VAE: the spectrum of a frame to one of K codes, and back to a spectrum.

van den Oord, Vinyals and Kavukcuoglu, "Neural Discrete Representation Learning", NeurIPS
2017 (arXiv 1711.00937).  Frames are normalised to unit gain as in Bitton, Esling and Harada,
"Vector-Quantized Timbre Representation", 2020 (arXiv 2007.06349).  Encoder and decoder see
one frame at a time, so that a code always has the same spectrum.

Notebook: 01_train.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from timbrelib.audio.frames import N_BINS, N_FFT, spectrum_blocks, spectrum_gain
from timbrelib.audio.levels import cepstral_points, unit_level
from timbrelib.audio.sound_files import clean_audio
from timbrelib.model.cleaning import remove_below_fundamental
from timbrelib.model.network import VQVAEConfig, gain_level, network
from timbrelib.model.weights import Kept, on_cpu
from timbrelib.synthesis.blending import CodeSpectra
from timbrelib.synthesis.excitation import check_cents, check_excitation, check_tilt, split_spectra, synthesise

T = TypeVar("T")
DEFAULT_GAIN = 0.05  # a comfortable level that keeps the peaks of any code below full scale
DEFAULT_NOISE = 0.5  # amount of noise of the mixed excitation, unless a model has its own
PREFIXES = {
    "singing": "sing",
    "female": "sing_fem",
}  # file names on the demo page, where they shorten the name of a timbre


class VQVAE(nn.Module):
    """A model of one timbre: encoder, codebook and decoder.

    Its weights are float32.  They may change, and may be moved to a GPU or to another precision:
    `encode` and `decode` always use the present ones, on the CPU and in the same precision, so
    that codes and sounds depend on their values alone.

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
    noise : float
        Amount of noise of the mixed excitation, 0..1, unless another is asked for.
    noise_below_fundamental : bool
        Whether codes keep what lies below their fundamental, see `remove_below_fundamental`.

    Examples
    --------
    >>> import torch
    >>> import timbrelib
    >>> model = timbrelib.load_model("viola")
    >>> print(model.name, model.prefix, model.noise_settings, len(model.fingerprint))
    viola viola {'noise': 0.5, 'noise_below_fundamental': True} 16
    >>> sound = timbrelib.string_melody()[:22050]
    >>> codes, gain = model.encode(sound)  # or of its spectra, model.encode_spectra([timbrelib.spectra(sound)])
    >>> print(codes.shape, model.decode(codes, gain).shape, model.decode_to(22050, codes, gain).shape)
    (44,) (22016,) (22050,)
    >>> bool((model.reconstruct(sound) == model.decode_to(22050, codes, gain)).all())
    True
    >>> print(model.spectra.shape, model.noise_share.shape)
    (1024, 1025) (1024, 1025)
    >>> print(model.cepstra.shape, model.code_spectra("mixed", noise=0.5) is model.code_spectra("mixed", 0.5))
    (1024, 64) True
    >>> latent = model.encode_frames(torch.full((2, 1025), -60.0))  # of two flat spectra
    >>> level, noise = model.train(False).decode_latents(latent)
    >>> print(latent.shape, model.nearest(latent).shape, level.shape)
    torch.Size([2, 64]) torch.Size([2]) torch.Size([2, 1025])
    """

    codebook: Tensor
    use: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, config: VQVAEConfig):
        super().__init__()
        self.config = config
        self.name, self.noise, self.noise_below_fundamental = "untitled", DEFAULT_NOISE, True
        self._kept = Kept()
        self.encoder = network(N_BINS, config.code_size, config)
        self.decoder = network(config.code_size, config.outputs * N_BINS, config)
        self.register_buffer("codebook", torch.randn(config.n_codes, config.code_size, dtype=torch.float32))
        self.register_buffer("use", torch.zeros(config.n_codes, dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(N_BINS, dtype=torch.float32))
        self.register_buffer("std", torch.ones(N_BINS, dtype=torch.float32))

    @property
    def prefix(self) -> str:
        """Prefix of the file names of the model's figures and sounds, as on the demo page."""
        return PREFIXES.get(self.name, self.name)

    @property
    def noise_settings(self) -> dict[str, float | bool]:
        """How ``mixed`` plays the model unless asked otherwise, as its config and card say it."""
        return {"noise": self.noise, "noise_below_fundamental": self.noise_below_fundamental}

    def encode_frames(self, level: Tensor) -> Tensor:
        """Encode the `level` of spectra in dB (see `unit_level`), (batch, N_BINS), to latents, (batch, code_size)."""
        return self.encoder((level - self.mean) / self.std)

    def nearest(self, latent: Tensor) -> Tensor:
        """Nearest codebook vector of each latent, k* = argmin |z - e_k|: (batch, code_size) -> int64 (batch,)."""
        distance = self.codebook.square().sum(1) - 2 * latent @ self.codebook.T  # (batch, n_codes), without |latent|^2
        return distance.argmin(dim=1)

    def decode_latents(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Decode each `latent`, (batch, code_size).

        Returns
        -------
        level : Tensor, (batch, N_BINS)
            Spectra in dB (see `unit_level`), normalised to unit gain, so that the codes carry no level.
        noise : Tensor, (batch, N_BINS)
            Share of noise in each bin, 0..1; 0 if the model does not predict it.
        """
        output = self.decoder(latent)  # (batch, outputs * N_BINS)
        level = output[:, :N_BINS] * self.std + self.mean  # (batch, N_BINS)
        noise = output[:, N_BINS:].sigmoid() if self.config.outputs == 2 else torch.zeros_like(level)
        return level - gain_level(level), noise

    @property
    def spectra(self) -> np.ndarray:
        """Magnitude spectrum H of each code at unit gain, float32 (n_codes, N_BINS)."""
        return self._decoded_codes[0]

    @property
    def noise_share(self) -> np.ndarray:
        """Share of noise in each bin of each code, 0..1, float32 (n_codes, N_BINS)."""
        return self._decoded_codes[1]

    @property
    def _decoded_codes(self) -> tuple[np.ndarray, np.ndarray]:
        return self._keep("decoded codes", self._decode_codes)

    def _decode_codes(self) -> tuple[np.ndarray, np.ndarray]:
        exact = on_cpu(self, torch.float64)  # its sums round to the same float32 with any number of threads
        with torch.no_grad():
            level, noise = (output.numpy() for output in exact.decode_latents(exact.codebook))
        spectra = (N_FFT * 10 ** (level / 20)).astype(np.float32)
        if not self.noise_below_fundamental:
            spectra = remove_below_fundamental(spectra)
        return spectra, noise.astype(np.float32)

    def code_spectra(self, excitation: str, noise: float) -> CodeSpectra:
        """Split codes into partials and noise as an `excitation` plays them, see `split_spectra`; the last is kept."""
        splits: dict[tuple[str, float], CodeSpectra] = self._keep("splits", dict)
        split = splits.get((excitation, noise))
        if split is None:
            split = split_spectra(self.spectra, self.noise_share, excitation, noise)
            splits.clear()
            splits[excitation, noise] = split
        return split

    @property
    def cepstra(self) -> np.ndarray:
        """Points of the codes, float32 (n_codes, n), whose distances are those of their spectra; the median is 1."""
        return self._keep("cepstra", lambda: cepstral_points(self.spectra)[0])

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that identify the weights, and whether codes are cleaned."""
        return self._keep("fingerprint", self._hash_weights)

    def _hash_weights(self) -> str:
        digest = hashlib.sha256(b"" if self.noise_below_fundamental else b"cleaned")
        for name, tensor in sorted(on_cpu(self, torch.float32).state_dict().items()):
            digest.update(name.encode() + tensor.numpy().tobytes())
        return digest.hexdigest()[:16]

    def train(self, mode: bool = True) -> "VQVAE":
        """Set the `mode`, training or evaluation, and drop what was computed from the old weights."""
        self._kept = Kept()
        return super().train(mode)

    def _keep(self, name: str, compute: Callable[[], T]) -> T:
        """Return what `compute` gives for the present weights, computed once."""
        return self._kept.get(name, self, self.noise_below_fundamental, compute)

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
        return self.encode_spectra(spectrum_blocks(clean_audio(audio)))

    def encode_spectra(self, blocks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Encode `blocks` of magnitude spectra, float32 (block, N_BINS) each, as `encode` does those of a sound."""
        exact, codes, gain = on_cpu(self, torch.float32), [], []
        for spectrum in blocks:
            block_gain = spectrum_gain(spectrum)
            level = torch.from_numpy(unit_level(spectrum, block_gain))
            codes.append(exact.nearest(exact.encode_frames(level)).numpy())
            gain.append(block_gain)
        return np.concatenate(codes), np.concatenate(gain)

    def decode(
        self,
        codes: np.ndarray,
        gain: np.ndarray | float | None = None,
        excitation: str = "mixed",
        noise: float | None = None,
        cents: np.ndarray | None = None,
        tilt: np.ndarray | None = None,
        seed: int = 0,
    ) -> np.ndarray:
        """Synthesise a sequence of codes.

        Parameters
        ----------
        codes : ndarray, int, (frames,)
        gain : ndarray, float, (frames,), or float, optional
            Linear gain of each frame; by default constant at `DEFAULT_GAIN`.
        excitation : {"mixed", "locked", "noise"}
            Partials and noise, partials alone, or noise alone (the paper's).
        noise : float, optional
            Amount of noise of ``mixed``, from 0 (the same as ``locked``) to 1 (as in the
            recordings); by default the model's own.
        cents : ndarray, float, (frames,) or (frames, 3), optional
            By how much the partials of the code of each frame are moved; or those of the codes
            of the frame before, the frame itself and the frame after, as each frame blends them.
        tilt : ndarray, float, (frames,), optional
            Spectral tilt of each frame in dB per octave; above 0 it is brighter than its code.
        seed : int
            Seed of the noise.

        Returns
        -------
        ndarray, float32, ((frames - 1) * HOP,)

        Raises
        ------
        ValueError
            A code is not in the codebook; gain, cents or tilt have another shape or are undefined or too large;
            the gain is negative, the excitation does not exist, or the noise is not between 0 and 1.
        """
        codes = self._check_codes(codes)
        gain = np.asarray(DEFAULT_GAIN if gain is None else gain, dtype=np.float64)
        if gain.shape not in ((), codes.shape):
            raise ValueError(
                f"the gain has shape {gain.shape} for {len(codes)} codes: give one number or one per frame"
            )
        if not (np.isfinite(gain).all() and (gain >= 0).all()):
            raise ValueError("the gain contains negative or undefined values: give finite numbers >= 0")
        noise = self.noise if noise is None else noise
        check_excitation(excitation, noise)
        gain = np.broadcast_to(gain, codes.shape)
        cents, tilt = check_cents(cents, len(codes)), check_tilt(tilt, len(codes))
        return synthesise(self.code_spectra(excitation, noise), codes, gain, cents, tilt, seed)

    def reconstruct(self, audio: np.ndarray, excitation: str = "mixed", noise: float | None = None) -> np.ndarray:
        """Encode and decode `audio`, float (n,), with `excitation` and `noise` of `decode`, to float32 (n,)."""
        return self.decode_to(len(audio), *self.encode(audio), excitation, noise)

    def decode_to(
        self, n_samples: int, codes: np.ndarray, gain: np.ndarray, excitation: str = "mixed", noise: float | None = None
    ) -> np.ndarray:
        """Decode `codes` and `gain` with `excitation` and `noise` to an exact length, float32 (n_samples,)."""
        # one more frame covers the samples after the last complete hop
        longer = self.decode(np.append(codes, codes[-1]), np.append(gain, gain[-1]), excitation, noise)
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
