#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets over headers: one for every row of the conformance table.

Those of header_parse are whole files, those of header_differential the texts of headers, each also with
spaces between its tokens as other writers have them.
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "data" / "header_conformance.tsv"
FILES = ROOT / "fuzz" / "corpus" / "header_parse"
TEXTS = ROOT / "fuzz" / "corpus" / "header_differential"


def main():
    FILES.mkdir(parents=True, exist_ok=True)
    TEXTS.mkdir(parents=True, exist_ok=True)
    for row in TABLE.read_text(encoding="utf-8").splitlines():
        if not row or row.startswith("#"):
            continue
        label, header_hex, data_bytes = row.split("\t")[:3]
        header = bytes.fromhex(header_hex)
        name = re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_")
        file = len(header).to_bytes(8, "little") + header + bytes(int(data_bytes))
        (FILES / name).write_bytes(file)
        (TEXTS / name).write_bytes(header)
        (TEXTS / f"{name}_spaced").write_bytes(re.sub(rb"([:,])", rb"\1 ", header))


if __name__ == "__main__":
    main()
