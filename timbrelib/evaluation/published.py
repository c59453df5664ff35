"""The published sounds, measured as the sounds of this library are.

The audio of the demo page of Bitton, Esling and Harada, "Vector-Quantized Timbre Representation",
2020 (https://acids-ircam.github.io/timbre_exploration/discrete), of which only figures are kept.
Their targets are not published: tracking is scored against the target of the same shape that
fits each sound best, which flatters it; its range is that of the fit.  For a pitch, the range is
uncertain and two figures are given, of a target that is linear in frequency and of one that is
logarithmic.  The other measures need no target.  The program that measured them is in
`docs/experiments/descriptors.md`, "Published sounds".
"""

from importlib.resources import files

import numpy as np


def _cells(
    target: str, jumps: str, hnr: str, flux: str, heard: str, error: str = "-", spearman: str = "-", rpa: str = "-"
) -> dict[str, str]:
    """Arrange figures as the cells of the scorecard, by the header of their column."""
    tracking = {"target range": f"{target} Hz", "error": error, "Spearman": spearman, "RPA 50 cents": rpa}
    return tracking | {"jumps/s": jumps, "HNR": f"{hnr} dB", "flux": flux, "heard as": f"{heard} %"}


PUBLISHED = {
    "violin_centroid_sin": _cells("597-3109", "6.3", "15.4", "0.448", "5", error="3.4 %", spearman="0.986"),
    "violin_centroid_exp": _cells("605-3129", "7.5", "13.0", "0.465", "11", error="3.4 %", spearman="0.987"),
    "violin_fundamental_sin": _cells("122-690 or 255-698", "1.6", "21.1", "0.368", "1", rpa="61 or 51 %"),
    "violin_fundamental_exp": _cells("108-688 or 162-698", "2.3", "20.4", "0.371", "4", rpa="65 or 59 %"),
    "sing_centroid_sin": _cells("562-2189", "6.7", "13.3", "0.464", "23", error="4.6 %", spearman="0.977"),
    "sing_fundamental_sin": _cells("73-406 or 157-408", "1.5", "18.9", "0.401", "48", rpa="49 or 39 %"),
    "sing_fem_centroid_exp": _cells("641-2530", "4.7", "12.7", "0.485", "76", error="5.4 %", spearman="0.974"),
    "sing_fem_fundamental_exp": _cells("117-646 or 148-654", "1.3", "19.5", "0.392", "58", rpa="66 or 61 %"),
    "trumpet_bandwidth_exp": _cells("450-1466", "5.0", "17.7", "0.431", "16", error="4.9 %", spearman="0.981"),
    "horn_bandwidth_sin": _cells("397-1133", "5.3", "16.0", "0.401", "24", error="6.3 %", spearman="0.961"),
}
PUBLISHED_LSD = {"violin": "5.8 dB on the authors' own clip"}
CURVES = "published_curves.csv"  # beside this module, one column for each sound


def published_curve(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Read the curve measured in a published sound, a key of `PUBLISHED`.

    Returns
    -------
    times : ndarray, float64, (n,)
        In seconds, of every fourth frame.
    values : ndarray, float64, (n,)
        Of the descriptor that the sound is to follow, in Hz; NaN where it is unvoiced.
    """
    lines = (files("timbrelib.evaluation") / CURVES).read_text(encoding="utf-8").splitlines()
    table = np.genfromtxt(lines, delimiter=",", names=True)
    return table["time_s"], table[name]
