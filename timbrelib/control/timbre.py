"""A timbre: a model, its codebook and an excitation, as one object that renders targets and sounds.

Notebooks: all.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from timbrelib.codebook.analysis import analyse_codebook
from timbrelib.codebook.table import Codebook
from timbrelib.control.code_path import CodePath
from timbrelib.control.matching import match
from timbrelib.control.rendering import Rendering, render_codes
from timbrelib.control.search import CONTINUITY, REFINEMENTS, RETUNE, SMOOTHNESS, TILT, Search, check_method
from timbrelib.control.targets import FRAMES, Target, check_curves, fit_to_range, shape_curve, target_curves
from timbrelib.control.transfer import Transfer, encode_and_decode, transfer
from timbrelib.descriptors.pitch import track_pyin
from timbrelib.model.checkpoint import load_model
from timbrelib.model.vqvae import DEFAULT_GAIN, VQVAE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Timbre:
    """A model with its codebook: makes targets, renders them, and plays other sounds.

    Parameters
    ----------
    model : VQVAE
    codebook : Codebook
        Of the model; its excitation makes the sound.

    Examples
    --------
    >>> import timbrelib
    >>> viola = timbrelib.load("viola")
    >>> print(viola.name, viola.prefix, viola.excitation, viola.noise)
    viola viola mixed 0.5
    >>> target = viola.target("centroid", "sin", n_frames=87)
    >>> result = viola.render(target)
    >>> unadjusted = viola.render_codes(result.codes, target)
    >>> unadjusted.score["centroid"].error > result.score["centroid"].error
    True
    >>> ordered = viola.traverse("centroid", n_frames=87)  # codes from dark to bright
    >>> viola.transfer(timbrelib.string_melody()[:44100]).score.pitch > 90  # %
    True
    >>> same = viola.with_excitation("mixed", noise=0.5)
    >>> ax = viola.plot_region(viola.target("fundamental", "ramp", n_frames=87), target)
    """

    def __init__(self, model: VQVAE, codebook: Codebook) -> None:
        self.model, self.codebook = model, codebook

    def __repr__(self) -> str:
        return f"Timbre: {self.name}, {len(self.codebook)} codes, {self.excitation} excitation"

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model.name

    @property
    def prefix(self) -> str:
        """Prefix of the file names of its figures and sounds, as on the demo page."""
        return self.model.prefix

    @property
    def excitation(self) -> str:
        """Excitation that makes the sound: ``mixed``, ``locked`` or ``noise``."""
        return self.codebook.excitation

    @property
    def noise(self) -> float:
        """Amount of noise of ``mixed``, from 0 (locked) to 1 (as in the recordings)."""
        return self.codebook.noise

    def with_excitation(self, excitation: str | None = None, noise: float | None = None) -> "Timbre":
        """Return the same model with another excitation or noise, for which the codebook is analysed again."""
        wanted = (excitation or self.excitation, self.noise if noise is None else noise)
        if wanted == (self.excitation, self.noise):
            return self
        return Timbre(self.model, analyse_codebook(self.model, *wanted))

    def target(
        self,
        descriptor: str,
        curve: str | np.ndarray,
        low: float | None = None,
        high: float | None = None,
        n_frames: int = FRAMES,
        fit: str | None = None,
        weight: float = 1.0,
    ) -> Target:
        """Make a target that the codebook can follow.

        Parameters
        ----------
        descriptor : str
        curve : {"sin", "exp", "ramp", "steps"} or ndarray, float, (frames,)
            A shape, or values in the descriptor's unit.
        low, high : float, optional
            Ends of a shape; by default the range that the codebook covers well.
        n_frames : int
            Length of a shape.
        fit : {"shift", "clip"}, optional
            Fit the values into the range of the codebook, see `timbrelib.control.targets.fit_to_range`.
        weight : float
            How much its squared error counts relative to other targets.

        Returns
        -------
        Target

        Raises
        ------
        ValueError
            The descriptor or the shape does not exist, no code has the descriptor, the ends do
            not rise, or the curve is undefined somewhere.
        """
        label = curve if isinstance(curve, str) else "curve"
        if isinstance(curve, str):
            default = self.codebook.percentile_range(descriptor)
            ends = (default[0] if low is None else low, default[1] if high is None else high)
            curve = shape_curve(curve, descriptor, *ends, n_frames)
        if fit is not None:
            curve = fit_to_range(self.codebook, descriptor, curve, fit)
        return Target(descriptor, curve, weight, label)

    def plot_region(self, across: Target, along: Target, ax: "Axes | None" = None) -> "Axes":
        """Draw codes by two descriptors, and the path of targets `across` and `along`, into `ax` or a new figure."""
        from timbrelib import plots

        curves = {target.descriptor: target.curve for target in (across, along)}
        return plots.target_region({name: self.codebook[name] for name in curves}, curves, ax)

    def render(
        self,
        *targets: Target,
        gain: np.ndarray | float | None = None,
        method: str = "path",
        excitation: str | None = None,
        noise: float | None = None,
        smoothness: float = SMOOTHNESS,
        continuity: float = CONTINUITY,
        retune: float = RETUNE,
        tilt: float = TILT,
        refinements: int = REFINEMENTS,
        track_f0: Callable[[np.ndarray], np.ndarray] = track_pyin,
    ) -> Rendering:
        """Choose codes that follow one target or several at once, decode them and measure the sound.

        Parameters
        ----------
        *targets : Target
        gain : ndarray, float, (frames,), or float, optional
            Linear gain; by default `timbrelib.model.vqvae.DEFAULT_GAIN`.
        method : {"path", "nearest"}
            ``path`` chooses all codes together; ``nearest`` takes the nearest code of each
            frame as it is, as the paper does.
        excitation : {"mixed", "locked", "noise"}, optional
            By default the timbre's own.
        noise : float, optional
            Amount of noise of ``mixed``, from 0 (locked) to 1 (as in the recordings); by default
            the timbre's own.
        smoothness, continuity, retune, tilt, refinements
            How smooth the path is, how strongly it keeps its note, and how far codes are adjusted:
            see `timbrelib.Search`.
        track_f0 : callable
            Measures the fundamental, see `timbrelib.descriptors.measure`.

        Returns
        -------
        Rendering

        Raises
        ------
        ValueError
            The codebook cannot follow the targets, or a setting does not exist or is negative.
        """
        check_method(method)
        timbre = self.with_excitation(excitation, noise)
        curves = target_curves(targets)
        check_curves(timbre.codebook, curves)
        weights = {target.descriptor: target.weight for target in targets if target.weight != 1}
        search = Search(smoothness, refinements, weights, continuity, retune, tilt)
        if method == "nearest":
            search = Search.literal(weights)
        path, audio = match(timbre.model, timbre.codebook, curves, search)
        if gain is None:
            gain = DEFAULT_GAIN
        elif np.ndim(gain) > 0 or gain != DEFAULT_GAIN:
            audio = None  # the search decodes at the default gain
        return render_codes(timbre.model, timbre.codebook, curves, path, gain, audio, search, track_f0)

    def render_codes(self, codes: np.ndarray, *targets: Target, gain: np.ndarray | float | None = None) -> Rendering:
        """Decode given codes, int (frames,), at a linear `gain` as in `render`, and measure the sound against targets.

        Raises
        ------
        ValueError
            Codes and targets differ in length, or a code does not exist.
        """
        curves, codes = target_curves(targets), np.asarray(codes)
        if codes.shape != targets[0].curve.shape:
            raise ValueError(f"the codes have shape {codes.shape}: give one for each frame of the targets")
        return render_codes(self.model, self.codebook, curves, CodePath(codes), DEFAULT_GAIN if gain is None else gain)

    def traverse(self, descriptor: str, n_frames: int = FRAMES) -> Rendering:
        """Play codes for one frame each, at most `n_frames`, from the lowest value of a descriptor to the highest.

        The codebook traversal of Bitton, Esling and Harada, 2020; the target of the rendering is
        the values of the codes.

        Raises
        ------
        ValueError
            The descriptor does not exist, or no code has it.
        """
        codes = self.codebook.sorted_codes(descriptor)
        if len(codes) > n_frames:
            codes = codes[np.linspace(0, len(codes) - 1, n_frames).round().astype(int)]
        return self.render_codes(codes, Target(descriptor, self.codebook[descriptor][codes]))

    def transfer(
        self,
        sound: np.ndarray,
        semitones: float | None = None,
        method: str = "path",
        smoothness: float = SMOOTHNESS,
        retune: float = RETUNE,
        tilt: float = TILT,
        refinements: int = REFINEMENTS,
    ) -> Transfer:
        """Play a sound with this timbre, at the sound's level.

        Parameters
        ----------
        sound : ndarray, float, (n,)
            Mono at 22,050 Hz.
        semitones : float, optional
            Transposition; by default whole octaves into the model's range.
        method : {"path", "nearest"}
            ``path`` chooses codes that are near the sound in pitch, brightness and spectrum;
            ``nearest`` encodes and decodes it, as the paper does.
        smoothness, retune, tilt, refinements
            See `timbrelib.Search`.

        Returns
        -------
        Transfer

        Raises
        ------
        ValueError
            `sound` is empty, silent, not mono, or contains NaN; or no code is pitched.
        """
        check_method(method)
        if method == "nearest":
            return encode_and_decode(self.model, self.codebook, sound, semitones)
        search = Search(smoothness, refinements, retune=retune, tilt=tilt)
        return transfer(self.model, self.codebook, sound, semitones, search)


def load(name_or_path: str | Path, excitation: str = "mixed", noise: float | None = None) -> Timbre:
    """Load a timbre: a model and its codebook.

    Parameters
    ----------
    name_or_path : str or Path
        A model of `timbrelib.list_models`, or the path of a model's folder.
    excitation : {"mixed", "locked", "noise"}
    noise : float, optional
        Amount of noise of ``mixed``, from 0 (locked) to 1 (as in the recordings); by default the
        model's own.

    Returns
    -------
    Timbre

    Raises
    ------
    FileNotFoundError, ValueError
        See `timbrelib.load_model`; or the excitation does not exist.

    Examples
    --------
    >>> import timbrelib
    >>> timbrelib.load("viola")
    Timbre: viola, 1024 codes, mixed excitation
    """
    model = load_model(name_or_path)
    return Timbre(model, analyse_codebook(model, excitation, noise))
