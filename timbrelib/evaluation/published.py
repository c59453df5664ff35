"""The published sounds, measured as the sounds of this library are.

The audio of the demo page of Bitton, Esling and Harada, "Vector-Quantized Timbre Representation",
2020 (https://acids-ircam.github.io/timbre_exploration/discrete), of which only figures are kept.
Their targets are not published: tracking is scored against the target of the same shape that
fits each sound best, which flatters it.  Where two targets fit about as well, one linear and one
logarithmic in frequency, both figures are given.  The other measures need no target.
"""


def _cells(
    jumps: str, hnr: str, flux: str, heard: str, error: str = "-", spearman: str = "-", rpa: str = "-"
) -> dict[str, str]:
    """Arrange figures as the cells of the scorecard, by the header of their column."""
    tracking = {"error": error, "Spearman": spearman, "RPA 50 cents": rpa}
    return tracking | {"jumps/s": jumps, "HNR": f"{hnr} dB", "flux": flux, "heard as": f"{heard} %"}


PUBLISHED = {
    "violin_centroid_sin": _cells("6.2", "15.4", "0.448", "8", error="3.3 %", spearman="0.987"),
    "violin_centroid_exp": _cells("7.6", "13.0", "0.465", "12", error="3.3 %", spearman="0.988"),
    "violin_fundamental_sin": _cells("1.6", "21.1", "0.367", "0", rpa="40-65 %"),
    "violin_fundamental_exp": _cells("2.3", "20.4", "0.371", "0", rpa="55-65 %"),
    "sing_centroid_sin": _cells("6.7", "13.3", "0.464", "28", error="4.5 %", spearman="0.977"),
    "sing_fundamental_sin": _cells("1.5", "18.9", "0.401", "53", rpa="39-50 %"),
    "sing_fem_centroid_exp": _cells("4.7", "12.7", "0.485", "78", error="5.4 %", spearman="0.974"),
    "sing_fem_fundamental_exp": _cells("1.3", "19.5", "0.392", "59", rpa="63-67 %"),
    "trumpet_bandwidth_exp": _cells("4.9", "17.7", "0.431", "13", error="4.5 %", spearman="0.981"),
    "horn_bandwidth_sin": _cells("5.3", "16.0", "0.401", "25", error="6.2 %", spearman="0.963"),
}
PUBLISHED_LSD = {"violin": "5.8 dB on the authors' own clip"}
