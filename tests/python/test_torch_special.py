"""Objects of every kind that torch saves come out as torch itself shows them, bit by bit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from special import Special
from special_objects import objects
from tensors import assert_same, metadata

from cli import Weighbridge

OBJECTS = objects()


def test_there_are_objects_of_every_kind() -> None:
    assert len(OBJECTS) >= 60
    assert len({special.name for special in OBJECTS}) == len(OBJECTS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("special", OBJECTS, ids=lambda special: special.name)
def test_it_comes_out_as_torch_shows_it(weighbridge: Weighbridge, tmp_path: Path, special: Special) -> None:
    value = special.make()
    source = tmp_path / "object.pt"
    special.save(value, source)
    output = weighbridge.convert(source, *special.options, "--shared", "copy", "--sidecar")
    assert_same(special.expected(value), load_file(output))


def test_tied_tensors_that_are_computed_are_stored_once(weighbridge: Weighbridge, tmp_path: Path) -> None:
    numbers = torch.tensor([1 + 2j, 3 - 4j])
    sparse = torch.eye(3).to_sparse_csr()
    torch.save({"a": numbers.conj(), "b": numbers.conj(), "c": sparse, "d": sparse}, tmp_path / "model.pt")
    output = weighbridge.convert(tmp_path / "model.pt")
    assert sorted(load_file(output)) == ["a", "c"]
    assert metadata(output) == {"format": "pt", "b": "a", "d": "c"}


def test_meta_tensors_are_all_named(weighbridge: Weighbridge, tmp_path: Path) -> None:
    with torch.device("meta"):
        torch.save(torch.nn.Linear(2, 3).state_dict(), tmp_path / "model.pt")
    done = weighbridge.run("convert", tmp_path / "model.pt")
    assert done.returncode == 1
    assert "'weight', 'bias'" in done.stderr
