"""Changing the header of a file that exists."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from . import _native, _save
from ._save import Durable


class EditReport(NamedTuple):
    """What an edit did."""

    changed: bool
    """False when the header was as wanted already."""
    in_place: bool
    """The file was changed where it lies."""
    bytes_written: int
    """Of the whole file after a rewrite."""
    why: str = ""
    """The reason for the way it was done; empty when nothing changed."""


def edit_header(
    path: str | os.PathLike[str],
    *,
    metadata: Mapping[str, str | None] | None = None,
    rename: Mapping[str, str] | None = None,
    clear: bool = False,
    slack: int = 0,
    insert: bool = False,
    rewrite: bool = True,
    durable: Durable = False,
) -> EditReport:
    """Gives metadata keys other values, and tensors other names (``{old: new}``, all at once: names can be exchanged).

    A value of None removes the key; ``clear`` first removes all others. Tensors and their bytes stay. At every moment,
    even when the process is killed, there is the old file or the new
    one: the header is changed in place where one write that nothing can tear does it, and otherwise a new file, its
    data copied inside the kernel, replaces the old one. ``slack`` spaces are then kept free for the next edit;
    ``rewrite=False`` raises SafetensorError instead. ``insert=True``
    lets the file system insert blocks for a longer header (ext4, XFS), which takes as long for a file of any size; a
    process killed in the microseconds between the insertion and the write of the header leaves a file that every
    reader refuses, until the next call for it has finished the edit. Files with several hard links, and those that
    anybody else has open or mapped, are rewritten instead. ``durable`` is that of :func:`weighbridge.numpy.save_file`.

    Metadata that mention a tensor, and the index of several files, keep the name that they have. Raises SafetensorError
    for a file that is not sound, for a tensor that is not there and for a name that two tensors would have; OSError,
    and TypeError for what is not str.
    """
    changes = metadata or {}
    wanted = {key: value for key, value in changes.items() if value is not None}
    unset = [key for key, value in changes.items() if value is None]
    renames = list((rename or {}).items())
    durability = _save.durability(durable)
    return EditReport(*_native.edit_header(path, wanted, unset, renames, clear, slack, insert, rewrite, durability))


def edit_metadata(
    path: str | os.PathLike[str],
    changes: Mapping[str, str | None],
    *,
    clear: bool = False,
    slack: int = 0,
    insert: bool = False,
    rewrite: bool = True,
    durable: Durable = False,
) -> EditReport:
    """:func:`edit_header` for the metadata alone."""
    return edit_header(
        path, metadata=changes, clear=clear, slack=slack, insert=insert, rewrite=rewrite, durable=durable
    )
