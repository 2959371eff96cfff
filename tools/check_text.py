#!/usr/bin/env python3
"""Sources are plain text that is true everywhere.

No invisible characters, tabs or trailing space, no paths of somebody's machine, no marks of unfinished work;
every folder of the library has its tests, and all of them are built; documents that are named are there; .ci/run calls
the test command of the README.
"""

from __future__ import annotations

import re
from pathlib import Path

from project_files import ROOT, files, finish, name_of

SOURCES = (".hpp", ".cpp", ".h", ".py", ".cmake", "CMakeLists.txt", ".sh", ".in")
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
MACHINE_PATH = re.compile(r"""(?<![\w.$}*])/(tmp|work|root|home)/[a-z]""")
# A relative link of a document, and a document as comments name it.
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
DOCUMENT = re.compile(r"\bdocs/[\w/]+\.md\b")
# The CLI is tested from outside: tests/cli/golden.
TESTED_FROM_OUTSIDE = {"cli"}
# Through conversions and the C interface, both of which go from file to file.
TESTED_ELSEWHERE = {Path("formats/safetensors")}


def line_problems(line: str) -> list[str]:
    """What is wrong with one line of a source."""
    found: list[str] = []
    if not line.isprintable() and "\t" not in line:
        odd = next(c for c in line if not c.isprintable())
        found.append(f"U+{ord(odd):04X} cannot be seen")
    if line != line.rstrip():
        found.append("trailing space")
    if "\t" in line:
        found.append("a tab")
    if mark := UNFINISHED.search(line):
        found.append(f"{mark[1]}: finish it, or file an issue")
    if path := MACHINE_PATH.search(line):
        found.append(f"{path[0]}... is a path of one machine")
    return found


def has_tests(folder: Path) -> bool:
    """Whether tests/a/b/x_test.cpp or tests/a/b_x_test.cpp exists for src/a/b."""
    tests = ROOT / "tests" / folder
    return any(tests.glob("*_test.*")) or any(tests.parent.glob(f"{tests.name}_*_test.*"))


def untested_folders() -> list[str]:
    """Folders of src/ without tests in the same place of tests/."""
    folders = {path.parent.relative_to(ROOT / "src") for path in files(".cpp", below="src")}
    tested = {f for f in folders if has_tests(f)}
    missing = sorted(f for f in folders - tested - TESTED_ELSEWHERE if f.parts[0] not in TESTED_FROM_OUTSIDE)
    return [f"src/{folder}: has no tests in tests/{folder}" for folder in missing]


def unlisted_tests() -> list[str]:
    """Test files that no CMakeLists.txt of their folder names: they never run."""
    return [
        f"{name_of(path)}: is not in the CMakeLists.txt beside it"
        for path in files("_test.cpp", "_test.c", below="tests")
        if path.name not in (path.parent / "CMakeLists.txt").read_text(encoding="utf-8")
    ]


def unguarded_headers() -> list[str]:
    """Headers that may not be included twice."""
    return [
        f"{name_of(path)}: has no #pragma once"
        for path in files(".hpp")
        if "#pragma once" not in path.read_text(encoding="utf-8").splitlines()
    ]


def broken_references() -> list[str]:
    """Links between documents, and documents named in sources, that lead nowhere."""
    problems: list[str] = []
    for path in files(".md", ".hpp", ".cpp"):
        text = path.read_text(encoding="utf-8")
        found = [path.parent / link for link in LINK.findall(text)] if path.suffix == ".md" else []
        found += [ROOT / name for name in DOCUMENT.findall(text)]
        missing = {target for target in found if not target.resolve().exists()}
        problems += [f"{name_of(path)}: names {target.name}, which is not there" for target in sorted(missing)]
    return problems


def ci_problems() -> list[str]:
    """.ci/run is the test command that the README gives."""
    command = (ROOT / ".ci" / "run").read_text(encoding="utf-8").split()[-1]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    stands = re.search(rf"^(\$ )?{re.escape(command)}$", readme, re.MULTILINE)
    return [] if stands else [f"README.md: does not give the command of .ci/run, {command}"]


def main() -> None:
    problems: list[str] = []
    checked = 0
    for path in [*files(*SOURCES), ROOT / "run", ROOT / "test"]:
        checked += 1
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            problems += [f"{name_of(path)}:{number}: {problem}" for problem in line_problems(line)]
    finish(
        problems + untested_folders() + unlisted_tests() + unguarded_headers() + broken_references() + ci_problems(),
        checked,
    )


if __name__ == "__main__":
    main()
