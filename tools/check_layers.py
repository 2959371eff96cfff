#!/usr/bin/env python3
"""Includes go one way only: base <- core <- io <- formats <- scan <- convert <- {capi, cli}; sandbox stands on io.

A room includes itself, the rooms left of it and public headers; the front ends, capi and cli, only
themselves and public headers; a public header only public headers and the standard library. Among the formats those
that others are made of (zip, pickle, safetensors, numpy) do not know of those made from them.
"""

from __future__ import annotations

import re

from project_files import ROOT, files, finish, name_of

ROOMS = ["base", "core", "io", "formats", "scan", "convert"]
# Beside convert: neither knows of the other.
SANDBOX = {"base", "core", "io", "sandbox"}
FRONT_ENDS = ["capi", "cli"]
ALLOWED = {room: set(ROOMS[: i + 1]) for i, room in enumerate(ROOMS)} | {room: {room} for room in FRONT_ENDS}
ALLOWED["sandbox"] = SANDBOX
# A library of its own over libhdf5, which only a program's worker runs: the command line links it.
ALLOWED["hdf5"] = {"base", "core", "formats", "hdf5"}
ALLOWED["cli"] |= {"hdf5"}
PLAIN_FORMATS = {"zip", "pickle", "safetensors", "numpy"}
# What formats over a ByteSource and everything below them must not use: the system and threads. What the
# kernel has laid beside the program's arguments (auxv) is memory like any other.
PURE_ROOMS = {"base", "core", "formats", "scan"}
IMPURE = re.compile(r"^(unistd|fcntl|pthread|sys/(?!auxv).*)\.h$|^(thread|fstream|iostream|future|regex)$")
QUOTED = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
ANGLED = re.compile(r"^\s*#\s*include\s+<([^>]+)>")


def source_problem(room: str, folder: str, quoted: str) -> str | None:
    """What is wrong when a file of src/<room>/<folder> includes "quoted"."""
    target = quoted.split("/")
    if "/" not in quoted:
        return "names no room; write the path from src/"
    if target[0] not in ALLOWED[room]:
        return f"room {room} must not know of room {target[0]}"
    if room == "formats" and folder in PLAIN_FORMATS and target[1:2] == ["torch"]:
        return f"format {folder} must not know of format torch"
    return None


def header_problem(line: str) -> str | None:
    """What is wrong with an include of a public header."""
    if QUOTED.match(line):
        return "a public header includes by <weighbridge/...> only"
    angled = ANGLED.match(line)
    if angled and "/" in angled[1] and not angled[1].startswith("weighbridge/"):
        return f"a public header must not need <{angled[1]}>"
    return None


def main() -> None:
    problems: list[str] = []
    checked = 0
    for path in files(".hpp", ".cpp", below="src"):
        room, *folders = path.relative_to(ROOT / "src").parts[:-1]
        checked += 1
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            where = f"{name_of(path)}:{number}"
            if quoted := QUOTED.match(line):
                if problem := source_problem(room, "/".join(folders), quoted[1]):
                    problems.append(f"{where}: {problem}")
            elif (angled := ANGLED.match(line)) and room in PURE_ROOMS and IMPURE.match(angled[1]):
                problems.append(f"{where}: room {room} makes no system call: no <{angled[1]}>")
    for path in files(".hpp", ".h", below="include"):
        checked += 1
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if problem := header_problem(line):
                problems.append(f"{name_of(path)}:{number}: {problem}")
    finish(problems, checked)


if __name__ == "__main__":
    main()
