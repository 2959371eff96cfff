"""Reading onto a CUDA device. What is not about the device itself is tested everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import weighbridge.torch
from handmade import Tensor, every_dtype, write_file
from weighbridge import SafetensorError, _cuda, _native
from weighbridge.safetensors import safe_open

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device on this machine")


def test_windows_hold_every_byte_once_and_in_order() -> None:
    spans = [(100, 107), (107, 107), (107, 130), (130, 131), (200, 212)]
    windows = list(_cuda.cut_windows(spans, 10))
    assert [(window.begin, window.length) for window in windows] == [
        (100, 10),
        (110, 10),
        (120, 10),
        (130, 1),
        (200, 10),
        (210, 2),
    ]
    seen = {
        (copy.tensor, copy.target + i): window.begin + copy.start + i
        for window in windows
        for copy in window.copies
        for i in range(copy.length)
    }
    assert seen == {(n, at - begin): at for n, (begin, end) in enumerate(spans) for at in range(begin, end)}
    assert sum(window.length for window in windows) == sum(end - begin for begin, end in spans)


class SlowRing:
    """A ring that copies as late as it may: when its buffer is to be filled again, or at the end."""

    def __init__(self, buffers: int) -> None:
        self.buffers = [torch.zeros(_cuda.WINDOW_BYTES, dtype=torch.uint8) for _ in range(buffers)]
        self.waiting: list[tuple[torch.Tensor, _cuda.Window, object]] = []
        self.turn = -1
        self.finished = False

    def next_buffer(self) -> torch.Tensor:
        self.turn = (self.turn + 1) % len(self.buffers)
        if len(self.waiting) == len(self.buffers):
            _cuda.run_copies(*self.waiting.pop(0))
        return self.buffers[self.turn]

    def send(self, window: _cuda.Window, targets: object) -> None:
        self.waiting.append((self.buffers[self.turn], window, targets))

    def finish(self) -> None:
        while self.waiting:
            _cuda.run_copies(*self.waiting.pop(0))
        self.finished = True


def test_a_file_streams_through_a_bounded_ring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_cuda, "WINDOW_BYTES", 64)
    tensors = {str(i): Tensor("U8", (size,)) for i, size in enumerate([3, 200, 0, 64, 1, 130])}
    file = _native.File.open_path(write_file(tmp_path / "a.safetensors", tensors))
    targets = [torch.zeros(tensor.shape, dtype=torch.uint8) for tensor in tensors.values()]
    spans = [(file.data_begin + begin, file.data_begin + end) for *_, begin, end in map(file.info, range(len(file)))]
    ring = SlowRing(3)
    _cuda.stream_file(file, spans, targets, ring)
    assert [target.numpy().tobytes() for target in targets] == [tensor.content for tensor in tensors.values()]
    assert ring.finished


def test_the_ring_is_finished_when_reading_fails(tmp_path: Path) -> None:
    file = _native.File.open_path(write_file(tmp_path / "a.safetensors", {"a": Tensor("U8", (5,))}))
    ring = SlowRing(1)
    behind = file.data_begin + 5
    with pytest.raises(SafetensorError, match="leave"):
        _cuda.stream_file(file, [(behind, behind + 3)], [torch.zeros(3, dtype=torch.uint8)], ring)
    assert ring.finished


def test_tensors_are_made_of_the_bytes_that_came(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The whole way but for the device: every dtype, scalars, tensors without bytes, all tensors or some."""
    monkeypatch.setattr(_cuda, "WINDOW_BYTES", 64)
    monkeypatch.setattr(_cuda, "CudaRing", lambda _device, _bytes: SlowRing(2))
    tensors = {**every_dtype(), "scalar": Tensor("F64", ()), "none": Tensor("F32", (0, 2))}
    file = _native.File.open_path(write_file(tmp_path / "a.safetensors", tensors))
    expected = weighbridge.torch.load_native(file, torch.device("cpu"))
    for numbers in (None, [0, 3, len(file) - 1]):
        loaded = _cuda.load_to_cuda(file, torch.device("cpu"), numbers)
        assert list(loaded) == [list(tensors)[number] for number in numbers or range(len(file))]
        for name, tensor in loaded.items():
            assert (tensor.dtype, tensor.shape) == (expected[name].dtype, expected[name].shape)
            assert plain_bytes(tensor) == plain_bytes(expected[name])


def plain_bytes(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


@needs_cuda
@pytest.mark.parametrize("device", ["cuda", "cuda:0", 0, torch.device("cuda")])
@pytest.mark.parametrize("backend", ["mmap", "pread"])
def test_every_name_of_the_device_takes_one_path(tmp_path: Path, device: str | int, backend: str) -> None:
    tensors = {"large": Tensor("U8", (3 * _cuda.WINDOW_BYTES + 5,)), **every_dtype(), "none": Tensor("F32", (0, 2))}
    path = write_file(tmp_path / "a.safetensors", tensors)
    expected = weighbridge.torch.load_file(path)
    with safe_open(path, framework="pt", device=device, backend=backend) as file:
        loaded = (file.get_tensors(), {name: file.get_tensor(name) for name in tensors})
        part = file.get_slice("f32")[1:3, ::2]
    for result in (*loaded, weighbridge.torch.load_file(path, device, backend=backend)):
        assert list(result) == list(tensors)
        for name, tensor in result.items():
            assert (tensor.device.type, tensor.dtype, tensor.shape) == (
                "cuda",
                expected[name].dtype,
                expected[name].shape,
            )
            raw = [t.contiguous().reshape(-1).view(torch.uint8).cpu() for t in (tensor, expected[name]) if t.numel()]
            assert not raw or torch.equal(*raw)
    assert torch.equal(part.cpu(), expected["f32"][1:3, ::2])
