"""Sound quality, independent of any target: pitch jumps, noise, spectral flux, and the timbre that is recognised.

Notebook: 10_evaluation.
"""

from dataclasses import dataclass

import numpy as np

from timbrelib.evaluation.metrics import hnr_and_flux, pitch_jumps
from timbrelib.evaluation.recognition import heard_as


@dataclass(frozen=True)
class SoundQuality:
    """Measures of a sound that need no target.

    Attributes
    ----------
    jumps : float
        Pitch jumps per second of voiced sound; NaN if nothing is voiced.
    hnr : float
        Median harmonic-to-noise ratio in dB; NaN if the sound is silent.
    flux : float
        Median spectral flux; NaN if the sound is silent.
    heard : float
        Share of half-second windows that are recognised as the intended timbre, 0..1; NaN if
        the classifier does not know it.
    """

    jumps: float = np.nan
    hnr: float = np.nan
    flux: float = np.nan
    heard: float = np.nan

    def cells(self) -> dict[str, str]:
        """Format the measures as cells of a table, by the header of their column; ``-`` where they are undefined."""
        cells = {
            "jumps/s": f"{self.jumps:.1f}",
            "HNR": f"{self.hnr:.1f} dB",
            "flux": f"{self.flux:.3f}",
            "heard as": f"{100 * self.heard:.0f} %",
        }
        return {header: "-" if cell.startswith("nan") else cell for header, cell in cells.items()}


def judge_sound(audio: np.ndarray, timbre: str | None) -> SoundQuality:
    """Measure the quality of a sound.

    Parameters
    ----------
    audio : ndarray, float, (n,)
        Mono at 22,050 Hz.
    timbre : str or None
        Timbre as which it should be recognised, see
        `timbrelib.evaluation.recognition.known_timbre`.

    Returns
    -------
    SoundQuality

    Raises
    ------
    ValueError
        The classifier does not know the timbre, or `audio` is not finite mono.
    """
    hnr, flux = hnr_and_flux(audio)
    return SoundQuality(
        jumps=pitch_jumps(audio),
        hnr=float(np.median(hnr)) if len(hnr) else np.nan,
        flux=float(np.median(flux)) if len(flux) else np.nan,
        heard=heard_as(audio, timbre) if timbre else np.nan,
    )
