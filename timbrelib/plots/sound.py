"""Figures of sounds: spectra and spectrograms.

Notebooks: 01_train, 05_target_decode, 08_timbre_transfer.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import MaxNLocator

from timbrelib.audio.frames import HOP, N_FFT, SAMPLE_RATE, frame_times
from timbrelib.plots.axes import plain_ticks
from timbrelib.plots.style import MEASURED, OVERLAY, STYLE, figure_title, new_axes, own_style, stacked

DYNAMIC_RANGE = 80  # dB shown below the loudest bin
MIN_PEAK = 0.1  # magnitude shown as 0 dB if a sound has no louder bin, so that silence is dark
LOG_ROWS = 256  # of a spectrogram with a logarithmic axis
OUTLINE = 1.5  # points, of the dark outline of a line over a spectrogram


@own_style()
def spectrum(level: np.ndarray, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw the spectrum of a frame, float (N_BINS,), in dB."""
    ax = ax or new_axes(2.8)
    ax.plot(np.arange(len(level)) * SAMPLE_RATE / N_FFT / 1000, level, color=MEASURED)
    ax.set(xlabel="frequency (kHz)", ylabel="level (dB)", title=title, xlim=(0, SAMPLE_RATE / 2000))
    return ax


@own_style()
def spectrogram(audio: np.ndarray, ax: Axes | None = None, title: str = "", fmin: float | None = None) -> Axes:
    """Draw the spectrogram of a sound in dB below its loudest bin.

    Parameters
    ----------
    audio : ndarray, float, (n,)
    ax : Axes, optional
    title : str
    fmin : float, optional
        Lowest frequency in Hz of a logarithmic axis, on which a pitch can be read; by default the axis is
        linear and begins at 0.

    Returns
    -------
    Axes
    """
    ax = ax or new_axes(3.2)
    magnitude = _magnitude(audio)
    image = _draw_levels(magnitude, magnitude.max(), ax, fmin)
    ax.figure.colorbar(image, ax=ax, label="level (dB)", pad=0.01)
    ax.set_title(title, parse_math=False)  # the name of a file may hold a $
    return ax


@own_style()
def spectrograms(
    sounds: Mapping[str, np.ndarray], title: str = "", f0: Mapping[str, np.ndarray] | None = None
) -> Figure:
    """Draw the spectrograms of several sounds one below the other, over one time axis and with one colour bar.

    Parameters
    ----------
    sounds : mapping of str to ndarray, float, (n,)
        By title.  The loudest bin of all sounds is at 0 dB.
    title : str
    f0 : mapping of str to ndarray, float, (frames,), optional
        Fundamentals in Hz to draw over the sounds, by title; NaN where unvoiced.

    Returns
    -------
    Figure
    """
    f0 = f0 or {}
    figure, axes = stacked([2.5] * len(sounds), sharex=True)
    magnitudes = [_magnitude(audio) for audio in sounds.values()]
    loudest, fmin = max(magnitude.max() for magnitude in magnitudes), octave_below(f0.values())
    for name, magnitude, ax in zip(sounds, magnitudes, axes, strict=True):
        image = _draw_levels(magnitude, loudest, ax, fmin)
        ax.set_title(name, parse_math=False)
        if name in f0:
            overlay(f0[name], "fundamental (pYIN)", ax)
        ax.label_outer()
    axes[0].set_xlim(right=max(frame_times(magnitude.shape[1])[-1] for magnitude in magnitudes))
    figure.colorbar(image, ax=axes, label="level (dB)", pad=0.01)
    if fmin:
        figure.legend(handles=[line for ax in axes for line in ax.get_lines()][:1], loc="outside lower center")
    figure_title(figure, title)
    return figure


def octave_below(pitches: Iterable[np.ndarray]) -> float | None:
    """Frequency in Hz an octave below all pitches, float (frames,) each; None if there is no pitch."""
    defined = [f0[np.isfinite(f0)] for f0 in pitches]
    lowest = min((f0.min() for f0 in defined if len(f0)), default=None)
    return None if lowest is None else float(lowest / 2)


def overlay(frequency: np.ndarray, name: str, ax: Axes, linestyle: str = "-") -> None:
    """Draw a curve in Hz, float (frames,), over a spectrogram, thin and with a dark outline."""
    (line,) = ax.plot(
        frame_times(len(frequency)), frequency / 1000, linestyle, color=OVERLAY, label=name, scalex=False, scaley=False
    )  # kHz
    line.set_path_effects([Stroke(linewidth=STYLE["lines.linewidth"] + OUTLINE, foreground="black"), Normal()])


def _magnitude(audio: np.ndarray) -> np.ndarray:
    """Magnitudes of the bins of a sound, float (n,) -> (N_BINS, frames)."""
    import librosa

    return np.abs(librosa.stft(audio, n_fft=N_FFT, hop_length=HOP))


def _draw_levels(magnitude: np.ndarray, loudest: float, ax: Axes, fmin: float | None) -> ScalarMappable:
    """Draw magnitudes, float (N_BINS, frames), in dB below `loudest`."""
    import librosa

    level = librosa.amplitude_to_db(magnitude, ref=max(loudest, MIN_PEAK), top_db=DYNAMIC_RANGE)  # (N_BINS, frames)
    hop, top = HOP / SAMPLE_RATE, SAMPLE_RATE / 2000  # s, kHz
    columns = hop * (np.arange(level.shape[1] + 1) - 0.5)  # the centres of frames are at the times of the grid
    norm = Normalize(-DYNAMIC_RANGE, 0)
    drawn: ScalarMappable
    if fmin:
        edges = np.geomspace(fmin / 1000, top, LOG_ROWS + 1)  # kHz
        first_bins = np.rint(1000 * edges[:-1] * N_FFT / SAMPLE_RATE).astype(int)
        # each row shows the loudest of its bins, so that no partial is lost, and low rows share a bin
        level = np.maximum.reduceat(level, first_bins, axis=0)  # (N_BINS, frames) -> (LOG_ROWS, frames)
        drawn = ax.pcolormesh(columns, edges, level, norm=norm)
        ax.set(yscale="log", ylim=(edges[0], top))
        plain_ticks(ax.yaxis)
    else:
        drawn = ax.imshow(level, origin="lower", aspect="auto", extent=(columns[0], columns[-1], 0, top), norm=norm)
        ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set(xlabel="time (s)", ylabel="frequency (kHz)", xlim=(columns[0], columns[-1]))
    ax.grid(visible=False)
    return drawn
