"""From samples to verdicts, tables, charts and the page of the documents."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from suite import cli, plots, report, results, rows
from suite.model import OURS, Bound, Case, Contender, Gate, Row
from suite.protocol import Outcome

ABOUT = {
    "processor": "a processor",
    "cores": 2,
    "memory_gib": 24.0,
    "kernel": "6.18",
    "file_system": "ext4",
    "read_ahead_kb": "128",
    "transparent_huge_pages": "madvise",
    "python": "3.11",
    "packages": {"weighbridge": "0.1.0", "safetensors": "0.8.0"},
    "date": "2026-01-01T00:00+00:00",
}
COUNTERS = ("cpu", "minor_faults", "private_dirty", "pss", "rss", "peak_rss", "read_bytes", "read_calls_bytes")
COSTS = dict.fromkeys(COUNTERS, 1.0)
CASE = Case(Path("files"))


def outcome(name: str, seconds: list[float], **more: Any) -> Outcome:
    samples = [{"seconds": value, **COSTS, "written_bytes": 0, "teardown": 0.0, "cached": 1.0} for value in seconds]
    return Outcome(name, samples=samples, **more)


def row(*judged: Gate | Bound, names: tuple[str, ...] = (OURS, "peer"), **more: Any) -> Row:
    return Row("Z1", "a workload", tuple(map(Contender, names)), lambda case: [], judged, **more)


def record(chosen: Row, *outcomes: Outcome) -> dict[str, Any]:
    return results.record_of(chosen, CASE, list(outcomes), 3, ABOUT)


def test_a_gate_is_judged_by_the_ratio_of_medians() -> None:
    found = record(row(Gate("peer", 3, 10)), outcome(OURS, [1, 1, 1]), outcome("peer", [5, 5, 5]))["judged"][0]
    assert found["estimate"] == {"value": 5.0, "low": 5.0, "high": 5.0}
    assert (found["verdict"], found["stretch_verdict"]) == ("holds", "fails")


def test_a_ratio_without_a_gate_is_shown_and_not_judged(tmp_path: Path) -> None:
    found = record(row(Gate("peer")), outcome(OURS, [2, 2, 2]), outcome("peer", [1, 1, 1]))
    assert found["judged"][0]["estimate"]["value"] == 0.5
    assert "| 1 s | 2 s | **0.5x** (0.5 - 0.5) | - | - | - |" in report.gates([found])
    assert report.unreached([found], {}) == "Every gate holds, and every stretch figure is reached."
    plots.draw([found], tmp_path, ("svg",))
    assert (tmp_path / "ratios.svg").exists()


def test_a_bound_is_judged_by_the_median_in_its_unit() -> None:
    chosen = row(Bound(2.0, 0.5), metric="pss", unit="x", per=lambda case: 0.8)
    found = record(chosen, outcome(OURS, [1, 1, 1]))["judged"][0]
    assert found["estimate"]["value"] == 1.25
    assert (found["verdict"], found["stretch_verdict"]) == ("holds", "fails")


def test_a_byte_of_one_input_is_compared_with_a_byte_of_the_other() -> None:
    chosen = row(Gate("peer", 0.5, per_byte=True))
    ours, peer = chosen.contenders
    sized = replace(chosen, contenders=(replace(ours, size=lambda case: 400), replace(peer, size=lambda case: 100)))
    found = record(sized, outcome(OURS, [8, 8]), outcome("peer", [1, 1]))["judged"][0]
    assert found["estimate"]["value"] == 0.5
    assert found["verdict"] == "holds"


def test_a_missing_peer_is_shown_as_missing() -> None:
    missing = Outcome("peer", status="missing", reason="No module named 'peer'")
    found = record(row(Gate("peer", 3)), outcome(OURS, [1, 1]), missing)
    assert found["judged"][0]["verdict"] == "missing"
    assert "estimate" not in found["judged"][0]
    tables = report.sections([found])
    assert "| missing | 1 s | - | ≥ 3x | - | missing |" in tables["gates"]
    assert tables["absent"] == "- Z1: peer missing (No module named 'peer')"
    assert "No module named 'peer'" in tables["costs"]


def test_a_peer_that_fails_in_the_middle_is_not_judged_by_what_came_before() -> None:
    failed = outcome("peer", [9], status="failed", reason="its process ended")
    found = record(row(Gate("peer", 3)), outcome(OURS, [1, 1, 1]), failed)
    assert (found["judged"][0]["verdict"], found["judged"][0]["reason"]) == ("missing", "peer: its process ended")


def test_different_outputs_are_no_result() -> None:
    found = record(row(Gate("peer", 1)), outcome(OURS, [1, 1], digest="a"), outcome("peer", [9, 9], digest="b"))
    assert not found["same_outputs"]
    assert found["judged"][0]["verdict"] == "outputs differ"
    assert "outputs differ" in report.gates([found])


def test_every_contender_has_its_costs_in_a_line() -> None:
    found = record(row(Gate("peer", 1)), outcome(OURS, [0.001, 0.002, 0.003]), outcome("peer", [2, 2, 2]))
    lines = report.costs([found]).splitlines()
    assert len(lines) == 2 + 2
    assert lines[2].startswith("| Z1 | weighbridge | 2 ms (1.2 ms - 2.8 ms) | 1 s |")
    assert all(line.count("|") == lines[0].count("|") for line in lines)


def test_fewer_rounds_than_the_protocol_asks_for_are_told() -> None:
    found = record(row(Gate("peer", 1)), outcome(OURS, [1]), outcome("peer", [1]))
    assert "Trial runs, with fewer rounds or smaller files: Z1." in report.rounds([found])
    assert "Trial" not in report.rounds([{**found, "rounds": 15}])


def test_what_is_not_reached_is_listed_with_its_reason() -> None:
    found = record(row(Gate("peer", 3, 10)), outcome(OURS, [1, 1, 1]), outcome("peer", [5, 5, 5]))
    text = report.unreached([found], {"Z1": "Memory is the limit."})
    assert text == "- **Z1**, peer: **5x** (5 - 5), stretch ≥ 10x fails. Memory is the limit."
    reached = record(row(Gate("peer", 3, 4)), outcome(OURS, [1, 1, 1]), outcome("peer", [5, 5, 5]))
    assert report.unreached([reached], {}) == "Every gate holds, and every stretch figure is reached."


def test_results_are_merged_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    found = record(row(Gate("peer", 1)), outcome(OURS, [1]), outcome("peer", [1]))
    results.store(path, {"B": {**found, "id": "B"}, "A": {**found, "id": "A"}}, ["A", "B"])
    assert [entry["id"] for entry in json.loads(path.read_text())["rows"]] == ["A", "B"]
    assert results.load(path)["A"] == {**found, "id": "A"}


def test_parts_of_a_page_are_replaced_between_their_markers() -> None:
    start, end = report.START.format("gates"), report.END.format("gates")
    page = f"before\n{start}\nold\n{end}\nafter\n"
    new = report.splice(page, {"gates": "new"})
    assert new == f"before\n{start}\n\nnew\n\n{end}\nafter\n"
    assert report.splice(new, {"gates": "new"}) == new
    with pytest.raises(ValueError, match="no place for 'costs'"):
        report.splice(page, {"costs": "new"})


def test_charts_are_drawn_of_whatever_rows_there_are(tmp_path: Path) -> None:
    chosen = row(Gate("peer", 2, 8), Gate("nobody", 2), names=(OURS, "peer", "nobody"))
    nobody = Outcome("nobody", status="missing")
    found = record(chosen, outcome(OURS, [1, 2, 1]), outcome("peer", [5, 6, 7]), nobody)
    written = plots.draw([found], tmp_path)
    assert sorted(path.name for path in written) == [
        f"{name}.{kind}" for name in ("memory", "ratios", "times") for kind in ("png", "svg")
    ]
    text = "".join(ElementTree.parse(tmp_path / "ratios.svg").getroot().itertext())
    assert "Z1 / peer" in text
    assert "Z1 / nobody" not in text


def test_the_suite_has_every_row_of_the_plan_and_each_is_judged() -> None:
    found = {chosen.id.split()[0] for chosen in rows.ROWS}
    plan = {"H": 5, "L": 5, "C": 3, "G": 1, "S": 7, "T": 2, "M": 1, "X": 1}
    assert found == {f"{kind}{number}" for kind, last in plan.items() for number in range(1, last + 1)}
    assert len({chosen.id for chosen in rows.ROWS}) == len(rows.ROWS)
    for chosen in rows.ROWS:
        names = {contender.name for contender in chosen.contenders}
        assert len(names) == len(chosen.contenders)
        assert chosen.judged
        for wish in chosen.judged:
            assert wish.ours in names
            assert not isinstance(wish, Gate) or wish.against in names


def test_rows_are_chosen_by_how_their_names_start() -> None:
    assert [chosen.id for chosen in cli.chosen("H2,S5")] == ["H2", "S5", "S5 torch"]
    assert cli.chosen("") == list(rows.ROWS)


def test_the_page_of_the_documents_shows_the_results_that_lie_beside_it() -> None:
    """Tables are made by tools/bench --report docs/performance/result.json --update-docs, and never by hand."""
    page = (cli.ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    found = list(results.load(cli.ROOT / "docs" / "performance" / "result.json").values())
    assert report.splice(page, report.sections(found)) == page
    for name in plots.CHARTS:
        assert (cli.ROOT / "docs" / "performance" / f"{name}.svg").exists()
        assert f"performance/{name}.svg" in page
