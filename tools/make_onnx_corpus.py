#!/usr/bin/env python3
"""Write the seeds of the fuzz target onnx_model: small, sound and hostile.

    tools/make_onnx_corpus.py [fuzz/corpus]

Needs no library: the messages are written by hand, so that the output is the same everywhere.
"""

import pathlib
import struct
import sys


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def tensor(name, kind, dims, content=b""):
    return b"".join(number(1, dim) for dim in dims) + number(2, kind) + data(8, name) + content


def model(graph, more=b""):
    return number(1, 10) + data(2, "maker") + data(7, graph) + data(8, number(2, 21)) + more


def node(kind, *attributes, name="", output="out", domain=""):
    texts = data(2, output) + data(3, name) + data(4, kind) + data(7, domain)
    return data(1, texts + b"".join(data(5, attribute) for attribute in attributes))


def initializers(*tensors):
    return b"".join(data(5, message) for message in tensors)


def external(name, dims, **entries):
    pairs = b"".join(data(13, data(1, key) + data(2, value)) for key, value in entries.items())
    return tensor(name, 2, dims, pairs + number(14, 1))


def every_type():
    bits = {6: 32, 7: 64, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 16: 16, 1: 32, 4: 16, 5: 16}
    small = {21: 4, 22: 4, 23: 4, 25: 2, 26: 2, 27: 6, 28: 6}
    for kind in (*range(1, 8), *range(9, 15), *range(16, 29)):
        width = bits.get(kind, small.get(kind, 8))
        yield tensor(f"t{kind}", kind, (3,), data(9, bytes(range((3 * width + 7) // 8))))


def typed():
    floats = struct.pack("<3f", 1, 2, 3)
    yield tensor("packed", 1, (3,), data(4, floats))
    yield tensor("unpacked", 1, (2,), b"".join(varint(4 << 3 | 5) + floats[i : i + 4] for i in (0, 4)))
    yield tensor("half", 10, (2,), data(5, varint(0x3C00) + varint(0x4000)))
    yield tensor("mixed", 7, (4,), number(7, -1) + data(7, varint(5) + varint(1 << 40)) + number(7, 2))
    yield tensor("int4", 22, (3,), data(5, varint(0x21) + varint(3)))
    yield tensor("fp6", 27, (4,), data(5, b"\1\2\3\4"))
    yield tensor("wide", 13, (1,), data(11, varint((1 << 64) - 1)))
    yield tensor("double", 11, (1,), varint(10 << 3 | 1) + bytes(8))
    yield tensor("texts", 8, (1,), data(6, "text"))


def sparse(linear=True):
    values = tensor("s", 1, (2,), data(9, bytes(range(8))))
    indices = struct.pack("<2q", 1, 5) if linear else struct.pack("<4q", 0, 1, 1, 2)
    index = tensor("i", 7, (2,) if linear else (2, 2), data(9, indices))
    return data(1, values) + data(2, index) + number(3, 2) + number(3, 3)


def branch(depth=1):
    graph = initializers(tensor("w", 1, (2,), data(9, bytes(8))))
    for _ in range(depth):
        graph = node("If", data(1, "then_branch") + data(6, graph), name="n")
    return graph


def constants():
    return (
        node("Constant", data(1, "value") + data(5, tensor("", 1, (1,), data(9, bytes(4)))), output="a")
        + node("Constant", data(1, "value_floats") + data(7, bytes(8)), output="b")
        + node("Constant", data(1, "value_int") + number(3, -3), output="c")
        + node("Constant", data(1, "value_ints") + number(8, 1) + data(8, b"\2\3"), output="d")
        + node("Constant", data(1, "sparse_value") + data(22, sparse()), output="e")
        + node("Op", data(1, "many") + data(10, tensor("", 2, (1,), data(9, b"x"))) * 2, domain="own")
    )


def function(name, calls):
    body = data(7, data(4, calls) + data(7, "own"))
    return data(25, data(1, name) + data(10, "own") + body)


def seeds():
    weight = tensor("w", 1, (2,), data(9, bytes(8)))
    yield "every_type", model(initializers(*every_type()))
    yield "typed", model(initializers(*typed()))
    yield "constants", model(constants())
    yield "branches", model(branch(3) + initializers(weight))
    yield "deep", model(branch(40))
    yield "sparse", model(data(15, sparse()) + data(15, sparse(False).replace(b"s", b"z")))
    yield "external", model(initializers(external("w", (2,), location="data", offset="1", length="2")))
    yield "escape", model(initializers(external("w", (2,), location="../data")))
    yield "memory", model(initializers(external("w", (2,), location="*/_ORT_MEM_ADDR_/*", offset="140")))
    yield "functions", model(initializers(weight), function("f", "g") + function("g", "h"))
    yield "recursion", model(initializers(weight), function("f", "g") + function("g", "f"))
    yield "training", model(initializers(weight), data(20, data(1, branch()) + data(2, branch())))
    yield "twice", model(initializers(weight)) + data(7, initializers(weight))
    yield "metadata", model(data(2, "g") + data(11, data(1, "x")), data(14, data(1, "key") + data(2, "ops.so")))
    yield "empty", model(initializers(tensor("w", 1, (0, 3))))
    yield "cut", model(initializers(weight))[:-20]
    yield "huge_length", number(1, 10) + varint(7 << 3 | 2) + varint((1 << 64) - 1)
    yield "complex", model(initializers(tensor("c", 15, (1,), data(9, bytes(16)))))


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "fuzz/corpus") / "onnx_model"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
