"""H and M: opening a file for its header. The data are a hole that nobody reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from suite import inputs, names
from suite.model import OURS, Case, Contender, Gate, Row

CRATE = "safetensors crate"
WHEEL = "safetensors wheel"
READ = "read of the header"
KEPT = "read of the header, into new memory"
SPLIT = "str.split of the names"
# How long a text takes is compared by one thread: how many share the work says nothing of the text.
ALONE = "weighbridge, one thread"
PLAIN = "weighbridge, as writers write it, one thread"


def native(path: Any, repeat: int = 1, *, keep: bool = True) -> tuple[Contender, Contender, Contender, Contender]:
    """Both cores without Python, the wheel, and what reading the bytes costs. All that was opened is kept, or each let
    go before the next."""

    def arguments(case: Case) -> list[str]:
        return [
            "open" if keep else "open_in_turn",
            str(repeat),
            str(inputs.header_file(case.small().folder, 2)),
            str(path(case)),
        ]

    def wheel(case: Case) -> Any:
        from safetensors import SafetensorError, safe_open

        file = path(case)

        def open_one() -> Any:
            try:
                return safe_open(file, framework="numpy")
            except SafetensorError:
                return None

        def in_turn() -> list[Any]:
            opened = None
            for _ in range(repeat):
                opened = None
                opened = open_one()
            return [opened]

        return (lambda: [open_one() for _ in range(repeat)]) if keep else in_turn

    return (
        Contender(OURS, command=lambda case: [str(case.native), "measure", *arguments(case)]),
        Contender(CRATE, command=lambda case: [str(case.upstream), *arguments(case)]),
        Contender(WHEEL, make=wheel, needs=("safetensors", "numpy")),
        Contender(
            READ,
            command=lambda case: [str(case.native), "measure", "read", str(repeat), str(path(case))],
            ceiling=True,
        ),
    )


def kept(path: Callable[[Case], Path], repeat: int) -> Contender:
    """What reading the bytes costs, where they are kept: as many as are kept of a header."""

    def command(case: Case) -> list[str]:
        return [str(case.native), "measure", "keep", str(repeat), str(path(case))]

    return Contender(KEPT, command=command, ceiling=True)


def opening(identity: str, title: str, count: int, stretch: float, repeat: int = 1, *, keep: bool = True) -> Row:
    """A row that opens a file of `count` tensors; of many, so much faster than the wheel is asked for."""

    def path(case: Case) -> Path:
        return inputs.header_file(case.folder, case.count(count))

    return Row(
        identity,
        title,
        (*native(path, repeat, keep=keep), *([kept(path, repeat)] if repeat > 1 and keep else [])),
        lambda case: [path(case), inputs.header_file(case.small().folder, 2)],
        (Gate(CRATE, 12, stretch), Gate(WHEEL, 20 if repeat == 1 else None)),
        per=lambda case: repeat,
    )


def alone(name: str, path: Callable[[Case], Path]) -> Contender:
    """A header read by one thread, and how long its text is."""

    def command(case: Case) -> list[str]:
        warm = inputs.header_file(case.small().folder, 2)
        return [str(case.native), "measure", "open_alone", str(warm), str(path(case))]

    def length(case: Case) -> float:
        return float(int.from_bytes(path(case).open("rb").read(8), "little"))

    return Contender(name, command=command, size=length)


def hostile(kind: str, count: int = 100_000) -> Row:
    """A row whose header is made to be slow to read; refusing it costs no more."""

    def path(case: Case) -> Path:
        return inputs.hostile_file(case.folder, kind, case.count(count))

    def canonical(case: Case) -> Path:
        return inputs.header_file(case.folder, case.count(count))

    return Row(
        f"H5 {kind}",
        f"the same, {kind}",
        (*native(path), alone(ALONE, path), alone(PLAIN, canonical)),
        lambda case: [path(case), canonical(case), inputs.header_file(case.small().folder, 2)],
        (Gate(CRATE, 4, 10), Gate(PLAIN, 0.5, ours=ALONE, per_byte=True)),
        compared=kind != "one name",  # The reference takes the last of several; Weighbridge refuses.
    )


def longest() -> Row:
    """The longest header that the format allows."""

    def path(case: Case) -> Path:
        return inputs.header_file(case.folder, inputs.longest_count(case.scale))

    return Row(
        "H5 100 MB",
        "a header of just under 100 MB",
        native(path),
        lambda case: [path(case), inputs.header_file(case.small().folder, 2)],
        (Gate(CRATE, 4, 10),),
    )


def listing() -> Row:
    """The names of all tensors, as Python programs ask for them."""

    def path(case: Case) -> Path:
        return inputs.header_file(case.folder, case.count(100_000))

    def keys(package: Any, case: Case, **options: Any) -> list[str]:
        with package.safe_open(path(case), "np", **options) as file:
            found: list[str] = file.keys()
            assert len(found) == case.count(100_000)
            return found

    def mirror(case: Case) -> Any:
        import weighbridge.safetensors

        return lambda: keys(weighbridge.safetensors, case)

    def mapping(case: Case) -> Any:
        import weighbridge

        def work() -> list[str]:
            with weighbridge.open(path(case)) as file:
                return list(file)

        return work

    def wheel(backend: str) -> Any:
        def make(case: Case) -> Any:
            import safetensors

            return lambda: keys(safetensors, case, backend=backend)

        return make

    def fast(case: Case) -> Any:
        from fastsafetensors import SafeTensorsFileLoader

        def work() -> list[str]:
            loader = SafeTensorsFileLoader(None, device="cpu", nogds=True)
            loader.add_filenames({0: [str(path(case))]})
            return loader.get_keys()

        return work

    def streamer(case: Case) -> Any:
        from runai_model_streamer import DistributedStreamer
        from runai_model_streamer.safetensors_streamer.safetensors_pytorch import prepare_request

        def work() -> list[str]:
            with DistributedStreamer() as stream:
                return [tensor.name for tensor in prepare_request(stream, [str(path(case))], None)[0][1]]

        return work

    def split(case: Case) -> Any:
        text = "\n".join(mirror(case)())
        return lambda: text.split("\n")

    return Row(
        "H4",
        "Python: open 100 000 tensors and list their names",
        (
            Contender(OURS, mirror, needs=("weighbridge.safetensors", "numpy"), digest=names.of_names),
            Contender("weighbridge.open", mapping, needs=("weighbridge",), digest=names.of_names),
            Contender("safetensors mmap", wheel("mmap"), needs=("safetensors", "numpy"), digest=names.of_names),
            Contender("safetensors pread", wheel("pread"), needs=("safetensors", "numpy"), digest=names.of_names),
            Contender("fastsafetensors", fast, needs=("fastsafetensors",), digest=names.of_names),
            Contender("runai streamer", streamer, needs=("runai_model_streamer",), digest=names.of_names),
            Contender(SPLIT, split, needs=("weighbridge.safetensors", "numpy"), ceiling=True),
        ),
        lambda case: [path(case)],
        (
            Gate("safetensors mmap", 10, 15),
            Gate("fastsafetensors", 30, 60),
            Gate("runai streamer", 30, 60),
        ),
    )


def shards() -> Row:
    """The files of a model of 100 shards."""

    def paths(case: Case) -> list[Path]:
        tensors = inputs.entries(max(1, case.count(30_000) // 100))
        header = inputs.text(tensors)

        def make(path: Path) -> None:
            inputs.write_header(path, header, tensors)

        return [inputs.made(case.folder / f"shard-{i}.safetensors", make) for i in range(100)]

    def arguments(case: Case) -> list[str]:
        return ["open", "1", str(inputs.header_file(case.small().folder, 2)), *map(str, paths(case))]

    def wheel(case: Case) -> Any:
        from safetensors import safe_open

        files = paths(case)
        return lambda: [safe_open(file, framework="numpy") for file in files]

    return Row(
        "M1",
        "open 100 shards of 300 tensors each",
        (
            Contender(OURS, command=lambda case: [str(case.native), "measure", *arguments(case)]),
            Contender(CRATE, command=lambda case: [str(case.upstream), *arguments(case)]),
            Contender(WHEEL, wheel, needs=("safetensors", "numpy")),
        ),
        lambda case: [*paths(case), inputs.header_file(case.small().folder, 2)],
        (Gate(CRATE, 8, 15),),
    )


ROWS = (
    opening("H1", "open, check and index 300 tensors (38 KB)", 300, 22, repeat=100),
    opening("H2", "the same, 100 000 tensors (13 MB)", 100_000, 22),
    opening("H3", "the same, 600 000 tensors (81 MB)", 600_000, 26),
    opening("H1 in turn", "as H1, but each is let go before the next", 300, 22, repeat=100, keep=False),
    listing(),
    *(hostile(kind) for kind in inputs.HOSTILE),
    longest(),
    shards(),
)
