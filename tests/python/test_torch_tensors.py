"""Real torch saves tensors of every kind; what we convert, the real wheel loads as the same bits."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from tensors import DTYPES, assert_same, metadata, random_bits

from cli import Weighbridge


def converted(weighbridge: Weighbridge, folder: Path, content: object, *options: str) -> dict[str, torch.Tensor]:
    """What the wheel loads of our conversion of what torch saved."""
    source = folder / "model.pt"
    torch.save(content, source)
    return load_file(weighbridge.convert(source, *options))


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES.keys())
@pytest.mark.parametrize("shape", [(), (0,), (5,), (3, 4), (2, 0, 3), (1, 2, 3, 2)], ids=str)
def test_every_dtype_and_shape_keeps_its_bits(
    weighbridge: Weighbridge, tmp_path: Path, dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    state = {"tensor": random_bits(dtype, *shape)}
    assert_same(state, converted(weighbridge, tmp_path, state))


def test_four_bit_floats_keep_their_bits(weighbridge: Weighbridge, tmp_path: Path) -> None:
    raw = random_bits(torch.uint8, 6, 4)
    packed = converted(weighbridge, tmp_path, {"tensor": raw.view(torch.float4_e2m1fn_x2)})["tensor"]
    assert packed.dtype == torch.float4_e2m1fn_x2
    assert torch.equal(packed.view(torch.uint8), raw)


def test_a_dtype_that_safetensors_lacks_is_refused_by_name(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "model.pt"
    torch.save({"odd.one": random_bits(torch.complex128, 3)}, source)
    done = weighbridge.run("convert", source, "-o", tmp_path / "out.safetensors")
    assert done.returncode == 1
    assert "odd.one" in done.stderr
    assert not (tmp_path / "out.safetensors").exists()


VIEWS = {
    "transposed": lambda t: t.transpose(0, 2),
    "permuted": lambda t: t.permute(1, 2, 0),
    "sliced rows": lambda t: t[1:3],
    "sliced columns": lambda t: t[:, :, 1:4],
    "stepped": lambda t: t[::2, :, ::3],
    "one element": lambda t: t[3, 2, 1],
    "diagonal": lambda t: t.diagonal(0, 0, 1),
    "expanded": lambda t: t[:1].expand(6, 5, 7),
    "expanded scalar": lambda t: t[0, 0, 0].expand(4, 4),
    "unfolded": lambda t: t.unfold(2, 3, 2),
    "strided": lambda t: t.as_strided((3, 3), (2, 5), 4),
    "empty": lambda t: t[:, 2:2],
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
@pytest.mark.parametrize("dtype", [torch.uint8, torch.bfloat16, torch.float32, torch.complex64], ids=str)
def test_a_view_becomes_the_tensor_that_it_shows(
    weighbridge: Weighbridge, tmp_path: Path, dtype: torch.dtype, view: object
) -> None:
    assert callable(view)
    state = {"view": view(random_bits(dtype, 4, 5, 7))}
    assert_same(state, converted(weighbridge, tmp_path, state))


def test_a_slice_of_a_tensor_is_kept_beside_the_whole(weighbridge: Weighbridge, tmp_path: Path) -> None:
    whole = random_bits(torch.float32, 6, 4)
    state = {"whole": whole, "first": whole[0], "turned": whole.t()}
    for policy in ("dedupe", "copy"):
        assert_same(state, converted(weighbridge, tmp_path, state, "--shared", policy))


def with_aliases(tensors: dict[str, torch.Tensor], aliases: dict[str, str]) -> dict[str, torch.Tensor]:
    """The tensors under all their names, as `load_model` of the wheel understands the metadata."""
    return tensors | {alias: tensors[kept] for alias, kept in aliases.items() if kept in tensors}


def test_tied_tensors_are_stored_once_and_named_in_the_metadata(weighbridge: Weighbridge, tmp_path: Path) -> None:
    tied = random_bits(torch.float16, 8, 8)
    state = {"embedding": tied, "other": random_bits(torch.float16, 8), "head": tied}
    loaded = converted(weighbridge, tmp_path, state)
    aliases = metadata(tmp_path / "model.pt.safetensors")
    assert sorted(loaded) == ["embedding", "other"]
    assert aliases == {"format": "pt", "head": "embedding"}
    assert_same(state, with_aliases(loaded, aliases))


def test_tied_tensors_are_stored_twice_on_request(weighbridge: Weighbridge, tmp_path: Path) -> None:
    tied = random_bits(torch.float16, 8, 8)
    state = {"embedding": tied, "head": tied}
    assert_same(state, converted(weighbridge, tmp_path, state, "--shared", "copy"))


def test_tied_tensors_are_an_error_on_request(weighbridge: Weighbridge, tmp_path: Path) -> None:
    tied = random_bits(torch.float16, 8, 8)
    source = tmp_path / "model.pt"
    torch.save({"embedding": tied, "head": tied}, source)
    done = weighbridge.run("convert", source, "-o", tmp_path / "out.safetensors", "--shared", "error")
    assert done.returncode == 1
    assert "embedding" in done.stderr
    assert "head" in done.stderr


@st.composite
def states(draw: st.DrawFn) -> dict[str, torch.Tensor]:
    """Any few tensors: any names, dtypes and shapes, plain or turned."""
    names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
    shapes = st.lists(st.integers(0, 5), max_size=4)
    state: dict[str, torch.Tensor] = {}
    for name in draw(st.lists(names, min_size=1, max_size=6, unique=True)):
        dtype = draw(st.sampled_from(list(DTYPES.values())))
        tensor = random_bits(dtype, *draw(shapes), seed=draw(st.integers(0, 99)))
        state[name] = tensor.mT if tensor.ndim > 1 and draw(st.booleans()) else tensor
    return state


@given(state=states(), legacy=st.booleans())
def test_any_state_dict_keeps_its_bits(
    weighbridge: Weighbridge, tmp_path_factory: pytest.TempPathFactory, state: dict[str, torch.Tensor], legacy: bool
) -> None:
    source = tmp_path_factory.mktemp("any") / "model.pt"
    torch.save(state, source, _use_new_zipfile_serialization=not legacy)
    assert_same(state, load_file(weighbridge.convert(source)))
