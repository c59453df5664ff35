"""Find models by name: those shipped with the package and the user's own.

Notebook: 01_train.
"""

import os
from importlib.resources import files
from pathlib import Path

from timbrelib.files import user_data_folder

MODELS_VARIABLE = "TIMBRE_MODELS"  # environment variable that overrides the folder of the user's own models
CONFIG = "config.json"  # a folder that has it is a model
WEIGHTS = "model.safetensors"


def models_folder() -> Path:
    """Folder of the user's own models: $TIMBRE_MODELS, by default ``models`` in the user's data folder.

    Raises
    ------
    FileNotFoundError
        It is not set, and the user has no home.
    """
    return Path(os.environ.get(MODELS_VARIABLE) or user_data_folder() / "models")


def shipped_folder() -> Path:
    """Folder of the models shipped with the package."""
    return Path(str(files("timbrelib.model") / "shipped"))


def shipped_models() -> list[str]:
    """Names of the models shipped with the package."""
    return sorted(entry.name for entry in shipped_folder().iterdir() if (entry / CONFIG).is_file())


def own_models() -> list[str]:
    """Names of the user's own models."""
    try:
        folder = models_folder()
    except FileNotFoundError:  # without a home
        return []
    return sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}"))


def model_folder(name_or_path: str | Path) -> Path:
    """Folder of a model, given by name or as the path of a folder.

    Raises
    ------
    FileNotFoundError
        It is neither; the message lists the names.
    """
    name = str(name_or_path)
    if name in shipped_models():
        return shipped_folder() / name
    if name in own_models():
        return models_folder() / name
    folder = Path(name_or_path)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"there is no model {name!r:.80}: choose one of {', '.join([*shipped_models(), *own_models()])}, "
            "or give the folder of a trained one"
        )
    return folder
