"""Models on disk: a folder of safetensors weights, JSON facts and a card to read.

Notebook: 01_train.
"""

import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import numpy as np

from timbrelib.files import written_whole
from timbrelib.model import VQVAE, VQVAEConfig

FORMAT = 1  # of config.json and the tensors' names
SCORES = {"lsd_db", "codebook_use", "perplexity", "hnr_db_real", "hnr_db_decoded", "flux_real", "flux_decoded"}
WEIGHTS, CONFIG, HISTORY, CARD = "model.safetensors", "config.json", "history.json", "card.json"


def shipped_models() -> list[str]:
    """Name the models that come with the package."""
    return sorted(entry.name for entry in (files("timbrelib") / "models").iterdir() if entry.is_dir())


def list_models() -> list[dict]:
    """Say what models come with the package, with their licence and scores.

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
    cards = [load_card(name) for name in shipped_models()]
    return [
        {"name": card["name"], "licence": card["licence"], "minutes": card["data"]["minutes"], **card["scores"]}
        for card in cards
    ]


def model_folder(name_or_path: str | Path) -> Path:
    """Find a model: the name of a shipped one, or the path of a folder.

    Raises
    ------
    FileNotFoundError
        It is neither; the message lists the shipped names.
    """
    if str(name_or_path) in shipped_models():
        return Path(str(files("timbrelib") / "models" / str(name_or_path)))
    folder = Path(name_or_path)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"there is no model {str(name_or_path)!r}: give the folder of a trained one, "
            f"or the name of a shipped one ({', '.join(shipped_models())})"
        )
    return folder


def load_model(name_or_path: str | Path) -> VQVAE:
    """Load a trained model.

    Parameters
    ----------
    name_or_path : str or Path
        ``violin``, ``singing``, ``trumpet``, ``horn``, ``cello``, or a folder that `save_model`
        wrote.

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
    import safetensors.torch
    import torch

    folder = model_folder(name_or_path)
    config = read_json(folder, CONFIG)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        found = config.get("format") if isinstance(config, dict) else None
        raise ValueError(
            f"{folder / CONFIG} has format {found!r}, this release reads {FORMAT}: "
            "train the model again or install the release that wrote it"
        )
    path = folder / WEIGHTS
    if not path.is_file():
        raise FileNotFoundError(f"{folder} has no {WEIGHTS}: it is not a model, or it was copied in part")
    try:
        model = VQVAE(VQVAEConfig(**config["sizes"]))
        tensors = safetensors.torch.load_file(path)
        model.load_state_dict({name: tensor.to(model.state_dict()[name].dtype) for name, tensor in tensors.items()})
    except (safetensors.SafetensorError, KeyError, TypeError, RuntimeError, OverflowError, MemoryError) as error:
        raise ValueError(
            f"{path} is damaged or not a model of this library: copy it again or train it again"
        ) from error
    if not all(torch.isfinite(tensor).all() for tensor in model.state_dict().values()):
        raise ValueError(f"{path} holds values that are not finite: copy it again or train it again")
    model.name = folder.name
    return model.eval()


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
    with written_whole(folder / WEIGHTS) as part:
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
        ``step``, ``loss``, ``codes_used``, ``perplexity``.
    """
    history = read_json(model_folder(name_or_path), HISTORY)
    return {name: np.array(column, dtype=np.float64) for name, column in history.items()}


def load_card(name_or_path: str | Path) -> dict:
    """Load the model card: data, licence, cost and scores.

    Raises
    ------
    FileNotFoundError
        There is no such model, or it has no card.
    ValueError
        The card is damaged, or lacks scores that this release prints.
    """
    folder = model_folder(name_or_path)
    card = read_json(folder, CARD)
    try:
        lacking = SCORES - set(card["scores"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder / CARD} is not a model card: copy the model again or train it again") from error
    if lacking:
        raise ValueError(
            f"{folder / CARD} lacks {', '.join(sorted(lacking))}: score the model again with "
            f"'python -m timbrelib score --model {name_or_path}'"
        )
    return card


def read_json(folder: Path, name: str) -> dict | list:
    """Read one of a model's JSON files.

    Raises
    ------
    FileNotFoundError
        The folder lacks it.
    ValueError
        It is not JSON.
    """
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(f"{folder} has no {name}: it is not a model, or it was copied in part")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): copy the model again") from error


def write_json(path: Path, content: dict | list) -> None:
    """Write JSON that a person can read, whole or not at all."""
    with written_whole(path) as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
