"""S: saving large tensors. The tensors are in memory, and the old file is gone, before the clock starts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from suite import ceilings, inputs, names
from suite.model import OURS, Bound, Case, Contender, Gate, Row, Work

WHEEL, PWRITE = "safetensors numpy", "pwrite"
OUTPUT = "saved.safetensors"
ARCHIVE = "saved.archive"  # torch and numpy tell formats by the ends of names.
SHARDS = ("saved-00001-of-00002.safetensors", "saved-00002-of-00002.safetensors")
INDEX = OUTPUT + ".index.json"
Save = Callable[[dict[str, Any], Path], object]


def tensor_bytes(case: Case) -> int:
    return int(2048 * inputs.MIB * case.scale)


def two_gib(case: Case) -> dict[str, Any]:
    return inputs.arrays(tensor_bytes(case), 64)


def as_torch(case: Case) -> dict[str, Any]:
    import torch

    return {name: torch.from_numpy(array) for name, array in two_gib(case).items()}


def ours(**options: Any) -> Save:
    def save(tensors: dict[str, Any], path: Path) -> None:
        import weighbridge.numpy

        weighbridge.numpy.save_file(tensors, path, **options)

    return save


def ours_torch(tensors: dict[str, Any], path: Path) -> None:
    import weighbridge.torch

    weighbridge.torch.save_file(tensors, path)


def wheel(tensors: dict[str, Any], path: Path) -> None:
    import safetensors.numpy

    safetensors.numpy.save_file(tensors, path)


def wheel_torch(tensors: dict[str, Any], path: Path) -> None:
    import safetensors.torch

    safetensors.torch.save_file(tensors, path)


def wheel_synced(tensors: dict[str, Any], path: Path) -> None:
    """What a careful program adds: the file is on the disk, and so is its name."""
    wheel(tensors, path)
    inputs.sync(path)
    inputs.sync_folder(path.parent)


def npz(tensors: dict[str, Any], path: Path) -> None:
    import numpy as np

    with path.open("wb") as file:
        np.savez(file, **tensors)


def torch_save(tensors: dict[str, Any], path: Path) -> None:
    import torch

    torch.save(tensors, path)


def read_npz(path: Path) -> str:
    import numpy as np

    with np.load(path) as archive:
        return names.of_tensors(archive)


def read_torch(path: Path) -> str:
    import torch

    return names.of_tensors(torch.load(path, weights_only=True))


def saving(save: Save, share: Callable[[Case], Any], output: str = OUTPUT) -> Callable[[Case], Work]:
    def make(case: Case) -> Work:
        tensors = share(case) if case.shared is None else case.shared
        path = case.folder / output

        def work() -> Path:
            save(tensors, path)
            return path

        return work

    return make


def contender(
    name: str,
    save: Save,
    needs: str,
    share: Callable[[Case], Any] = two_gib,
    digest: Callable[[Any], str] = names.of_file,
    output: str = OUTPUT,
) -> Contender:
    return Contender(name, saving(save, share, output), needs=(needs, "safetensors.numpy"), share=share, digest=digest)


def raw(case: Case) -> memoryview:
    return memoryview(b"x" * tensor_bytes(case))


def pwrite(case: Case) -> Work:
    return ceilings.write(case.shared, case.folder / OUTPUT)


def write_directly(case: Case) -> list[str]:
    return ["device_write", str(case.folder / OUTPUT), str(tensor_bytes(case))]


OURS_NUMPY = contender(OURS, ours(), "weighbridge.numpy")
PWRITE_LIMIT = Contender(PWRITE, pwrite, share=raw, ceiling=True)
DIRECT_LIMIT = ceilings.device("device, O_DIRECT", write_directly)
# 16 MiB that are written again and again may never leave the caches of whoever takes them. Tensors lie in memory.
DIRECT_FROM_MEMORY = ceilings.device("device, O_DIRECT, all of it from memory", write_directly, "own")


def none(case: Case) -> list[Path]:
    return []


def single() -> Row:
    return Row(
        "S1",
        "save 64 tensors of 32 MiB, not durable",
        (OURS_NUMPY, contender(WHEEL, wheel, "safetensors.numpy"), PWRITE_LIMIT),
        none,
        (Gate(WHEEL, 1.0, 1.35), Gate(WHEEL, 1.2, 1.35, when="with two free cores")),
        outputs=(OUTPUT,),
        written=tensor_bytes,
    )


def durable() -> Row:
    return Row(
        "S3",
        "save 64 tensors of 32 MiB, durable: file and folder synced",
        (
            contender(OURS, ours(durable=True), "weighbridge.numpy"),
            contender("safetensors numpy, fsync", wheel_synced, "safetensors.numpy"),
            DIRECT_LIMIT,
            DIRECT_FROM_MEMORY,
        ),
        none,
        (Gate("safetensors numpy, fsync", 1.6, 2.0), Gate(DIRECT_LIMIT.name, 0.75, 0.9)),
        outputs=(OUTPUT,),
        written=tensor_bytes,
    )


def other_formats() -> Row:
    return Row(
        "S4",
        "save 2 GiB, beside the formats of torch and numpy",
        (
            OURS_NUMPY,
            contender("weighbridge, torch", ours_torch, "weighbridge.torch", as_torch),
            contender("safetensors torch", wheel_torch, "safetensors.torch", as_torch),
            contender("torch.save", torch_save, "torch", as_torch, read_torch, ARCHIVE),
            contender("np.savez", npz, "numpy", digest=read_npz, output=ARCHIVE),
        ),
        none,
        (Gate("torch.save", 3, 5, ours="weighbridge, torch"), Gate("np.savez", 2, 4)),
        outputs=(OUTPUT, ARCHIVE),
        written=tensor_bytes,
    )


def halves(case: Case) -> list[tuple[dict[str, Any], Path]]:
    """The tensors as two shards, each with its path."""
    tensors = list((two_gib(case) if case.shared is None else case.shared).items())
    middle = len(tensors) // 2
    parts = (dict(tensors[:middle]), dict(tensors[middle:]))
    return [(part, case.folder / name) for part, name in zip(parts, SHARDS, strict=True)]


def in_shards(name: str, save: Save, needs: str, threads: int) -> Contender:
    """Saves both shards, by as many threads."""

    def make(case: Case) -> Work:
        parts = halves(case)

        def work() -> list[Path]:
            if threads == 1:
                for part in parts:
                    save(*part)
            else:
                with ThreadPoolExecutor(threads) as pool:
                    list(pool.map(lambda part: save(*part), parts))
            return [path for _, path in parts]

        return work

    def digest(paths: list[Path]) -> str:
        return names.of_lines(map(names.of_file, paths))

    return Contender(name, make, needs=(needs, "safetensors.numpy"), share=two_gib, digest=digest)


def by_max_shard_size() -> Contender:
    """Both shards and their index by one call."""

    def make(case: Case) -> Work:
        tensors = two_gib(case) if case.shared is None else case.shared
        half = sum(array.nbytes for array in tensors.values()) // 2
        save = ours(max_shard_size=half)

        def work() -> list[Path]:
            save(tensors, case.folder / OUTPUT)
            return [case.folder / name for name in SHARDS]

        return work

    def digest(paths: list[Path]) -> str:
        return names.of_lines(map(names.of_file, paths))

    return Contender(OURS, make, needs=("weighbridge.numpy", "safetensors.numpy"), share=two_gib, digest=digest)


def shards() -> Row:
    sequential = "safetensors numpy, one after the other"
    return Row(
        "S2",
        "save 2 shards of 1 GiB",
        (
            by_max_shard_size(),
            in_shards(sequential, wheel, "safetensors.numpy", 1),
            in_shards("safetensors numpy, two threads", wheel, "safetensors.numpy", 2),
        ),
        none,
        (Gate(sequential, 1.5, 1.9),),
        outputs=(*SHARDS, INDEX),
        written=tensor_bytes,
    )


SINGLE = single()
MEMORY = replace(
    SINGLE,
    id="S7",
    title="private memory that saving 2 GiB takes at its peak",
    metric="peak_private",
    unit="B",
    sampled=True,
    judged=(Bound(64 * inputs.MIB, 8 * inputs.MIB),),
)
ROWS = (SINGLE, shards(), durable(), other_formats(), MEMORY)
