#!/usr/bin/env python3
"""Writes the codebooks of GGUF's IQ types, as the gguf package has them, packed into 16 bits a point.

python3 tools/make_gguf_grids.py src/formats/gguf
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
from gguf import quants

HEAD = """// Made by tools/make_gguf_grids.py. {purpose}
#pragma once

#include <array>
#include <cstdint>

namespace weighbridge::gguf {{
"""

# Name in C++, class of the package, bits of one coordinate.
TERNARY = [("kPackedIq1", quants.IQ1_S, 2)]
REST = [
    ("kPackedIq2Xxs", quants.IQ2_XXS, 2),
    ("kPackedIq2Xs", quants.IQ2_XS, 2),
    ("kPackedIq2S", quants.IQ2_S, 2),
    ("kPackedIq3Xxs", quants.IQ3_XXS, 4),
    ("kPackedIq3S", quants.IQ3_S, 4),
]
POINTS_A_LINE = 12


def packed(kind: type, bits: int) -> list[int]:
    """Each point as its coordinates' places in the map of levels, the first in the low bits."""
    kind.init_grid()
    points = kind.grid.reshape(kind.grid_shape).astype(int)
    place = {level: i for i, level in enumerate(kind.grid_map)}
    shifts = range(0, points.shape[1] * bits, bits)
    return [sum(place[int(v)] << s for v, s in zip(point, shifts, strict=True)) for point in np.asarray(points)]


def table(name: str, points: list[int]) -> str:
    words = [f"0x{point:04X}" for point in points]
    lines = [", ".join(words[i : i + POINTS_A_LINE]) for i in range(0, len(words), POINTS_A_LINE)]
    body = ",\n    ".join(lines)
    return f"\ninline constexpr std::array<std::uint16_t, {len(points)}> {name} = {{\n    {body},\n}};\n"


def write(path: pathlib.Path, purpose: str, tables: list[tuple[str, type, int]]) -> None:
    text = HEAD.format(purpose=purpose)
    text += "".join(table(name, packed(kind, bits)) for name, kind, bits in tables)
    path.write_text(text + "\n}  // namespace weighbridge::gguf\n", encoding="utf-8")


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    write(folder / "grids_ternary.hpp", "Points of eight coordinates, two bits each: -1, 0, 1.", TERNARY)
    write(folder / "grids.hpp", "Points of eight coordinates of two bits, or of four of four bits.", REST)


if __name__ == "__main__":
    main()
