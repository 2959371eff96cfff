#!/usr/bin/env python3
"""What the documents show is true: their C++ compiles, their commands and their Python do what they say.

    tools/readme_snippets.py cpp COMPILER                       every ```cpp block compiles
    tools/readme_snippets.py console WEIGHBRIDGE SAMPLE         every ```console block runs
    tools/readme_snippets.py python PYTHON SAMPLE               every ```python block runs

In a console block each "$ weighbridge ..." line is run, in a fresh folder for each document where
the sample lies as model.pt. Lines below a command are its output, to the letter; "..." alone on a
line stands for any lines; no lines at all promise nothing but success. After "$ weighbridge ...  # 4"
exit code 4 is expected.

The Python blocks of a document are one program, in order, in such a folder too.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from project_files import ROOT, files, finish, name_of

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXIT_CODE = re.compile(r"\s+# (\d+)$")


def blocks(document: Path, language: str) -> Iterator[tuple[int, str]]:
    """The fenced blocks of that language, each with its line number."""
    text = document.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        if match[1] == language:
            yield text.count("\n", 0, match.start()) + 1, match[2]


def compile_problem(compiler: str, code: str) -> str | None:
    """What the compiler says about a block; without a main it is the body of a function."""
    if "int main" not in code:
        code = f"#include <weighbridge/weighbridge.hpp>\nvoid snippet() {{\n{code}\n}}\n"
    command = [compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-Wno-unused"]
    command += ["-fsyntax-only", "-I", str(ROOT / "include"), "-x", "c++", "-"]
    done = subprocess.run(command, input=code, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else None


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output that stands below it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def matches(expected: str, actual: str) -> bool:
    """Whether the output is as documented."""
    if not expected.strip():
        return True
    parts = re.split(r"^\.\.\.\n", expected, flags=re.MULTILINE)
    return re.fullmatch("(?:.*\n)*?".join(map(re.escape, parts)), actual) is not None


def run_problem(weighbridge: str, folder: Path, command: str, expected: str) -> str | None:
    """What is wrong with a documented command."""
    code = EXIT_CODE.search(command)
    words = shlex.split(EXIT_CODE.sub("", command))
    if words[0] != "weighbridge":
        return f"`{command}` is no weighbridge command"
    done = subprocess.run([weighbridge, *words[1:]], cwd=folder, capture_output=True, text=True, check=False)
    printed = done.stdout + done.stderr
    if done.returncode != (int(code[1]) if code else 0):
        return f"`{command}` ended with exit code {done.returncode}\n{printed}"
    return None if matches(expected, printed) else f"`{command}` printed\n{printed}"


def check_cpp(compiler: str) -> tuple[list[str], int]:
    problems: list[str] = []
    checked = 0
    for document in files(".md"):
        for line, code in blocks(document, "cpp"):
            checked += 1
            if problem := compile_problem(compiler, code):
                problems.append(f"{name_of(document)}:{line}: {problem}")
    return problems, checked


def check_console(weighbridge: str, sample: str) -> tuple[list[str], int]:
    problems: list[str] = []
    checked = 0
    for document in files(".md"):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(sample, Path(folder, "model.pt"))
            for line, block in blocks(document, "console"):
                for command, expected in commands(block):
                    checked += 1
                    if problem := run_problem(weighbridge, Path(folder), command, expected):
                        problems.append(f"{name_of(document)}:{line}: {problem}")
    return problems, checked


def python_script(document: Path) -> str:
    """The Python blocks of a document as one script, each on the lines where it stands there."""
    lines: list[str] = []
    for line, code in blocks(document, "python"):
        lines += [""] * (line - len(lines)) + code.splitlines()
    return "\n".join(lines) + "\n"


def check_python(python: str, sample: str) -> tuple[list[str], int]:
    problems: list[str] = []
    checked = 0
    for document in files(".md"):
        found = len(list(blocks(document, "python")))
        if not found:
            continue
        checked += found
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(sample, Path(folder, "model.pt"))
            code = compile_call(python_script(document), name_of(document))
            command = [python, "-c", code]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            problems.append(f"{name_of(document)}:\n{done.stderr}")
    return problems, checked


def compile_call(script: str, name: str) -> str:
    """A program that runs `script` under the name of its document, which its tracebacks then show."""
    return f"exec(compile({script!r}, {name!r}, 'exec'))"


def main() -> None:
    if len(sys.argv) == 3 and sys.argv[1] == "cpp":
        finish(*check_cpp(sys.argv[2]))
    if len(sys.argv) == 4 and sys.argv[1] == "console":
        finish(*check_console(sys.argv[2], sys.argv[3]))
    if len(sys.argv) == 4 and sys.argv[1] == "python":
        finish(*check_python(sys.argv[2], sys.argv[3]))
    sys.exit(__doc__)


if __name__ == "__main__":
    main()
