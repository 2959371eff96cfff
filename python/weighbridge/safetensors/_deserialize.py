"""``deserialize``, and the loading from bytes that is built on the same file in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _native
from ._errors import reference_header_errors

if TYPE_CHECKING:
    from typing_extensions import Buffer


def open_bytes(data: Buffer) -> _native.File:
    """The file in ``data``, which may be any object with the buffer protocol."""
    with reference_header_errors("Error while deserializing"):
        return _native.File.open_buffer(data)


def deserialize(bytes: Buffer) -> list[tuple[str, dict[str, Any]]]:
    """All tensors of a file in memory as ``(name, {"shape", "dtype", "data"})``, in order of their offsets.

    ``shape`` is a list of ints, ``dtype`` what the format calls it, ``data`` a bytearray of its own. Raises
    SafetensorError.
    """
    file = open_bytes(bytes)
    return [
        (name, {"shape": list(shape), "dtype": code, "data": bytearray(file.view(number))})
        for number, (name, code, shape) in enumerate(file.table())
    ]
