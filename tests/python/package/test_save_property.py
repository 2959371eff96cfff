"""Any dict of arrays: our file is that of the real package, and each reads what the other wrote."""

from __future__ import annotations

from typing import Any

import ml_dtypes  # noqa: F401  numpy then knows bfloat16 by name
import numpy as np
import safetensors.numpy as reference
import safetensors.torch as reference_torch
import torch
import weighbridge.numpy as ours
import weighbridge.torch as ours_torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

KINDS = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8"]
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(lambda name: name != "__metadata__")


@st.composite
def views(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    """An array of any dtype and byte order, and then a view of it in any memory order."""
    dtype = np.dtype(draw(st.sampled_from("<>")) + draw(st.sampled_from(KINDS)).replace("?", "b1"))
    array = draw(arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)))
    if array.ndim and draw(st.booleans()):
        array = array.transpose(draw(st.permutations(range(array.ndim))))
    if array.ndim and draw(st.booleans()):
        array = array[draw(arrays.basic_indices(array.shape, allow_ellipsis=False))]
    if draw(st.booleans()):
        array = np.broadcast_to(array, (draw(st.integers(0, 3)), *array.shape))
    return np.asarray(array)


METADATA = st.none() | st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.just("v"), max_size=1
)


@settings(max_examples=200, deadline=None)
@given(tensors=st.dictionaries(NAMES, views(), max_size=5), metadata=METADATA)
def test_any_arrays(tensors: dict[str, np.ndarray[Any, Any]], metadata: dict[str, str] | None) -> None:
    plain = {name: np.array(a, a.dtype.newbyteorder("<"), order="C") for name, a in tensors.items()}
    data = ours.save(tensors, metadata=metadata)
    if tensors or metadata != {}:  # for which the reference writes a file that nobody can read
        assert data == reference.save(plain, metadata)
    loaded = reference.load(data)
    assert loaded.keys() == tensors.keys()
    for name, array in plain.items():
        assert loaded[name].shape == array.shape
        assert loaded[name].tobytes() == array.tobytes()


@settings(max_examples=100, deadline=None)
@given(tensors=st.dictionaries(NAMES, views(), max_size=4))
def test_any_tensors(tensors: dict[str, np.ndarray[Any, Any]]) -> None:
    plain = {name: torch.from_numpy(np.array(a, a.dtype.newbyteorder("="), order="C")) for name, a in tensors.items()}
    turned = {name: t.permute(*reversed(range(t.ndim))) if t.ndim else t for name, t in plain.items()}
    data = ours_torch.save(turned)
    assert data == reference_torch.save({name: t.contiguous() for name, t in turned.items()})
    for name, tensor in reference_torch.load(data).items():
        assert tensor.shape == turned[name].shape
        assert tensor.numpy().tobytes() == turned[name].contiguous().numpy().tobytes()
