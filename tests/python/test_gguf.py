"""The gguf package writes files that are read here as the same bits, and reads what is written here."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFReader, GGUFWriter, quants
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from tensors import metadata

from cli import Weighbridge

BLOCKS = [kind for kind in quants._type_traits if kind != GGMLQuantizationType.BF16]
RAW_ONLY = [GGMLQuantizationType.Q8_1, GGMLQuantizationType.Q8_K, GGMLQuantizationType.Q1_0]
# Written to a file of the other byte order by the package's own tool, and by no other.
TURNED = {
    GGMLQuantizationType.Q4_0: [0],
    GGMLQuantizationType.Q8_0: [0],
    GGMLQuantizationType.Q4_K: [0, 2],
    GGMLQuantizationType.Q6_K: [208],
    GGMLQuantizationType.MXFP4: [],
    GGMLQuantizationType.NVFP4: [],
}
by_type = pytest.mark.parametrize("kind", BLOCKS, ids=lambda kind: kind.name)

Array = np.ndarray[Any, Any]


def random_blocks(kind: GGMLQuantizationType, rows: int = 64, seed: int = 1) -> Array:
    """Any bits: scales that are NaN, infinite and subnormal among them."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (rows, 3 * GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)


def bits(array: Array) -> Array:
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


def assert_same_numbers(actual: Array, expected: Array) -> None:
    """Bit for bit. Of a sum of two NaNs the hardware keeps either: there any NaN will do."""
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    differ = bits(actual) != bits(expected)
    assert not np.any(differ & ~(np.isnan(actual) & np.isnan(expected)))


def write(path: Path, tensors: dict[str, tuple[Array, GGMLQuantizationType | None]], **options: Any) -> Path:
    writer = GGUFWriter(path, "test", **options)
    for name, (array, kind) in tensors.items():
        writer.add_tensor(name, array, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def read(path: Path, name: str) -> Array:
    with safe_open(path, framework="np") as file:
        return np.asarray(file.get_tensor(name))


def read_bfloat16(path: Path, name: str) -> Array:
    """Its bits: numpy has no such type."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))[name]
        assert entry["dtype"] == "BF16"
        begin, end = entry["data_offsets"]
        file.seek(8 + length + begin)
        return np.frombuffer(file.read(end - begin), np.uint16).reshape(entry["shape"])


@by_type
def test_blocks_become_the_numbers_of_the_reference(
    weighbridge: Weighbridge, tmp_path: Path, kind: GGMLQuantizationType
) -> None:
    blocks = random_blocks(kind)
    source = write(tmp_path / "x.gguf", {"w": (blocks, kind)})
    with np.errstate(all="ignore"):
        expected = quants.dequantize(blocks, kind)
        halves = expected.astype(np.float16)
        bfloats = quants.quantize(expected, GGMLQuantizationType.BF16).view(np.uint16)
    assert_same_numbers(read(weighbridge.convert(source, "--dequantize", "f32"), "w"), expected)
    assert_same_numbers(read(weighbridge.convert(source, "--quantized", "dequantize"), "w"), expected)
    assert_same_numbers(read(weighbridge.convert(source, "--dequantize", "f16"), "w"), halves)
    actual = read_bfloat16(weighbridge.convert(source, "--dequantize", "bf16"), "w")
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(actual[numbers], bfloats[numbers])
    assert np.all(actual[~numbers] == 0x7FC0)


@pytest.mark.parametrize("kind", BLOCKS + RAW_ONLY, ids=lambda kind: kind.name)
def test_blocks_stay_as_they_are_and_come_back(
    weighbridge: Weighbridge, tmp_path: Path, kind: GGMLQuantizationType
) -> None:
    blocks = random_blocks(kind).reshape(4, 16, -1)
    source = write(tmp_path / "x.gguf", {"w": (blocks, kind)})
    output = weighbridge.convert(source, "--sidecar")
    np.testing.assert_array_equal(read(output, "w"), blocks)
    elements = 3 * GGML_QUANT_SIZES[kind][0]
    assert metadata(output)["gguf.type.w"] == kind.name
    assert metadata(output)["gguf.shape.w"] == f"[4, 16, {elements}]"
    back = tmp_path / "back.gguf"
    weighbridge.ok("convert", output, "--to", "gguf", "-o", back)
    assert back.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("kind", TURNED, ids=lambda kind: kind.name)
def test_the_other_byte_order(weighbridge: Weighbridge, tmp_path: Path, kind: GGMLQuantizationType) -> None:
    blocks = random_blocks(kind)
    turned = blocks.reshape(-1, GGML_QUANT_SIZES[kind][1]).copy()
    for at in TURNED[kind]:
        turned[:, [at, at + 1]] = turned[:, [at + 1, at]]
    floats = np.arange(6, dtype=np.float32).reshape(2, 3)
    tensors = {"w": (turned.reshape(blocks.shape), kind), "f": (floats.copy(), None)}
    source = write(tmp_path / "x.gguf", tensors, endianess=gguf.GGUFEndian.BIG)
    output = weighbridge.convert(source)
    np.testing.assert_array_equal(read(output, "w"), blocks)
    np.testing.assert_array_equal(read(output, "f"), floats)
    with np.errstate(all="ignore"):
        expected = quants.dequantize(blocks, kind)
    assert_same_numbers(read(weighbridge.convert(source, "--dequantize", "f32"), "w"), expected)


PLAIN = ["float32", "float16", "float64", "int8", "int16", "int32", "int64"]


@pytest.mark.parametrize("dtype", PLAIN)
def test_plain_numbers_both_ways(weighbridge: Weighbridge, tmp_path: Path, dtype: str) -> None:
    raw = np.random.default_rng(1).integers(0, 256, 120 * np.dtype(dtype).itemsize, dtype=np.uint8)
    tensors = {f"t{i}": raw.view(dtype).reshape(shape) for i, shape in enumerate([(120,), (8, 15), (2, 3, 4, 5)])}
    source = write(tmp_path / "x.gguf", {name: (array, None) for name, array in tensors.items()})
    output = weighbridge.convert(source)
    for name, array in tensors.items():
        np.testing.assert_array_equal(bits(read(output, name)), bits(array))
    back = tmp_path / "back.gguf"
    weighbridge.ok("convert", output, "--to", "gguf", "-o", back, "--kv", "general.architecture=str:test")
    for tensor in GGUFReader(back).tensors:
        np.testing.assert_array_equal(bits(tensor.data), bits(tensors[tensor.name]))


def values_of(path: Path) -> dict[str, Any]:
    fields = GGUFReader(path).fields
    return {key: field.contents() for key, field in fields.items() if not key.startswith("GGUF.")}


def write_values(path: Path) -> Path:
    writer = GGUFWriter(path, "llama")
    writer.add_string("text", "naïve \n\x00 text")
    writer.add_array("texts", ["a", "", "ü" * 1000])
    writer.add_array("numbers", [1, -2, 3])
    writer.add_array("floats", [0.1, float("inf"), -0.0])
    for i, (name, value) in enumerate(
        {"uint8": 255, "uint16": 65535, "uint32": 2**32 - 1, "uint64": 2**64 - 1}.items()
    ):
        getattr(writer, f"add_{name}")(f"u{i}", value)
    for i, (name, value) in enumerate({"int8": -128, "int16": -(2**15), "int32": -(2**31), "int64": -(2**63)}.items()):
        getattr(writer, f"add_{name}")(f"i{i}", value)
    writer.add_float32("f32", 1e-5)
    writer.add_float64("f64", 1e-300)
    writer.add_bool("yes", True)
    writer.add_tensor("w", np.zeros(3, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_values_both_ways(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = write_values(tmp_path / "x.gguf")
    output = weighbridge.convert(source, "--sidecar")
    back = tmp_path / "back.gguf"
    weighbridge.ok("convert", output, "--to", "gguf", "-o", back)
    assert back.read_bytes() == source.read_bytes()
    pairs = json.loads(Path(f"{output}.meta.json").read_text(encoding="utf-8"))["gguf"]["key_values"]
    shown = {pair["key"]: pair["value"] for pair in pairs}
    assert shown["text"] == "naïve \n\x00 text"
    assert shown["i3"] == {"$int": str(-(2**63))}
    assert shown["f32"] == struct.unpack("<f", struct.pack("<f", 1e-5))[0]


def test_values_of_the_command_line(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = write_values(tmp_path / "x.gguf")
    back = tmp_path / "back.gguf"
    new = ("--kv", "u0=u8:7", "--kv", "new=f32[]:1.5,-2", "--kv", "general.name=str:a, b")
    weighbridge.ok("convert", source, "--to", "gguf", "-o", back, *new)
    expected = values_of(source) | {"u0": 7, "new": [1.5, -2.0], "general.name": "a, b"}
    assert json.dumps(values_of(back)) == json.dumps(expected)


def test_no_architecture_no_file(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = weighbridge.convert(write(tmp_path / "x.gguf", {"w": (np.zeros(1, np.float32), None)}))
    content = source.read_bytes().replace(b'"general.architecture"', b'"general.architectura"')
    source.write_bytes(content)
    done = weighbridge.run("convert", source, "--to", "gguf", "-o", tmp_path / "y.gguf")
    assert done.returncode == 2
    assert "--kv general.architecture=str:NAME" in done.stderr
    assert not (tmp_path / "y.gguf").exists()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_quantized_as_the_reference_does(weighbridge: Weighbridge, tmp_path: Path, dtype: str) -> None:
    rng = np.random.default_rng(1)
    numbers = rng.standard_normal((64, 96)) * np.exp2(rng.integers(-60, 60, (64, 96)) if dtype == "float32" else 0)
    numbers[3] = 0
    numbers[4, :32] = np.arange(32) - 16.5
    array = numbers.astype(dtype)
    source = write(tmp_path / "x.gguf", {"w": (array, None), "b": (array[0], None)})
    back = tmp_path / "back.gguf"
    weighbridge.ok("convert", source, "--to", "gguf", "--quantize", "q8_0", "-o", back)
    weight, bias = GGUFReader(back).tensors
    assert weight.tensor_type == GGMLQuantizationType.Q8_0
    with np.errstate(all="ignore"):
        expected = quants.quantize(array.astype(np.float32), GGMLQuantizationType.Q8_0)
    np.testing.assert_array_equal(weight.data, expected)
    np.testing.assert_array_equal(bias.data, array[0])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), scale=st.integers(-140, 120))
def test_any_numbers_are_quantized_as_the_reference_does(
    weighbridge: Weighbridge, tmp_path: Path, seed: int, scale: int
) -> None:
    array = (np.random.default_rng(seed).standard_normal((8, 64)) * 2.0**scale).astype(np.float32)
    source = write(tmp_path / "x.gguf", {"w": (array, None)})
    back = tmp_path / "back.gguf"
    weighbridge.ok("convert", source, "--to", "gguf", "--quantize", "q8_0", "-o", back, "--force")
    with np.errstate(all="ignore"):
        expected = quants.quantize(array, GGMLQuantizationType.Q8_0)
    np.testing.assert_array_equal(GGUFReader(back).tensors[0].data, expected)


def test_a_model_in_parts(weighbridge: Weighbridge, tmp_path: Path) -> None:
    tensors = {f"t{i}": np.full((4, 64), i, np.float32) for i in range(8)}
    writer = GGUFWriter(tmp_path / "m.gguf", "test", split_max_tensors=3)
    for name, array in tensors.items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    parts = sorted(tmp_path.glob("m-*-of-*.gguf"))
    assert len(parts) == 3
    for part in parts:
        back = tmp_path / "whole.gguf"
        weighbridge.ok("convert", part, "--to", "gguf", "-o", back, "--force")
        read_back = {tensor.name: tensor.data for tensor in GGUFReader(back).tensors}
        assert sorted(read_back) == sorted(tensors)
        for name, array in tensors.items():
            np.testing.assert_array_equal(read_back[name], array)
    weighbridge.ok("convert", parts[0], "-o", tmp_path / "m.safetensors")
    assert (tmp_path / "m.safetensors.index.json").exists()
    parts[1].unlink()
    done = weighbridge.run("ls", parts[0])
    assert done.returncode == 1
    assert f"part '{parts[1].name}' of the model is not beside it" in done.stderr
