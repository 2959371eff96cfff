"""Loading all tensors of a file: each package in the configuration that its documentation calls the fastest.

Each function is given the path and gives the work to be measured, which results in a Loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite import names
from suite.model import OURS, Case, Contender, Work


@dataclass
class Loaded:
    """The tensors, and what has to live as long as they do."""

    tensors: Mapping[str, Any]
    owner: Any = None


def digest(loaded: Loaded) -> str:
    return names.of_tensors(loaded.tensors)


def numpy_view(path: Path) -> Work:
    import weighbridge.numpy

    return lambda: Loaded(weighbridge.numpy.load_file(path))


def numpy_mirror(path: Path) -> Work:
    import weighbridge.safetensors.numpy

    return lambda: Loaded(weighbridge.safetensors.numpy.load_file(path))


def numpy_copy(path: Path) -> Work:
    import weighbridge.numpy

    return lambda: Loaded(weighbridge.numpy.load_file(path, copy=True))


def numpy_kept(path: Path) -> Work:
    """Copies in a program that keeps as much memory for the next model as one takes."""
    import weighbridge

    load = numpy_copy(path)
    weighbridge.keep_memory(2 * path.stat().st_size)
    return load


def numpy_into(path: Path) -> Work:
    """Into arrays that have their pages already, as those of the model that is to be replaced."""
    import numpy as np
    import weighbridge
    from weighbridge.numpy import numpy_dtype

    with weighbridge.open(path) as file:
        arrays = {name: np.empty(stored.shape, numpy_dtype(stored.dtype)) for name, stored in file.items()}
    for array in arrays.values():
        array.view(np.uint8).fill(1)

    def work() -> Loaded:
        weighbridge.load_into(arrays, path)
        return Loaded(arrays)

    return work


def numpy_wheel(path: Path) -> Work:
    import safetensors.numpy

    return lambda: Loaded(safetensors.numpy.load_file(path))


def numpy_wheel_pread(path: Path) -> Work:
    import safetensors.numpy

    return lambda: Loaded(safetensors.numpy.load_file(path, backend="pread"))


def npz(path: Path) -> Work:
    import numpy as np

    def work() -> Loaded:
        with np.load(path.with_suffix(".npz")) as archive:
            return Loaded({name: archive[name] for name in archive.files})

    return work


def torch_ours(path: Path, device: str = "cpu") -> Work:
    import weighbridge.torch

    return lambda: Loaded(weighbridge.torch.load_file(path, device=device))


def torch_mirror(path: Path, device: str = "cpu") -> Work:
    import weighbridge.safetensors.torch

    return lambda: Loaded(weighbridge.safetensors.torch.load_file(path, device=device))


def torch_wheel(path: Path, device: str = "cpu") -> Work:
    import safetensors.torch

    return lambda: Loaded(safetensors.torch.load_file(path, device=device))


def torch_wheel_pread(path: Path) -> Work:
    import safetensors.torch

    return lambda: Loaded(safetensors.torch.load_file(path, backend="pread"))


def torch_load(path: Path, device: str = "cpu") -> Work:
    import torch

    return lambda: Loaded(torch.load(path.with_suffix(".pt"), map_location=device, mmap=True, weights_only=True))


def fast(path: Path, device: str = "cpu") -> Work:
    from fastsafetensors import SafeTensorsFileLoader

    def work() -> Loaded:
        loader = SafeTensorsFileLoader(None, device=device, nogds=True)
        loader.add_filenames({0: [str(path)]})
        buffers = loader.copy_files_to_device()
        return Loaded({name: buffers.get_tensor(name) for name in loader.get_keys()}, (loader, buffers))

    return work


def streamer(path: Path) -> Work:
    from runai_model_streamer import SafetensorsStreamer

    def work() -> Loaded:
        with SafetensorsStreamer() as stream:
            stream.stream_file(str(path), device="cpu")
            return Loaded(dict(stream.get_tensors()))

    return work


def buffered(load: Callable[[Path], Work], setting: str, value: str) -> Callable[[Path], Work]:
    """The same through the page cache, for packages that go past it unless they are told not to."""

    def prepared(path: Path) -> Work:
        os.environ[setting] = value  # Of this process alone.
        return load(path)

    return prepared


fast_buffered = buffered(fast, "FASTSAFETENSORS_ODIRECT", "0")
streamer_buffered = buffered(streamer, "RUNAI_STREAMER_FS_STRATEGY", "sync_buffered")

FASTEST_OURS: dict[str, tuple[Callable[[Path], Work], tuple[str, ...]]] = {
    "view": (numpy_view, ("weighbridge.numpy",)),
    "copy": (numpy_copy, ("weighbridge.numpy",)),
    "torch": (torch_ours, ("weighbridge.torch",)),
}
PEERS: dict[str, tuple[Callable[[Path], Work], tuple[str, ...]]] = {
    "weighbridge, memory kept": (numpy_kept, ("weighbridge.numpy",)),
    "weighbridge, load_into": (numpy_into, ("weighbridge.numpy",)),
    "weighbridge mirror": (numpy_mirror, ("weighbridge.safetensors.numpy",)),
    "weighbridge mirror, torch": (torch_mirror, ("weighbridge.safetensors.torch",)),
    "safetensors numpy": (numpy_wheel, ("safetensors.numpy",)),
    "safetensors numpy pread": (numpy_wheel_pread, ("safetensors.numpy",)),
    "safetensors torch": (torch_wheel, ("safetensors.torch",)),
    "safetensors torch pread": (torch_wheel_pread, ("safetensors.torch",)),
    "torch.load mmap": (torch_load, ("torch",)),
    "np.load npz": (npz, ("numpy",)),
    "fastsafetensors": (fast, ("fastsafetensors", "torch")),
    "fastsafetensors, buffered": (fast_buffered, ("fastsafetensors", "torch")),
    "runai streamer": (streamer, ("runai_model_streamer", "torch")),
    "runai streamer, buffered": (streamer_buffered, ("runai_model_streamer", "torch")),
}
After = Callable[[Loaded], Any]


def contender(
    name: str, load: Callable[[Path], Work], needs: tuple[str, ...], path: Callable[[Case], Path], after: After | None
) -> Contender:
    """Loads the row's file and then does `after` to what was loaded."""

    def make(case: Case) -> Work:
        work = load(path(case))
        if after is None:
            return work

        def work_and_more() -> Any:
            loaded = work()
            after(loaded)
            return loaded

        return work_and_more

    return Contender(name, make, needs=needs, digest=digest)


def contenders(
    ours: str, path: Callable[[Case], Path], peers: tuple[str, ...], after: After | None = None
) -> tuple[Contender, ...]:
    """Ours, and the peers of these names."""
    found = [contender(OURS, *FASTEST_OURS[ours], path, after)]
    return (*found, *(contender(name, *PEERS[name], path, after) for name in peers))
