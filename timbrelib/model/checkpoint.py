"""Models on disk: a folder with weights (safetensors), sizes, training history and model card (JSON).

Nothing is pickled, so that loading a model cannot run code; every file is checked as it is read.

Notebook: 01_train.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.torch
import torch

from timbrelib.files import atomic_write, check_size, load_json, number_column, one_line, write_text
from timbrelib.model.network import VQVAEConfig
from timbrelib.model.registry import CONFIG, WEIGHTS, model_folder, own_models, shipped_models
from timbrelib.model.vqvae import DEFAULT_NOISE, VQVAE
from timbrelib.model.weights import read_weights
from timbrelib.synthesis.excitation import check_excitation

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 2  # of config.json and of the tensors' names; in format 1, of release 0.1.0, decoders predict no noise
# scores of three numbers, the 10th, 50th and 90th percentile
PERCENTILES = {"hnr_db_real", "hnr_db_decoded", "flux_real", "flux_decoded"}
SCORES = {"lsd_db", "codebook_use", "perplexity"} | PERCENTILES
OPTIONAL_SCORES = [f"{name}_{kind}" for name in ("jumps", "heard_as") for kind in ("real", "decoded")]
COLUMNS = ("step", "loss", "codes_used", "perplexity")  # of a training history
VALID = "valid_loss"  # a further column, if the recordings had a valid split
HISTORY, CARD = "history.json", "card.json"
MAX_WEIGHT_BYTES, MAX_JSON_BYTES = 2**30, 4 * 2**20


def list_models() -> "pd.DataFrame":
    """List the shipped models and the user's own.

    Returns
    -------
    DataFrame
        One row per model, by name: ``minutes`` (of the recordings), ``lsd_db`` (log-spectral
        distance on its test recordings), ``codebook_use`` (0..1), ``perplexity`` and
        ``licence``.

    Examples
    --------
    >>> import timbrelib
    >>> models = timbrelib.list_models()
    >>> list(models.columns)
    ['minutes', 'lsd_db', 'codebook_use', 'perplexity', 'licence']
    >>> "violin" in models.index
    True
    """
    import pandas as pd

    rows = {}
    for card in map(load_card, [*shipped_models(), *own_models()]):
        scores = {name: card["scores"][name] for name in ("lsd_db", "codebook_use", "perplexity")}
        rows[card["name"]] = {"minutes": card["data"]["minutes"], **scores, "licence": card["licence"]}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


def load_model(name_or_path: str | Path) -> VQVAE:
    """Load a trained model.

    Parameters
    ----------
    name_or_path : str or Path
        A model of `list_models`, or the path of a folder that `save_model` wrote.

    Returns
    -------
    VQVAE
        In evaluation mode, float32, with the name of its folder.

    Raises
    ------
    FileNotFoundError
        The model does not exist, or its folder lacks a file.
    ValueError
        A file is damaged, or has the format of another release.

    Examples
    --------
    >>> import timbrelib
    >>> model = timbrelib.load_model("viola")
    >>> model.config.n_codes
    1024
    """
    folder = model_folder(name_or_path)
    config = read_json(folder, CONFIG)
    found = config.get("format") if isinstance(config, dict) else None
    if found not in (1, FORMAT):
        raise ValueError(
            f"{folder / CONFIG} has format {found!r:.40}, this release reads 1 and {FORMAT}: "
            "train the model again or install the release that wrote it"
        )
    path = model_file(folder, WEIGHTS)
    try:
        check_size(path, MAX_WEIGHT_BYTES)
        with torch.device("meta"):  # allocates nothing until the weights are known to match the config
            model = VQVAE(VQVAEConfig(**({"outputs": 1} if found == 1 else {}), **config["sizes"]))
        model.load_state_dict(read_weights(path, model.state_dict()), assign=True)
        model.noise = float(number_column([config.get("noise", DEFAULT_NOISE)])[0])
        check_excitation("mixed", model.noise)
        model.noise_below_fundamental = config.get("noise_below_fundamental", True)
        if not isinstance(model.noise_below_fundamental, bool):
            raise ValueError(f"noise_below_fundamental is {model.noise_below_fundamental!r:.40}, not true or false")
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{folder} is damaged or not a model of this library ({one_line(error)}): copy it again or train it again"
        ) from error
    model.name = folder.name
    return model.eval()


def save_model(folder: str | Path, model: VQVAE, history: dict[str, np.ndarray], card: dict) -> None:
    """Write a model to a folder, each file atomically.

    Parameters
    ----------
    folder : str or Path
        Its name is the name of the model.
    model : VQVAE
        Written in half precision, except for the counts.  Loading gives the rounded weights, so
        score a model after loading it.
    history : dict of str to ndarray, float64, (rows,)
        From `timbrelib.train`.
    card : dict
        Data, licence, cost and scores.

    Raises
    ------
    PermissionError
        The folder is not writable.

    Examples
    --------
    >>> import tempfile
    >>> import timbrelib
    >>> model = timbrelib.load_model("viola")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     timbrelib.save_model(f"{folder}/mine", model, timbrelib.load_history("viola"), timbrelib.load_card("viola"))
    ...     timbrelib.load_model(f"{folder}/mine").fingerprint == model.fingerprint
    True
    """
    folder = Path(folder)
    tensors = {
        name: tensor.half().contiguous() if tensor.is_floating_point() else tensor.to(torch.int32)
        for name, tensor in model.state_dict().items()
    }
    with atomic_write(folder / WEIGHTS) as part:
        part.write_bytes(safetensors.torch.save(tensors))
    write_json(folder / CONFIG, {"format": FORMAT, "sizes": asdict(model.config), **model.noise_settings})
    write_json(
        folder / HISTORY, {name: [round(value, 4) for value in column.tolist()] for name, column in history.items()}
    )
    write_json(folder / CARD, card)


def load_history(name_or_path: str | Path) -> dict[str, np.ndarray]:
    """Load the training history of a model, by its `name_or_path` as in `load_model`.

    Returns
    -------
    dict of str to ndarray, float64, (rows,)
        ``step``, ``loss``, ``codes_used``, ``perplexity``, and ``valid_loss`` if the recordings had
        a valid split; finite.

    Raises
    ------
    FileNotFoundError
        The model does not exist or has no history.
    ValueError
        The history is damaged.

    Examples
    --------
    >>> import timbrelib
    >>> history = timbrelib.load_history("viola")
    >>> list(history)
    ['step', 'loss', 'codes_used', 'perplexity']
    >>> print(history["loss"][-1] < history["loss"][0])
    True
    """
    folder = model_folder(name_or_path)
    content = read_json(folder, HISTORY)
    try:
        if not isinstance(content, dict) or not set(content) >= set(COLUMNS):
            raise ValueError(f"it lacks one of {', '.join(sorted(COLUMNS))}")
        history = {name: number_column(column) for name, column in content.items()}
        if len({len(column) for column in history.values()}) > 1 or not len(history["step"]):
            raise ValueError("its columns are empty or differ in length")
        if not all(np.isfinite(column).all() for column in history.values()):
            raise ValueError("it has gaps")
    except ValueError as error:
        raise ValueError(f"{folder / HISTORY} is not a training history ({error}): copy the model again") from error
    return history


def load_card(name_or_path: str | Path) -> dict:
    """Load the card of a model, by its `name_or_path` as in `load_model`: data, licence, cost and scores.

    Raises
    ------
    FileNotFoundError
        The model does not exist or has no card.
    ValueError
        The card is damaged, or lacks facts or scores that this release prints.

    Examples
    --------
    >>> import timbrelib
    >>> card = timbrelib.load_card("viola")
    >>> print(card["name"], card["licence"])
    viola CC BY-SA 4.0
    """
    folder = model_folder(name_or_path)
    card = read_json(folder, CARD)
    scores = card.get("scores") if isinstance(card, dict) else None
    if isinstance(scores, dict) and SCORES - set(scores):
        raise ValueError(
            f"{folder / CARD} lacks {', '.join(sorted(SCORES - set(scores)))}: score the model again with "
            f"'timbrelib evaluate {name_or_path} --write'"
        )
    try:
        check_card(card)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{folder / CARD} is not a model card ({one_line(error)}): copy the model again or train it again"
        ) from error
    return card


def check_card(card: Any) -> None:
    """Check that a card has every fact that is printed, of the right type.

    Raises
    ------
    KeyError, TypeError, ValueError
        A fact is missing or has another type.
    """
    texts = [card["name"], card["domain"], card["licence"], *card["sources"]]
    if not isinstance(card["sources"], list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("its name, domain, licence and list of sources are not all text")
    data, training, scores = card["data"], card["training"], card["scores"]
    facts = [data["recordings"], data["minutes"], *data["semitone_shifts"]]
    facts += [training[key] for key in ("steps", "batch", "seed", "threads", "minutes")]
    facts += [0 if training["memory_gb"] is None else training["memory_gb"]]  # not always measured
    facts += [data.get(name, 0) for name in ("valid_minutes", "test_minutes")]
    facts += [*(scores[name] for name in SCORES - PERCENTILES), *(scores.get(name, 0) for name in OPTIONAL_SCORES)]
    percentiles = [number_column(scores[name]) for name in PERCENTILES]
    if (
        any(values.shape != (3,) for values in percentiles)
        or not np.isfinite([*number_column(facts), *np.ravel(percentiles)]).all()
    ):
        raise ValueError("its facts and scores are not all numbers")


def model_file(folder: Path, name: str) -> Path:
    """Path of a file of a model.

    Raises
    ------
    FileNotFoundError
        The folder lacks the file.
    """
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(f"{folder} has no {name}, it is not a complete model: copy it again")
    return path


def read_json(folder: Path, name: str) -> Any:
    """Read a JSON file of a model.

    Raises
    ------
    FileNotFoundError
        The folder lacks the file.
    ValueError
        It is not JSON, or is too large.
    """
    path = model_file(folder, name)
    try:
        return load_json(path, MAX_JSON_BYTES)
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({one_line(error)}): copy the model again") from error


def write_json(path: Path, content: dict | list) -> None:
    """Write indented JSON, atomically."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
