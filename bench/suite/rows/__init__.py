"""All rows, in the order in which they are run and reported."""

from __future__ import annotations

from suite.model import Row
from suite.rows import cold, convert, cuda, header, load, ranks, save, tiny

ROWS: tuple[Row, ...] = (
    *header.ROWS,
    *load.ROWS,
    *cold.ROWS,
    *cuda.ROWS,
    *save.ROWS,
    *tiny.ROWS,
    *ranks.ROWS,
    *convert.ROWS,
)


def find(identity: str) -> Row:
    """The row of that name."""
    return next(row for row in ROWS if row.id == identity)
