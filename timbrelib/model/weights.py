"""The weights of a model: read from a file, and what follows from them, whatever device and type they have.

Notebook: 01_train.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import safetensors
import torch
from torch import Tensor, nn

FLOATS, INTEGERS = ("F16", "F32"), ("I32", "I64")  # types in which tensors may be stored
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


def read_weights(path: Path, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read the tensors of a model, after checking that the file has the names and shapes of `expected`.

    Returns
    -------
    dict of str to Tensor
        With the types of `expected`.

    Raises
    ------
    safetensors.SafetensorError
        The file does not contain tensors.
    ValueError
        It contains other tensors, or values that are not finite or not valid in a model.
    """
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
        raise ValueError("it contains values that are not finite")
    if (tensors["use"] < 0).any() or (tensors["std"] <= 0).any():
        raise ValueError("it contains negative counts, or deviations that are not positive")
    return tensors
