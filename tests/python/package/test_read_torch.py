"""Reading into torch: every dtype, one private mapping a file."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
import torch
from handmade import Tensor, every_dtype, file_bytes, write_file
from weighbridge import SafetensorError
from weighbridge import torch as own
from weighbridge.safetensors import safe_open
from weighbridge.safetensors import torch as mirror

EVERY = every_dtype()


def plain_bytes(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def check_every(tensors: dict[str, torch.Tensor]) -> None:
    assert list(tensors) == list(EVERY)
    for name, tensor in tensors.items():
        assert plain_bytes(tensor) == EVERY[name].content
        assert tensor.shape == ((4, 3) if name == "f4" else (4, 6))
        assert tensor.dtype == own.torch_dtype(EVERY[name].code)
    assert tensors["f4"].dtype == torch.float4_e2m1fn_x2
    assert tensors["bf16"].dtype == torch.bfloat16


@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_every_dtype_is_read(tmp_path: Path, backend: str) -> None:
    path = write_file(tmp_path / "every.safetensors", EVERY)
    check_every(own.load_file(path, backend=backend))
    check_every(mirror.load_file(path, backend=backend))
    with safe_open(path, framework="pt", backend=backend) as file:
        check_every({name: file.get_tensor(name) for name in file.offset_keys()})


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_any_buffer_is_a_file_and_is_copied(make: type) -> None:
    data = make(file_bytes(EVERY))
    for tensors in (own.load(data), mirror.load(data)):
        check_every(tensors)
        tensors["u8"].zero_()
    assert bytes(data) == file_bytes(EVERY)


def test_dtypes_that_torch_does_not_take_by_dlpack_are_viewed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write_file(tmp_path / "every.safetensors", EVERY)
    monkeypatch.setattr(own, "_direct_codes", lambda: ("F32", "I64"))
    check_every(own.load_file(path))
    with safe_open(path, framework="pt") as file:
        check_every({name: file.get_tensor(name) for name in file.offset_keys()})


def test_one_open_file_is_one_mapping(tmp_path: Path) -> None:
    """As the reference has it: a tensor, the tensor again and its slices share their bytes, the file never changes."""
    path = write_file(tmp_path / "a.safetensors", {"a": Tensor("U8", (4, 4)), "b": Tensor("U8", (4,))})
    before = path.read_bytes()
    with safe_open(path, framework="pt") as file:
        tensor = file.get_tensor("a")
        rows = file.get_slice("a")[1:3]
        tensor.fill_(9)
        assert rows.eq(9).all()
        assert file.get_tensors()["a"].eq(9).all()
        assert file.get_tensor("b").tolist() == [0, 1, 2, 3]
    assert path.read_bytes() == before
    with safe_open(path, framework="pt") as file:
        assert file.get_tensor("a")[0, 1] == 1


def test_tensors_keep_their_mapping(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.safetensors", {"a": Tensor("U8", (2 << 20,)), "b": Tensor("U8", (4,))})

    def mappings() -> int:
        return Path("/proc/self/maps").read_text().count(str(path))

    tensors = own.load_file(path)
    path.rename(tmp_path / "moved")
    (tmp_path / "moved").rename(path)
    assert mappings() > 0
    kept = tensors.pop("b")
    tensors.clear()
    gc.collect()
    assert mappings() > 0
    assert kept.tolist() == [0, 1, 2, 3]
    del kept
    gc.collect()
    assert mappings() == 0


def test_tensors_are_aligned_where_the_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    tensors = {"a": Tensor("U8", (1,)), "b": Tensor("F64", (3,)), "c": Tensor("C64", (2,))}
    path.write_bytes(file_bytes(tensors, padding=0))
    for backend in ("mmap", "pread"):
        loaded = own.load_file(path, backend=backend)
        assert {name: plain_bytes(tensor) for name, tensor in loaded.items()} == {
            name: tensor.content for name, tensor in tensors.items()
        }
        assert [tensor.data_ptr() % tensor.element_size() for tensor in loaded.values()] == [0, 0, 0]
        with safe_open(path, framework="pt", backend=backend) as file:
            assert file.get_slice("b")[1:].data_ptr() % 8 == 0


def test_scalars_empty_tensors_and_many_dimensions(tmp_path: Path) -> None:
    shapes: list[tuple[int, ...]] = [(), (0,), (3, 0, 2), (1,) * 12, (2, 1, 2, 1, 2, 1, 2, 1, 2)]
    tensors = {str(i): Tensor("F32", shape) for i, shape in enumerate(shapes)}
    loaded = own.load_file(write_file(tmp_path / "shapes.safetensors", tensors))
    assert {tuple(tensor.shape) for tensor in loaded.values()} == set(shapes)
    assert {name: plain_bytes(tensor) for name, tensor in loaded.items()} == {k: t.content for k, t in tensors.items()}


def test_the_meta_device_has_shapes_and_no_bytes(tmp_path: Path) -> None:
    path = write_file(tmp_path / "every.safetensors", EVERY)
    real = own.load_file(path)
    with safe_open(path, framework="pt", device="meta") as file:
        for loaded in (own.load_file(path, "meta"), file.get_tensors(), {k: file.get_tensor(k) for k in real}):
            assert {name: (t.device.type, t.shape, t.dtype) for name, t in loaded.items()} == {
                name: ("meta", t.shape, t.dtype) for name, t in real.items()
            }


@pytest.mark.parametrize("device", ["cpu", None, torch.device("cpu"), "cpu:0"])
def test_devices_have_many_names(tmp_path: Path, device: object) -> None:
    path = write_file(tmp_path / "a.safetensors", {"a": Tensor("U8", (4,))})
    with safe_open(path, framework="pt", device=device) as file:
        assert file.get_tensor("a").device.type == "cpu"


def test_f6_is_refused_by_name() -> None:
    with pytest.raises(SafetensorError, match="Dtype not understood: F6_E3M2"):
        own.load(file_bytes({"a": Tensor("F6_E3M2", (4,)), "b": Tensor("U8", (1,))}))


def test_numpy_and_torch_read_the_same(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.safetensors", {"a": Tensor("F32", (5, 7)), "b": Tensor("I16", (3,))})
    with safe_open(path, framework="pt") as pt, safe_open(path, framework="np") as arrays:
        for name in pt.keys():  # noqa: SIM118 - keys() is what is tested
            assert np.array_equal(pt.get_tensor(name).numpy(), arrays.get_tensor(name))
