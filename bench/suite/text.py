"""Numbers as a reader likes them."""

from __future__ import annotations

MIB = 2**20


def digits(number: float) -> str:
    """Three of them that count."""
    if number == float("inf"):
        return "∞"
    return f"{number:,.0f}".replace(",", " ") if abs(number) >= 100 else f"{number:.3g}"


def seconds(value: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if value * scale >= 1:
            return f"{digits(value * scale)} {unit}"
    return f"{digits(value * 1e9)} ns"


def mebibytes(value: float) -> str:
    return f"{digits(value / MIB)} MiB" if abs(value) >= MIB / 10 else f"{digits(value / 1024)} KiB"


def value(number: float, unit: str) -> str:
    """A number of that unit."""
    if unit == "s":
        return seconds(number)
    if unit == "B":
        return mebibytes(number)
    if unit.startswith("s a "):
        return f"{seconds(number)} {unit[2:]}"
    return f"{digits(number)}{unit}"


def count(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")
