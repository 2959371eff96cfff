"""Our pickle machine beside CPython's: the same end, the same globals, the same value, and the same refusals."""

from __future__ import annotations

import collections
import datetime
import pickle
import pickletools
import random
import re
import resource
from collections.abc import Iterable, Iterator

import graphs
import pytest
import streams
from canonical import canonical
from graphs import Graph
from inert import Inert

pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")

VALID_STREAMS = 4000
MUTATED_STREAMS = 20000

# Why we refuse what CPython accepts. Each is documented in docs/formats/torch.md or in the code that refuses.
STRICTER = (
    r"the frame ends after|opens a frame inside another",  # Readers cut frames differently.
    r"needs a decimal integer|needs a float|needs the number of a memo",  # Spellings that no writer uses.
    r"needs a quoted string|escape",
    r"names a global with an empty|names a \w+ of|is not UTF-8",
    r"needs a (list|dict|set), found",  # Whatever has the right method would do for CPython.
    r"needs an object that can have state, found",
    r"persistent id of ASCII",
    r"EXT\d|NEXT_BUFFER",
    r"needs a tuple of arguments, found a persistent object",  # Which is a tuple in this test alone.
)

# Why CPython refuses what we accept: our values are never hashed, called or asked for their methods.
LAXER = (
    r"unhashable type",
    r"object is not callable|class argument|must be a type|argument must be a",
    r"cannot create|takes (no|at most|exactly|from)|expected at most|is not iterable|object is not an iterator",
    r"has no attribute|__setstate__|state is not a dictionary",
    r"a bytes-like object is required|must be (a )?(buffer|bytes|str)",
    r"not in range|must be|required argument|cannot convert|sequence element|keywords must be strings",
    r"recursion|out-of-band",
    r"MemoryError",  # The memo is an array there, up to its highest number.
)


def python_result(stream: bytes) -> tuple[Inert, object, Exception | None]:
    reader = Inert(stream)
    try:
        return reader, reader.load(), None
    except Exception as error:
        return reader, None, error


def offsets_of_globals(stream: bytes) -> Iterator[int]:
    for opcode, _, position in pickletools.genops(stream):
        if opcode.name in ("GLOBAL", "INST", "STACK_GLOBAL"):
            assert position is not None
            yield position


def end_of(stream: bytes) -> int | None:
    """The byte behind STOP; nothing for a stream that pickletools cannot show, which happens to text alone."""
    try:
        *_, (opcode, _, position) = pickletools.genops(stream)
    except (UnicodeDecodeError, ValueError):
        return None
    assert opcode.name == "STOP"
    assert position is not None
    return position + 1


def assert_equal(stream: bytes, ours: Graph) -> None:
    reader, value, error = python_result(stream)
    assert error is None, (stream, error)
    assert ours.failure is None, (stream, ours.failure)
    assert ours.end == end_of(stream), stream
    theirs = [(*name, offset) for name, offset in zip(reader.names, offsets_of_globals(stream), strict=True)]
    assert ours.globals == theirs, stream
    assert canonical(ours.value()) == canonical(value), stream


def opcodes_in(made: Iterable[bytes]) -> set[str]:
    return {opcode.name for stream in made for opcode, _, _ in pickletools.genops(stream)}


@pytest.fixture(scope="module")
def valid() -> list[bytes]:
    return [streams.make(seed) for seed in range(VALID_STREAMS)]


def test_valid_streams_of_all_opcodes_have_equal_values(valid: list[bytes]) -> None:
    assert opcodes_in(valid) == {opcode.name for opcode in pickletools.opcodes} - streams.REFUSED
    for stream, graph in zip(valid, graphs.run(valid), strict=True):
        assert_equal(stream, graph)


def test_what_follows_a_stream_does_not_matter(valid: list[bytes]) -> None:
    for stream, graph in zip(
        valid[:500], graphs.run([stream + b"cos\nsystem\n" for stream in valid[:500]]), strict=True
    ):
        assert_equal(stream, graph)


@pytest.mark.parametrize("code", [b"\x82\x01", b"\x83\x01\0", b"\x84\x01\0\0\0", b"\x97"])
def test_the_other_opcodes_are_refused(code: bytes) -> None:
    (graph,) = graphs.run([b"\x80\x05" + code + b"."])
    assert graph.failure is not None
    assert graph.failure[0] == "MalformedPickle"


class Point:
    """A class as programs have them: attributes in __dict__."""

    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)

    def __hash__(self) -> int:
        return id(self)


class Slotted:
    """State is (None, {...})."""

    __slots__ = ("left", "right")


class Numbers(list):
    """A list with a class of its own."""


class Table(dict):
    """A dict with a class of its own."""


class Pair(collections.namedtuple("Pair", "left right")):
    """Made by NEWOBJ with arguments."""

    __slots__ = ()


def slotted(left: object) -> Slotted:
    made = Slotted()
    made.left = left
    return made


class Objects:
    """Random Python objects, shared and cyclic ones among them."""

    def __init__(self, random_numbers: random.Random, protocol: int) -> None:
        self.random = random_numbers
        self.protocol = protocol
        self.made: list[object] = []

    def scalar(self) -> object:
        choices = [None, True, False, *streams.NUMBERS, *streams.FLOATS, *streams.TEXTS, b"", b"\x00\xff", b"x" * 300]
        return self.random.choice([*choices, self.random.random(), self.random.getrandbits(90)])

    def hashable(self, depth: int) -> object:
        if depth <= 0 or self.random.random() < 0.6:
            return self.scalar()
        return self.random.choice([
            tuple(self.hashable(depth - 1) for _ in range(self.random.randrange(5))),
            frozenset(self.scalar() for _ in range(self.random.randrange(4))),
            datetime.date(2024, 2, self.random.randrange(1, 29)), Point, Point(a=1)])  # fmt: skip

    def value(self, depth: int) -> object:
        if self.made and self.random.random() < 0.15:
            return self.random.choice(self.made)
        if depth <= 0:
            return self.hashable(0)
        made = self.container(depth)
        self.made.append(made)
        return made

    def several(self, depth: int) -> list[object]:
        return [self.value(depth - 1) for _ in range(self.random.randrange(4))]

    def mapping(self, depth: int) -> dict[object, object]:
        return {self.hashable(depth - 1): self.value(depth - 1) for _ in range(self.random.randrange(4))}

    def other(self, inner: object) -> object:
        has_slots = self.protocol >= 2 and self.random.random() < 0.5
        return slotted(inner) if has_slots else Pair(1, inner)

    def container(self, depth: int) -> object:
        form = self.random.randrange(12)
        if form < 3:
            return self.mapping(depth)
        if form < 5:
            return self.several(depth)
        kinds = [
            lambda: tuple(self.several(depth)),
            lambda: collections.OrderedDict(self.mapping(depth)),
            lambda: {self.scalar() for _ in range(self.random.randrange(4))},
            lambda: bytearray(self.random.randbytes(5)),
            lambda: Point(left=self.value(depth - 1), right=self.value(depth - 1)),
            lambda: self.other(self.value(depth - 1)),
            lambda: self.random.choice([Numbers(self.several(depth)), Table(self.mapping(depth)), 1j, range(3)]),
        ]
        return kinds[form - 5]()


def dumped(seed: int, protocol: int) -> bytes:
    objects = Objects(random.Random(seed), protocol)
    value = objects.value(4)
    for made in objects.made:
        if type(made) is list and objects.random.random() < 0.1:
            made.append(made)
    return pickle.dumps(value, protocol)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_objects_that_cpython_pickles_have_equal_values(protocol: int) -> None:
    made = [dumped(seed, protocol) for seed in range(600)]
    for stream, graph in zip(made, graphs.run(made), strict=True):
        assert_equal(stream, graph)


def test_python_2_streams_have_equal_values() -> None:
    made = [
        b"\x80\x02}q\0(U\x05helloq\1c__builtin__\nxrange\nq\2K\0K\3K\1\x87Rq\3U\2\x80\xffq\4NU\1xI01\nu.",
        b"(dp0\nS'a\\n\\'b'\np1\nI1\nsS\"it's\"\np2\nL5L\ns.",
        b"ccollections\nOrderedDict\n((lp0\n(lp1\nS'a'\naI1\naa(lS'b'\naI2\naatR.",
        b"(icopy_reg\nNothing\np0\n(dp1\nS'x'\nI1\nsb.",
    ]
    for stream, graph in zip(made, graphs.run(made), strict=True):
        assert_equal(stream, graph)


def is_unfolded(text: str) -> bool:
    """Whether a plain type was called with arguments of which we make no container: list() of a dict."""
    return (
        re.search(r"record\((class (list|dict|set|frozenset|bytes|bytearray|OrderedDict)|function encode),", text)
        is not None
    )


def explained(reasons: Iterable[str], message: str) -> bool:
    return any(re.search(reason, message, re.IGNORECASE) for reason in reasons)


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Bounds what CPython takes for the number of a memo that a mutation made large."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.usefixtures("little_memory")
def test_mutated_streams_are_refused_by_both_or_equal(valid: list[bytes]) -> None:
    random_numbers = random.Random(4)
    short = [stream for stream in valid if len(stream) < 400]
    mutated = [streams.mutate(random_numbers.choice(short), random_numbers) for _ in range(MUTATED_STREAMS)]
    outcomes = collections.Counter[str]()
    for stream, ours in zip(mutated, graphs.run(mutated), strict=True):
        reader, value, error = python_result(stream)
        if ours.failure is None and error is None:
            assert end_of(stream) in (ours.end, None), stream
            assert ours.globals == [(*name, at) for name, (*_, at) in zip(reader.names, ours.globals, strict=True)]
            text = canonical(ours.value())
            assert text == canonical(value) or is_unfolded(text), stream
            outcomes["both"] += 1
        elif ours.failure is None:
            assert explained(LAXER, f"{type(error).__name__} {error}"), (stream, error)
            outcomes["ours"] += 1
        elif error is None:
            assert explained(STRICTER, ours.failure[1]), (stream, ours.failure)
            outcomes["theirs"] += 1
        else:
            outcomes["neither"] += 1
    assert min(outcomes[who] for who in ("both", "ours", "theirs", "neither")) > 0, outcomes
