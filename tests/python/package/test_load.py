"""Loading into memory that is there already, slices in one plan, modes and their reports."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import weighbridge
import weighbridge.numpy
import weighbridge.safetensors
import weighbridge.torch
from measures import PAGE, cached_pages, evict
from weighbridge import _native

MODES = ("auto", "view", "copy", "direct")


def arrays_of(seed: int, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {name: generator.integers(-100, 100, shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.fixture
def shards(tmp_path: Path) -> tuple[list[Path], dict[str, np.ndarray]]:
    first = arrays_of(1, big=(1500, 1000), small=(3, 5), scalar=())
    second = arrays_of(2, wide=(64, 40_000), empty=(0, 4))
    paths = [tmp_path / "1.safetensors", tmp_path / "2.safetensors"]
    for path, arrays in zip(paths, (first, second), strict=True):
        weighbridge.numpy.save_file(arrays, path)
    return paths, first | second


@pytest.mark.parametrize("mode", MODES)
def test_fills_arrays_tensors_and_buffers(shards: Any, mode: Any) -> None:
    paths, arrays = shards
    big, small = np.zeros((1500, 1000), np.float32), torch.zeros(3, 5)
    scalar, columns = bytearray(4), np.zeros((64, 500), np.float32)
    plan = [
        ("big", None, big),
        ("small", ..., small),
        ("scalar", (), scalar),
        ("wide", (slice(None), slice(1000, 2000, 2)), columns),
        ("empty", None, np.zeros((0, 4), np.float32)),
    ]
    report = weighbridge.load_into(plan, paths, mode=mode)
    assert (big == arrays["big"]).all()
    assert (small.numpy() == arrays["small"]).all()
    assert np.frombuffer(scalar, np.float32) == arrays["scalar"]
    assert (columns == arrays["wide"][:, 1000:2000:2]).all()
    assert [file.path for file in report.files] == [str(path) for path in paths]
    assert report.bytes_wanted == big.nbytes + 60 + 4 + columns.nbytes
    assert mode == "auto" or report.files[0].mode == mode
    assert str(report).startswith(f"'{paths[0]}': ")
    assert report.seconds > 0


def test_takes_a_mapping_of_names(shards: Any) -> None:
    paths, arrays = shards
    out = {name: np.empty_like(array) for name, array in arrays.items()}
    weighbridge.load_into(out, paths)
    assert all((out[name] == arrays[name]).all() for name in arrays)


class ByDlpack:
    """All that is known of it is DLPack."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor

    def __dlpack__(self) -> Any:
        return self.tensor.__dlpack__()


def test_fills_what_knows_dlpack(shards: Any) -> None:
    paths, arrays = shards
    out = torch.zeros(2, 5)
    weighbridge.load_into([("small", slice(1, 3), ByDlpack(out))], paths)
    assert (out.numpy() == arrays["small"][1:]).all()
    for wrong in (torch.zeros(5, 2).T, torch.zeros(2, 4)):
        with pytest.raises((ValueError, weighbridge.SafetensorError)):
            weighbridge.load_into([("small", slice(1, 3), ByDlpack(wrong))], paths)


def test_fills_dtypes_that_numpy_has_no_buffer_for(tmp_path: Path) -> None:
    import ml_dtypes

    tensor = torch.arange(6, dtype=torch.bfloat16).reshape(2, 3)
    weighbridge.torch.save_file({"a": tensor}, tmp_path / "f.safetensors")
    array, other = np.zeros((2, 3), ml_dtypes.bfloat16), torch.zeros(2, 3, dtype=torch.bfloat16)
    weighbridge.load_into({"a": array}, tmp_path / "f.safetensors")
    weighbridge.load_into({"a": other}, tmp_path / "f.safetensors")
    assert array.astype(float).tolist() == tensor.tolist()
    assert torch.equal(other, tensor)


@pytest.mark.parametrize(
    ("out", "words"),
    [
        (np.zeros((3, 4), np.float32), "60 bytes are to be loaded"),
        (np.zeros((5, 3), np.float32), r"gives \[3, 5\], the destination is \[5, 3\]"),
        (np.zeros((3, 5), np.int32), "is F32, the destination int32"),
        (torch.zeros(5, 3), r"gives \[3, 5\]"),
        (torch.zeros(3, 5, dtype=torch.int32), "is F32, the destination torch.int32"),
        (torch.zeros(5, 3).T, "contiguous"),
        (torch.zeros(3, 5, device="meta"), "on the CPU"),
        (np.asfortranarray(np.zeros((3, 5), np.float32)), "contiguous"),
        (bytearray(59), "60 bytes are to be loaded"),
    ],
)
def test_refuses_what_does_not_fit(shards: Any, out: Any, words: str) -> None:
    with pytest.raises((ValueError, BufferError, weighbridge.SafetensorError), match=words):
        weighbridge.load_into({"small": out}, shards[0])


def test_refuses_read_only_and_shared_memory(shards: Any) -> None:
    paths, _ = shards
    with pytest.raises(BufferError):
        weighbridge.load_into({"scalar": b"abcd"}, paths)
    out = np.zeros(4, np.uint8)
    with pytest.raises(weighbridge.SafetensorError, match="overlaps"):
        weighbridge.load_into([("scalar", None, out), ("scalar", None, memoryview(out))], paths)
    with pytest.raises(KeyError, match="nothing"):
        weighbridge.load_into({"nothing": out}, paths)
    with pytest.raises(ValueError, match="mode 'fast'"):
        weighbridge.load_into({"scalar": out}, paths, mode="fast")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not integers"):
        weighbridge.load_into([("small", [0, 1], bytearray(40))], paths)


def test_progress_comes_to_its_end_and_can_cancel(shards: Any) -> None:
    paths, _ = shards
    out = np.zeros((1500, 1000), np.float32)
    steps: list[tuple[int, int]] = []
    weighbridge.load_into({"big": out}, paths, progress=lambda *step: steps.append(step))
    assert steps[-1] == (out.nbytes, out.nbytes)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(weighbridge.CancelledError):
        weighbridge.load_into({"big": out}, paths, cancel=cancel)

    def stop(done: int, total: int) -> None:
        raise RuntimeError(f"enough of {total}")

    with pytest.raises(RuntimeError, match="enough of 6000000"):
        weighbridge.load_into({"big": out}, paths, progress=stop)


@pytest.mark.parametrize("backend", ["auto", "pread"])
@pytest.mark.parametrize("mode", ["auto", "copy", "direct"])
def test_slices_are_what_numpy_gives(shards: Any, mode: Any, backend: str) -> None:
    paths, arrays = shards
    slices = {
        "big": slice(500, 1000),
        "wide": (..., slice(5000, 10_000)),
        "small": (slice(None, None, -1), None, 2),
        "scalar": (),
        "empty": ...,
    }
    reports: list[weighbridge.LoadReport] = []
    options: Any = {"mode": mode, "backend": backend, "report": reports.append}
    by_numpy = weighbridge.numpy.load_slices(paths, slices, **options)
    by_torch = weighbridge.torch.load_slices(paths, slices, **options)
    for name, index in slices.items():
        expected = arrays[name][index]
        assert by_numpy[name].shape == expected.shape
        assert (by_numpy[name] == expected).all()
        assert tuple(by_torch[name].shape) == expected.shape
        assert (by_torch[name].numpy() == expected).all()
        by_numpy[name][...] = 7
        by_torch[name][...] = 7
    assert len(reports) == 2
    assert reports[0].bytes_wanted <= sum(array.nbytes for array in by_numpy.values())
    fresh = weighbridge.numpy.load_file(paths)
    assert all((fresh[name] == array).all() for name, array in arrays.items())


def test_slices_take_basic_indices_only(shards: Any) -> None:
    with pytest.raises(ValueError, match="basic"):
        weighbridge.numpy.load_slices(shards[0], {"small": [0, 1]})
    with pytest.raises(KeyError):
        weighbridge.torch.load_slices(shards[0], {"nothing": ...})


@pytest.mark.parametrize("package", [weighbridge.numpy, weighbridge.torch])
def test_every_mode_loads_the_same_and_reports_it(shards: Any, package: Any) -> None:
    paths, arrays = shards
    for mode in MODES:
        reports: list[weighbridge.LoadReport] = []
        loaded = package.load_file(paths, mode=mode, report=reports.append)
        assert list(loaded)
        assert all((np.asarray(loaded[name]) == array).all() for name, array in arrays.items())
        (report,) = reports
        assert [file.path for file in report.files] == [str(path) for path in paths]
        expected = {"auto": {"view"}, "view": {"view"}, "copy": {"view"}, "direct": {"direct"}}[mode]
        assert {file.mode for file in report.files} == expected
        assert (report.bytes_read > 0) == (mode in ("copy", "direct"))
    with pytest.raises(ValueError, match="mode 'fast'"):
        package.load_file(paths, mode="fast")
    with pytest.raises(weighbridge.SafetensorError, match="can be mapped"):
        package.load_file(paths, mode="view", backend="pread")


def test_direct_loads_are_aligned_for_their_dtypes(tmp_path: Path) -> None:
    arrays = {"a": np.arange(1 << 19, dtype=np.float64), "b": np.arange(3, dtype=np.uint8)}
    for slack in (0, 1, 5, 4000):
        weighbridge.numpy.save_file(arrays, tmp_path / "f.safetensors", metadata={"x": "y" * slack})
        loaded = weighbridge.numpy.load_file(tmp_path / "f.safetensors", mode="direct")
        assert all((loaded[name] == array).all() for name, array in arrays.items())
        assert loaded["a"].ctypes.data % 8 == 0
        assert loaded["a"].flags.writeable


def test_memory_is_kept_for_the_next_copy(shards: Any) -> None:
    paths, _ = shards
    before = weighbridge.keep_memory()[0]
    try:
        assert weighbridge.keep_memory(0) == (0, 0)
        weighbridge.numpy.load_file(paths, copy=True)
        assert weighbridge.keep_memory() == (0, 0)
        weighbridge.keep_memory(64 << 20)
        first = weighbridge.numpy.load_file(paths, copy=True)["big"].ctypes.data
        assert 0 < weighbridge.keep_memory()[1] <= 64 << 20
        assert weighbridge.numpy.load_file(paths, copy=True)["big"].ctypes.data == first
    finally:
        weighbridge.keep_memory(before)


def test_copies_stay_what_they_are_when_their_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    models = [arrays_of(seed, a=(3000, 1000), b=(700, 900)) for seed in range(4)]
    loaded = []
    for model in models:
        weighbridge.numpy.save_file(model, path)
        weighbridge.numpy.load_file(path, copy=True)  # its memory is kept, for the next
        loaded.append(weighbridge.numpy.load_file(path, copy=True))
    for model, copy in zip(models, loaded, strict=True):
        assert all((copy[name] == model[name]).all() for name in model)
    loaded[0]["a"][:] = 1
    assert all((copy["a"] == model["a"]).all() for model, copy in zip(models[1:], loaded[1:], strict=True))


def test_memory_is_kept_up_to_a_share_of_the_machines() -> None:
    script = "import weighbridge; print(*weighbridge.keep_memory())"
    limit, kept = map(
        int, subprocess.run([sys.executable, "-c", script], check=True, capture_output=True).stdout.split()
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert limit == max(memory // 4, 256 << 20)
    assert kept == 0


def test_a_file_that_is_cut_short_is_an_error(shards: Any) -> None:
    paths, _ = shards
    with weighbridge.open(paths[0], backend="pread") as file:
        os.truncate(paths[0], 1_000_000)
        with pytest.raises(OSError, match="changed while it was read"):
            file["big"].numpy(copy=True)


@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_the_mirror_reads_only_the_bytes_of_a_slice(tmp_path: Path, backend: str) -> None:
    array = np.arange(1 << 22, dtype=np.float32).reshape(1 << 11, 1 << 11)
    weighbridge.numpy.save_file({"a": array}, tmp_path / "f.safetensors")
    with weighbridge.safetensors.safe_open(tmp_path / "f.safetensors", "np", backend=backend) as file:
        part = file.get_slice("a")
        before = _bytes_read()
        assert (part[:, 256:512] == array[:, 256:512]).all()
        assert _bytes_read() - before < array.nbytes // 4


def _bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def test_the_plan_keeps_what_it_fills(shards: Any) -> None:
    paths, arrays = shards
    plan = _native.LoadPlan()
    file = _native.File.open_path(paths[0])
    number = file.find("small")
    assert number is not None
    out = bytearray(60)
    assert plan.add(file, number, ..., out) == (3, 5)
    with pytest.raises(BufferError):
        out.append(0)
    plan.load()
    del plan
    out.append(0)
    assert (np.frombuffer(out[:60], np.float32).reshape(3, 5) == arrays["small"]).all()


@pytest.fixture
def cold(tmp_path: Path) -> Path:
    """24 tensors of 1 MiB in a file that is not in memory, where its file system can be told so."""
    path = tmp_path / "cold.safetensors"
    weighbridge.numpy.save_file({f"t{i:02}": np.full((256, 1024), i, np.float32) for i in range(24)}, path)
    return path


def own_numpy(path: Path, name: str) -> np.ndarray:
    with weighbridge.open(path) as file:
        return file[name].numpy()


def mirror_numpy(path: Path, name: str) -> np.ndarray:
    with weighbridge.safetensors.safe_open(path, "np") as file:
        return file.get_tensor(name)


def mirror_torch(path: Path, name: str) -> np.ndarray:
    with weighbridge.safetensors.safe_open(path, "pt") as file:
        return file.get_tensor(name).numpy()


def rows_of_mirror(path: Path, name: str) -> np.ndarray:
    with weighbridge.safetensors.safe_open(path, "pt") as file:
        return file.get_slice(name)[64:].numpy()


def rows_of_plan(path: Path, name: str) -> np.ndarray:
    return weighbridge.torch.load_slices(path, {name: slice(64, None)})[name].numpy()


@pytest.mark.parametrize("take", [own_numpy, mirror_numpy, mirror_torch, rows_of_mirror, rows_of_plan])
def test_nothing_is_read_around_a_single_tensor(cold: Path, take: Any) -> None:
    evict(cold)
    weighbridge.open(cold).close()  # the header, and what the disk reads ahead of it
    before = cached_pages(cold)
    taken = take(cold, "t15")
    assert (taken == 15).all()
    assert cached_pages(cold) - before <= (1 << 20) // PAGE + 1


def test_loads_of_everything_bring_everything(cold: Path) -> None:
    evict(cold)
    with weighbridge.safetensors.safe_open(cold, "pt") as file:
        for i, name in enumerate(file.keys()):
            assert (file.get_tensor(name) == i).all()
    assert cached_pages(cold) == -(-cold.stat().st_size // PAGE)
