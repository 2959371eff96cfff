"""From samples to what is said of them; everything that the report shows, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from suite import verdict
from suite.model import Bound, Case, Gate, Row
from suite.protocol import Outcome
from suite.statistics import Estimate, estimate_median, estimate_ratio, percentile

Record = dict[str, Any]


def values(outcome: Outcome, metric: str) -> list[float]:
    return [round(sample[metric], 9) for sample in outcome.samples]


def summary(samples: list[float]) -> dict[str, float]:
    return {"median": median(samples), "p10": percentile(samples, 0.1), "p90": percentile(samples, 0.9)}


def describe(outcome: Outcome, row: Row, case: Case) -> Record:
    """One contender: its samples, and the middle of each kind of them."""
    contender = next(c for c in row.contenders if c.name == outcome.name)
    record: Record = {
        "name": outcome.name,
        "ceiling": contender.ceiling,
        "status": outcome.status,
        "reason": outcome.reason,
        "digest": outcome.digest,
        "samples": {key: values(outcome, key) for key in outcome.samples[0]} if outcome.samples else {},
    }
    if contender.size is not None:
        record["bytes"] = contender.size(case)
    if outcome.samples:
        record["summary"] = {key: summary(found) for key, found in record["samples"].items()}
    return record


def same_outputs(row: Row, outcomes: list[Outcome]) -> bool:
    """Whether all that have been compared gave the same."""
    return not row.compared or len({outcome.digest for outcome in outcomes if outcome.digest is not None}) <= 1


def judge_gate(gate: Gate, row: Row, by_name: dict[str, Record]) -> Record:
    """The ratio of theirs to ours, and what it says about the gate."""
    record: Record = {"kind": "ratio", **asdict(gate)}
    sides = [by_name[gate.against], by_name[gate.ours]]
    missing = next((side for side in sides if side["status"] != "measured"), None)
    if missing is not None:
        return {**record, "verdict": verdict.MISSING, "reason": f"{missing['name']}: {missing['reason']}"}
    samples = [side["samples"][row.metric] for side in sides]
    if gate.per_byte:
        samples = [[value / side["bytes"] for value in found] for found, side in zip(samples, sides, strict=True)]
    ratio = estimate_ratio(*samples)
    return {**record, "estimate": asdict(ratio), **verdicts(ratio, gate.gate, gate.stretch, verdict.at_least)}


def judge_bound(bound: Bound, row: Row, case: Case, by_name: dict[str, Record]) -> Record:
    """The value of ours, and what it says about the bound."""
    record: Record = {"kind": "bound", **asdict(bound)}
    ours = by_name[bound.ours]
    if ours["status"] != "measured":
        return {**record, "verdict": verdict.MISSING, "reason": f"{ours['name']}: {ours['reason']}"}
    value = estimate_median([sample / row.per(case) for sample in ours["samples"][row.metric]])
    return {**record, "estimate": asdict(value), **verdicts(value, bound.gate, bound.stretch, verdict.at_most)}


def verdicts(value: Estimate, gate: float | None, stretch: float | None, rule: Any) -> Record:
    return {
        "verdict": verdict.UNASKED if gate is None else rule(value, gate),
        "stretch_verdict": None if stretch is None else rule(value, stretch),
    }


def judge(row: Row, case: Case, outcomes: list[Outcome]) -> list[Record]:
    by_name = {outcome.name: describe(outcome, row, case) for outcome in outcomes}
    same = same_outputs(row, outcomes)

    def judged(wish: Gate | Bound) -> Record:
        if isinstance(wish, Gate):
            return judge_gate(wish, row, by_name)
        return judge_bound(wish, row, case, by_name)

    different = {} if same else {"verdict": verdict.DIFFERS, "stretch_verdict": None}
    return [{**judged(wish), **different} for wish in row.judged]


def record_of(row: Row, case: Case, outcomes: list[Outcome], rounds: int, about: Record) -> Record:
    """All that is kept of a row."""
    return {
        "id": row.id,
        "title": row.title,
        "metric": row.metric,
        "unit": row.unit,
        "per": row.per(case),
        "cold": row.cold,
        "like": row.like,
        "scale": case.scale,
        "rounds": rounds,
        "least_rounds": row.least_rounds,
        "same_outputs": same_outputs(row, outcomes),
        "about": about,
        "contenders": [describe(outcome, row, case) for outcome in outcomes],
        "judged": judge(row, case, outcomes),
    }


def load(path: Path) -> dict[str, Record]:
    """The rows of a result file by their names; none when there is no file."""
    if not path.exists():
        return {}
    rows: list[Record] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return {row["id"]: row for row in rows}


def store(path: Path, rows: dict[str, Record], order: list[str]) -> None:
    """Writes the rows in the order of the suite, each on a line of its own."""
    lines = ",\n".join(json.dumps(rows[identity]) for identity in order if identity in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{{"format": 1, "rows": [\n{lines}\n]}}\n', encoding="utf-8")
