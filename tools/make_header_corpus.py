#!/usr/bin/env python3
"""Writes the seeds of fuzz target header_parse: one file for every row of the conformance table."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "data" / "header_conformance.tsv"
CORPUS = ROOT / "fuzz" / "corpus" / "header_parse"


def main():
    CORPUS.mkdir(parents=True, exist_ok=True)
    for row in TABLE.read_text(encoding="utf-8").splitlines():
        if not row or row.startswith("#"):
            continue
        label, header_hex, data_bytes = row.split("\t")[:3]
        header = bytes.fromhex(header_hex)
        name = re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_")
        file = len(header).to_bytes(8, "little") + header + bytes(int(data_bytes))
        (CORPUS / name).write_bytes(file)


if __name__ == "__main__":
    main()
