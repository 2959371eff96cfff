"""The saving half of the mirror against the real package: the same files, the same errors, and its bugs mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors as reference
import safetensors.numpy as reference_numpy
import safetensors.torch as reference_torch
import torch
import weighbridge.safetensors as mirror
import weighbridge.safetensors.numpy as mirror_numpy
import weighbridge.safetensors.torch as mirror_torch
from weighbridge import SafetensorError

DATA = np.arange(4, dtype=np.float32)
ADDRESS = DATA.ctypes.data
W = torch.arange(16, dtype=torch.float32).reshape(4, 4)


def spec_of(package: Any, **changes: Any) -> Any:
    return package.TensorSpec(**{"dtype": "float32", "shape": [2, 2], "data_ptr": ADDRESS, "data_len": 16, **changes})


def error_of(action: Callable[[], object]) -> tuple[str, str]:
    try:
        action()
    except Exception as error:
        return type(error).__name__, str(error)
    return "", ""


def same_error(ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    expected = error_of(theirs)
    assert expected[0], "the reference accepts this"
    assert error_of(ours) == expected


SPECS: list[dict[str, Any]] = [
    {"dtype": "f32"},
    {"dtype": "complex128"},
    {"shape": [-1]},
    {"shape": None},
    {"shape": "ab"},
    {"shape": [1.5]},
    {"dtype": "float4_e2m1fn_x2", "shape": [2, 2**63]},
    {"data_ptr": -1},
    {"data_ptr": 2**64},
    {"data_len": -1},
]


@pytest.mark.parametrize("changes", SPECS, ids=repr)
def test_specs_refuse_what_the_reference_refuses(changes: dict[str, Any]) -> None:
    same_error(lambda: spec_of(mirror, **changes), lambda: spec_of(reference, **changes))


@pytest.mark.parametrize(
    "changes",
    [{}, {"shape": (2, 2)}, {"shape": []}, {"dtype": "float4_e2m1fn_x2", "shape": [2, 8]}, {"dtype": "bool"}],
    ids=repr,
)
def test_specs_show_what_those_of_the_reference_show(changes: dict[str, Any]) -> None:
    ours, theirs = spec_of(mirror, **changes), spec_of(reference, **changes)
    assert repr(ours) == repr(theirs)
    assert (ours.dtype, ours.shape, ours.data_ptr, ours.data_len) == (
        theirs.dtype,
        theirs.shape,
        theirs.data_ptr,
        theirs.data_len,
    )
    with pytest.raises(AttributeError):
        ours.shape = [1]
    with pytest.raises(TypeError):
        mirror.TensorSpec("float32", [2], 1, 8)  # type: ignore[misc]


def test_files_of_specs_are_those_of_the_reference(tmp_path: Path) -> None:
    names = {"b": {}, "a": {"dtype": "int64", "shape": [2]}, "f4": {"dtype": "float4_e2m1fn_x2", "shape": [4, 4]}}
    for metadata in (None, {"k": "v"}):
        data = mirror.serialize({name: spec_of(mirror, **c) for name, c in names.items()}, metadata)
        assert data == reference.serialize({name: spec_of(reference, **c) for name, c in names.items()}, metadata)
    mirror.serialize_file({"a": spec_of(mirror)}, tmp_path / "x", metadata={"k": "v"})
    assert (tmp_path / "x").read_bytes() == mirror.serialize({"a": spec_of(mirror)}, {"k": "v"})


TYPE_ERRORS: list[Callable[[Any], object]] = [
    lambda package: package.serialize({"a": {"dtype": "float32", "shape": [2], "data_ptr": 1, "data_len": 8}}),
    lambda package: package.serialize({"a": 3}),
    lambda package: package.serialize({3: spec_of(package)}),
    lambda package: package.serialize([("a", spec_of(package))]),
    lambda package: package.serialize({"a": spec_of(package)}, {"a": 1}),
    lambda package: package.serialize({"a": spec_of(package)}, {1: "a"}),
    lambda package: package.serialize({"a": spec_of(package)}, "x"),
    lambda package: package.serialize_file({"a": spec_of(package)}, 3),
]


@pytest.mark.parametrize("action", TYPE_ERRORS)
def test_wrong_arguments_are_the_type_errors_of_the_reference(action: Callable[[Any], object]) -> None:
    same_error(lambda: action(mirror), lambda: action(reference))


@pytest.mark.parametrize("changes", [{"shape": [3]}, {"data_len": 15}, {"shape": [2**62, 8]}], ids=repr)
def test_unsound_tensors_begin_with_the_words_of_the_reference(changes: dict[str, Any]) -> None:
    kind, text = error_of(lambda: mirror.serialize({"a": spec_of(mirror, **changes)}))
    expected = error_of(lambda: reference.serialize({"a": spec_of(reference, **changes)}))
    assert kind == expected[0] == "SafetensorError"
    assert text.startswith(expected[1])
    assert "'a'" in text


def test_failures_of_the_system_are_both_kinds_of_error(tmp_path: Path) -> None:
    with pytest.raises(SafetensorError, match="Error while serializing: I/O error") as caught:
        mirror.serialize_file({"a": spec_of(mirror)}, tmp_path / "none" / "x")
    assert isinstance(caught.value, FileNotFoundError)
    assert caught.value.errno == 2


def test_dicts_with_data_are_taken_as_before_0_8() -> None:
    expected = mirror.serialize({"a": spec_of(mirror)})
    for dtype in ("float32", "F32"):
        for data in (DATA.tobytes(), bytearray(DATA.tobytes()), memoryview(DATA), DATA):
            assert mirror.serialize({"a": {"dtype": dtype, "shape": [2, 2], "data": data}}) == expected
    with pytest.raises(SafetensorError, match="Missing `shape` in"):
        mirror.serialize({"a": {"dtype": "float32", "data": b""}})
    with pytest.raises(SafetensorError, match="invalid shape"):
        mirror.serialize({"a": {"dtype": "float32", "shape": [3], "data": b""}})
    packed = mirror.serialize({"a": {"dtype": "float4_e2m1fn_x2", "shape": [2], "data": b"ab"}})
    assert b'"shape":[4]' in packed


def test_what_the_reference_writes_broken_is_whole_or_refused() -> None:
    data = mirror.serialize({}, {})
    assert json.loads(data[8:]) == {"__metadata__": {}}
    with pytest.raises(SafetensorError, match="__metadata__"):
        mirror.serialize({"__metadata__": spec_of(mirror)})


def test_metadata_order_does_not_matter() -> None:
    metadata = {str(i): "v" for i in range(50)}
    backwards = dict(reversed(metadata.items()))
    assert mirror_numpy.save({"a": DATA}, metadata) == mirror_numpy.save({"a": DATA}, backwards)
    assert mirror_torch.save({"a": W}, metadata) == mirror_torch.save({"a": W}, backwards)


def test_numpy_arrays_in_any_order(tmp_path: Path) -> None:
    array = np.arange(6, dtype=">i4").reshape(2, 3)
    expected = reference_numpy.save({"a": np.ascontiguousarray(array.T.astype("<i4"))})
    assert mirror_numpy.save({"a": array.T}) == expected
    mirror_numpy.save_file({"a": array.T}, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == expected
    same_error(
        lambda: mirror_numpy.save_file({"a": DATA}, 3),  # type: ignore[arg-type]
        lambda: reference_numpy.save_file({"a": DATA}, 3),  # type: ignore[arg-type]
    )


def test_numpy_private_helpers() -> None:
    kept: list[Any] = []
    specs = mirror_numpy._flatten({"a": DATA.reshape(2, 2).T, "b": DATA.astype(">f4")}, kept)
    assert mirror.serialize(specs) == mirror_numpy.save({"a": DATA.reshape(2, 2).T, "b": DATA})
    assert mirror_numpy._tobytes(DATA.astype(">f4")) == DATA.tobytes()


TORCH_ERRORS: list[Callable[[Any], object]] = [
    lambda package: package.save("x"),
    lambda package: package.save({"a": 1}),
    lambda package: package.save({"k": W.to_sparse()}),
    lambda package: package.save({"a": W.t().contiguous().t()}),
    lambda package: package.save({"k": W[:, 1:3]}),
    lambda package: package.save({"k": torch.zeros(2, dtype=torch.complex128)}),
    lambda package: package.save({"k": torch.zeros(2, device="meta")}),
    lambda package: package.save({"a": W, "b": W.clone(), "c": W[1:]}),
    lambda package: package._remove_duplicate_names({"a": W[:2], "b": W[1:3]}),
]


@pytest.mark.parametrize("action", TORCH_ERRORS)
def test_torch_refuses_in_the_words_of_the_reference(action: Callable[[Any], object]) -> None:
    theirs, ours = error_of(lambda: action(reference_torch)), error_of(lambda: action(mirror_torch))
    assert ours[0] == theirs[0] != ""
    # A set of names has no order.
    assert sorted(ours[1]) == sorted(theirs[1])


def test_torch_files_are_those_of_the_reference(tmp_path: Path) -> None:
    tensors = {
        "w": W,
        "half": W.bfloat16(),
        "part": torch.zeros(10)[2:5],
        "one": torch.tensor(1),
        "none": torch.zeros(0, 2),
    }
    for metadata in (None, {"format": "pt"}):
        expected = reference_torch.save(tensors, metadata)
        assert mirror_torch.save(tensors, metadata) == expected
        mirror_torch.save_file(tensors, tmp_path / "x", metadata)
        assert (tmp_path / "x").read_bytes() == expected


def test_conjugated_tensors_are_saved_conjugated() -> None:
    tensor = torch.tensor([1 + 2j], dtype=torch.complex64)
    assert mirror_torch.save({"a": tensor.conj()}) == mirror_torch.save({"a": tensor.conj().resolve_conj()})


class Tied(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = torch.nn.Parameter(W.clone())
        self.b = self.a
        self.c = torch.nn.Parameter(torch.zeros(3, 2).t())


def test_save_model_notes_what_is_left_out(tmp_path: Path) -> None:
    for metadata in (None, {"format": "pt"}, {"b": "mine"}):
        ours, theirs = None if metadata is None else dict(metadata), None if metadata is None else dict(metadata)
        mirror_torch.save_model(Tied(), tmp_path / "ours", ours)
        reference_torch.save_model(Tied(), str(tmp_path / "theirs"), theirs)
        assert ours == metadata
        with (
            reference.safe_open(tmp_path / "ours", "pt") as mine,
            reference.safe_open(tmp_path / "theirs", "pt") as real,
        ):
            assert mine.metadata() == real.metadata()
        assert (
            reference_torch.load_file(tmp_path / "ours").keys() == reference_torch.load_file(tmp_path / "theirs").keys()
        )
    same_error(
        lambda: mirror_torch.save_model(Tied(), tmp_path / "x", force_contiguous=False),
        lambda: reference_torch.save_model(Tied(), str(tmp_path / "x"), force_contiguous=False),
    )


def test_groups_of_shared_tensors_are_those_of_the_reference() -> None:
    flat = torch.arange(100)
    cases: list[dict[str, torch.Tensor]] = [
        {"A": flat, "B": flat},
        {"A": flat[:10], "B": flat[10:], "C": flat[5:15]},
        {"B": flat[:10], "A": W, "C": flat[90:], "D": W},
        {"A": torch.zeros(0), "B": torch.zeros(0), "M": torch.zeros(3, device="meta")},
        {"A": W, "B": W[0], "C": W[3]},
    ]
    for tensors in cases[:4]:
        assert mirror_torch._find_shared_tensors(tensors) == reference_torch._find_shared_tensors(tensors)
        for tensor in tensors.values():
            assert mirror_torch._is_complete(tensor) == reference_torch._is_complete(tensor)
            assert mirror_torch.storage_ptr(tensor) == reference_torch.storage_ptr(tensor)
            assert mirror_torch.storage_size(tensor) == reference_torch.storage_size(tensor)
    # The reference forgets that A reaches further than B.
    assert mirror_torch._find_shared_tensors(cases[4]) == [{"A", "B", "C"}]
    assert mirror_torch._remove_duplicate_names(cases[4]) == {"A": ["B", "C"]}


def test_the_name_that_is_kept_follows_the_wishes_of_the_caller() -> None:
    tensors = {"a": W, "b": W, "c": W}
    for wishes in (
        {},
        {"preferred_names": ["c"]},
        {"discard_names": ["a"]},
        {"preferred_names": ["a"], "discard_names": ["a"]},
    ):
        ours = mirror_torch._remove_duplicate_names(tensors, **wishes)
        assert ours == reference_torch._remove_duplicate_names(tensors, **wishes)


def test_torch_private_helpers() -> None:
    tensors = {"w": W, "half": W.bfloat16(), "f8": torch.zeros(3).to(torch.float8_e5m2), "b": torch.tensor(True)}
    expected = mirror_torch.save(tensors)
    kept: list[Any] = []
    assert mirror.serialize(mirror_torch._flatten_as_ptr(tensors, kept)) == expected
    assert len(kept) == 4
    assert mirror.serialize(mirror_torch._flatten(tensors)) == expected
    assert mirror_torch._tobytes(W, "w") == W.numpy().tobytes()
    assert mirror_torch._end_ptr(W[1]) == reference_torch._end_ptr(W[1])
    with pytest.raises(KeyError):
        mirror_torch._to_ndarray(torch.zeros(1, dtype=torch.complex128))
