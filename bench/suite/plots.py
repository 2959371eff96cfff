"""The charts, as SVG and PNG, out of a result file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Record = dict[str, Any]
OURS_COLOUR, THEIRS_COLOUR, CEILING_COLOUR = "#0b6e4f", "#6b7280", "#c2410c"
MIB = 2**20


def ratio_lines(rows: list[Record]) -> list[tuple[str, Record]]:
    """What the chart of ratios shows: a label and the judgement, for each ratio that there is."""
    return [
        (f"{row['id']} / {judged['against']}", judged)
        for row in rows
        for judged in row["judged"]
        if judged["kind"] == "ratio" and "estimate" in judged and not judged["per_byte"]
    ]


def draw_ratios(axes: Any, rows: list[Record]) -> None:
    """Ratios with their intervals, on a logarithmic axis; gates as bars, stretch figures as hollow ones."""
    lines = ratio_lines(rows)
    for place, (_, judged) in enumerate(lines):
        value, low, high = (judged["estimate"][key] for key in ("value", "low", "high"))
        colour = {"holds": OURS_COLOUR, "fails": CEILING_COLOUR}.get(judged["verdict"], THEIRS_COLOUR)
        axes.plot([low, high], [place, place], color=colour, linewidth=2)
        axes.plot(value, place, "o", color=colour, markersize=5)
        if judged["gate"]:
            axes.plot(judged["gate"], place, "|", color="black", markersize=11)
        if judged["stretch"]:
            axes.plot(judged["stretch"], place, "d", color="black", fillstyle="none", markersize=5)
    axes.axvline(1, color="black", linewidth=0.6)
    axes.set_xscale("log")
    axes.set_yticks(range(len(lines)), [label for label, _ in lines])
    axes.invert_yaxis()
    axes.set_xlabel("times as fast as theirs, with 95 % interval; | gate, ◇ stretch")


def contender_lines(rows: list[Record], wanted: Callable[[Record], bool]) -> list[tuple[str, Record]]:
    return [
        (f"{row['id']}  {contender['name']}", contender)
        for row in rows
        if wanted(row)
        for contender in row["contenders"]
        if "summary" in contender
    ]


def colour_of(contender: Record) -> str:
    if contender["ceiling"]:
        return CEILING_COLOUR
    return OURS_COLOUR if contender["name"].startswith("weighbridge") else THEIRS_COLOUR


def draw_times(axes: Any, rows: list[Record]) -> None:
    """The time of every contender, from its tenth to its ninetieth percentile."""
    lines = contender_lines(rows, lambda row: not row["like"])
    for place, (_, contender) in enumerate(lines):
        time = contender["summary"]["seconds"]
        axes.plot([time["p10"], time["p90"]], [place, place], color=colour_of(contender), linewidth=2)
        axes.plot(time["median"], place, "o", color=colour_of(contender), markersize=4)
    axes.set_xscale("log")
    axes.set_yticks(range(len(lines)), [label for label, _ in lines])
    axes.invert_yaxis()
    axes.set_xlabel("seconds: median, 10 % to 90 %")


def moves_much(row: Record) -> bool:
    """Whether the row loads or saves much, and is measured itself."""
    return row["id"][0] in "LCGSTX" and not row["like"]


def draw_memory(axes: Any, rows: list[Record]) -> None:
    """Private memory and resident peak of the rows that load or save much."""
    lines = contender_lines(rows, moves_much)
    for place, (_, contender) in enumerate(lines):
        summary = contender["summary"]
        peak = max(0.0, summary["peak_rss"]["median"]) / MIB
        private = max(0.0, summary["private_dirty"]["median"]) / MIB
        axes.barh(place, peak, color=colour_of(contender), alpha=0.3)
        axes.barh(place, private, color=colour_of(contender))
    axes.set_yticks(range(len(lines)), [label for label, _ in lines])
    axes.invert_yaxis()
    axes.set_xlabel("MiB: private when done (full), resident at the peak (light)")


CHARTS: dict[str, tuple[Callable[[Any, list[Record]], None], Callable[[list[Record]], int]]] = {
    "ratios": (draw_ratios, lambda rows: len(ratio_lines(rows))),
    "times": (draw_times, lambda rows: len(contender_lines(rows, lambda row: not row["like"]))),
    "memory": (draw_memory, lambda rows: len(contender_lines(rows, moves_much))),
}


def draw(rows: list[Record], folder: Path, kinds: tuple[str, ...] = ("svg", "png")) -> list[Path]:
    """Writes every chart in every kind. Needs matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "weighbridge", "font.size": 8})
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (chart, height) in CHARTS.items():
        figure, axes = plt.subplots(figsize=(8, 1 + 0.19 * height(rows)), layout="constrained")
        chart(axes, rows)
        axes.margins(y=0.01)
        axes.grid(axis="x", linewidth=0.4, alpha=0.5)
        for kind in kinds:
            path = folder / f"{name}.{kind}"
            figure.savefig(path, dpi=110, metadata={"Date": None} if kind == "svg" else None)
            written.append(path)
        plt.close(figure)
    return written
