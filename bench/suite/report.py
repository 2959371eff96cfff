"""The tables, in Markdown, out of a result file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from suite import text, verdict

Record = dict[str, Any]
REASONS = Path(__file__).resolve().parent.parent / "reasons.json"
START, END = "<!-- {}: written by tools/bench -->", "<!-- end of {} -->"


def load_reasons() -> dict[str, str]:
    """Why figures are not reached, by row: written by hand after a run, shown only where it applies."""
    found: dict[str, str] = json.loads(REASONS.read_text(encoding="utf-8"))
    return found


def row_of(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def table(titles: list[str], rows: list[list[str]]) -> str:
    return "\n".join([row_of(titles), row_of(["---"] * len(titles)), *map(row_of, rows)])


def by_name(row: Record) -> dict[str, Record]:
    return {contender["name"]: contender for contender in row["contenders"]}


def median_text(row: Record, name: str) -> str:
    """The middle of the row's metric for one contender."""
    contender = by_name(row)[name]
    if "summary" not in contender:
        return contender["status"]
    return text.value(contender["summary"][row["metric"]]["median"] / row["per"], row["unit"])


def estimate_text(judged: Record, unit: str) -> str:
    """The value and its interval."""
    if "estimate" not in judged:
        return "-"
    low, middle, high = (judged["estimate"][key] for key in ("low", "value", "high"))
    if judged["kind"] == "ratio":
        return f"**{text.digits(middle)}x** ({text.digits(low)} - {text.digits(high)})"
    return f"**{text.value(middle, unit)}** ({text.value(low, unit)} - {text.value(high, unit)})"


def wish_text(judged: Record, key: str, unit: str) -> str:
    """A gate or a stretch figure, as it is asked for."""
    if judged[key] is None:
        return "-"
    if judged["kind"] == "ratio":
        return f"≥ {text.digits(judged[key])}x"
    return f"≤ {text.value(judged[key], unit)}"


def stretch_text(judged: Record, unit: str) -> str:
    wish = wish_text(judged, "stretch", unit)
    reached = judged.get("stretch_verdict")
    return wish if reached in (None, verdict.FAILS) else f"{wish}, {reached}"


def against_text(judged: Record) -> str:
    """Who ours is compared with, and in which way, or nothing where a bound is kept."""
    if not judged.get("against"):
        return ""
    details = (", a byte" if judged.get("per_byte") else "") + (f", {judged['when']}" if judged.get("when") else "")
    return f"{judged['against']}{details}"


def judged_cells(row: Record, judged: Record) -> list[str]:
    against = judged.get("against")
    return [
        row["id"],
        row["title"],
        against_text(judged) or "-",
        median_text(row, against) if against else "-",
        median_text(row, judged["ours"]),
        estimate_text(judged, row["unit"]),
        wish_text(judged, "gate", row["unit"]),
        stretch_text(judged, row["unit"]),
        judged["verdict"],
    ]


def gates(rows: list[Record]) -> str:
    """A line for everything that is asked of a row."""
    titles = ["", "workload", "compared with", "theirs", "Weighbridge", "ratio", "gate", "stretch", "verdict"]
    return table(titles, [judged_cells(row, judged) for row in rows for judged in row["judged"]])


def cost_cells(row: Record, contender: Record) -> list[str]:
    """What a contender used beside its time."""
    first = [row["id"], f"*{contender['name']}*" if contender["ceiling"] else contender["name"]]
    if "summary" not in contender:
        return [*first, f"{contender['status']}: {contender['reason']}", *["-"] * 8]
    found = {key: summary["median"] for key, summary in contender["summary"].items()}
    time = contender["summary"]["seconds"]
    span = f"{text.seconds(time['median'])} ({text.seconds(time['p10'])} - {text.seconds(time['p90'])})"
    return [
        *first,
        span,
        text.seconds(found["cpu"]),
        text.mebibytes(found["private_dirty"]),
        text.mebibytes(found["pss"]),
        text.mebibytes(found["peak_rss"]),
        text.count(found["minor_faults"]),
        text.mebibytes(found["read_bytes"]),
        text.mebibytes(found["read_calls_bytes"]),
        text.seconds(found["teardown"]),
    ]


def costs(rows: list[Record]) -> str:
    """A line for every contender of every row."""
    titles = [
        *("", "contender", "time: median (p10 - p90)", "processor time", "private", "PSS", "resident, peak"),
        *("minor faults", "from the device", "by read calls", "teardown"),
    ]
    measured = [row for row in rows if not row["like"]]
    return table(titles, [cost_cells(row, contender) for row in measured for contender in row["contenders"]])


def absent(rows: list[Record]) -> str:
    """Who could not be measured, and why: these are compared with nobody."""
    lines = sorted(
        {
            f"- {row['id']}: {contender['name']} {contender['status']} ({contender['reason']})"
            for row in rows
            for contender in row["contenders"]
            if contender["status"] != "measured"
        }
    )
    return "\n".join(lines) or "All contenders were measured."


def unreached(rows: list[Record], reasons: dict[str, str]) -> str:
    """Every gate and stretch figure that was not shown to be reached, and the reason that is known."""
    if not rows:
        return "Nothing was measured."
    lines = []
    for row in rows:
        missed = [missed_text(row, judged) for judged in row["judged"] if missed_text(row, judged)]
        if missed:
            lines.append(f"- **{row['id']}**, {'; '.join(missed)}. {reasons.get(row['id'], 'No reason is known yet.')}")
    return "\n".join(lines) or "Every gate holds, and every stretch figure is reached."


def missed_text(row: Record, judged: Record) -> str:
    """What of one judgement was not shown to be reached, or nothing."""
    asked = [
        f"{kind} {wish_text(judged, kind, row['unit'])} {judged[key]}"
        for kind, key in (("gate", "verdict"), ("stretch", "stretch_verdict"))
        if judged[kind] is not None and judged.get(key) not in (verdict.HOLDS, None)
    ]
    if not asked:
        return ""
    against = f"{against_text(judged)}: " if judged.get("against") else ""
    return f"{against}{estimate_text(judged, row['unit'])}, {', '.join(asked)}"


def machines(rows: list[Record]) -> str:
    """The machine, in a sentence for each that there was."""
    lines = []
    for about in (row["about"] for row in rows):
        versions = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
        line = (
            f"{about['cores']} cores of {about['processor']}, {about['memory_gib']} GiB, Linux {about['kernel']}, "
            f"{about['file_system']}, read-ahead {about['read_ahead_kb']} KiB, transparent huge pages "
            f"{about['transparent_huge_pages']}. Python {about['python']}, {versions}."
        )
        if line not in lines:
            lines.append(line)
    return "\n\n".join(lines)


def rounds(rows: list[Record]) -> str:
    """How often each row was measured, and which of them less often than the protocol asks for."""
    if not rows:
        return "Nothing was measured."
    fewer = [row["id"] for row in rows if row["rounds"] < row["least_rounds"] or row["scale"] != 1]
    least, most = min(row["rounds"] for row in rows), max(row["rounds"] for row in rows)
    span = f"{least}" if least == most else f"{least} to {most}"
    told = f"Each row: {span} rounds, and one before that is not counted."
    return f"{told} Trial runs, with fewer rounds or smaller files: {', '.join(fewer)}." if fewer else told


def sections(rows: list[Record], reasons: dict[str, str] | None = None) -> dict[str, str]:
    """The generated parts of docs/performance.md by their names."""
    return {
        "machine": f"{machines(rows)}\n\n{rounds(rows)}",
        "gates": gates(rows),
        "costs": costs(rows),
        "absent": absent(rows),
        "unreached": unreached(rows, load_reasons() if reasons is None else reasons),
    }


def whole(rows: list[Record]) -> str:
    return "\n\n".join(sections(rows).values()) + "\n"


def splice(page: str, parts: dict[str, str]) -> str:
    """The page with each part between its markers. Raises ValueError when the page lacks one."""
    for name, part in parts.items():
        start, end = START.format(name), END.format(name)
        if page.count(start) != 1 or page.count(end) != 1:
            raise ValueError(f"the page has no place for '{name}': it needs {start} and {end} once")
        before, _, rest = page.partition(start)
        page = f"{before}{start}\n\n{part}\n\n{end}{rest.partition(end)[2]}"
    return page


def update(path: Path, rows: list[Record]) -> None:
    path.write_text(splice(path.read_text(encoding="utf-8"), sections(rows)), encoding="utf-8")
