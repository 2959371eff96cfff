"""Many threads on the same files and objects: every one gets what it would get alone."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from weighbridge import safetensors
from weighbridge.safetensors import SafetensorError, safe_open
from weighbridge.safetensors import numpy as st_numpy

THREADS = 8
ROUNDS = 60
NAMES = [f"tensor.{i}" for i in range(32)]


@pytest.fixture(autouse=True)
def frequent_switches() -> Iterator[None]:
    """Threads that take turns after every few instructions."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def arrays(value: int = 0) -> dict[str, np.ndarray]:
    return {name: np.full((7, i + 1), value + i, dtype=np.int32) for i, name in enumerate(NAMES)}


def check(loaded: dict[str, np.ndarray], value: int = 0) -> None:
    assert sorted(loaded) == sorted(NAMES)
    for i, name in enumerate(NAMES):
        assert loaded[name].shape == (7, i + 1)
        assert (np.asarray(loaded[name]) == value + i).all()


def in_threads(*works: Callable[[int], object]) -> None:
    """Runs WORKS, dealt out to all the threads, which start together; the first exception is raised."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> None:
        barrier.wait()
        for _ in range(ROUNDS):
            works[number % len(works)](number)

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(run, number) for number in range(THREADS)]:
            done.result()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "shared.safetensors"
    st_numpy.save_file(arrays(), target, {"format": "np"})
    return target


@pytest.mark.parametrize("backend", ["mmap", "pread"])
@pytest.mark.parametrize("framework", ["np", "pt"])
def test_one_open_file_serves_all(framework: str, backend: str, path: Path) -> None:
    if framework == "pt":
        pytest.importorskip("torch")
    file = safe_open(path, framework, backend=backend)

    def whole(number: int) -> None:
        check(file.get_tensors())

    def single(number: int) -> None:
        name = NAMES[number]
        assert (np.asarray(file.get_tensor(name)) == number).all()
        assert len(file.keys()) == len(file.offset_keys()) == len(NAMES)
        assert file.metadata() == {"format": "np"}

    def part(number: int) -> None:
        found = np.asarray(file.get_slice(NAMES[-1])[number % 7, ::2])
        assert found.shape == (16,)
        assert (found == 31).all()

    in_threads(whole, single, part)


def test_a_file_is_closed_while_others_read_it(path: Path) -> None:
    """Each call gives the tensor, or says that the file is closed: never anything between."""
    for _ in range(ROUNDS):
        file = safe_open(path, "np")
        barrier = threading.Barrier(THREADS)

        def read(number: int, file: safe_open = file, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            if number == 0:
                file.__exit__(None, None, None)
                return True
            try:
                check(file.get_tensors())
                assert (file.get_slice(NAMES[3])[1:, 0] == 3).all()
            except SafetensorError as error:
                return str(error) == "File is closed"
            return True

        with ThreadPoolExecutor(THREADS) as pool:
            assert all(pool.map(read, range(THREADS)))


def test_the_same_arrays_are_saved_by_all(path: Path) -> None:
    tensors = arrays()
    wanted = st_numpy.save(tensors, {"format": "np"})

    def in_memory(number: int) -> None:
        assert st_numpy.save(tensors, {"format": "np"}) == wanted

    def to_file(number: int) -> None:
        own = path.with_name(f"own.{number}")
        st_numpy.save_file(tensors, own, {"format": "np"})
        assert own.read_bytes() == wanted

    in_threads(in_memory, to_file)


def test_one_name_is_written_and_read_by_all(path: Path) -> None:
    """A reader sees one whole file or another, whoever wrote it last, and no leftover stays behind."""

    def write(number: int) -> None:
        st_numpy.save_file(arrays(1000 * number), path)

    def read(number: int) -> None:
        loaded = st_numpy.load_file(path)
        check(loaded, int(loaded[NAMES[0]][0, 0]))

    in_threads(write, read, read)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_memory_is_parsed_by_all(path: Path) -> None:
    data = path.read_bytes()
    broken = data[:-1]

    def good(number: int) -> None:
        check(st_numpy.load(data))
        assert len(safetensors.deserialize(data)) == len(NAMES)

    def bad(number: int) -> None:
        with pytest.raises(SafetensorError, match="incomplete metadata"):
            safetensors.deserialize(broken)

    in_threads(good, bad)


def test_arrays_may_be_dropped_by_another_thread_than_the_one_that_made_them(path: Path) -> None:
    made: list[dict[str, np.ndarray]] = []

    def make(number: int) -> None:
        made.append(st_numpy.load_file(path))

    def drop(number: int) -> None:
        try:
            loaded = made.pop()
        except IndexError:
            return
        check(loaded)

    in_threads(make, drop)
    for loaded in made:
        check(loaded)


def test_others_run_while_a_large_file_is_saved_and_loaded(tmp_path: Path) -> None:
    """The interpreter is not held: a thread that only counts gets on during each of the calls."""
    big = {"a": np.ones((64, 1 << 20), dtype=np.float32)}
    path = tmp_path / "big.safetensors"
    counted, stop = [0], threading.Event()

    def count() -> None:
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0)  # gives the interpreter back, whenever somebody waits for it

    def count_during(call: Callable[[], object]) -> int:
        before = counted[0]
        call()
        return counted[0] - before

    def advances(call: Callable[[], object]) -> bool:
        """Where the interpreter is held it never does; where not, a busy machine may give it no time now and then."""
        return any(count_during(call) > 100 for _ in range(20))

    data = st_numpy.save(big)
    counter = threading.Thread(target=count)
    counter.start()
    sys.setswitchinterval(10.0)  # who holds the interpreter keeps it, for longer than any of the calls takes
    try:
        assert advances(lambda: st_numpy.save(big))
        assert advances(lambda: st_numpy.save_file(big, path))
        assert advances(lambda: st_numpy.load(data))
        assert advances(lambda: safe_open(path, "np", backend="pread").get_tensors())
    finally:
        sys.setswitchinterval(1e-6)
        stop.set()
        counter.join()
