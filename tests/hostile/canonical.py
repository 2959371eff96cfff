"""One text for each value: equal texts are equal values, with equal sharing and equal cycles."""

from __future__ import annotations

import struct
import types
from typing import Any

from inert import Record

SHARED = (list, tuple, dict, set, frozenset, bytearray, memoryview, Record)


class Writer:
    """Numbers what can be shared in the order in which it is met."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.kept: list[object] = []  # Ids stay taken while the objects live.

    def text(self, value: Any) -> str:
        if isinstance(value, type | types.FunctionType):
            return f"class {getattr(value, 'names', value.__qualname__)}"
        if isinstance(value, SHARED) and value != ():
            if id(value) in self.numbers:
                return f"@{self.numbers[id(value)]}"
            self.numbers[id(value)] = len(self.numbers)
            self.kept.append(value)
        return self.compound(value)

    def compound(self, value: Any) -> str:
        if isinstance(value, float):
            return "float " + struct.pack(">d", value).hex()
        if isinstance(value, bytearray | memoryview):
            return f"bytearray {bytes(value).hex()}"
        if isinstance(value, list | tuple):
            return f"{type(value).__name__}({self.sequence(value)})"
        if isinstance(value, dict):
            return f"dict({self.sequence(part for item in value.items() for part in item)})"
        if isinstance(value, set | frozenset):
            return f"{type(value).__name__}({', '.join(sorted(Writer().text(item) for item in value))})"
        if isinstance(value, Record):
            return self.record(value)
        return f"{type(value).__name__} {value!r}"

    def sequence(self, values: Any) -> str:
        return ", ".join(self.text(value) for value in values)

    def record(self, value: Record) -> str:
        parts = (value.callable, value.arguments, value.keywords, value.items, value.pairs, value.state)
        return f"record({self.sequence(parts)})"


def canonical(value: object) -> str:
    return Writer().text(value)
