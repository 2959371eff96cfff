"""HDF5 files that h5py makes: every kind of type and storage, and those that must be refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from cli import Weighbridge

DATA = Path(__file__).parents[1] / "data/hdf5"
LEAVES_MEMORY = DATA / "leaves_memory"
NUMBERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8"]
DTYPES = [order + dtype for dtype in NUMBERS for order in "<>" if dtype[1] != "1" or order == "<"]


def read(path: Path) -> dict[str, np.ndarray]:
    with safe_open(path, framework="numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def numbers(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(3)
    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    found = np.frombuffer(rng.bytes(count), dtype).reshape(shape).copy()
    if np.dtype(dtype).kind in "fc":
        found = np.where(np.isfinite(found), found, 1).astype(dtype)
    return found


def convert(weighbridge: Weighbridge, path: Path, *options: str) -> dict[str, np.ndarray]:
    return read(weighbridge.convert(path, *options))


def assert_bits(found: np.ndarray, wanted: np.ndarray) -> None:
    little = wanted.astype(wanted.dtype.newbyteorder("<"))
    assert found.shape == wanted.shape
    assert found.dtype == little.dtype
    assert found.tobytes() == little.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_in_every_storage(weighbridge: Weighbridge, tmp_path: Path, dtype: str) -> None:
    content = numbers(dtype, (7, 5))
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["contiguous"] = content
        file.create_dataset("chunked", data=content, chunks=(3, 2))
        file.create_dataset("deflate", data=content, chunks=(3, 5), compression="gzip", shuffle=True)
        file.create_dataset("lzf", data=content, chunks=(2, 5), compression="lzf", fletcher32=True)
        file.create_dataset("all", data=content, chunks=(4, 4), compression="gzip", shuffle=True, fletcher32=True)
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple(content.shape)
        dataset = h5py.h5d.create(file.id, b"compact", h5py.h5t.py_create(content.dtype, logical=True), space, compact)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, content)
    found = convert(weighbridge, path, "--shared", "copy")
    assert set(found) == {"contiguous", "chunked", "deflate", "lzf", "all", "compact"}
    for tensor in found.values():
        assert_bits(tensor, content)


def test_booleans_scalars_and_nothing(weighbridge: Weighbridge, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["bool"] = np.array([True, False, True])
        file["scalar"] = np.float64(2.5)
        file["empty"] = np.zeros((0, 3), "f4")
        file["null"] = h5py.Empty("f4")
        file["text"] = "words"
        file["fixed"] = np.array([b"one", b"three"])
        file["texts"] = np.array(["a", "bb"], dtype=h5py.string_dtype())
        file.attrs["number"] = np.float32(0.1)
        file.attrs["list"] = [1, 2, 3]
    found = convert(weighbridge, path)
    assert set(found) == {"bool", "scalar", "empty"}
    assert found["bool"].tolist() == [True, False, True]
    assert found["scalar"].shape == ()
    assert found["scalar"] == 2.5
    assert found["empty"].shape == (0, 3)
    weighbridge.ok("convert", path, "--sidecar", "--force", "-o", tmp_path / "b.safetensors")
    sidecar = json.loads((tmp_path / "b.safetensors.meta.json").read_text())["hdf5"]
    assert sidecar["datasets"]["text"] == "words"
    assert sidecar["datasets"]["fixed"] == ["one", "three"]
    assert sidecar["datasets"]["texts"] == ["a", "bb"]
    assert sidecar["attributes"]["/"]["number"] == {"$dtype": "F32", "$value": 0.10000000149011612}
    assert sidecar["attributes"]["/"]["list"]["$values"] == [1, 2, 3]


def test_what_was_never_written_is_the_fill_value(weighbridge: Weighbridge, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("late", (3, 2), "f4")
        file.create_dataset("filled", (4,), "<f8", fillvalue=1.5)
        file.create_dataset("chunks", (9,), ">i4", chunks=(2,), fillvalue=-3)
        file["chunks"][2:4] = 7
    found = convert(weighbridge, path)
    assert found["late"].tolist() == [[0, 0], [0, 0], [0, 0]]
    assert found["filled"].tolist() == [1.5] * 4
    assert found["chunks"].tolist() == [-3, -3, 7, 7, -3, -3, -3, -3, -3]


def test_complex_numbers_of_128_bits_are_split(weighbridge: Weighbridge, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    content = numbers("c16", (3, 2))
    with h5py.File(path, "w") as file:
        file["z"] = content
        file["one"] = np.complex128(1 + 2j)
    assert weighbridge.run("convert", path, "-o", tmp_path / "o.safetensors").returncode == 1
    found = convert(weighbridge, path, "--complex", "split")
    assert_bits(found["z.real"], np.ascontiguousarray(content.real))
    assert_bits(found["z.imag"], np.ascontiguousarray(content.imag))
    assert (found["one.real"], found["one.imag"]) == (1, 2)


def test_links_within_the_file_are_ties(weighbridge: Weighbridge, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["group/a"] = np.arange(5, dtype="i4")
        file["hard"] = file["group/a"]
        file["group/soft"] = h5py.SoftLink("/group/a")
        file["near"] = h5py.SoftLink("group/./a")
    output = weighbridge.convert(path)
    with safe_open(output, framework="numpy") as written:
        assert list(written.keys()) == ["group/a"]
        assert set(written.metadata()) == {"hard", "group/soft", "near"}
    assert set(convert(weighbridge, path, "--shared", "copy")) == {"group/a", "hard", "group/soft", "near"}


@pytest.mark.parametrize("version", ["earliest", "v108", "v110", "latest"])
@pytest.mark.parametrize("block", [0, 512, 4096])
def test_every_version_of_the_format(weighbridge: Weighbridge, tmp_path: Path, version: str, block: int) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver=version, userblock_size=block) as file:
        for i in range(40):
            file[f"group{i % 3}/d{i}"] = np.arange(i, dtype="f4")
        file.create_dataset("grows", data=np.arange(30, dtype="i8"), chunks=(4,), maxshape=(None,), compression="gzip")
        file.create_dataset("grid", data=np.arange(77.0).reshape(7, 11), chunks=(3, 4), maxshape=(None, None))
        file.create_dataset("one", data=np.arange(6.0), chunks=(6,), compression="gzip")
    if block:
        with path.open("r+b") as raw:
            raw.write(b"#!/bin/sh\n")
    found = convert(weighbridge, path)
    with h5py.File(path) as file:
        assert len(found) == 43
        for name, tensor in found.items():
            assert_bits(tensor, file[name][()])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(data=st.data())
def test_any_shape_in_any_chunks(weighbridge: Weighbridge, tmp_path: Path, data: Any) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=4)))
    path = tmp_path / "a.h5"
    content = np.arange(np.prod(shape), dtype=data.draw(st.sampled_from(["<f4", ">i2", "u1"]))).reshape(shape)
    with h5py.File(path, "w") as file:
        for i in range(3):
            chunks = tuple(data.draw(st.integers(1, size)) for size in shape)
            file.create_dataset(
                f"d{i}",
                data=content,
                chunks=chunks,
                shuffle=data.draw(st.booleans()),
                fletcher32=data.draw(st.booleans()),
                compression=data.draw(st.sampled_from([None, "gzip", "lzf"])),
                maxshape=tuple(max(a, b) for a, b in zip(shape, chunks, strict=True)),
            )
    for tensor in convert(weighbridge, path, "--shared", "copy").values():
        assert_bits(tensor, content)


def external_link(file: h5py.File, folder: Path) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["secret"] = np.arange(3.0)
    file["out"] = h5py.ExternalLink("other.h5", "/secret")


def external_storage(file: h5py.File, folder: Path) -> None:
    (folder / "secret").write_bytes(b"root:x:0:0:....")
    file.create_dataset("out", (12,), "u1", external=[(str(folder / "secret"), 0, 12)])


def virtual(file: h5py.File, folder: Path) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["secret"] = np.arange(3.0)
    layout = h5py.VirtualLayout((3,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "secret", (3,))
    file.create_virtual_dataset("out", layout)


def dangling(file: h5py.File, folder: Path) -> None:
    file["out"] = h5py.SoftLink("/nowhere")


def soft_group(file: h5py.File, folder: Path) -> None:
    file["group/a"] = np.arange(3.0)
    file["out"] = h5py.SoftLink("/group")


def circle(file: h5py.File, folder: Path) -> None:
    inner = file.create_group("a/b")
    inner["again"] = file["a"]


def references(file: h5py.File, folder: Path) -> None:
    file["a"] = np.arange(3.0)
    file.create_dataset("out", data=np.array([file["a"].ref], dtype=h5py.ref_dtype))


def region(file: h5py.File, folder: Path) -> None:
    file["a"] = np.arange(3.0)
    file.create_dataset("out", data=np.array([file["a"].regionref[0:2]], dtype=h5py.regionref_dtype))


def scale_offset(file: h5py.File, folder: Path) -> None:
    file.create_dataset("out", data=np.arange(64), chunks=(8,), scaleoffset=4)


def szip(file: h5py.File, folder: Path) -> None:
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk((8,))
    creation.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))  # zstd, which no library here has
    h5py.h5d.create(file.id, b"out", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((64,)), creation)


def bomb(file: h5py.File, folder: Path) -> None:
    file.create_dataset("out", (1 << 33,), "f8", chunks=(1 << 20,), compression="gzip")
    file["out"][0:10] = 1


def never_written(file: h5py.File, folder: Path) -> None:
    file.create_dataset("out", (1 << 40,), "f8")


HOSTILE = {
    "external link": (external_link, "link to another file"),
    "external storage": (external_storage, "data in other files"),
    "virtual": (virtual, "is virtual"),
    "dangling": (dangling, "no dataset of this file"),
    "soft link to a group": (soft_group, "no dataset of this file"),
    "circle": (circle, "again"),
    "references": (references, "references to objects or regions"),
    "region": (region, "references to objects or regions"),
    "scaleoffset": (scale_offset, "filter 6"),
    "another filter": (szip, "filter 32015"),
    "bomb": (bomb, "stores"),
    "never written": (never_written, "stores 0"),
}


def refuse(weighbridge: Weighbridge, path: Path) -> subprocess.CompletedProcess[str]:
    output = path.with_name("out.safetensors")
    done = weighbridge.run("convert", path, "-o", output)
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert not output.exists()
    return done


@pytest.mark.parametrize("case", list(HOSTILE))
def test_what_leads_out_or_needs_code_is_refused(weighbridge: Weighbridge, tmp_path: Path, case: str) -> None:
    make, text = HOSTILE[case]
    path = tmp_path / "bad.h5"
    with h5py.File(path, "w") as file:
        file["fine"] = np.arange(4.0)
        make(file, tmp_path)
    assert text in refuse(weighbridge, path).stderr


def test_damage_is_an_error_and_never_a_wrong_value(weighbridge: Weighbridge, tmp_path: Path) -> None:
    """Every byte of a file flipped in turn: refused, or what h5py reads too, or a change in the data alone."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["a"] = np.arange(8, dtype="f4")
        file.create_dataset("b", data=np.arange(32), chunks=(8,), compression="gzip", fletcher32=True)
        file.attrs["model_config"] = '{"class_name": "Sequential"}'
    sound = path.read_bytes()
    codes = set()
    for at in range(0, len(sound), 61):
        broken = tmp_path / "b.h5"
        broken.write_bytes(sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :])
        done = weighbridge.run("convert", broken, "-o", tmp_path / "o.safetensors", "--force")
        codes.add(done.returncode)
        assert done.returncode in (0, 1), (at, done.stderr)
    assert codes == {0, 1}


def test_what_crashes_libhdf5_ends_the_worker_and_nothing_else(weighbridge: Weighbridge, tmp_path: Path) -> None:
    """A fuzzer's file, for which libhdf5 1.10.8 frees memory that it never had."""
    path = tmp_path / "bad.h5"
    path.write_bytes((DATA / "crashes_libhdf5.h5").read_bytes())
    refuse(weighbridge, path)
    scanned = weighbridge.run("scan", path, "--json")
    assert scanned.returncode == 1
    assert json.loads(scanned.stdout)["files"][0]["verdict"] == "malformed"


@pytest.mark.parametrize("place", sorted(path.stem for path in LEAVES_MEMORY.iterdir()))
def test_where_libhdf5_leaves_its_memory_nothing_leaves_the_worker(
    weighbridge: Weighbridge, tmp_path: Path, place: str
) -> None:
    """A fuzzer's file for each function of libhdf5 1.10.8 that does so. What happens then depends on where it lies."""
    path, output = tmp_path / "bad.h5", tmp_path / "o.safetensors"
    path.write_bytes((LEAVES_MEMORY / f"{place}.h5").read_bytes())
    output.write_bytes(b"old")
    done = weighbridge.run("convert", path, "-o", output, "--force")
    if done.returncode == 0:
        assert weighbridge.run("validate", output).returncode == 0
    else:
        assert done.returncode in (1, 4), done.stderr
        assert "bad.h5" in done.stderr
        assert output.read_bytes() == b"old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["bad.h5", "o.safetensors"]


def test_a_file_that_was_cut_is_refused(weighbridge: Weighbridge, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["a"] = np.arange(1000, dtype="f4")
    sound = path.read_bytes()
    for length in [9, 40, 100, 512, len(sound) - 1]:
        path.write_bytes(sound[:length])
        refuse(weighbridge, path)


def test_tables_are_left_out_and_told(weighbridge: Weighbridge, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["table"] = np.zeros(3, dtype=[("a", "f4"), ("b", "i8")])
        file["fine"] = np.arange(3)
    done = weighbridge.run("convert", path, "-o", tmp_path / "o.safetensors", "--json")
    assert done.returncode == 0, done.stderr
    assert "DatasetsNotTaken" in done.stdout
    assert set(read(tmp_path / "o.safetensors")) == {"fine"}


def test_a_missing_filter_of_a_chunk_is_no_problem(weighbridge: Weighbridge, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    content = np.arange(16, dtype="<i4")
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("d", (16,), "<i4", chunks=(8,), compression="gzip", shuffle=True)
        dataset.id.write_direct_chunk((0,), content[:8].tobytes(), filter_mask=3)
        dataset[8:] = content[8:]
    assert_bits(convert(weighbridge, path)["d"], content)
