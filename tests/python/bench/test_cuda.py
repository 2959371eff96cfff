"""The row of CUDA devices, with the processor in the place of one."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch
from suite import loaders
from suite.model import Case
from suite.rows import cuda


@pytest.fixture
def case(disk: Path) -> Case:
    return Case(disk, scale=0.001)


@pytest.mark.parametrize("name", cuda.LOADS)
def test_every_load_gives_what_the_file_holds(name: str, case: Case) -> None:
    path, _ = cuda.files(case)
    load, _ = cuda.LOADS[name]
    expected = loaders.digest(loaders.numpy_wheel(path)())
    assert loaders.digest(cuda.onto(load, "cpu", path)()) == expected


def test_the_limit_copies_as_many_bytes_as_the_file_has(case: Case) -> None:
    path, _ = cuda.files(case)
    target = cuda.onto(cuda.pinned, "cpu", path)()
    assert target.nbytes == path.stat().st_size


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_device_nobody_is_measured() -> None:
    with pytest.raises(ImportError, match="there is no CUDA device"):
        importlib.import_module("suite.cuda")
