"""The command line of the suite: tools/bench."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from suite import machine, plots, protocol, report, results
from suite.model import Case, Row

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"
DOCUMENTS = ROOT / "docs"
EPILOG = """
Rows are run one by one; each result replaces that of the same row in OUT/result.json, so that a run may be
made in pieces. The tables and charts are made from that file alone.
"""


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/bench", description="Weighbridge beside every package it can be compared to.", epilog=EPILOG
    )
    run = parser.add_argument_group("what is run")
    run.add_argument("--only", default="", metavar="H2,S", help="rows whose names start like one of these")
    run.add_argument("--rounds", type=int, help="instead of 15, or 7 for cold files and saves")
    run.add_argument("--scale", type=float, default=1.0, help="of all sizes; less than 1 is a trial run")
    run.add_argument("--seed", type=int, help="of the order of the contenders")
    run.add_argument("--list", action="store_true", help="name the rows and their contenders, and run nothing")
    places = parser.add_argument_group("places")
    places.add_argument("--out", type=Path, default=BUILD / "bench" / "out", help="folder of results and charts")
    places.add_argument("--folder", type=Path, default=BUILD / "bench" / "files", help="on the disk to be measured")
    places.add_argument("--keep", action="store_true", help="keep the files of --folder for the next piece of the run")
    places.add_argument("--release", type=Path, default=BUILD / "release", help="a build with WEIGHBRIDGE_BUILD_BENCH")
    places.add_argument("--upstream", type=Path, default=BUILD / "upstream", help="where --build-upstream builds")
    other = parser.add_argument_group("instead of a run")
    other.add_argument("--report", type=Path, metavar="RESULT", help="print the tables of that file, draw its charts")
    other.add_argument("--update-docs", action="store_true", help="put all of it into docs/performance instead")
    other.add_argument("--build-upstream", action="store_true", help="build the reference's crate (needs cargo)")
    other.add_argument("--check", action="store_true", help="compare instruction counts with the baseline")
    other.add_argument("--update", action="store_true", help="with --check: write the baseline")
    return parser.parse_args(arguments)


def chosen(only: str) -> list[Row]:
    """The rows whose names start with one of the words."""
    from suite.rows import ROWS

    words = tuple(word for word in only.split(",") if word) or ("",)
    return [row for row in ROWS if row.id.startswith(words)]


def case_of(options: argparse.Namespace) -> Case:
    return Case(
        folder=options.folder.resolve() / f"scale-{options.scale:g}",
        scale=options.scale,
        native=options.release.resolve() / "bench" / "native" / "weighbridge_bench",
        upstream=options.upstream.resolve() / "target" / "release" / "upstream_bench",
        program=options.release.resolve() / "weighbridge",
    )


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def list_rows(rows: list[Row]) -> None:
    for row in rows:
        print(f"{row.id}: {row.title}")
        for contender in row.contenders:
            print(f"    {contender.name}{' (a limit of the machine)' if contender.ceiling else ''}")


def run(options: argparse.Namespace, rows: list[Row]) -> None:
    """Measures the rows, and stores each of them when it is done."""
    case, path = case_of(options), options.out / "result.json"
    case.folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(options.seed)
    try:
        with protocol.Zygotes() as zygotes:
            for row in rows:
                if not row.like:
                    measure(zygotes, row, case, options, chance, path)
    finally:
        if not options.keep:
            shutil.rmtree(options.folder, ignore_errors=True)


def measure(
    zygotes: protocol.Zygotes,
    row: Row,
    case: Case,
    options: argparse.Namespace,
    chance: random.Random,
    path: Path,
) -> None:
    """One row, and those that judge the same measurements by another metric."""
    from suite.rows import ROWS

    rounds = options.rounds or row.least_rounds
    outcomes = protocol.run_row(zygotes, row, case, rounds, chance, note)
    about = {**machine.describe(case.folder), "date": datetime.now(UTC).isoformat(timespec="minutes")}
    known = results.load(path)
    for judged in (row, *(other for other in ROWS if other.like == row.id)):
        record = results.record_of(judged, case, outcomes, rounds, about)
        known[judged.id] = record
        note(report.gates([record]))
    results.store(path, known, [other.id for other in ROWS])


def write_report(path: Path, *, update_docs: bool) -> None:
    """Prints the tables, and leaves them and the charts beside the results, or puts all of it into the documents."""
    if not path.exists():
        sys.exit(f"{path} is not there")
    rows = list(results.load(path).values())
    print(report.whole(rows))
    if update_docs:
        results.store(
            DOCUMENTS / "performance" / "result.json", {row["id"]: row for row in rows}, [r["id"] for r in rows]
        )
        report.update(DOCUMENTS / "performance.md", rows)
        draw(rows, DOCUMENTS / "performance", ("svg",))
    else:
        (path.parent / "report.md").write_text(report.whole(rows), encoding="utf-8")
        draw(rows, path.parent, ("svg", "png"))


def draw(rows: list[Any], folder: Path, kinds: tuple[str, ...]) -> None:
    try:
        plots.draw(rows, folder, kinds)
    except ImportError as error:
        note(f"no charts: {error}")


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    if options.build_upstream:
        from suite import upstream

        print(upstream.build(options.upstream.resolve()))
    elif options.check:
        from suite import counts

        return counts.check(case_of(options), update=options.update)
    elif options.list:
        list_rows(chosen(options.only))
    else:
        if options.report is None:
            run(options, chosen(options.only))
        write_report(options.report or options.out / "result.json", update_docs=options.update_docs)
    return 0
