"""Nothing is left behind: no reference, no memory, no open file, no mapping."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from measures import growth, mappings_of
from weighbridge import safetensors
from weighbridge.safetensors import SafetensorError, safe_open
from weighbridge.safetensors import numpy as st_numpy

ROUNDS = 200
MIB = 1 << 20
NAMES = [f"layer.{i}.weight" for i in range(20)]
METADATA = {"format": "np", "comment": "nothing to see"}

Work = Callable[[Path], object]


def arrays() -> dict[str, np.ndarray]:
    return {name: np.full((16, 8), i, dtype=np.float32) for i, name in enumerate(NAMES)}


def opened(path: Path, backend: str) -> None:
    with safe_open(path, "np", backend=backend) as file:
        assert file.metadata() == METADATA
        assert sorted(file.keys()) == sorted(NAMES)
        assert len(file.offset_keys()) == len(NAMES)
        assert len(file.get_tensors()) == len(NAMES)
        for name in NAMES[:4]:
            file.get_tensor(name)
            part = file.get_slice(name)
            assert part[1:3, ::2].shape == (2, 4)
            assert (part.get_dtype(), part.get_shape()) == ("F32", [16, 8])


def not_closed(path: Path) -> None:
    safe_open(path, "np").get_tensor(NAMES[0])


def in_memory(path: Path) -> None:
    data = st_numpy.save(arrays(), METADATA)
    assert len(st_numpy.load(data)) == len(safetensors.deserialize(data)) == len(NAMES)


def to_file(path: Path) -> None:
    target = path.with_suffix(".copy")
    st_numpy.save_file(arrays(), target, METADATA)
    assert len(st_numpy.load_file(target)) == len(NAMES)


ARRAY = np.ones((3, 4), dtype=np.int16)
# Asked for once: `ctypes` objects alone leave a changing number of memory blocks behind, up to 70 in 200 rounds.
ADDRESS = ARRAY.ctypes.data


def specs(path: Path) -> None:
    spec = safetensors.TensorSpec(dtype="int16", shape=[3, 4], data_ptr=ADDRESS, data_len=ARRAY.nbytes)
    assert spec.shape == [3, 4]
    assert len(safetensors.serialize({"a": spec}, METADATA)) > ARRAY.nbytes


def failing(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        safe_open(path.with_name("none"), "np")
    with pytest.raises(SafetensorError):
        safetensors.deserialize(b"\x05\0\0\0\0\0\0\0{,,,}")
    with pytest.raises(SafetensorError):
        safe_open(path, "abacus")
    with pytest.raises(TypeError):
        safetensors.serialize({"a": {"dtype": "float32", "shape": [1]}})
    with safe_open(path, "np") as file:
        with pytest.raises(SafetensorError):
            file.get_tensor("none")
        part = file.get_slice(NAMES[0])
        with pytest.raises(SafetensorError):
            part[99]
    with pytest.raises(SafetensorError):
        file.keys()


WORK: dict[str, Work] = {
    "open, mapped": lambda path: opened(path, "mmap"),
    "open, read": lambda path: opened(path, "pread"),
    "open without closing": not_closed,
    "save and load in memory": in_memory,
    "save and load a file": to_file,
    "specs": specs,
    "errors": failing,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of twenty small tensors."""
    target = tmp_path / "small.safetensors"
    st_numpy.save_file(arrays(), target, METADATA)
    return target


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_work_leaves_nothing_behind(work: Work, path: Path) -> None:
    left = growth(lambda: work(path), ROUNDS)
    # One object lost per round would be at least ROUNDS; what the interpreter caches varies by less.
    assert left.blocks < ROUNDS // 4, left
    assert left.nones < ROUNDS // 4, left
    assert left.files == 0, left
    assert left.mappings < ROUNDS // 4, left
    assert left.resident < 8 * MIB, left


def test_big_results_are_given_back(tmp_path: Path) -> None:
    """Memory that is not Python's own: twenty rounds of 32 MiB in every form there is."""
    path = tmp_path / "big.safetensors"
    st_numpy.save_file({"a": np.ones((8, MIB), dtype=np.float32)}, path)

    def work() -> None:
        data = path.read_bytes()
        assert st_numpy.load(data)["a"].sum() == 8 * MIB
        assert st_numpy.load_file(path)["a"].sum() == 8 * MIB
        with safe_open(path, "np", backend="pread") as file:
            assert file.get_tensor("a").sum() == 8 * MIB
            assert file.get_slice("a")[1:5].sum() == 4 * MIB

    assert growth(work, 20).resident < 100 * MIB


MANY = 20_000


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A file of so many tensors that the names in it fill large pages."""
    path = tmp_path / "many.safetensors"
    st_numpy.save_file({f"layer.{i}": np.full(1, i % 256, dtype=np.uint8) for i in range(MANY)}, path)
    return path


def test_names_of_many_tensors_are_given_back(many: Path) -> None:
    def work() -> None:
        with safe_open(many, "np") as file:
            assert len(file.keys()) == len(file.offset_keys()) == MANY

    left = growth(work, 40)
    # The names of one round take 2 MiB.
    assert left.resident < 16 * MIB, left
    assert left.mappings < 10, left


def test_a_name_outlives_the_others(many: Path) -> None:
    with safe_open(many, "np") as file:
        kept = [file.keys()[i] for i in (0, 1, MANY // 2, MANY - 1)]
        for _ in range(8):
            assert file.keys() == sorted(f"layer.{i}" for i in range(MANY))
        assert kept == [file.keys()[i] for i in (0, 1, MANY // 2, MANY - 1)]


def test_arguments_are_not_held_on_to(path: Path) -> None:
    tensors, metadata = arrays(), dict(METADATA)
    array = tensors[NAMES[0]]
    held = [tensors, metadata, array, array.dtype, path]
    before = [sys.getrefcount(each) for each in held]
    for _ in range(ROUNDS):
        st_numpy.save(tensors, metadata)
        st_numpy.save_file(tensors, path, metadata)
        st_numpy.load_file(path)
    assert [sys.getrefcount(each) for each in held] == before


def test_an_array_alone_keeps_its_mapping(path: Path) -> None:
    loaded = st_numpy.load_file(path)
    array = loaded[NAMES[3]][2:]
    del loaded
    path.unlink()
    gc.collect()
    assert (array == 3).all()
    if mappings_of(path):
        del array
        gc.collect()
    assert mappings_of(path) == 0


def test_a_closed_file_is_unmapped(path: Path) -> None:
    with safe_open(path, "np") as file:
        file.keys()
    assert mappings_of(path) == 0


def test_a_file_that_is_not_closed_goes_with_its_last_reference(path: Path) -> None:
    file = safe_open(path, "np")
    part = file.get_slice(NAMES[2])
    del file
    gc.collect()
    assert (part[:] == 2).all()
    del part
    gc.collect()
    assert mappings_of(path) == 0


def test_a_torch_tensor_alone_keeps_its_mapping(path: Path) -> None:
    torch = pytest.importorskip("torch")
    from weighbridge.safetensors import torch as st_torch

    loaded = st_torch.load_file(path)
    assert mappings_of(path) <= 1, "one mapping for all the tensors of a file"
    tensor = loaded[NAMES[5]].t()
    died = weakref.ref(loaded[NAMES[4]])
    del loaded
    gc.collect()
    assert died() is None
    assert torch.equal(tensor, torch.full((8, 16), 5.0))
    del tensor
    gc.collect()
    assert mappings_of(path) == 0


@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_torch_tensors_leave_nothing_behind(backend: str, path: Path) -> None:
    pytest.importorskip("torch")
    from weighbridge.safetensors import torch as st_torch

    def work() -> None:
        tensors = st_torch.load_file(path, backend=backend)
        assert len(st_torch.load(st_torch.save(tensors, METADATA))) == len(NAMES)
        st_torch.save_file(tensors, path, METADATA)
        with safe_open(path, "pt", backend=backend) as file:
            assert file.get_slice(NAMES[0])[2:, 1].shape == (14,)

    left = growth(work, ROUNDS)
    assert left.blocks < ROUNDS // 4, left
    assert left.nones < ROUNDS // 4, left
    assert left.files == 0, left
    assert left.mappings < ROUNDS // 4, left
    assert left.resident < 8 * MIB, left
