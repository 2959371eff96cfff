#!/usr/bin/env python3
"""The adversarial files: `make_cases.py` lists them, `make_cases.py FOLDER` writes each into a folder of its own.

Nothing here, and nothing that uses it, ever loads one of them in Python.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from container_cases import CONTAINER_CASES
from format_cases import FORMAT_CASES
from geometry_cases import GEOMETRY_CASES
from pickle_cases import MACHINE_CASES
from stream_cases import LEGACY_CASES
from zip_cases import ZIP_CASES

CASES = [*ZIP_CASES, *GEOMETRY_CASES, *MACHINE_CASES, *LEGACY_CASES, *CONTAINER_CASES, *FORMAT_CASES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where to write them; without it they are listed")
    folder = parser.parse_args().folder
    for case in CASES:
        print(case.id, case.outcome, case.story, sep="\t")
        if folder is not None:
            (folder / case.id).mkdir(parents=True)
            case.write(folder / case.id)


if __name__ == "__main__":
    main()
