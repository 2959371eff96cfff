"""The reference's safe_open, deserialize and their errors, beside the real package where both do the same."""

from __future__ import annotations

import errno
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors as real
import torch
import weighbridge.safetensors as ours
from handmade import Tensor, file_bytes, write_file
from weighbridge import SafetensorError

TENSORS = {
    "b": Tensor("F32", (10, 5)),
    "é": Tensor("F32", (2,)),
    "a": Tensor("I64", (3,)),
    "😀": Tensor("U8", (4,)),
    "z": Tensor("U8", (0, 3)),
    "y": Tensor("U8", (0,)),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_file(tmp_path / "model.safetensors", TENSORS, {"b": "1", "a": "2"})


@pytest.mark.parametrize("framework", ["np", "numpy", "pt", "torch", "pytorch"])
@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_it_answers_as_the_reference(path: Path, framework: str, backend: str) -> None:
    arguments = {"framework": framework, "backend": backend}
    with ours.safe_open(path, **arguments) as our, real.safe_open(path, **arguments) as their:
        assert our.keys() == their.keys() == sorted(TENSORS)
        assert our.metadata() == their.metadata()
        assert set(our.offset_keys()) == set(their.offset_keys())
        for name in TENSORS:
            mine, other = our.get_tensor(name), their.get_tensor(name)
            assert (type(mine), mine.dtype, mine.shape) == (type(other), other.dtype, other.shape)
            assert np.array_equal(np.asarray(mine), np.asarray(other))
            slice_ = our.get_slice(name)
            assert slice_.get_shape() == their.get_slice(name).get_shape()
            assert slice_.get_dtype() == their.get_slice(name).get_dtype()
        assert our.get_tensors().keys() == their.get_tensors().keys()


def test_order_is_always_the_same(path: Path) -> None:
    with ours.safe_open(path, framework="np") as file:
        assert file.offset_keys() == list(TENSORS)
        assert list(file.get_tensors()) == list(TENSORS)
        assert list(file.metadata() or ()) == ["a", "b"]
        names = file.keys()
        names.clear()
        assert file.keys() == sorted(TENSORS)


def test_it_is_a_collection_too(path: Path) -> None:
    with ours.safe_open(path, framework="np") as file:
        assert len(file) == len(TENSORS)
        assert "a" in file
        assert "none" not in file
        assert list(file) == file.keys()


def message_of(call: Callable[[], Any]) -> tuple[str, str]:
    """The class's name and the text of what a call raises."""
    try:
        call()
    except Exception as error:
        return type(error).__name__, str(error)
    raise AssertionError("nothing was raised")


OPENINGS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("tf3",), {}),
    (("np",), {"device": "cuda"}),
    (("np",), {"device": "mps:1"}),
    (("tf",), {"device": "mps:0"}),
    (("jax",), {"device": 3}),
    (("mlx",), {"device": "npu:2"}),
    (("pt",), {"device": "foo"}),
    (("pt",), {"device": 1.5}),
    (("pt",), {"backend": "fast"}),
    ((), {}),
]


@pytest.mark.parametrize(("arguments", "options"), OPENINGS)
def test_wrong_arguments_are_refused_in_the_same_words(path: Path, arguments: Any, options: Any) -> None:
    mine = message_of(lambda: ours.safe_open(path, *arguments, **options))
    other = message_of(lambda: real.safe_open(path, *arguments, **options))
    assert mine[0] == other[0]
    if arguments:
        assert mine[1].startswith(other[1])


def test_arguments_are_checked_before_the_file(tmp_path: Path) -> None:
    with pytest.raises(SafetensorError, match="framework x is invalid"):
        ours.safe_open(tmp_path / "none", framework="x")
    with pytest.raises(ValueError, match="cuda:x"):
        ours.safe_open(tmp_path / "none", framework="pt", device="cuda:x")


BROKEN = {
    "short": b"1234",
    "long": (100_000_001).to_bytes(8, "little") + b"{}",
    "behind": (100).to_bytes(8, "little") + b"{}",
    "encoding": (4).to_bytes(8, "little") + b'{"\xff"',
    "json": (4).to_bytes(8, "little") + b"nope",
    "offset": file_bytes({"a": Tensor("U8", (2,))}).replace(b"[0,2]", b"[1,2]"),
    "info": file_bytes({"a": Tensor("U8", (2,))}).replace(b'"U8"', b'"I8"').replace(b"[2]", b"[3]"),
    "rest": file_bytes({"a": Tensor("U8", (2,))}) + b"x",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_headers_are_told_in_the_references_words_first(tmp_path: Path, name: str) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(BROKEN[name])
    pairs = [
        (lambda: ours.safe_open(path, "np"), lambda: real.safe_open(path, "np")),
        (lambda: ours.deserialize(BROKEN[name]), lambda: real.deserialize(BROKEN[name])),
    ]
    for mine, other in pairs:
        (our_kind, our_text), (their_kind, their_text) = message_of(mine), message_of(other)
        assert our_kind == their_kind == "SafetensorError"
        prefix, reason = their_text.split(": ")[:2]
        assert our_text.startswith(f"{prefix}: {reason}")


def test_a_duplicate_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.safetensors"
    entry = b'"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
    text = b"{" + entry + b"," + entry + b"}"
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(SafetensorError) as caught:
        ours.safe_open(path, "np")
    assert (caught.value.code, caught.value.tensor) == ("DuplicateKey", "a")


def test_what_the_system_refuses_is_told_truly(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        ours.safe_open("notafile", framework="pt")
    assert str(missing.value) == "No such file or directory: notafile"
    with pytest.raises(IsADirectoryError) as folder:
        ours.safe_open(tmp_path, framework="pt")
    assert folder.value.errno == errno.EISDIR
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(OSError) as looping:  # noqa: PT011 - errno says which
        ours.safe_open(loop, framework="pt")
    assert looping.value.errno == errno.ELOOP
    assert isinstance(looping.value, SafetensorError)


def test_a_closed_file_is_closed(path: Path) -> None:
    with ours.safe_open(path, framework="np") as file:
        kept = file.get_slice("a")
    for call in (file.keys, file.offset_keys, file.metadata, file.get_tensors, lambda: file.get_tensor("a")):
        with pytest.raises(SafetensorError, match=r"^File is closed$"):
            call()
    assert kept[:].tolist() == TENSORS_A


TENSORS_A = np.frombuffer(TENSORS["a"].content, "<i8").tolist()


def test_an_unknown_name_is_told_in_the_references_words(path: Path) -> None:
    with ours.safe_open(path, framework="np") as file:
        for call in (file.get_tensor, file.get_slice):
            with pytest.raises(SafetensorError, match=r"^File does not contain tensor none$"):
                call("none")


SLICES = [np.s_[2:, -6], np.s_[2:, 20], np.s_[:20], np.s_[:, :20], [0, 1]]


@pytest.mark.parametrize("index", SLICES)
def test_slices_of_arrays_that_leave_the_shape_are_refused_in_the_same_words(path: Path, index: Any) -> None:
    with ours.safe_open(path, framework="np") as mine, real.safe_open(path, framework="np") as other:
        expected = message_of(lambda: other.get_slice("b")[index])
        assert message_of(lambda: mine.get_slice("b")[index]) == expected


RIGHT_NOW = [np.s_[::2], np.s_[5:2], np.s_[10:], np.s_[-3:], np.s_[..., 1], np.s_[None], np.s_[::-1, ::-2]]


@pytest.mark.parametrize("index", RIGHT_NOW)
@pytest.mark.parametrize("framework", ["np", "pt"])
@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_where_the_reference_is_wrong_numpy_is_right(path: Path, index: Any, framework: str, backend: str) -> None:
    expected = np.frombuffer(TENSORS["b"].content, "<f4").reshape(10, 5)[index]
    with ours.safe_open(path, framework=framework, backend=backend) as file:
        got = np.asarray(file.get_slice("b")[index])
    assert got.shape == expected.shape
    assert got.tobytes() == expected.tobytes()


@pytest.mark.parametrize("framework", ["np", "pt"])
def test_a_handle_is_used_by_its_descriptor(path: Path, framework: str) -> None:
    with path.open() as handle:
        path.unlink()
        with ours._safe_open_handle(handle, framework=framework) as file:
            assert file.get_tensor("a").tolist() == TENSORS_A
    with pytest.raises(AttributeError):
        ours._safe_open_handle("a path", framework=framework)


def test_a_handle_without_descriptor_is_read() -> None:
    with ours._safe_open_handle(io.BytesIO(file_bytes(TENSORS)), framework="np") as file:
        assert file.get_tensor("a").tolist() == TENSORS_A


def test_deserialize_gives_what_the_reference_gives_in_order() -> None:
    data = file_bytes(TENSORS)
    mine = ours.deserialize(data)
    assert [name for name, _ in mine] == list(TENSORS)
    assert dict(mine) == dict(real.deserialize(data))
    assert all(type(view["data"]) is bytearray and type(view["shape"]) is list for _, view in mine)
    assert ours.deserialize(memoryview(data)) == mine


def test_threads_may_share_an_open_file(path: Path) -> None:
    """Many readers of one handle while it is new: nothing is made twice, and every answer is right."""
    expected = {name: tensor.content for name, tensor in TENSORS.items()}
    wrong: list[str] = []
    for backend in ("mmap", "pread"):
        with ours.safe_open(path, framework="pt", backend=backend) as file:

            def read(handle: ours.safe_open = file) -> None:
                for _ in range(50):
                    for name in handle.keys():  # noqa: SIM118 - keys() is what is tested
                        raw = handle.get_tensor(name).reshape(-1).view(torch.uint8)
                        if raw.numpy().tobytes() != expected[name] or len(handle.get_tensors()) != len(expected):
                            wrong.append(name)

            threads = [threading.Thread(target=read) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert not wrong
