"""Every test that docs/formats/pitfalls.md names is there, and every row names one."""

from __future__ import annotations

import re
from pathlib import Path

from make_cases import CASES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/formats/pitfalls.md").read_text()


def rows() -> list[tuple[str, str]]:
    lines = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("|")]
    return [(pitfall, held) for pitfall, held in lines if pitfall.strip() not in ("Pitfall", "---")]


def known() -> set[str]:
    """All that can stand in the table."""
    names = {case.id for case in CASES}
    for file in (ROOT / "tests").rglob("*_test.cpp"):
        tests = re.findall(r"^TEST(?:_[FP])?\((\w+), (\w+)\)", file.read_text(), re.M)
        names |= {f"{suite}.{test}" for suite, test in tests} | {suite for suite, _ in tests}
    for file in (ROOT / "tests").rglob("test_*.py"):
        names |= {f"{file.name}::{test}" for test in re.findall(r"^def (test_\w+)", file.read_text(), re.M)}
    names |= {f"fuzz:{file.stem}" for file in (ROOT / "fuzz").glob("*.cpp")}
    return names


def test_every_row_names_tests() -> None:
    assert rows()
    assert [pitfall for pitfall, held in rows() if "`" not in held] == []


def test_every_test_exists() -> None:
    wanted = {name for _, held in rows() for name in re.findall(r"`([^`]+)`", held)}
    assert sorted(name for name in wanted - known() if "/" not in name and name != ".pt") == []
