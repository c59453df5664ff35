"""VQ-VAE timbre models whose codebooks follow a drawn descriptor.

The names below are the stable ones; they are imported when first used, so that
``import timbrelib`` itself is quick.

Examples
--------
>>> import timbrelib
>>> model = timbrelib.load_model("violin")
>>> table = timbrelib.analyse_codebook(model)
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "load_audio": "audio",
    "save_audio": "audio",
    "list_models": "checkpoint",
    "load_model": "checkpoint",
    "save_model": "checkpoint",
    "analyse_codebook": "codebook",
    "match": "control",
    "render": "control",
    "VQVAE": "model",
    "VQVAEConfig": "model",
    "follow": "lines",
    "load_series": "series",
    "save_rendering": "series",
    "target": "targets",
    "TrainingConfig": "config",
    "transfer": "transfers",
    "train": "training",
    "train_timbre": "recipe",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a stable name from the module that holds it (PEP 562)."""
    if name in _HOMES:
        return getattr(import_module(f"timbrelib.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'timbrelib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
