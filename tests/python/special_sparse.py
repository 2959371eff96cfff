"""Sparse tensors of every layout and dtype, each with the tensors that must come out of it."""

from __future__ import annotations

import torch
from special import Special, Tensors, one, save_legacy, save_pickle, seeded, values


def coo(dtype: torch.dtype, shape: tuple[int, ...] = (5, 4, 3), sparse: int = 2, count: int = 40) -> torch.Tensor:
    """Random places, many of them twice and more."""
    places = torch.stack([torch.randint(size, (count,), generator=seeded()) for size in shape[:sparse]])
    return torch.sparse_coo_tensor(places, values((count, *shape[sparse:]), dtype), shape)


def mostly_zero(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    return values(shape, dtype) * (torch.rand(shape, generator=seeded()) > 0.6).to(dtype)


def half_complex_coo() -> torch.Tensor:
    """No place twice: torch itself cannot add these numbers."""
    places = torch.tensor([[4, 0, 2], [1, 1, 0]])
    return torch.sparse_coo_tensor(places, values((3, 2), torch.complex32), (5, 2, 2))


def compressed(layout: str, dtype: torch.dtype = torch.float32, dense: tuple[int, ...] = ()) -> torch.Tensor:
    blocks = (2, 3) if layout in ("bsr", "bsc") else ()
    matrix = mostly_zero((4, 6, *dense), dtype)
    target = getattr(torch, f"sparse_{layout}")
    if blocks:
        return matrix.to_sparse(layout=target, blocksize=blocks, dense_dim=len(dense))
    return matrix.to_sparse(layout=target, dense_dim=len(dense))


def batched(layout: str) -> torch.Tensor:
    matrix = mostly_zero((1, 4, 6), torch.float32).expand(3, 4, 6) * torch.tensor([1.0, 2.0, -1.0]).view(3, 1, 1)
    blocks = {"blocksize": (2, 3)} if layout in ("bsr", "bsc") else {}
    return matrix.to_sparse(layout=getattr(torch, f"sparse_{layout}"), **blocks)


def split_coo(value: torch.Tensor) -> Tensors:
    return {"tensor.indices": value._indices(), "tensor.values": value._values()}


def split_rows(value: torch.Tensor) -> Tensors:
    return {
        "tensor.crow_indices": value.crow_indices(),
        "tensor.col_indices": value.col_indices(),
        "tensor.values": value.values(),
    }


def split_columns(value: torch.Tensor) -> Tensors:
    return {
        "tensor.ccol_indices": value.ccol_indices(),
        "tensor.row_indices": value.row_indices(),
        "tensor.values": value.values(),
    }


def sparse_objects() -> list[Special]:
    dtypes = [
        torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.bool, torch.uint8, torch.int8, torch.int16,
        torch.int32, torch.int64, torch.complex64,
    ]  # fmt: skip
    found = [Special(f"COO of {dtype}", lambda dtype=dtype: coo(dtype), one) for dtype in dtypes]
    found += [
        Special("COO, coalesced", lambda: coo(torch.float32).coalesce(), one),
        Special("COO of every dimension", lambda: coo(torch.float32, (5, 4, 3), 3), one),
        Special("COO of one dimension", lambda: coo(torch.float16, (3, 16), 1, 300), one),
        Special("COO without entries", lambda: torch.sparse_coo_tensor(size=(3, 4)), one),
        Special("COO of a transposed index", lambda: (torch.arange(12.0).view(3, 4) % 3).to_sparse(), one),
        Special("COO in a legacy stream", lambda: coo(torch.float64), one, save=save_legacy),
        Special("COO in a plain pickle", lambda: coo(torch.bfloat16), one, save=save_pickle(4)),
        Special("COO, large", lambda: coo(torch.float32, (700, 900), 2, 200_000), one),
        Special("COO, split", lambda: coo(torch.float32), split_coo, ("--sparse", "split")),
        Special("COO of complex32", half_complex_coo, lambda value: {
            "tensor": torch.sparse_coo_tensor(
                value._indices(), value._values().to(torch.complex64), value.shape).to_dense()}),
    ]  # fmt: skip
    for layout in ("csr", "csc", "bsr", "bsc"):
        split = split_rows if layout in ("csr", "bsr") else split_columns
        found += [
            Special(layout, lambda layout=layout: compressed(layout), one),
            Special(f"{layout} of bfloat16", lambda layout=layout: compressed(layout, torch.bfloat16), one),
            Special(f"{layout} of int64", lambda layout=layout: compressed(layout, torch.int64), one),
            Special(f"{layout} of bool", lambda layout=layout: compressed(layout, torch.bool), one),
            Special(f"{layout} with batches", lambda layout=layout: batched(layout), one),
            Special(f"{layout}, split", lambda layout=layout: compressed(layout), split, ("--sparse", "split")),
            Special(f"{layout} in a legacy stream", lambda layout=layout: compressed(layout), one, save=save_legacy),
        ]
    found += [
        Special("CSR with dense dimensions", lambda: compressed("csr", dense=(5,)), one),
        Special("BSR with dense dimensions", lambda: compressed("bsr", dense=(5,)), one),
        Special("CSR of 32-bit indices", narrow_csr, one),
    ]
    return found


def narrow_csr() -> torch.Tensor:
    whole = compressed("csr")
    rows, columns = whole.crow_indices().int(), whole.col_indices().int()
    return torch.sparse_csr_tensor(rows, columns, whole.values(), whole.shape)
