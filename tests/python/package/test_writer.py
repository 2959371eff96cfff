"""The streaming writer: declared first, written in any order, published at once."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch
import weighbridge.numpy as whole
from weighbridge import SafetensorError, Writer

ARRAY = np.arange(12, dtype=np.float32).reshape(3, 4)


def test_the_file_is_that_of_a_save(tmp_path: Path) -> None:
    tensors = {"w": ARRAY, "b": np.arange(5, dtype=np.int64), "s": np.array(True), "e": np.zeros((0, 2), np.float16)}
    with Writer(tmp_path / "x", tensors, metadata={"k": "v"}, alignment=64) as writer:
        for name in ("s", "b", "w"):
            writer.write(name, tensors[name])
    assert (tmp_path / "x").read_bytes() == whole.save(tensors, metadata={"k": "v"}, alignment=64)


@pytest.mark.parametrize(
    "dtype", ["BF16", "bfloat16", torch.bfloat16, ml_dtypes.bfloat16, np.dtype(ml_dtypes.bfloat16)], ids=repr
)
def test_dtypes_may_be_said_in_many_ways(tmp_path: Path, dtype: object) -> None:
    with Writer(tmp_path / "x", {"w": (dtype, [3, 4])}) as writer:
        writer.write("w", torch.from_numpy(ARRAY).bfloat16())
    assert (tmp_path / "x").read_bytes() == whole.save({"w": ARRAY.astype(ml_dtypes.bfloat16)})


def test_tensors_of_the_meta_device_are_specs(tmp_path: Path) -> None:
    specs = {
        "w": torch.zeros(3, 4, device="meta"),
        "f4": torch.zeros(2, 2, device="meta", dtype=torch.float4_e2m1fn_x2),
    }
    with Writer(tmp_path / "x", specs) as writer:
        writer.write("w", torch.from_numpy(ARRAY))
        writer.write("f4", torch.zeros(2, 2, dtype=torch.uint8).view(torch.float4_e2m1fn_x2))
    assert b'"shape":[2,4]' in (tmp_path / "x").read_bytes()


def test_data_of_any_kind_and_order(tmp_path: Path) -> None:
    kinds = [
        ARRAY,
        np.asfortranarray(ARRAY),
        ARRAY.astype(">f4"),
        torch.from_numpy(ARRAY),
        torch.from_numpy(ARRAY).t().clone().t(),
    ]
    kinds += [ARRAY.tobytes(), bytearray(ARRAY.tobytes()), memoryview(ARRAY)]
    specs = {str(i): ("F32", (3, 4)) for i in range(len(kinds))}
    with Writer(tmp_path / "x", specs) as writer:
        for i, data in enumerate(kinds):
            writer.write(str(i), data)
    assert (tmp_path / "x").read_bytes().endswith(ARRAY.tobytes() * len(kinds))


def test_parts_from_many_threads(tmp_path: Path) -> None:
    data = np.random.default_rng(0).integers(0, 255, 100_000, np.uint8)
    with Writer(tmp_path / "x", {"w": data}) as writer:

        def write(first: int) -> None:
            for at in range(first * 1000, len(data), 4000):
                writer.write("w", data[at : at + 1000], offset=at)

        threads = [threading.Thread(target=write, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert writer.missing_bytes == 0
    assert (tmp_path / "x").read_bytes() == whole.save({"w": data})


def test_every_byte_exactly_once(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "x", {"w": ARRAY})
    writer.write("w", b"\0" * 8, offset=0)
    with pytest.raises(SafetensorError, match="written before"):
        writer.write("w", b"\0" * 8, offset=4)
    with pytest.raises(SafetensorError, match=r"'w': bytes \[8, 48\) of 48 were not written") as caught:
        writer.finish()
    assert caught.value.tensor == "w"
    assert writer.missing_bytes == 40
    writer.write("w", b"\0" * 40, offset=8)
    assert writer.finish() == (tmp_path / "x").stat().st_size
    with pytest.raises(SafetensorError, match="finished"):
        writer.write("w", b"", offset=0)


def test_what_was_not_declared_is_refused(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "x", {"w": ARRAY})
    for data in (ARRAY.T, ARRAY.astype(np.int32), torch.zeros(4, 3), torch.zeros(3, 4, dtype=torch.int32), b"short"):
        with pytest.raises(SafetensorError, match="tensor 'w'") as caught:
            writer.write("w", data)
        assert caught.value.code == "TensorInvalidInfo"
    for data in (ARRAY, torch.from_numpy(ARRAY), b""):
        with pytest.raises(SafetensorError, match="no tensor 'x' was declared"):
            writer.write("x", data)
    with pytest.raises(TypeError):
        writer.write("w", [1.0])
    with pytest.raises(SafetensorError, match="no dtype for 'F33'"):
        Writer(tmp_path / "y", {"w": ("F33", (1,))})
    assert not list(tmp_path.iterdir())


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with contextlib.suppress(KeyError), Writer(path, {"w": ARRAY}) as writer:
        writer.write("w", ARRAY)
        raise KeyError
    with pytest.raises(SafetensorError, match="not written"), Writer(path, {"w": ARRAY}):
        pass
    with pytest.raises(SafetensorError, match="discarded"):
        writer.write("w", ARRAY)
    with pytest.raises(FileExistsError):
        Writer(path, {"w": ARRAY}, overwrite=False)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
