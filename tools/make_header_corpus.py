#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets over headers: one for every row of the conformance table.

Those of header_parse are whole files, those of header_differential the texts of headers, each also with
spaces between its tokens as other writers have them; and some that are longer than a small window.
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "data" / "header_conformance.tsv"
FILES = ROOT / "fuzz" / "corpus" / "header_parse"
TEXTS = ROOT / "fuzz" / "corpus" / "header_differential"


def entry(i, name="layer.{}.weight", extra=""):
    """The i-th tensor of many, of a hundred million bytes each."""
    begin, end = (100_000_000 * place for place in (i, i + 1))
    dtype, shape = ("BF16", "50000,1000") if i % 3 else ("F32", "25000,1000")
    return f'"{name.format(i)}":{{"dtype":"{dtype}","shape":[{shape}],"data_offsets":[{begin},{end}]{extra}}}'


def long_headers():
    """Headers of many usual entries, whole and with something else among them."""
    members = ['"__metadata__":{"format":"pt","k":"\u00e9"}', *(entry(i) for i in range(12))]
    yield "many", members
    yield "many_escape", [*members, entry(12, "\\u006cayer.{}")]
    yield "many_other_bytes", [*members, entry(12, "caf\u00e9 \u20ac \U0001f600 {}")]
    yield "many_unknown", [*members, entry(12, extra=',"x":[0,1,22,[3],4.5,{"y":[6,7]}]')]
    yield "many_metadata_last", members[::-1]
    yield "many_repeated", members + members[1:2]


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
    for name, members in long_headers():
        (TEXTS / name).write_text("{" + ",".join(members) + "}", encoding="utf-8")


if __name__ == "__main__":
    main()
