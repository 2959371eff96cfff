"""Random checkpoints walk through random chains of formats. They come out whole, or what is lost was named before."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

import pytest
from arrays import Tensor, read
from chain_formats import BITS, FORMATS, GGUF, H5, NPZ, PT, SAFETENSORS, Format, is_path, write_safetensors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensors import metadata

from cli import Weighbridge

Checkpoint = dict[str, Tensor]


def random_tensor(dtype: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """Random bits; the shape counts elements, which fill whole bytes."""
    count = BITS[dtype] // 8 or 1
    for size in shape:
        count *= size
    if BITS[dtype] % 8:
        shape = (*shape, 4)
        count = count * 4 * BITS[dtype] // 8
    content = random.Random(seed).randbytes(count)
    return Tensor(dtype, shape, bytes(byte & 1 for byte in content) if dtype == "BOOL" else content)


NAMES = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["a.w", "A.w", "a/b", "a/b/c", "a", "0", ".", "array", "layers/dense/vars/0", "w" * 64]
)
SHAPES = st.lists(st.integers(0, 5), max_size=3).map(tuple)
TENSORS = st.builds(random_tensor, st.sampled_from(sorted(BITS)), SHAPES, st.integers(0, 99))
CHECKPOINTS = st.dictionaries(NAMES.filter(lambda name: name != "__metadata__"), TENSORS, max_size=6)


def kept_by_all(checkpoint: Checkpoint, chain: list[Format]) -> Checkpoint:
    """The tensors that every format of the chain can keep under their names."""
    kept: Checkpoint = {}
    for name, tensor in checkpoint.items():
        if not all(tensor.dtype in step.dtypes and step.keeps_name(name) for step in chain):
            continue
        mixed_up = f"{name}.npy" in kept or name.removesuffix(".npy") in kept
        if not mixed_up and is_path([*kept, name]):
            kept[name] = tensor
    return kept


def walk(weighbridge: Weighbridge, source: Path, chain: list[Format], tensors: Checkpoint) -> Path:
    """Converts along the chain and back to safetensors."""
    for i, step in enumerate([*chain, SAFETENSORS]):
        target = source.with_name(f"step{i}{step.suffix}")
        status, _, error = step.convert(weighbridge, source, target, tensors, "--shared", "copy")
        assert status == 0, (step.name, error)
        source = target
    return source


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHECKPOINTS, st.lists(st.sampled_from(FORMATS), min_size=1, max_size=4))
def test_every_chain_keeps_every_bit(
    weighbridge: Weighbridge, tmp_path: Path, checkpoint: Checkpoint, chain: list[Format]
) -> None:
    tensors = kept_by_all(checkpoint, chain)
    if not tensors:
        return
    source = write_safetensors(tmp_path / "in.safetensors", tensors)
    last = walk(weighbridge, source, chain, tensors)
    assert read(last) == tensors
    report = weighbridge.run("diff", source, last)
    assert report.returncode == 0, report.stdout


@pytest.mark.parametrize("first", FORMATS, ids=lambda step: step.name)
@pytest.mark.parametrize("second", FORMATS, ids=lambda step: step.name)
def test_every_pair_keeps_every_type(weighbridge: Weighbridge, tmp_path: Path, first: Format, second: Format) -> None:
    tensors = {dtype: random_tensor(dtype, (3, 4), 1) for dtype in sorted(first.dtypes & second.dtypes)}
    source = write_safetensors(tmp_path / "in.safetensors", tensors)
    assert read(walk(weighbridge, source, [first, second], tensors)) == tensors


@dataclass(frozen=True)
class Told:
    """What the program says will be lost, before it writes anything."""

    as_bytes: str
    ties: bool
    metadata: str

    @staticmethod
    def of(report: str) -> Told:
        findings = json.loads(report)["findings"]
        said = {code: " ".join(f["message"] for f in findings if f["code"] == code) for code in map(code_of, findings)}
        lost = said.get("MetadataNotKept", "")
        return Told(said.get("DTypeAsBytes", ""), "TiedTensorsCopied" in said, lost)


def code_of(finding: dict[str, str]) -> str:
    return finding["code"]


# None of these needs a template, which would say itself what fits.
ALONE = [SAFETENSORS, PT, NPZ, GGUF, H5]
METADATA = st.dictionaries(
    st.sampled_from(["note", "license"]), st.sampled_from(["some longer text", "other longer text"])
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHECKPOINTS, METADATA, st.booleans(), st.sampled_from(ALONE), st.booleans())
def test_what_is_lost_is_named_before_anything_is_written(
    weighbridge: Weighbridge,
    tmp_path: Path,
    tensors: Checkpoint,
    notes: dict[str, str],
    tied: bool,
    step: Format,
    as_bytes: bool,
) -> None:
    if not tensors:
        return
    kept = next(iter(tensors))
    # What has no bytes shares none.
    ties = {"tied": kept} if tied and "tied" not in tensors and tensors[kept].content else {}
    source = write_safetensors(tmp_path / "in.safetensors", tensors, {**notes, **ties})
    target = tmp_path / f"out{step.suffix}"
    target.unlink(missing_ok=True)
    lacking = ("--lacking", "u8") if as_bytes else ()
    status, report, error = step.convert(weighbridge, source, target, tensors, *lacking, "--dry-run", "--json")
    assert not target.exists()
    again, _, _ = step.convert(weighbridge, source, target, tensors, *lacking, "--quiet")
    assert again == status
    if status != 0:
        assert not target.exists()
        assert not fits(tensors, ties, step, as_bytes), error
        return
    told = Told.of(report)
    back = weighbridge.convert(target, "--shared", "dedupe" if step.keeps >= {"ties"} else "copy")
    after, left = read(back), metadata(back)
    if ties:
        assert told.ties or left.get("tied") == kept or left.get(kept) == "tied"
        untie(after, left)
        assert after.pop("tied") == after[kept]
    assert after.keys() == tensors.keys()
    for name, tensor in tensors.items():
        if after[name] != tensor:
            assert repr(name)[1:-1] in told.as_bytes or not name.isprintable(), told
            assert told.as_bytes
            assert after[name].dtype in ("U8", "I8")
            assert after[name].content == tensor.content
    for key, value in notes.items():
        assert left.get(key) == value or key in told.metadata


def untie(tensors: Checkpoint, notes: dict[str, str]) -> None:
    """Gives both names of a tied tensor their bytes: which of them is the alias says nothing."""
    tensors.update({alias: tensors[name] for alias, name in notes.items() if alias not in tensors and name in tensors})


def fits(tensors: Checkpoint, ties: dict[str, str], step: Format, as_bytes: bool) -> bool:
    """Whether a format can hold all of it, so that refusing would be wrong."""
    names = [*tensors, *ties]
    types = as_bytes or all(tensor.dtype in step.dtypes for tensor in tensors.values())
    if step in (NPZ,) and any(f"{name}.npy" in names for name in names):
        return False
    if step is H5 and not is_path(names):
        return False
    if step is GGUF and any(len(tensor.shape) > 4 for tensor in tensors.values()):
        return False
    return types and all(step.keeps_name(name) for name in names)
