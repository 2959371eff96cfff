"""Saving under adverse conditions: full disks, interrupts, kills, many threads; nothing leaks and nothing is half."""

from __future__ import annotations

import contextlib
import errno
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import weighbridge
import weighbridge.numpy
import weighbridge.torch
from weighbridge import SafetensorError

LARGE = {f"w{i}": np.full(4 << 20, i, np.uint8) for i in range(8)}


def save_parts(path: Path) -> None:
    with weighbridge.Writer(path, LARGE) as writer:
        for name, array in LARGE.items():
            writer.write(name, array)


def save_tensors(path: Path) -> None:
    weighbridge.torch.save_file({name: torch.from_numpy(array) for name, array in LARGE.items()}, path)


WAYS: list[Callable[[Path], None]] = [lambda path: weighbridge.numpy.save_file(LARGE, path), save_tensors, save_parts]


@pytest.mark.parametrize("save", WAYS)
def test_a_file_that_may_not_grow_leaves_the_old_one(tmp_path: Path, save: Callable[[Path], None]) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(OSError, match="write") as caught:
            save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert isinstance(caught.value, SafetensorError)
    assert caught.value.errno == errno.EFBIG
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


FOREVER = """
import signal, sys
import numpy as np, weighbridge, weighbridge.numpy
signal.signal(signal.SIGINT, signal.default_int_handler)
tensors = {f"w{i}": np.full(4 << 20, i, np.uint8) for i in range(8)}
print("ready", flush=True)
while True:
    weighbridge.numpy.save_file(tensors, sys.argv[1])
    weighbridge.edit_metadata(sys.argv[1], {"k": "v" * 100})
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.13, 0.21])
def test_a_process_that_is_ended_leaves_a_whole_file(tmp_path: Path, number: signal.Signals, delay: float) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with subprocess.Popen(
        [sys.executable, "-c", FOREVER, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(delay)
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode == -number
    if number == signal.SIGINT:
        assert b"KeyboardInterrupt" in errors
        assert list(tmp_path.iterdir()) == [path]
    saved = weighbridge.numpy.save(LARGE)
    (tmp_path / "edited").write_bytes(saved)
    weighbridge.edit_metadata(tmp_path / "edited", {"k": "v" * 100})
    assert path.read_bytes() in (b"old", saved, (tmp_path / "edited").read_bytes())


def test_many_threads_save_the_same_arrays(tmp_path: Path) -> None:
    tensors: dict[str, Any] = {f"w{i}": np.arange(i * 10, dtype=np.float32).reshape(10, -1).T for i in range(50)}
    expected = weighbridge.numpy.save(tensors)

    def work(number: int) -> None:
        for _ in range(20):
            assert weighbridge.numpy.save(tensors) == expected
            weighbridge.numpy.save_file(tensors, tmp_path / f"own{number}")
            weighbridge.numpy.save_file(tensors, tmp_path / "common")
            assert (tmp_path / "common").read_bytes() == expected

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, i) for i in range(8)]:
            done.result()
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {expected}
    assert len(list(tmp_path.iterdir())) == 9


def test_nothing_is_kept_after_a_save(tmp_path: Path) -> None:
    array, tensor = np.zeros(1000), torch.zeros(1000)
    name = "".join(["na", "me"])

    def use() -> None:
        weighbridge.numpy.save({name: array})
        weighbridge.numpy.save_file({name: array[::-1]}, tmp_path / "x")
        weighbridge.torch.save({name: tensor})
        with weighbridge.Writer(tmp_path / "x", {name: array}) as writer:
            writer.write(name, array)
        weighbridge.edit_metadata(tmp_path / "x", {name: name})
        for broken in ({name: array, "o": np.zeros(1, "O")}, {name: array, "\ud800": array}):
            with pytest.raises((SafetensorError, UnicodeEncodeError)):
                weighbridge.numpy.save(broken)

    use()
    before = [sys.getrefcount(value) for value in (array, tensor, name)]
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        use()
    assert [sys.getrefcount(value) for value in (array, tensor, name)] == before
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_shards_are_the_same_however_many_are_saved_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = []
    for cores in (1, 2, 16):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        folder = tmp_path / str(cores)
        folder.mkdir()
        weighbridge.numpy.save_file(LARGE, folder / "m.safetensors", max_shard_size="8MiB", durable=cores == 2)
        saved.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert len(saved[0]) == 5
    assert saved[0] == saved[1] == saved[2]
    assert set(weighbridge.numpy.load_file(tmp_path / "16" / "m.safetensors.index.json")) == set(LARGE)


def test_shards_that_fail_midway_leave_no_index_of_other_shards(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    weighbridge.numpy.save_file(LARGE, path, max_shard_size="16MiB")
    (tmp_path / "m-00002-of-00002.safetensors").unlink()
    (tmp_path / "m-00002-of-00002.safetensors").mkdir()  # which no file can replace
    doubled = {name: array + 1 for name, array in LARGE.items()}
    with pytest.raises(IsADirectoryError):
        weighbridge.numpy.save_file(doubled, path, max_shard_size="16MiB")
    assert not (tmp_path / "m.safetensors.index.json").exists()
    assert len(weighbridge.numpy.load_file(tmp_path / "m-00001-of-00002.safetensors")) == 4
