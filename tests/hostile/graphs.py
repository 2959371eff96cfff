"""The graphs that our machine builds, as Python values of the same kinds as `inert` builds."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from inert import Record, persistent, stand_in

PROGRAM = os.environ["WEIGHBRIDGE_DUMP_GRAPH"]


@dataclass(frozen=True)
class Graph:
    """What became of one stream; `failure` is an error's code and message."""

    end: int
    root: int | None
    globals: list[tuple[str, str, int]]
    failure: tuple[str, str] | None
    nodes: list[dict[str, Any]]

    def value(self) -> object:
        assert self.root is not None
        return Builder(self.nodes).build()[self.root]


def plain_text(encoded: str) -> str:
    return bytes.fromhex(encoded).decode("utf-8", "surrogatepass")


def run(streams: Sequence[bytes]) -> list[Graph]:
    """Runs our machine over all of them."""
    packed = b"".join(struct.pack("<I", len(stream)) + stream for stream in streams)
    done = subprocess.run([PROGRAM], input=packed, capture_output=True, check=True)
    return [read(line) for line in done.stdout.splitlines()]


def read(line: bytes) -> Graph:
    found = json.loads(line)
    failure = found["failure"]
    return Graph(
        end=found["end"],
        root=found["root"],
        globals=[(plain_text(module), plain_text(name), offset) for module, name, offset in found["globals"]],
        failure=None if failure is None else (failure[0], bytes.fromhex(failure[1]).decode("utf-8", "replace")),
        nodes=found["nodes"],
    )


# A value from the payload of its node.
SCALARS: dict[str, Callable[[Any], object]] = {
    "None": lambda _: None,
    "Bool": bool,
    "Int": int,
    "BigInt": lambda digits: int.from_bytes(bytes.fromhex(digits), "little", signed=True),
    "Float": lambda digits: struct.unpack(">d", bytes.fromhex(digits))[0],
    "Text": plain_text,
    "Py2String": lambda digits: bytes.fromhex(digits).decode("latin-1"),
    "Bytes": bytes.fromhex,
    "ByteArray": bytearray.fromhex,
    "List": lambda _: [],
    "Dict": lambda _: {},
    "Set": lambda _: set(),
    "Global": lambda names: stand_in(*map(plain_text, names)),
}


class Builder:
    """Two passes: everything is made, then what can grow is filled, so that cycles close."""

    def __init__(self, nodes: list[dict[str, Any]]) -> None:
        self.nodes = nodes
        self.values: list[Any] = []

    def build(self) -> list[Any]:
        for node in self.nodes:
            self.values.append(self.make(node))
        for node, value in zip(self.nodes, self.values, strict=True):
            self.fill(node, value)
        return self.values

    def at(self, ids: Sequence[int]) -> list[Any]:
        return [self.values[node] for node in ids]

    def make(self, node: dict[str, Any]) -> object:
        kind, value = node["kind"], node["value"]
        if kind == "Tuple":
            return tuple(self.at(value))
        if kind == "FrozenSet":
            return frozenset(self.at(value))
        if kind == "Persistent":
            return persistent(self.values[value])
        if kind in ("Call", "Object"):
            return self.make_record(node)
        return SCALARS[kind](value)

    def make_record(self, node: dict[str, Any]) -> Record:
        arguments = () if node["arguments"] is None else self.values[node["arguments"]]
        made = Record(*arguments)
        made.callable = self.values[node["callable"]]
        return made

    def fill(self, node: dict[str, Any], value: Any) -> None:
        kind = node["kind"]
        if kind == "List":
            value.extend(self.at(node["value"]))
        elif kind == "Dict":
            items = self.at(node["value"])
            for key, item in zip(items[::2], items[1::2], strict=True):
                value[key] = item
        elif kind == "Set":
            value.update(self.at(node["value"]))
        elif kind in ("Call", "Object"):
            self.fill_record(node, value)

    def fill_record(self, node: dict[str, Any], value: Record) -> None:
        value.items, value.pairs = self.at(node["value"]), self.at(node["pairs"])
        if node["state"] is not None:
            value.state = self.values[node["state"]]
        if node["keywords"] is not None:
            value.keywords = dict(self.values[node["keywords"]])
