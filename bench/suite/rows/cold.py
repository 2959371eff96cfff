"""C: files that are not in the page cache, on the disk that the folder is on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from suite import ceilings, inputs, names, touching
from suite.loaders import contenders
from suite.model import OURS, Bound, Case, Contender, Gate, Row, Work
from suite.rows.load import large

WHEEL = "safetensors numpy"
DEVICE = "device, O_DIRECT"
FILLED = "page cache, filled"  # All of the file there and mapped: what a load by default leaves behind.
COPY = "weighbridge, owned copy"  # What the wheel gives: arrays of the caller's own.
PEERS = ("weighbridge mirror", WHEEL, "safetensors numpy pread", "fastsafetensors", "runai streamer")
SPARSE_TENSORS, SPARSE_MIB, TAKEN = 4096, 4096, 100  # Of 4096 tensors of 1 MiB every hundredth is wanted.


def directly(work: str) -> Callable[[Case], list[str]]:
    return lambda case: [work, str(large(case))]


def whole() -> Row:
    """All of the file in memory: a byte of every page is looked at."""
    copy = replace(contenders("copy", large, (), touching.touch_pages)[0], name=COPY)
    return Row(
        "C1",
        "cold: 1 GiB in memory, ready for numpy",
        (
            *contenders("view", large, PEERS, touching.touch_pages),
            copy,
            ceilings.device(DEVICE, directly("device_read")),
            ceilings.native(FILLED, lambda case: ["fill", str(large(case)), "16"]),
        ),
        lambda case: [large(case)],
        (
            Gate(WHEEL, 1.4, 2.0),
            Gate(DEVICE, 0.75, 0.95),
            Gate(WHEEL, 1.4, 2.0, ours=COPY, when="owned copy"),
            Gate(DEVICE, 0.75, 0.95, ours=COPY, when="owned copy"),
        ),
        cold=True,
    )


def sparse_file(case: Case) -> Path:
    return inputs.large_file(case.folder, case.scale, SPARSE_MIB, SPARSE_TENSORS)


def wanted() -> list[str]:
    return [f"layers.{i}.weight" for i in range(TAKEN // 2, SPARSE_TENSORS, TAKEN)]


def wanted_bytes(case: Case) -> float:
    size = sparse_file(case).stat().st_size
    return size * len(wanted()) / SPARSE_TENSORS


def taking(opened: Callable[[Case], Any]) -> Callable[[Case], Work]:
    """Reads the wanted tensors of an open file, and looks at every page of them."""

    def make(case: Case) -> Work:
        def work() -> dict[str, Any]:
            with opened(case) as file:
                found = {name: file.get_tensor(name) for name in wanted()}
            touching.touch_pages(touching.Loaded(found))
            return found

        return work

    return make


def open_ours(case: Case) -> Any:
    import weighbridge.safetensors

    return weighbridge.safetensors.safe_open(sparse_file(case), "np")


def open_wheel(**options: Any) -> Callable[[Case], Any]:
    def opened(case: Case) -> Any:
        import safetensors

        return safetensors.safe_open(sparse_file(case), "np", **options)

    return opened


def take_fast(case: Case) -> Work:
    from fastsafetensors import SafeTensorsFileLoader

    chosen = frozenset(wanted())

    def work() -> dict[str, Any]:
        loader = SafeTensorsFileLoader(None, device="cpu", nogds=True)
        loader.set_tensor_filter(chosen.__contains__)
        loader.add_filenames({0: [str(sparse_file(case))]})
        buffers = loader.copy_files_to_device()
        return {name: buffers.get_tensor(name) for name in wanted()}

    return work


def take_streamed(case: Case) -> Work:
    from runai_model_streamer import SafetensorsStreamer

    def work() -> dict[str, Any]:
        with SafetensorsStreamer() as stream:
            stream.stream_file(str(sparse_file(case)), device="cpu", tensor_names=wanted())
            return dict(stream.get_tensors())

    return work


def sparse() -> Row:
    digest = names.of_tensors
    return Row(
        "C3",
        "cold: every hundredth tensor of 4 GiB; bytes from the device, in bytes wanted",
        (
            Contender(OURS, taking(open_ours), needs=("weighbridge.safetensors.numpy",), digest=digest),
            Contender("safetensors mmap", taking(open_wheel()), needs=("safetensors.numpy",), digest=digest),
            Contender(
                "safetensors pread", taking(open_wheel(backend="pread")), needs=("safetensors.numpy",), digest=digest
            ),
            Contender("fastsafetensors", take_fast, needs=("fastsafetensors", "torch"), digest=digest),
            Contender("runai streamer", take_streamed, needs=("runai_model_streamer", "torch"), digest=digest),
        ),
        lambda case: [sparse_file(case)],
        (Bound(1.2, 1.05),),
        metric="read_bytes",
        unit="x",
        cold=True,
        per=wanted_bytes,
    )


WHOLE = whole()
ROWS = (
    WHOLE,
    replace(
        WHOLE,
        id="C2",
        title="cold: processor time of C1",
        metric="cpu",
        like="C1",
        judged=(Gate(WHEEL, 5, 20),),
    ),
    sparse(),
)
