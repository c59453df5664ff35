"""What follows from the weights of a model: kept while they stay the same, whatever device and type they have.

Notebook: 01_train.
"""

import copy
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

T = TypeVar("T")
Module = TypeVar("Module", bound=nn.Module)


class Kept:
    """Results computed from the weights of a module, until these change.

    A change is noticed without reading the weights: by another tensor, another memory or
    another version of its content, which PyTorch counts.  It does not count edits through
    ``tensor.data`` or a NumPy view; `nn.Module.train` of the model drops everything for those.
    """

    def __init__(self) -> None:
        self._held: tuple[list, list, dict[str, Any]] = ([], [], {})

    def get(self, name: str, module: nn.Module, settings: Any, compute: Callable[[], T]) -> T:
        """Return what `compute` gives for the present weights and settings of a module."""
        tensors = [*module.parameters(), *module.buffers()]
        state = [settings, *map(_version, tensors)]
        if self._held[1] != state:
            # holding the tensors and, detached, their memory keeps both from being given to others
            self._held = ([(tensor, tensor.detach()) for tensor in tensors], state, {})
        results = self._held[2]
        if name not in results:
            results[name] = compute()
        return results[name]

    def __reduce__(self) -> tuple[type, tuple]:
        """Copy and serialise as empty: a copy has weights of its own."""
        return Kept, ()


def _version(tensor: Tensor) -> tuple:
    # PyTorch counts no versions of tensors that were made in inference mode: these are read
    version = hash(tensor.double().cpu().numpy().tobytes()) if tensor.is_inference() else tensor._version
    return id(tensor), tensor.data_ptr(), tensor.dtype, version


def on_cpu(module: Module, dtype: torch.dtype) -> Module:
    """Return a module as it is if it is on the CPU in a floating-point type, otherwise a copy that is.

    Raises
    ------
    ValueError
        The module is on the device meta, which holds no weights.
    """
    tensors = [*module.parameters(), *module.buffers()]
    if any(tensor.is_meta for tensor in tensors):
        raise ValueError("the model has no weights, since it is on the device meta: load it with timbrelib.load_model")
    if all(tensor.device.type == "cpu" and tensor.dtype in (dtype, torch.int64) for tensor in tensors):
        return module
    return copy.deepcopy(module).to("cpu", dtype)
