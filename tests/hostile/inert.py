"""CPython's own unpickler, with nothing in reach: names become inert classes, calls become records."""

from __future__ import annotations

import _compat_pickle
import collections
import io
import pickle
from typing import Any


class Record:
    """What a call or an object leaves: who was called with what, and what was put in afterwards."""

    def __new__(cls, *args: object, **kwargs: object) -> Record:
        self = object.__new__(cls)
        self.callable = cls
        self.arguments, self.keywords, self.state = args, kwargs, None
        self.items, self.pairs = [], []
        return self

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Takes what __new__ has noted."""

    def __call__(self, *args: object) -> Record:
        made = Record(*args)
        made.callable = self
        return made

    def append(self, item: object) -> None:
        self.items.append(item)

    def extend(self, items: list[object]) -> None:
        self.items.extend(items)

    def __setitem__(self, key: object, item: object) -> None:
        self.pairs += [key, item]

    def __setstate__(self, state: object) -> None:
        self.state = state

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("records are not pickled")


def encode(characters: object, encoding: object = None) -> object:
    """_codecs.encode, of Latin-1 alone."""
    if isinstance(characters, str) and encoding in ("latin1", "latin-1", "iso-8859-1"):
        return characters.encode("latin-1")
    made = Record(characters, encoding)
    made.callable = encode
    return made


# Types that hold what they are given; calls of them are what they make.
PLAIN = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "list"): list,
    ("builtins", "dict"): dict,
    ("builtins", "bytes"): bytes,
    ("builtins", "bytearray"): bytearray,
    ("_codecs", "encode"): encode,
}

_classes: dict[tuple[str, str], Any] = {}


def of_today(module: str, name: str) -> tuple[str, str]:
    """Python 2's builtin modules under their names of today."""
    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[(module, name)]
    return {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module), name


def stand_in(module: str, name: str) -> Any:
    """The inert class of that name: one and the same each time."""
    found = PLAIN.get((module, name)) or _classes.get((module, name))
    if found is None:
        found = _classes[module, name] = type("Named", (Record,), {"names": (module, name)})
    return found


def persistent(identity: object) -> tuple[str, object]:
    return "persistent", identity


class Inert(pickle.Unpickler):
    """REQUIRES: a stream of our own making. Runs nothing but PLAIN."""

    def __init__(self, stream: bytes) -> None:
        self.file = io.BytesIO(stream)
        super().__init__(self.file, encoding="latin1")
        self.names: list[tuple[str, str]] = []

    def find_class(self, module: str, name: str) -> Any:
        known = of_today(module, name)
        self.names.append(known)
        return stand_in(*known)

    def persistent_load(self, identity: object) -> object:
        return persistent(identity)
