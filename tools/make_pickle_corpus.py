#!/usr/bin/env python3
"""Writes the seeds of the fuzz target pickle_machine: harmless objects in every protocol.

Usage: make_pickle_corpus.py [FOLDER]
"""

import collections
import pathlib
import pickle
import sys

DEFAULT_FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fuzz" / "corpus" / "pickle_machine"


class Box:
    """An object with state; its class is never looked up by a reader."""

    def __init__(self):
        self.weights = [1.5, -2.0]


Box.__module__ = "__main__"


def objects():
    shared = ["tied"]
    ring = []
    ring.append(ring)
    ordered = collections.OrderedDict([("a", 1), ("b", 2)])
    return {
        "scalars": [None, True, False, 0, -1, 255, 65535, 2**31, -(2**31), 2**80, -(2**80), 0.1, float("inf")],
        "text": ["", "plain", "caf\u00e9 \u20ac \U0001f600 \\ \n", "x" * 300, b"", b"\x00\xff", bytearray(b"ab")],
        "containers": [[], (), {}, set(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {"k": [1]}, {1, 2}, frozenset([3])],
        "shared": [shared, shared, {"again": shared}],
        "ring": ring,
        "collections": [
            ordered,
            collections.defaultdict(list, a=[1]),
            collections.Counter("aab"),
            collections.deque([1, 2], 5),
        ],
        "objects": [Box(), complex(1, 2), slice(1, 2), range(3), pathlib.PurePosixPath("a/b")],
    }


def handmade():
    """Opcodes that today's pickle module never writes."""
    return {
        "persid": b"P12\n.",
        "binpersid": b"\x80\x02(X\x07\x00\x00\x00storagectorch\nFloatStorage\nU\x010U\x03cpuK\x04tQ.",
        "inst": b"(I1\nimine\nNet\n(dS'k'\nI01\nsb.",
        "obj": b"(cmine\nNet\nK\x01o}b.",
        "popped_mark": b"(K\x01(0l.",
        "getattr": b"c__builtin__\ngetattr\nctorch._utils\ntorch\nX\r\x00\x00\x00channels_last\x86R.",
        "latin1": b"c_codecs\nencode\nX\x02\x00\x00\x00\xc3\xa9X\x06\x00\x00\x00latin1\x86R.",
        "ordered_python2": b"ccollections\nOrderedDict\n((lp0\n(lp1\nS'a'\naI1\naatR.",
        "rebuild": b"ctorch._utils\n_rebuild_tensor_v2\n(NK\x00K\x02\x85K\x01\x85\x89NtR.",
        "newobj_ex": b"\x80\x04cmine\nNet\n)}\x8c\x01kNs\x92.",
        "long4": b"\x8b\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x00.",
        "readonly": b"\x96\x02\x00\x00\x00\x00\x00\x00\x00ab\x98.",
    }


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for name, value in objects().items():
            (folder / f"{name}_p{protocol}.pkl").write_bytes(pickle.dumps(value, protocol))
    for name, stream in handmade().items():
        (folder / f"{name}.pkl").write_bytes(stream)


if __name__ == "__main__":
    main()
