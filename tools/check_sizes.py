#!/usr/bin/env python3
"""Files stay small enough to be read whole.

No source above 600 lines, no public header above 300, and at most one file in ten above 400.
The length of functions is clang-tidy's to check (readability-function-size).
"""

from __future__ import annotations

from project_files import ROOT, files, finish, name_of

SOFT, HARD, PUBLIC_HEADER = 400, 600, 300
SUFFIXES = (".hpp", ".cpp", ".h", ".py", ".cmake", "CMakeLists.txt", ".sh")


def main() -> None:
    problems: list[str] = []
    long: list[str] = []
    checked = 0
    for path in files(*SUFFIXES):
        checked += 1
        lines = len(path.read_text(encoding="utf-8").splitlines())
        hard = PUBLIC_HEADER if path.is_relative_to(ROOT / "include") else HARD
        if lines > hard:
            problems.append(f"{name_of(path)}: {lines} lines, at most {hard}")
        elif lines > SOFT:
            long.append(f"{name_of(path)}: {lines} lines, better at most {SOFT}")
    if len(long) > checked // 10:
        problems += long
    else:
        print("\n".join(long))
    finish(problems, checked)


if __name__ == "__main__":
    main()
