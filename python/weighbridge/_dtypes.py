"""The one table of dtypes: what the format calls them, and what the frameworks do."""

from __future__ import annotations

from typing import NamedTuple


class DType(NamedTuple):
    """One dtype of the format.

    ``name`` is what numpy or ml_dtypes calls it, ``torch`` what torch does; None where there is no such dtype.
    """

    code: str
    bits: int
    name: str | None
    torch: str | None


# In the order of the C++ library: writers sort tensors by it, descending. ml_dtypes holds one element of F4 in a whole
# byte; torch holds two of them, so its last dimension is half of the file's. Nobody has said how F6 is packed.
DTYPES = (
    DType("BOOL", 8, "bool", "bool"),
    DType("F4", 4, "float4_e2m1fn", "float4_e2m1fn_x2"),
    DType("F6_E2M3", 6, None, None),
    DType("F6_E3M2", 6, None, None),
    DType("U8", 8, "uint8", "uint8"),
    DType("I8", 8, "int8", "int8"),
    DType("F8_E5M2", 8, "float8_e5m2", "float8_e5m2"),
    DType("F8_E4M3", 8, "float8_e4m3fn", "float8_e4m3fn"),
    DType("F8_E8M0", 8, "float8_e8m0fnu", "float8_e8m0fnu"),
    DType("F8_E4M3FNUZ", 8, "float8_e4m3fnuz", "float8_e4m3fnuz"),
    DType("F8_E5M2FNUZ", 8, "float8_e5m2fnuz", "float8_e5m2fnuz"),
    DType("I16", 16, "int16", "int16"),
    DType("U16", 16, "uint16", "uint16"),
    DType("F16", 16, "float16", "float16"),
    DType("BF16", 16, "bfloat16", "bfloat16"),
    DType("I32", 32, "int32", "int32"),
    DType("U32", 32, "uint32", "uint32"),
    DType("F32", 32, "float32", "float32"),
    DType("C64", 64, "complex64", "complex64"),
    DType("F64", 64, "float64", "float64"),
    DType("I64", 64, "int64", "int64"),
    DType("U64", 64, "uint64", "uint64"),
)

BY_CODE = {dtype.code: dtype for dtype in DTYPES}
BY_NAME = {dtype.name: dtype for dtype in DTYPES if dtype.name}
BY_TORCH = {dtype.torch: dtype for dtype in DTYPES if dtype.torch}
