"""The workloads of python_vs_wheel.py: the same task, written for both packages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy
import safetensors.torch
import torch
import weighbridge
import weighbridge.numpy
import weighbridge.safetensors
import weighbridge.safetensors.numpy
import weighbridge.safetensors.torch
import weighbridge.torch

MIB = 2**20
LARGE = 32  # tensors of the large files


@dataclass(frozen=True)
class Workload:
    """One row of the table. `same` runs both and compares what they give."""

    name: str
    theirs: Callable[[], object]
    ours: Callable[[], object]
    same: Callable[[], bool]
    prepare: Callable[[], object]


def versions() -> list[str]:
    """The peers, and what they make tensors for."""
    ours = f"weighbridge {weighbridge.__version__}"
    return [ours, f"safetensors {safetensors.__version__}", f"torch {torch.__version__}", f"numpy {np.__version__}"]


def large_arrays(scale: float) -> dict[str, np.ndarray]:
    """1 GiB of F32, times `scale`."""
    rows = max(1, int(1024 * MIB * scale) // LARGE // 4 // 1024)
    chance = np.random.default_rng(1)
    return {f"layers.{i}.weight": chance.random((rows, 1024), dtype=np.float32) for i in range(LARGE)}


def tiny_arrays(count: int) -> dict[str, np.ndarray]:
    """`count` tensors of 4 F32 each, named as those of a mixture of experts."""
    values = np.arange(4 * count, dtype=np.float32).reshape(count, 4)
    return {f"model.layers.{i % 61}.mlp.experts.{i // 61}.scale": values[i] for i in range(count)}


def same_arrays(left: dict[str, Any], right: dict[str, Any]) -> bool:
    """Equal names, dtypes, shapes and bytes."""

    def as_bytes(value: Any) -> tuple[str, tuple[int, ...], bytes]:
        array = value.view(torch.uint8).numpy() if isinstance(value, torch.Tensor) else value
        return str(value.dtype), tuple(value.shape), array.tobytes()

    return sorted(left) == sorted(right) and all(as_bytes(left[name]) == as_bytes(right[name]) for name in left)


def loading(name: str, path: Path, make: Callable[[], Any], theirs: Any, ours: Any) -> Workload:
    """A workload that reads a file; `make` gives its tensors."""
    return Workload(
        name,
        lambda: theirs(path),
        lambda: ours(path),
        lambda: same_arrays(dict(theirs(path)), dict(ours(path))),
        lambda: path.exists() or safetensors.numpy.save_file(make(), path),
    )


def saving(name: str, folder: Path, tensors: dict[str, Any], theirs: Any, ours: Any) -> Workload:
    """A workload that writes a file over an older one."""
    left, right = folder / "theirs.safetensors", folder / "ours.safetensors"

    def same() -> bool:
        theirs(tensors, left)
        ours(tensors, right)
        return left.read_bytes() == right.read_bytes()

    return Workload(name, lambda: theirs(tensors, left), lambda: ours(tensors, right), same, lambda: None)


def touched(load: Callable[[Path], dict[str, np.ndarray]]) -> Callable[[Path], dict[str, np.ndarray]]:
    """Loads, and reads every byte of what was loaded."""

    def load_and_sum(path: Path) -> dict[str, np.ndarray]:
        loaded = load(path)
        return {name: np.add.reduce(array.view(np.uint32), axis=None) for name, array in loaded.items()}

    return load_and_sum


def listing(name: str, path: Path, make: Callable[[], Any]) -> Workload:
    """A workload that opens a file and lists the names of its tensors."""

    def keys_of(package: Any) -> list[str]:
        with package.safe_open(path, "np") as file:
            return file.keys()

    def theirs() -> list[str]:
        return keys_of(safetensors)

    def ours() -> list[str]:
        return keys_of(weighbridge.safetensors)

    return Workload(
        name,
        theirs,
        ours,
        lambda: theirs() == ours(),
        lambda: path.exists() or safetensors.numpy.save_file(make(), path),
    )


def column_of(opened: Any) -> dict[str, torch.Tensor]:
    """An eighth of the columns of every tensor, as tensor parallelism takes it."""
    with opened as file:
        return {name: file.get_slice(name)[:, 128:256].contiguous() for name in file.keys()}  # noqa: SIM118


def reading_workloads(folder: Path, scale: float) -> list[Workload]:
    large, bf16 = folder / "large.safetensors", folder / "bf16.safetensors"
    many, names = folder / "many.safetensors", folder / "names.safetensors"
    wheel, mirror = safetensors, weighbridge.safetensors

    def large_file() -> dict[str, np.ndarray]:
        return large_arrays(scale)

    def bf16_file() -> dict[str, np.ndarray]:
        return {name: array.astype(ml_dtypes.bfloat16) for name, array in large_arrays(scale).items()}

    view = weighbridge.numpy.load_file
    return [
        loading("numpy, load 1 GiB, no copy", large, large_file, wheel.numpy.load_file, view),
        loading(
            "numpy, the same, and every byte read", large, large_file,
            touched(wheel.numpy.load_file), touched(view),
        ),
        loading("numpy, the same, writable (mirror)", large, large_file, wheel.numpy.load_file, mirror.numpy.load_file),
        loading(
            "numpy, load 1 GiB, owned copy", large, large_file,
            wheel.numpy.load_file, lambda path: view(path, copy=True),
        ),
        loading("numpy, load 512 MiB of BF16, no copy", bf16, bf16_file, wheel.numpy.load_file, view),
        loading("torch, load 1 GiB", large, large_file, wheel.torch.load_file, mirror.torch.load_file),
        loading(
            "torch, load 20 000 tensors", many, lambda: tiny_arrays(int(20_000 * scale)),
            wheel.torch.load_file, mirror.torch.load_file,
        ),
        listing(
            "`safe_open` and `keys()` of 100 000 tensors", names, lambda: tiny_arrays(int(100_000 * scale)),
        ),
        loading(
            "numpy, load 100 000 tensors", names, lambda: tiny_arrays(int(100_000 * scale)),
            wheel.numpy.load_file, mirror.numpy.load_file,
        ),
        loading(
            "torch, an eighth of the columns of 1 GiB", large, large_file,
            lambda path: column_of(wheel.safe_open(path, "pt")), lambda path: column_of(mirror.safe_open(path, "pt")),
        ),
    ]  # fmt: skip


def writing_workloads(folder: Path, scale: float) -> list[Workload]:
    tiny = tiny_arrays(int(100_000 * scale))
    tiny_tensors = {name: torch.from_numpy(array.copy()) for name, array in tiny.items()}
    large = large_arrays(scale)
    tensors = {name: torch.from_numpy(array) for name, array in large.items()}
    wheel, mirror = safetensors, weighbridge.safetensors
    return [
        saving("numpy, save 100 000 tiny tensors", folder, tiny, wheel.numpy.save_file, mirror.numpy.save_file),
        saving("torch, save 100 000 tiny tensors", folder, tiny_tensors, wheel.torch.save_file, mirror.torch.save_file),
        saving("numpy, save 1 GiB", folder, large, wheel.numpy.save_file, mirror.numpy.save_file),
        saving("torch, save 1 GiB", folder, tensors, wheel.torch.save_file, mirror.torch.save_file),
    ]


def workloads(folder: Path, scale: float) -> list[Workload]:
    """All rows of the table; their files are made in `folder`."""
    return [*reading_workloads(folder, scale), *writing_workloads(folder, scale)]
