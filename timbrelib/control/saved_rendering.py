"""A rendering on disk: its curves as CSV, its codes as JSON, and the way back to the same sound.

Notebooks: 05_target_decode, 06_draw_target.
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from timbrelib.audio.frames import HOP, SAMPLE_RATE, frame_times
from timbrelib.audio.sound_output import round_to_16_bits
from timbrelib.control.code_path import CodePath
from timbrelib.control.search import Search
from timbrelib.descriptors import descriptor
from timbrelib.files import atomic_write, load_json, number_column, one_line, write_text
from timbrelib.model.vqvae import VQVAE
from timbrelib.synthesis.excitation import check_cents, check_excitation, check_tilt

FORMAT = 3  # of the JSON; in format 2, codes are not adjusted
MAX_BYTES = 64 * 2**20  # of the JSON; one hour takes 25 MB


@dataclass(frozen=True)
class SavedRendering:
    """The content of a rendering on disk: codes, gains, curves and settings.

    Attributes
    ----------
    model : str
        Name of the model.
    fingerprint : str
        Of its weights.
    code_path : CodePath
        Codes and their adjustments.
    gain : ndarray, float64, (frames,)
    excitation : {"mixed", "locked", "noise"}
    noise : float
        Amount of noise of ``mixed``, 0..1.
    search : Search or None
        How the codes were chosen; None if they were given.
    targets, selected, measured : dict of str to ndarray, float64, (frames,)
        By descriptor, in its unit; NaN where undefined.  `selected` and `measured` have all
        descriptors.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import timbrelib
    >>> viola = timbrelib.load("viola")
    >>> result = viola.render(viola.target("centroid", "sin", n_frames=44))
    >>> saved = result.to_saved()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saved.save(Path(folder, "take.json"))
    ...     again = timbrelib.load_rendering(f"{folder}/take.json")
    >>> print((again.codes == saved.codes).all(), (again.decode(viola.model) == result.audio).all())
    True True
    """

    model: str
    fingerprint: str
    code_path: CodePath
    gain: np.ndarray
    excitation: str
    noise: float
    search: Search | None
    targets: dict[str, np.ndarray]
    selected: dict[str, np.ndarray]
    measured: dict[str, np.ndarray]

    @property
    def codes(self) -> np.ndarray:
        """The code of each frame, int64 (frames,)."""
        return self.code_path.codes

    def decode(self, model: VQVAE) -> np.ndarray:
        """Decode the codes, float32 ((frames - 1) * HOP,): on the same machine, the samples of the saved 16-bit file.

        Raises
        ------
        ValueError
            The model has other weights than the one that made the rendering.
        """
        if model.fingerprint != self.fingerprint:
            raise ValueError(
                f"this rendering was made by the model {self.model!r} with other weights than those of {model.name!r}: "
                "load the model that made it"
            )
        return round_to_16_bits(self.code_path.decode(model, self.gain, self.excitation, self.noise))

    def save(self, path: Path) -> None:
        """Write the JSON to a `path`, atomically; measures are rounded to six digits, gains and targets are not."""
        chosen = self.code_path
        search = self.search and {
            "smoothness": float(self.search.smoothness),
            "rounds": int(self.search.refinements),
            "weights": dict(self.search.weights),
            "continuity": float(self.search.continuity),
            "retune": float(self.search.retune),
            "tilt": float(self.search.tilt),
        }
        content = {
            "format": FORMAT,
            "model": self.model,
            "fingerprint": self.fingerprint,
            "excitation": self.excitation,
            "noise": self.noise,
            "search": search,
            "sample_rate": SAMPLE_RATE,
            "hop": HOP,
            "codes": chosen.codes.tolist(),
            "cents": None if chosen.cents is None else chosen.cents.tolist(),
            "tilt": None if chosen.tilt is None else chosen.tilt.tolist(),
            "gain": self.gain.tolist(),
            "targets": {name: curve.tolist() for name, curve in self.targets.items()},
            "selected": {name: _rounded(curve) for name, curve in self.selected.items()},
            "measured": {name: _rounded(curve) for name, curve in self.measured.items()},
        }
        lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
        write_text(path, f"{{\n{lines}\n}}\n")


def save_curves(
    path: Path,
    targets: Mapping[str, np.ndarray],
    selected: Mapping[str, np.ndarray],
    measured: Mapping[str, np.ndarray],
) -> None:
    """Write curves, float (frames,) by descriptor, as a CSV with one row per frame, atomically.

    The columns are ``time_s,target,selected,measured`` of the first target, and for each
    further one ``DESCRIPTOR_target`` and so on; cells are empty where undefined.
    """
    n_frames = len(next(iter(targets.values())))
    columns = {"time_s": [f"{time:.6f}" for time in frame_times(n_frames)]}
    for place, name in enumerate(targets):
        for kind, curves in {"target": targets, "selected": selected, "measured": measured}.items():
            header = f"{name}_{kind}" if place else kind
            columns[header] = ["" if value is None else f"{value:.6g}" for value in _rounded(curves[name])]
    with atomic_write(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _rounded(curve: np.ndarray) -> list[float | None]:
    """Round a curve, (frames,), to six significant digits, None where undefined."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in curve]


def load_rendering(path: str | Path) -> SavedRendering:
    """Read the JSON of a rendering.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    SavedRendering

    Raises
    ------
    FileNotFoundError
        The file does not exist.
    ValueError
        It is not the JSON of a rendering, is damaged, or has another format.

    Examples
    --------
    >>> import tempfile
    >>> import timbrelib
    >>> viola = timbrelib.load("viola")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     viola.render(viola.target("centroid", "ramp", n_frames=44)).save(f"{folder}/take")
    ...     saved = timbrelib.load_rendering(f"{folder}/take.json")
    >>> print(saved.model, saved.excitation, list(saved.targets))
    viola mixed ['centroid']
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no rendering {path}: check the name and the folder")
    try:
        return _parse(load_json(path, MAX_BYTES))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is not a rendering of this library or is damaged ({one_line(error)}): save it again"
        ) from error


def _parse(content: Any) -> SavedRendering:
    """Build a rendering from the content of its JSON; any of several errors means that it is not one."""
    known = {"sample_rate": SAMPLE_RATE, "hop": HOP}
    if content["format"] not in (2, FORMAT) or any(content[key] != value for key, value in known.items()):
        raise ValueError(f"this release reads formats 2 and {FORMAT} with {known}")
    if content["format"] == 2:
        content = content | {"noise": 0.0, "cents": None, "tilt": None}
    if not all(isinstance(content[key], str) for key in ("model", "fingerprint")) or not content["targets"]:
        raise ValueError("model or fingerprint is not text, or there are no targets")
    noise = float(number_column([content["noise"]])[0])
    check_excitation(content["excitation"], noise)
    saved = SavedRendering(
        model=content["model"],
        fingerprint=content["fingerprint"],
        code_path=_parse_path(content),
        gain=number_column(content["gain"]),
        excitation=content["excitation"],
        noise=noise,
        search=_parse_search(content["search"], content["targets"]),
        **{
            field: {name: number_column(curve) for name, curve in content[field].items()}
            for field in ("targets", "selected", "measured")
        },
    )
    for name in saved.targets:
        descriptor(name)
    if not set(saved.targets) <= set(saved.selected) & set(saved.measured):
        raise ValueError("a target is not among the selected and measured curves")
    if not (np.isfinite(saved.gain).all() and (saved.gain >= 0).all()):
        raise ValueError("the gain is negative or undefined")
    curves = [saved.gain, *saved.targets.values(), *saved.selected.values(), *saved.measured.values()]
    if len(saved.codes) == 0 or any(curve.shape != saved.codes.shape for curve in curves):
        raise ValueError("its curves are empty or differ in length")
    return saved


def _parse_path(content: Any) -> CodePath:
    """Build codes and their adjustments from JSON."""
    if not all(type(code) is int and 0 <= code < 2**31 for code in content["codes"]):
        raise ValueError("the codes are not code numbers")
    codes = np.array(content["codes"], dtype=np.int64)
    cents = content["cents"] and np.array([number_column(three) for three in content["cents"]])
    tilt = check_tilt(content["tilt"] and number_column(content["tilt"]), len(codes))
    if cents is not None:
        cents = check_cents(cents, len(codes))
    return CodePath(codes, cents, tilt)


def _parse_search(content: Any, targets: Any) -> Search | None:
    """Build the settings of a search from JSON, in which refinements are called rounds."""
    if content is None:
        return None
    content = {"continuity": 0.0, "retune": 0.0, "tilt": 0.0} | content  # of format 2
    names = ("smoothness", "continuity", "retune", "tilt")
    number_column([*(content[name] for name in names), *content["weights"].values()])
    if type(content["rounds"]) is not int:
        raise ValueError("the number of rounds is not a whole number")
    if set(content["weights"]) - set(targets):
        raise ValueError("there is a weight without a target")
    settings = {name: content[name] for name in names}
    return Search(refinements=content["rounds"], weights=content["weights"], **settings)
