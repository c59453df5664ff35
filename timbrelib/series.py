"""A rendering on disk, and the way back from its series of codes to the same sound.

Notebooks: 04_target_decode, 05_draw_target, 08_follow_a_line, 09_other_timbres, 10_sorted_codebook.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from timbrelib.audio import HOP, SAMPLE_RATE, frame_times, save_audio
from timbrelib.control import check_search
from timbrelib.descriptors import DESCRIPTORS, descriptor
from timbrelib.files import in_a_line, load_json, numbers, written_whole
from timbrelib.model import VQVAE
from timbrelib.rendering import Rendering, measure_audio
from timbrelib.synthesis import EXCITATIONS

FORMAT = 2  # of the JSON
LARGEST = 64 * 2**20  # bytes of the JSON; that of an hour has 25 MB


@dataclass(frozen=True)
class Series:
    """What a rendering was made of.

    Attributes
    ----------
    model : str
        The model's name.
    fingerprint : str
        Of its weights.
    codes : ndarray, int64, (frames,)
    gain : ndarray, float64, (frames,)
    excitation : {"locked", "noise"}
    search : dict or None
        With which `timbrelib.match` chose the codes; None where it did not.
    targets, selected, measured : dict of str to ndarray, float64, (frames,)
        By descriptor, in its unit; NaN where undefined.  `selected` and `measured` have all.
    """

    model: str
    fingerprint: str
    codes: np.ndarray
    gain: np.ndarray
    excitation: str
    search: dict | None
    targets: dict[str, np.ndarray]
    selected: dict[str, np.ndarray]
    measured: dict[str, np.ndarray]

    def decode(self, model: VQVAE) -> np.ndarray:
        """Make the sound again, float32 ((frames - 1) * HOP,): on the same machine, byte for byte.

        Raises
        ------
        ValueError
            The series was made by a model of other weights.
        """
        if model.fingerprint != self.fingerprint:
            raise ValueError(
                f"this series was made by the model {self.model!r} with other weights than these of {model.name!r}: "
                "load the very model that made it"
            )
        return model.decode(self.codes, self.gain, self.excitation)


def save_rendering(stem: str | Path, model: VQVAE, table: np.ndarray, rendering: Rendering) -> None:
    """Write a rendering as `stem`.wav, `stem`.csv and `stem`.json.

    The CSV has one row a frame, ``time_s,target,selected,measured`` of the first target in
    its unit, and three more columns, named after it, for each further one; empty where
    undefined.  The JSON has the series of codes with gain, targets, and the selected and
    measured values of every descriptor; null where undefined.

    Parameters
    ----------
    stem : str or Path
        Path of the files without their suffix.
    model : VQVAE
        The one that made the rendering.
    table : ndarray, structured, (n_codes,)
        Its own, from `timbrelib.analyse_codebook`.
    rendering : Rendering

    Raises
    ------
    PermissionError
        The folder cannot be written to.
    """
    stem = Path(stem)
    save_curves(stem, rendering)
    save_series(stem.with_name(f"{stem.name}.json"), model, table, rendering)


def save_curves(stem: str | Path, rendering: Rendering) -> None:
    """Write a rendering as `stem`.wav and `stem`.csv alone; else as `save_rendering`."""
    stem = Path(stem)
    save_audio(stem.with_name(f"{stem.name}.wav"), rendering.audio)
    curves = {"target": rendering.targets, "selected": rendering.selected, "measured": rendering.measured}
    columns = {"time_s": [f"{time:.6f}" for time in frame_times(len(rendering.codes))]}
    for place, name in enumerate(rendering.targets):
        for what, by_name in curves.items():
            header = f"{name}_{what}" if place else what
            columns[header] = ["" if value is None else f"{value:.6g}" for value in rounded(by_name[name])]
    with (
        written_whole(stem.with_name(f"{stem.name}.csv")) as part,
        part.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def save_series(path: Path, model: VQVAE, table: np.ndarray, rendering: Rendering) -> None:
    """Write the JSON of `save_rendering`."""
    rest = [name for name in DESCRIPTORS if name not in rendering.measured]
    measured = rendering.measured | measure_audio(rendering.audio, rest)
    content = {
        "format": FORMAT,
        "model": model.name,
        "fingerprint": model.fingerprint,
        "excitation": rendering.excitation,
        "search": rendering.search,
        "sample_rate": SAMPLE_RATE,
        "hop": HOP,
        "codes": rendering.codes.tolist(),
        "gain": rendering.gain.tolist(),  # in full, for the way back
        "targets": {name: rounded(curve) for name, curve in rendering.targets.items()},
        "selected": {name: rounded(table[name][rendering.codes]) for name in DESCRIPTORS},
        "measured": {name: rounded(measured[name][: len(rendering.codes)]) for name in DESCRIPTORS},
    }
    with written_whole(path) as part:
        lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
        part.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def rounded(curve: np.ndarray) -> list[float | None]:
    """Round a curve, (frames,), to six significant digits, None where undefined."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in curve]


def load_series(path: str | Path) -> Series:
    """Read the series of a rendering from the JSON that `save_rendering` wrote.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Series

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is not such a JSON, or of another format.

    Examples
    --------
    >>> series = timbrelib.load_series("Audio_Exemple/violin_centroid_sin.json")
    >>> audio = series.decode(timbrelib.load_model(series.model))
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no series {path}: check the name and the folder")
    try:
        return _series_from(load_json(path, LARGEST))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is not a series of this library or is damaged ({in_a_line(error)}): export it again"
        ) from error


def _series_from(content: Any) -> Series:
    """Make a series of the JSON of `save_rendering`; whatever it raises, the JSON is not one."""
    known = {"format": FORMAT, "sample_rate": SAMPLE_RATE, "hop": HOP}
    if any(content[key] != value for key, value in known.items()):
        raise ValueError(f"this release reads {known}")
    if not all(isinstance(content[key], str) for key in ("model", "fingerprint")) or not content["targets"]:
        raise ValueError("its model and fingerprint are no words, or it has no targets")
    if content["excitation"] not in EXCITATIONS:
        raise ValueError("there is no such excitation")
    if not all(type(code) is int and 0 <= code < 2**31 for code in content["codes"]):
        raise ValueError("its codes are no numbers of codes")
    series = Series(
        model=content["model"],
        fingerprint=content["fingerprint"],
        codes=np.array(content["codes"], dtype=np.int64),
        gain=numbers(content["gain"]),
        excitation=content["excitation"],
        search=content["search"],
        **{
            field: {name: numbers(curve) for name, curve in content[field].items()}
            for field in ("targets", "selected", "measured")
        },
    )
    for name in series.targets:
        descriptor(name)
    if not set(series.targets) <= set(series.selected) & set(series.measured):
        raise ValueError("it does not have every target selected and measured")
    if not (np.isfinite(series.gain).all() and (series.gain >= 0).all()):
        raise ValueError("its gain is negative or undefined")
    curves = [series.gain, *series.targets.values(), *series.selected.values(), *series.measured.values()]
    if len(series.codes) == 0 or any(curve.shape != series.codes.shape for curve in curves):
        raise ValueError("its series are empty or differ in length")
    if series.search is not None:
        numbers([series.search["smoothness"], *series.search["weights"].values()])
        if type(series.search["rounds"]) is not int:
            raise ValueError("its rounds are no number of rounds")
        check_search(series.targets, **series.search)
    return series
