"""Medians, percentiles, intervals, and what may be concluded from them."""

from __future__ import annotations

import random
from statistics import median

import pytest
from suite.statistics import Estimate, estimate_median, estimate_ratio, percentile, quotient
from suite.verdict import FAILS, HOLDS, UNDECIDED, at_least, at_most


def test_percentiles_lie_on_the_line_between_neighbours() -> None:
    assert percentile([4, 1, 3, 2, 5], 0.5) == 3
    assert percentile([1, 2, 3, 4, 5], 0.1) == pytest.approx(1.4)
    assert percentile([1, 2, 3, 4, 5], 0.9) == pytest.approx(4.6)
    assert percentile([7], 0.9) == 7


def test_what_never_changes_has_an_interval_of_no_width() -> None:
    assert estimate_median([2.0] * 9) == Estimate(2.0, 2.0, 2.0)
    assert estimate_ratio([6.0] * 9, [2.0] * 9) == Estimate(3.0, 3.0, 3.0)


def test_the_ratio_is_that_of_the_medians() -> None:
    theirs, ours = [10.0, 11.0, 12.0, 500.0, 9.0], [1.0, 2.0, 3.0, 2.5, 1.5]
    ratio = estimate_ratio(theirs, ours)
    assert ratio.value == median(theirs) / median(ours)
    assert ratio.low <= ratio.value <= ratio.high


def test_one_slow_run_does_not_move_the_ratio() -> None:
    steady = [1.0 + i / 1000 for i in range(15)]
    disturbed = [*steady[:-1], 1000.0]
    assert estimate_ratio(disturbed, steady).value == pytest.approx(1.0, rel=0.01)
    assert estimate_ratio(disturbed, steady).high < 1.1


def test_the_interval_mostly_holds_the_true_ratio() -> None:
    """95 % of the intervals are to hold it; a bootstrap of a median over 15 samples comes close to that."""
    chance = random.Random(7)
    held = 0
    for trial in range(100):
        theirs = [chance.lognormvariate(1.0986, 0.2) for _ in range(15)]
        ours = [chance.lognormvariate(0.0, 0.2) for _ in range(15)]
        ratio = estimate_ratio(theirs, ours, seed=trial)
        held += ratio.low <= 3.0 <= ratio.high
    assert 88 <= held <= 100


def test_what_the_machine_does_to_both_in_a_round_is_no_difference_between_them() -> None:
    """Two states of the machine that come and go: in the slow one both take twice as long."""
    states = [1.0, 1.0, 2.0] * 5
    chance = random.Random(5)
    theirs = [3.0 * state * chance.lognormvariate(0, 0.01) for state in states]
    ours = [state * chance.lognormvariate(0, 0.01) for state in states]
    ratio = estimate_ratio(theirs, ours)
    assert 2.9 < ratio.low <= ratio.high < 3.1


def test_more_samples_give_a_narrower_interval() -> None:
    chance = random.Random(3)
    few = [chance.lognormvariate(0, 0.3) for _ in range(7)]
    many = few + [chance.lognormvariate(0, 0.3) for _ in range(200)]
    wide, narrow = estimate_median(few), estimate_median(many)
    assert narrow.high - narrow.low < (wide.high - wide.low) / 2


def test_nothing_at_all_is_infinitely_less_than_something() -> None:
    assert quotient(3, 0) == float("inf")
    assert quotient(0, 0) == 1


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(2.0, 3.0, HOLDS), (1.99, 3.0, UNDECIDED), (1.0, 2.0, UNDECIDED), (1.0, 1.99, FAILS)],
)
def test_a_gate_holds_by_the_low_end_and_fails_by_the_high_one(low: float, high: float, expected: str) -> None:
    assert at_least(Estimate((low + high) / 2, low, high), 2.0) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(1.0, 2.0, HOLDS), (1.0, 2.01, UNDECIDED), (2.0, 3.0, UNDECIDED), (2.01, 3.0, FAILS)],
)
def test_a_bound_holds_by_the_high_end_and_fails_by_the_low_one(low: float, high: float, expected: str) -> None:
    assert at_most(Estimate((low + high) / 2, low, high), 2.0) == expected
