"""A rendering: targets, the codes that follow them, their sound, and what is measured in it.

Notebooks: 05_target_decode, 06_draw_target, 07_follow_a_line.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from timbrelib.audio.frames import frame_gain
from timbrelib.audio.levels import SILENCE, measurable_frames
from timbrelib.audio.player import play
from timbrelib.audio.sound_output import round_to_16_bits, save_audio, sound_path
from timbrelib.codebook.table import Codebook
from timbrelib.control.code_path import CodePath, selected_values
from timbrelib.control.saved_rendering import SavedRendering, save_curves
from timbrelib.control.scores import Scores, score_targets
from timbrelib.control.search import Search
from timbrelib.descriptors import DESCRIPTORS, descriptor, measure
from timbrelib.descriptors.pitch import track_autocorrelation, track_pyin
from timbrelib.model.vqvae import VQVAE

if TYPE_CHECKING:
    from IPython.display import HTML, Audio
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass
class Rendering:
    """Targets and the sound that follows them.

    Attributes
    ----------
    model : VQVAE
    codebook : Codebook
        Of the model, with the excitation that made the sound.
    targets : dict of str to ndarray, float64, (frames,)
        By descriptor, in its unit.
    code_path : CodePath
        The code chosen for each frame, and how it is adjusted.
    gain : ndarray, float64, (frames,)
        Linear gain of each frame.
    audio : ndarray, float32, ((frames - 1) * HOP,)
        Rounded to 16 bits; `save` writes exactly these samples, except as MP3.
    measured : dict of str to ndarray, float64, (frames,)
        Value of each frame of `audio`, by descriptor; NaN where undefined or too quiet to measure.
    search : Search or None
        How the codes were chosen; None if they were given.
    path : Path or None
        The WAV file, once it is saved.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import timbrelib
    >>> viola = timbrelib.load("viola")
    >>> result = viola.render(viola.target("centroid", "sin", n_frames=87))
    >>> print(result.audio.shape, result.codes.shape, result.excitation)
    (44032,) (87,) mixed
    >>> result.score["centroid"].error < 2  # % of the target's range
    True
    >>> voiced = np.isfinite(result.measured["centroid"])
    >>> result.score_frames(voiced)["centroid"].spearman > 0.98
    True
    >>> print(np.abs(result.selected["centroid"] - result.targets["centroid"]).mean() < 200)  # Hz
    True
    >>> figure, ax = result.plot(), result.plot_curves("centroid")
    >>> player = result.play()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result.save(f"{folder}/take")
    ...     print(result.path.name)
    take.wav
    >>> sorted(result.to_saved().measured)
    ['bandwidth', 'centroid', 'flatness', 'fundamental', 'rolloff']
    >>> sorted(result.remeasure().measured)
    ['centroid']
    """

    model: VQVAE
    codebook: Codebook
    targets: dict[str, np.ndarray]
    code_path: CodePath
    gain: np.ndarray
    audio: np.ndarray
    measured: dict[str, np.ndarray]
    search: Search | None = None
    path: Path | None = None

    def __repr__(self) -> str:
        return f"{self.model.name}: {self.score}"

    @property
    def codes(self) -> np.ndarray:
        """The code chosen for each frame, int64 (frames,)."""
        return self.code_path.codes

    @property
    def excitation(self) -> str:
        """Excitation that made the sound."""
        return self.codebook.excitation

    @property
    def selected(self) -> dict[str, np.ndarray]:
        """Values of the chosen codes in the codebook, by descriptor of the targets, float64 (frames,)."""
        return selected_values(self.codebook, self.code_path, self.targets)

    @property
    def score(self) -> Scores:
        """How closely the sound follows its targets, where it is loud enough to measure."""
        return self.score_frames(np.ones(len(self.codes), dtype=bool))

    def score_frames(self, chosen: np.ndarray) -> Scores:
        """Score only the `chosen` frames, bool (frames,), such as the voiced ones; never those too quiet to measure."""
        return score_targets(self.audio, self.targets, self.measured, chosen, self.selected)

    def plot(self, title: str = "", score: Scores | None = None) -> "Figure":
        """Draw spectrogram, curves and residuals under a `title`, by default with the `score` of all frames.

        Targets and codes are blank where the gain is that of silence, for instance where a melody is unvoiced.
        """
        from timbrelib import plots

        title = title or f"{self.model.name}, {' and '.join(self.targets)}"
        score = self.score if score is None else score
        targets, selected = self._sounding(self.targets), self._sounding(self.selected)
        return plots.tracking(self.audio, targets, selected, self.measured, score, title)

    def plot_curves(self, descriptor: str, ax: "Axes | None" = None, title: str = "") -> "Axes":
        """Draw target, selected and measured values of a `descriptor` under a `title`, blank in silence, into `ax`."""
        from timbrelib import plots

        target, selected = (self._sounding(by)[descriptor] for by in (self.targets, self.selected))
        return plots.curves(descriptor, target, selected, self.measured[descriptor], self.score[descriptor], ax, title)

    def _sounding(self, curves: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Replace the values of silent frames by NaN, float (frames,) each."""
        return {name: np.where(self.gain > SILENCE, curve, np.nan) for name, curve in curves.items()}

    def play(self, label: str = "") -> "HTML | Audio":
        """Show a player with a `label`, by default the score; it links the file if the sound is saved."""
        return play(self.path or self.audio, label or str(self.score))

    def save(self, stem: str | Path) -> None:
        """Write the sound, its curves and its codes as `stem`.wav, `stem`.csv and `stem`.json, each atomically.

        With the suffix of another format that `timbrelib.save_audio` writes, as in ``take.flac``,
        the sound has that format.

        The CSV has one row per frame, ``time_s,target,selected,measured`` of the first target
        and three more columns for each further one.  The JSON has codes and gains, from which
        `timbrelib.load_rendering` makes the same sound again, the targets, and selected and
        measured values of every descriptor.

        Raises
        ------
        ValueError
            The suffix is that of a sound that cannot be written.
        PermissionError
            The folder is not writable.
        """
        sound = sound_path(stem)
        base = sound.with_suffix("")
        save_audio(sound, self.audio)
        save_curves(Path(f"{base}.csv"), self.targets, self.selected, self.measured)
        self.to_saved().save(Path(f"{base}.json"))
        self.path = sound

    def to_saved(self) -> SavedRendering:
        """Return the content of the JSON file, with every descriptor measured.

        A fundamental that is not a target is measured by autocorrelation, several times as fast as by pYIN.
        """
        rest = [name for name in DESCRIPTORS if name not in self.measured]
        measured = self.measured | measure_frames(self.audio, rest, len(self.codes), track_autocorrelation)
        return SavedRendering(
            model=self.model.name,
            fingerprint=self.model.fingerprint,
            code_path=self.code_path,
            gain=self.gain,
            excitation=self.excitation,
            noise=self.codebook.noise,
            search=self.search,
            targets=self.targets,
            selected=selected_values(self.codebook, self.code_path, DESCRIPTORS),
            measured={name: measured[name] for name in DESCRIPTORS},
        )

    def remeasure(self, track_f0: Callable[[np.ndarray], np.ndarray] = track_pyin) -> "Rendering":
        """Measure the sound again, its fundamental with `track_f0`, by default the estimator that scores."""
        return replace(self, measured=measure_frames(self.audio, self.targets, len(self.codes), track_f0))


def render_codes(
    model: VQVAE,
    codebook: Codebook,
    targets: dict[str, np.ndarray],
    path: CodePath,
    gain: np.ndarray | float,
    audio: np.ndarray | None = None,
    search: Search | None = None,
    track_f0: Callable[[np.ndarray], np.ndarray] = track_pyin,
) -> Rendering:
    """Decode chosen codes and measure the sound.

    Parameters
    ----------
    model, codebook, targets, search
        See `Rendering`.
    path : CodePath
    gain : ndarray, float, (frames,), or float
    audio : ndarray, float32, ((frames - 1) * HOP,), optional
        The sound, if it was decoded before.
    track_f0 : callable
        Measures the fundamental, see `timbrelib.descriptors.measure`.

    Returns
    -------
    Rendering

    Raises
    ------
    ValueError
        See `VQVAE.decode`.
    """
    if audio is None:
        audio = path.decode(model, gain, codebook.excitation, codebook.noise)
    audio = round_to_16_bits(audio)
    gain = np.broadcast_to(np.asarray(gain, dtype=np.float64), path.codes.shape)
    measured = measure_frames(audio, targets, len(path), track_f0)
    return Rendering(model, codebook, targets, path, gain, audio, measured, search)


def measure_frames(
    audio: np.ndarray,
    names: Iterable[str],
    n_frames: int,
    track_f0: Callable[[np.ndarray], np.ndarray],
) -> dict[str, np.ndarray]:
    """Measure the frames of a sound that is rounded to 16 bits; NaN where they are too quiet for it.

    A single frame lasts one hop and would be measured as two.
    """
    measured, measurable = measure(audio, names, track_f0), measurable_frames(frame_gain(audio))
    return {name: np.where(measurable, curve, np.nan)[:n_frames] for name, curve in measured.items()}


def plot_traversals(traversals: Mapping[str, Rendering]) -> "Figure":
    """Draw traversals of a codebook (`timbrelib.Timbre.traverse`), by descriptor, in one panel each.

    Examples
    --------
    >>> import timbrelib
    >>> viola = timbrelib.load("viola")
    >>> figure = timbrelib.plot_traversals({"centroid": viola.traverse("centroid", n_frames=44)})
    >>> len(figure.axes)
    1
    """
    from timbrelib import plots

    figure, axes = plots.stacked([2.4] * len(traversals), sharex=True)
    with plots.own_style():
        for (name, traversal), ax in zip(traversals.items(), axes, strict=True):
            traversal.plot_curves(name, ax)
            ax.label_outer()
            if traversal.targets[name].min() > 0:
                ax.set_yscale("log")  # a few extreme codes would flatten all others
                if descriptor(name).unit:
                    plots.plain_ticks(ax.yaxis)
    return figure
