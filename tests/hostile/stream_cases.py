"""Cases 57 to 60: legacy streams whose parts contradict one another."""

from __future__ import annotations

import struct

from case import DANGEROUS, Case
from checkpoints import FOUR_FLOATS, WEIGHT, Tensors, legacy, legacy_storage, record, tensor
from pickles import call, dump, name

CHECKPOINT = ("MalformedCheckpoint",)

COMPUTED_MAGIC = dump(call(name("builtins", "eval"), "0x1950a86a20f9469cfc6c"))


def viewed(*views: object, shape: tuple[int, ...] = (2,)) -> bytes:
    """One tensor a view of storage 0."""
    state = {f"v{i}": tensor(legacy_storage("0", 4, view), shape) for i, view in enumerate(views)}
    return legacy(state)


def view_of_view() -> bytes:
    view = legacy_storage("0", 4, ("v", 0, 2))
    return legacy({"a": tensor(view, (2,)), "b": tensor(legacy_storage("v", 2, ("w", 0, 1)), (1,))})


def two_storages(*keys: str) -> bytes:
    """Storages 0 and 1 in the order of `keys`; each holds its own number four times."""
    state = {"zero": tensor(legacy_storage("0")), "one": tensor(legacy_storage("1"))}
    return legacy(state, keys, [record(struct.pack("<4f", *[float(key)] * 4)) for key in keys])


ZERO_ONE: Tensors = {
    "zero": ("F32", [2, 2], bytes(16)),
    "one": ("F32", [2, 2], struct.pack("<4f", 1, 1, 1, 1)),
}
HALVES: Tensors = {"v0": ("F32", [2], FOUR_FLOATS[:8]), "v1": ("F32", [2], FOUR_FLOATS[8:])}

LEGACY_CASES = [
    Case(57, "computed-magic", "a magic number that eval is to come up with", lambda: legacy(magic=COMPUTED_MAGIC),
         ("DangerousContent",), scan=DANGEROUS),
    Case(57, "honest", "the magic number itself", legacy, tensors=WEIGHT),
    Case(58, "missing", "a storage that is not in the list", lambda: legacy(keys=(), records=()), CHECKPOINT),
    Case(58, "extra", "a storage in the list that nobody uses",
         lambda: legacy(keys=("0", "9"), records=(record(), record())), tensors=WEIGHT, findings=("TrailingBytes",)),
    Case(58, "duplicate", "a storage that is listed twice",
         lambda: legacy(keys=("0", "0"), records=(record(), record())), CHECKPOINT),
    Case(58, "unsorted", "storages in an order of their own", lambda: two_storages("1", "0"), tensors=ZERO_ONE),
    Case(59, "count", "more elements than the pickle says", lambda: legacy(records=(record(count=8),)), CHECKPOINT),
    Case(59, "negative", "-1 elements", lambda: legacy(records=(record(count=-1),)), CHECKPOINT),
    Case(59, "cut", "the end in the middle of a storage", lambda: legacy(records=(record()[:-4],)), CHECKPOINT),
    Case(59, "no-count", "the end before a storage", lambda: legacy(records=()), CHECKPOINT),
    Case(60, "past-end", "a view beyond its storage", lambda: viewed(("v", 2, 4)), CHECKPOINT),
    Case(60, "overflow", "a view that ends at 2^64", lambda: viewed(("v", (1 << 63) - 1, (1 << 63) - 1)), CHECKPOINT),
    Case(60, "negative", "a view from element -1 on", lambda: viewed(("v", -1, 2)), CHECKPOINT),
    Case(60, "view-of-view", "a view that is a storage of views", view_of_view, CHECKPOINT),
    Case(60, "two-ranges", "one view that is two ranges", lambda: viewed(("v", 0, 2), ("v", 2, 2)), CHECKPOINT),
    Case(60, "two-views", "two views, each of its own half", lambda: viewed(("v", 0, 2), ("w", 2, 2)), tensors=HALVES),
]  # fmt: skip
