"""Where models are: those that come with the package, and one's own, all by name.

Notebook: 01_train.
"""

import os
from importlib.resources import files
from pathlib import Path

MODELS_VARIABLE = "TIMBRE_MODELS"  # environment variable that names the folder of one's own models
CONFIG = "config.json"  # what makes a folder a model's
WEIGHTS = "model.safetensors"


def models_folder() -> Path:
    """Find the folder of one's own models: $TIMBRE_MODELS, else ``~/.local/share/timbrelib/models``."""
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return Path(os.environ.get(MODELS_VARIABLE) or home / "timbrelib" / "models")


def shipped_folder() -> Path:
    """Find the folder of the models that come with the package."""
    return Path(str(files("timbrelib") / "models"))


def shipped_models() -> list[str]:
    """Name the models that come with the package."""
    return sorted(entry.name for entry in shipped_folder().iterdir() if (entry / CONFIG).is_file())


def own_models() -> list[str]:
    """Name one's own models."""
    return sorted(path.parent.name for path in models_folder().glob(f"*/{CONFIG}"))


def model_folder(name_or_path: str | Path) -> Path:
    """Find a model: the name of a shipped one or of one's own, or the path of a folder.

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
