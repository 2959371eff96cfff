"""What may be said about a gate: that it holds, that it fails, or neither."""

from __future__ import annotations

from suite.statistics import Estimate

HOLDS, FAILS, UNDECIDED, MISSING, DIFFERS = "holds", "fails", "undecided", "missing", "outputs differ"
UNASKED = "-"  # There is no gate.


def at_least(ratio: Estimate, gate: float) -> str:
    """Holds only when the whole interval reaches the gate, and fails only when none of it does."""
    if ratio.low >= gate:
        return HOLDS
    return FAILS if ratio.high < gate else UNDECIDED


def at_most(value: Estimate, gate: float) -> str:
    """The same for a value that is to stay below the gate."""
    if value.high <= gate:
        return HOLDS
    return FAILS if value.low > gate else UNDECIDED
