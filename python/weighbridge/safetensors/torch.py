"""``safetensors.torch``."""

from __future__ import annotations

from . import TensorSpec, deserialize, serialize, serialize_file
from ._load_torch import _TYPES, _getdtype, _view2torch, load, load_file, load_model
from ._safe_open import safe_open
from ._saving_torch import (
    _SIZE,
    _end_ptr,
    _evaluate_tensors_for_save,
    _filter_shared_not_shared,
    _find_shared_tensors,
    _flatten,
    _flatten_as_ptr,
    _is_complete,
    _remove_duplicate_names,
    _to_ndarray,
    _tobytes,
    save,
    save_file,
    save_model,
    storage_ptr,
    storage_size,
)

__all__ = [
    "_SIZE",
    "_TYPES",
    "TensorSpec",
    "_end_ptr",
    "_evaluate_tensors_for_save",
    "_filter_shared_not_shared",
    "_find_shared_tensors",
    "_flatten",
    "_flatten_as_ptr",
    "_getdtype",
    "_is_complete",
    "_remove_duplicate_names",
    "_to_ndarray",
    "_tobytes",
    "_view2torch",
    "deserialize",
    "load",
    "load_file",
    "load_model",
    "safe_open",
    "save",
    "save_file",
    "save_model",
    "serialize",
    "serialize_file",
    "storage_ptr",
    "storage_size",
]
