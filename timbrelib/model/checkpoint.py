"""Models on disk: a folder of safetensors weights, JSON facts and a card to read.

Notebook: 01_train.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from timbrelib.files import atomic_write, check_size, load_json, number_column, one_line
from timbrelib.model.registry import CONFIG, WEIGHTS, model_folder, own_models, shipped_models
from timbrelib.model.vqvae import VQVAE, VQVAEConfig

FORMAT = 1  # of config.json and the tensors' names
SPREADS = {"hnr_db_real", "hnr_db_decoded", "flux_real", "flux_decoded"}  # scores of three numbers
SCORES = {"lsd_db", "codebook_use", "perplexity"} | SPREADS
COLUMNS = ("step", "loss", "codes_used", "perplexity")  # of a history
HISTORY, CARD = "history.json", "card.json"
LARGEST_WEIGHTS, LARGEST_JSON = 2**30, 4 * 2**20  # bytes
FLOATS, INTEGERS = ("F16", "F32"), ("I32", "I64")  # what tensors may be stored as


def list_models() -> list[dict]:
    """Say what models there are, those that come with the package and one's own, with their licence and scores.

    Returns
    -------
    list of dict
        One a model: its ``name``, ``licence``, ``minutes`` of sound that it was trained on, and
        its scores as on its card, among them ``lsd_db`` (log-spectral distance on its test
        recordings), ``codebook_use`` (0..1) and ``perplexity``.

    Examples
    --------
    >>> [model["name"] for model in timbrelib.list_models()]
    ['cello', 'horn', 'singing', 'trumpet', 'violin']
    """
    cards = [load_card(name) for name in [*shipped_models(), *own_models()]]
    return [
        {"name": card["name"], "licence": card["licence"], "minutes": card["data"]["minutes"], **card["scores"]}
        for card in cards
    ]


def load_model(name_or_path: str | Path) -> VQVAE:
    """Load a trained model.

    Parameters
    ----------
    name_or_path : str or Path
        ``violin``, ``singing``, ``trumpet``, ``horn``, ``cello``, one of your own, or a folder
        that `save_model` wrote.

    Returns
    -------
    VQVAE
        In evaluation mode, float32, named after its folder.

    Raises
    ------
    FileNotFoundError
        There is no such model, or the folder lacks a file of one.
    ValueError
        A file is damaged, of another version, or not a model's.

    Examples
    --------
    >>> model = timbrelib.load_model("violin")
    >>> model.config.n_codes
    1024
    """
    import safetensors
    import torch

    folder = model_folder(name_or_path)
    config = read_json(folder, CONFIG)
    found = config.get("format") if isinstance(config, dict) else None
    if found != FORMAT:
        raise ValueError(
            f"{folder / CONFIG} has format {found!r:.40}, this release reads {FORMAT}: "
            "train the model again or install the release that wrote it"
        )
    path = model_file(folder, WEIGHTS)
    try:
        check_size(path, LARGEST_WEIGHTS)
        with torch.device("meta"):  # takes no memory before the file is seen to hold what the config claims
            model = VQVAE(VQVAEConfig(**config["sizes"]))
        model.load_state_dict(read_weights(path, model.state_dict()), assign=True)
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{folder} is damaged or not a model of this library ({one_line(error)}): copy it again or train it again"
        ) from error
    model.name = folder.name
    return model.eval()


def read_weights(path: Path, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read the tensors of a model, once all names, shapes and types in the file are seen to be those of `expected`.

    Returns
    -------
    dict of str to Tensor
        Of the types of `expected`.

    Raises
    ------
    safetensors.SafetensorError
        It is not a file of tensors.
    ValueError
        The tensors are others, not finite, or make no sense in a model.
    """
    import safetensors

    with safetensors.safe_open(path, framework="pt") as file:
        if set(file.keys()) != set(expected):
            raise ValueError("its tensors have other names")
        for name, tensor in expected.items():
            stored = file.get_slice(name)
            if stored.get_shape() != list(tensor.shape):
                raise ValueError(f"the tensor {name} has another shape than the config says")
            if stored.get_dtype() not in (FLOATS if tensor.is_floating_point() else INTEGERS):
                raise ValueError(f"the tensor {name} is stored as {stored.get_dtype()}")
        tensors = {name: file.get_tensor(name).to(tensor.dtype, copy=True) for name, tensor in expected.items()}
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise ValueError("it holds values that are not finite")
    if (tensors["use"] < 0).any() or (tensors["std"] <= 0).any():
        raise ValueError("it holds negative counts, or deviations that are not positive")
    return tensors


def save_model(folder: str | Path, model: VQVAE, history: dict[str, np.ndarray], card: dict) -> None:
    """Write a model as a folder, each file whole.

    Parameters
    ----------
    folder : str or Path
        Its name becomes the model's.
    model : VQVAE
        Written in half precision but for the counts; what is loaded again is what was
        written, so score a model after loading it.
    history : dict of str to ndarray, float64, (rows,)
        From `timbrelib.training.train`.
    card : dict
        Data, licence, cost and scores.

    Raises
    ------
    PermissionError
        The folder cannot be written to.
    """
    import safetensors.torch
    import torch

    folder = Path(folder)
    tensors = {
        name: tensor.half().contiguous() if tensor.is_floating_point() else tensor.to(torch.int32)
        for name, tensor in model.state_dict().items()
    }
    with atomic_write(folder / WEIGHTS) as part:
        part.write_bytes(safetensors.torch.save(tensors))
    write_json(folder / CONFIG, {"format": FORMAT, "sizes": asdict(model.config)})
    write_json(
        folder / HISTORY, {name: [round(value, 4) for value in column.tolist()] for name, column in history.items()}
    )
    write_json(folder / CARD, card)


def load_history(name_or_path: str | Path) -> dict[str, np.ndarray]:
    """Load the recorded training history of a model.

    Returns
    -------
    dict of str to ndarray, float64, (rows,)
        ``step``, ``loss``, ``codes_used``, ``perplexity``; finite.

    Raises
    ------
    FileNotFoundError
        There is no such model, or it has no history.
    ValueError
        The history is damaged.
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
    """Load the model card: data, licence, cost and scores.

    Raises
    ------
    FileNotFoundError
        There is no such model, or it has no card.
    ValueError
        The card is damaged, or lacks what this release prints.
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
    """See that a card has all that is printed of it, of the right kinds.

    Raises
    ------
    KeyError, TypeError, ValueError
        It has not.
    """
    words = [card["name"], card["domain"], card["licence"], *card["sources"]]
    if not isinstance(card["sources"], list) or not all(isinstance(word, str) for word in words):
        raise ValueError("its name, domain, licence and list of sources are not all words")
    data, training, scores = card["data"], card["training"], card["scores"]
    facts = [data["recordings"], data["minutes"], *data["semitone_shifts"]]
    facts += [training[key] for key in ("steps", "batch", "seed", "threads", "minutes", "memory_gb")]
    facts += [scores[name] for name in SCORES - SPREADS]
    spreads = [number_column(scores[name]) for name in SPREADS]
    if (
        any(spread.shape != (3,) for spread in spreads)
        or not np.isfinite([*number_column(facts), *np.ravel(spreads)]).all()
    ):
        raise ValueError("its facts and scores are not all numbers")


def model_file(folder: Path, name: str) -> Path:
    """Find one of a model's files.

    Raises
    ------
    FileNotFoundError
        The folder lacks it.
    """
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(f"{folder} has no {name}: it is not a model, or it was copied in part")
    return path


def read_json(folder: Path, name: str) -> Any:
    """Read one of a model's JSON files.

    Raises
    ------
    FileNotFoundError
        The folder lacks it.
    ValueError
        It is not JSON, or too large.
    """
    path = model_file(folder, name)
    try:
        return load_json(path, LARGEST_JSON)
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({one_line(error)}): copy the model again") from error


def write_json(path: Path, content: dict | list) -> None:
    """Write JSON that a person can read, whole or not at all."""
    with atomic_write(path) as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
