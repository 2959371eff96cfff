"""Medians, percentiles, and intervals from a bootstrap."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

DRAWS = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A value and the interval that holds it with a confidence of 95 %."""

    value: float
    low: float
    high: float


def percentile(samples: Sequence[float], share: float) -> float:
    """The value below which `share` of the samples lie, between neighbours by straight line."""
    ordered = sorted(samples)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def bootstrap(value: float, draw: Callable[[], float], draws: int = DRAWS) -> Estimate:
    """`value` with the middle 95 % of what `draw` gives."""
    drawn = [draw() for _ in range(draws)]
    rest = (1 - CONFIDENCE) / 2
    return Estimate(value, percentile(drawn, rest), percentile(drawn, 1 - rest))


def estimate_median(samples: Sequence[float], seed: int = 1) -> Estimate:
    chance = random.Random(seed)
    return bootstrap(median(samples), lambda: median(chance.choices(samples, k=len(samples))))


def estimate_ratio(theirs: Sequence[float], ours: Sequence[float], seed: int = 1) -> Estimate:
    """How many times as much theirs takes: the ratio of the medians, of rounds that are drawn anew each time.

    A round gives a sample of each, taken within seconds: what the machine does to both of them for a while is
    drawn for both, so that it is not taken for a difference between them.
    """
    chance = random.Random(seed)
    rounds = list(zip(theirs, ours, strict=True))

    def draw() -> float:
        their_part, our_part = zip(*chance.choices(rounds, k=len(rounds)), strict=True)
        return quotient(median(their_part), median(our_part))

    return bootstrap(quotient(median(theirs), median(ours)), draw)


def quotient(above: float, below: float) -> float:
    """The ratio; where nothing at all was used it is without bounds, or 1."""
    if below == 0:
        return 1.0 if above == 0 else float("inf")
    return above / below
