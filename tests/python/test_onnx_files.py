"""Models written by onnx and by PyTorch: every tensor comes over as onnx itself reads it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from arrays import Tensor, tensor_of
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, external_data_helper, helper, numpy_helper
from onnx_models import (
    DTYPES,
    EVERY_TYPE,
    SMALL_INTEGERS,
    convert,
    encode,
    encode_varint,
    expected,
    model_of,
    model_of_messages,
    raw_tensor,
    read,
    typed_tensor,
    unpacked,
)

from cli import Weighbridge

SHAPES = ((), (0,), (4,), (5,), (2, 0, 3), (3, 7), (2, 3, 4))


def every_tensor(make: type | object) -> list[TensorProto]:
    return [
        make(f"{TensorProto.DataType.Name(data_type)}{list(shape)}", data_type, shape, seed)  # type: ignore[operator]
        for seed, data_type in enumerate(EVERY_TYPE)
        for shape in SHAPES
    ]


def save(folder: Path, model: onnx.ModelProto, name: str = "model.onnx") -> Path:
    file = folder / name
    file.write_bytes(model.SerializeToString())
    return file


@pytest.mark.parametrize("make", [raw_tensor, typed_tensor])
def test_every_type_as_onnx_writes_it(weighbridge: Weighbridge, tmp_path: Path, make: object) -> None:
    tensors = every_tensor(make)
    file = save(tmp_path, model_of(tensors))
    assert convert(weighbridge, file) == {tensor.name: expected(tensor) for tensor in tensors}


@pytest.mark.parametrize("packed_rest", [False, True])
def test_every_type_in_fields_that_are_not_packed(weighbridge: Weighbridge, tmp_path: Path, packed_rest: bool) -> None:
    tensors = every_tensor(typed_tensor)
    messages = [unpacked(tensor, packed_rest=packed_rest) for tensor in tensors]
    assert [TensorProto.FromString(message) for message in messages] == tensors
    file = tmp_path / "model.onnx"
    file.write_bytes(model_of_messages(messages))
    onnx.load(file)
    assert convert(weighbridge, file) == {tensor.name: expected(tensor) for tensor in tensors}


def test_the_sizes_at_which_decoding_is_taken_up_again(weighbridge: Weighbridge, tmp_path: Path) -> None:
    sizes = (4095, 4096, 4097, 300_001)
    tensors = [
        typed_tensor(f"{data_type}.{size}", data_type, (size,), size)
        for size in sizes
        for data_type in (TensorProto.INT64, TensorProto.FLOAT16, TensorProto.FLOAT6E2M3, TensorProto.UINT32)
    ]
    file = save(tmp_path, model_of(tensors))
    assert convert(weighbridge, file) == {tensor.name: expected(tensor) for tensor in tensors}


@given(
    data_type=st.sampled_from(EVERY_TYPE),
    shape=st.lists(st.integers(0, 9), max_size=4),
    seed=st.integers(0, 1 << 30),
    form=st.sampled_from(("raw", "typed", "unpacked", "mixed")),
)
def test_random_tensors(
    weighbridge: Weighbridge,
    tmp_path_factory: pytest.TempPathFactory,
    data_type: int,
    shape: list[int],
    seed: int,
    form: str,
) -> None:
    make = raw_tensor if form == "raw" else typed_tensor
    tensor = make("x", data_type, shape, seed)
    message = unpacked(tensor, packed_rest=form == "mixed") if form in ("unpacked", "mixed") else None
    file = tmp_path_factory.mktemp("random") / "model.onnx"
    file.write_bytes(model_of_messages([message or tensor.SerializeToString()]))
    assert convert(weighbridge, file) == {"x": expected(tensor)}


def test_what_no_dtype_says_is_in_the_metadata(weighbridge: Weighbridge, tmp_path: Path) -> None:
    tensors = [raw_tensor(f"t{data_type}", data_type, (3, 5)) for data_type in SMALL_INTEGERS]
    tensors.append(raw_tensor("odd", TensorProto.FLOAT4E2M1, (3,)))
    file = save(tmp_path, model_of(tensors))
    info = weighbridge.json("info", file)
    assert json.loads(info["metadata"]["onnx.tensors"]) == {
        tensor.name: {"type": TensorProto.DataType.Name(tensor.data_type), "shape": list(tensor.dims)}
        for tensor in tensors
    }
    assert {finding["code"] for finding in info["findings"]} == {"RawIntegers"}


def test_values_of_nodes(weighbridge: Weighbridge, tmp_path: Path) -> None:
    weight = raw_tensor("", TensorProto.FLOAT, (2, 3))
    nodes = [
        helper.make_node("Constant", [], ["tensor"], value=weight),
        helper.make_node("Constant", [], ["float"], value_float=0.1),
        helper.make_node("Constant", [], ["floats"], value_floats=[1.5, -2.0, 1e-40]),
        helper.make_node("Constant", [], ["int"], value_int=-7),
        helper.make_node("Constant", [], ["ints"], value_ints=[1, -2, 1 << 60]),
        helper.make_node(
            "ConstantOfShape", ["shape"], ["y"], value=helper.make_tensor("v", TensorProto.INT8, [1], [-3])
        ),
        helper.make_node("Custom", ["y"], ["z"], name="node", domain="own", tables=[weight, weight]),
        helper.make_node("Constant", [], ["text"], value_string="not a tensor"),
    ]
    file = save(tmp_path, model_of(nodes=nodes))
    assert convert(weighbridge, file) == {
        "tensor": expected(weight),
        "float": tensor_of(np.float32(0.1)),
        "floats": tensor_of(np.array([1.5, -2.0, 1e-40], np.float32)),
        "int": tensor_of(np.int64(-7)),
        "ints": tensor_of(np.array([1, -2, 1 << 60])),
        "ConstantOfShape_5/value": tensor_of(np.array([-3], np.int8)),
        "node/tables/0": expected(weight),
        "node/tables/1": expected(weight),
    }


def branch(name: str, value: float) -> onnx.GraphProto:
    weight = numpy_helper.from_array(np.full((2,), value, np.float32), "w")
    output = helper.make_tensor_value_info("out", TensorProto.FLOAT, [2])
    return helper.make_graph([helper.make_node("Identity", ["w"], ["out"])], name, [], [output], [weight])


def full(value: float) -> Tensor:
    return tensor_of(np.full((2,), value, np.float32))


def test_names_of_scopes(weighbridge: Weighbridge, tmp_path: Path) -> None:
    inner = helper.make_graph(
        [helper.make_node("If", ["c"], ["out"], then_branch=branch("t", 3), else_branch=branch("e", 4))],
        "inner",
        [],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [2])],
    )
    nodes = [
        helper.make_node("If", ["c"], ["a"], then_branch=branch("t", 1), else_branch=branch("e", 2)),
        helper.make_node("If", ["c"], ["b"], name="gate", then_branch=inner, else_branch=branch("e", 5)),
    ]
    function = helper.make_function(
        "own", "Twice", [], ["y"], [helper.make_node("Constant", [], ["y"], value_floats=[6.0, 6.0])], []
    )
    model = model_of([numpy_helper.from_array(np.full((2,), 0, np.float32), "w")], nodes, functions=[function])
    training = model.training_info.add()
    training.algorithm.CopyFrom(branch("step", 7))
    training.initialization.CopyFrom(branch("start", 8))
    assert convert(weighbridge, save(tmp_path, model)) == {
        "w": full(0),
        "If_0/then_branch/w": full(1),
        "If_0/else_branch/w": full(2),
        "gate/then_branch/If_0/then_branch/w": full(3),
        "gate/then_branch/If_0/else_branch/w": full(4),
        "gate/else_branch/w": full(5),
        "own::Twice/y": full(6),
        "training_0/algorithm/w": full(7),
        "training_0/initialization/w": full(8),
    }


def sparse(name: str, *, linear: bool) -> tuple[onnx.SparseTensorProto, np.ndarray]:
    dense = np.zeros((3, 4), np.float32)
    dense[0, 1], dense[1, 0], dense[2, 3] = 1.5, -2, 3
    rows = np.argwhere(dense).astype(np.int64)
    indices = np.ravel_multi_index(tuple(rows.T), dense.shape).astype(np.int64) if linear else rows
    values = numpy_helper.from_array(dense[dense != 0], name)
    return helper.make_sparse_tensor(values, numpy_helper.from_array(indices, name + "_i"), [3, 4]), dense


@pytest.mark.parametrize("linear", [True, False])
def test_sparse_tensors(weighbridge: Weighbridge, tmp_path: Path, linear: bool) -> None:
    tensor, dense = sparse("s", linear=linear)
    model = model_of(nodes=[helper.make_node("Constant", [], ["c"], sparse_value=tensor)])
    model.graph.sparse_initializer.append(tensor)
    file = save(tmp_path, model)
    assert convert(weighbridge, file) == {"s": tensor_of(dense), "c": tensor_of(dense)}
    parts = convert(weighbridge, file, "--sparse", "split")
    assert parts["s.values"] == expected(tensor.values)
    assert parts["s.indices"] == expected(tensor.indices)
    assert set(parts) == {"s.values", "s.indices", "c.values", "c.indices"}


def test_complex_numbers(weighbridge: Weighbridge, tmp_path: Path) -> None:
    narrow = np.array([[1 + 2j, 3 - 4j]], np.complex64)
    wide = narrow.astype(np.complex128) * 0.1
    model = model_of(
        [
            numpy_helper.from_array(narrow, "narrow"),
            numpy_helper.from_array(wide, "wide"),
            helper.make_tensor("typed", TensorProto.COMPLEX128, [1, 2], wide.ravel()),
        ]
    )
    file = save(tmp_path, model)
    refused = weighbridge.run("convert", file, "-o", tmp_path / "x.safetensors")
    assert refused.returncode == 1
    assert "safetensors has no COMPLEX128" in refused.stderr
    arrays = {"narrow": narrow, "wide": wide, "typed": wide}
    parts = {f"{name}.{part}": getattr(array, part) for name, array in arrays.items() for part in ("real", "imag")}
    assert convert(weighbridge, file, "--complex", "split") == {name: tensor_of(part) for name, part in parts.items()}


def test_texts_are_named_and_left_out(weighbridge: Weighbridge, tmp_path: Path) -> None:
    model = model_of([helper.make_tensor("labels", TensorProto.STRING, [2], [b"a", b"b"]), raw_tensor("w", 1, (2,))])
    file = save(tmp_path, model)
    assert set(convert(weighbridge, file)) == {"w"}
    findings = weighbridge.json("info", file)["findings"]
    assert [(finding["code"], finding["subject"]) for finding in findings] == [("TextTensors", "labels")]


@pytest.mark.parametrize("one_file", [True, False])
def test_external_data_as_onnx_writes_it(weighbridge: Weighbridge, tmp_path: Path, one_file: bool) -> None:
    tensors = [raw_tensor(f"t{data_type}", data_type, (64, 8), data_type) for data_type in DTYPES]
    file = tmp_path / "model.onnx"
    onnx.save_model(
        model_of(tensors),
        file,
        save_as_external_data=True,
        all_tensors_to_one_file=one_file,
        location="model.onnx.data" if one_file else None,
        size_threshold=0,
    )
    assert external_data_helper.uses_external_data(onnx.load(file, load_external_data=False).graph.initializer[0])
    assert convert(weighbridge, file) == {tensor.name: expected(tensor) for tensor in tensors}
    assert weighbridge.json("validate", file)["files"][0]["status"] == "ok"


def test_what_pytorch_exports(weighbridge: Weighbridge, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(288, 5)
    ).eval()
    example = torch.zeros(1, 3, 8, 8)
    file = tmp_path / "model.onnx"
    torch.onnx.export(model, (example,), file, dynamo=False)
    tensors = convert(weighbridge, file)
    graph = onnx.load(file).graph
    assert {name: tensors[name] for name in (t.name for t in graph.initializer)} == {
        tensor.name: expected(tensor) for tensor in graph.initializer
    }
    for name, value in model[4].state_dict().items():
        assert tensors[f"4.{name}"] == tensor_of(value.numpy())


def test_what_the_newer_exporter_of_pytorch_writes(weighbridge: Weighbridge, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.GELU(), torch.nn.Linear(64, 3)).eval()
    file = tmp_path / "model.onnx"
    program = torch.onnx.export(model, (torch.zeros(1, 64),), dynamo=True)
    assert program is not None
    program.save(file, external_data=True)
    tensors = convert(weighbridge, file)
    for name, value in model.state_dict().items():
        assert tensors[name] == tensor_of(value.numpy())


def test_the_rest_is_listed_and_in_the_sidecar(weighbridge: Weighbridge, tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Relu", ["y"], ["z"])],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
        [raw_tensor("w", 1, (1,))],
    )
    model = helper.make_model(graph, producer_name="maker", opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, {"author": "x\n"})
    file = save(tmp_path, model)
    convert(weighbridge, file, "--sidecar")
    sidecar = json.loads(Path(f"{file}.safetensors.meta.json").read_text(encoding="utf-8"))
    assert sidecar["version"] == 1
    assert sidecar["onnx"] == {
        "ir_version": model.ir_version,
        "opset_import": {"": 17},
        "producer_name": "maker",
        "graph.name": "net",
        "metadata_props": [["author", "x\n"]],
        "inputs": [["x", "FLOAT [batch, 3]"]],
        "outputs": [["z", "FLOAT"]],
        "operators": {"Relu": 2},
        "functions": [],
    }


def test_a_model_becomes_a_pytorch_file(weighbridge: Weighbridge, tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    file = save(tmp_path, model_of([numpy_helper.from_array(values, "w")]))
    weighbridge.ok("convert", file, "--to", "pt")
    loaded = torch.load(tmp_path / "model.pt", weights_only=True)
    assert set(loaded) == {"w"}
    assert np.array_equal(loaded["w"].numpy(), values)


def test_a_compressed_model(weighbridge: Weighbridge, tmp_path: Path) -> None:
    tensors = every_tensor(typed_tensor)
    file = tmp_path / "model.onnx.gz"
    file.write_bytes(gzip.compress(model_of(tensors).SerializeToString()))
    assert weighbridge.json("info", file)["format"] == "gzip, onnx"
    assert convert(weighbridge, file) == {tensor.name: expected(tensor) for tensor in tensors}


def test_a_file_above_2_gib(weighbridge: Weighbridge, tmp_path: Path) -> None:
    """Lengths above 2^31 occur in files that libprotobuf cannot read; the file is sparse, and little of it is read."""
    size = (2 << 30) + 4096
    last = np.arange(4, dtype=np.float32)

    def tensor(name: bytes, dims: int) -> bytes:
        return encode(1, 0, encode_varint(dims)) + encode(2, 0, b"\x01") + encode(8, 2, name)

    def begin(number: int, length: int) -> bytes:
        return encode_varint(number << 3 | 2) + encode_varint(length)

    big = tensor(b"big", size // 4) + begin(9, size)
    big_head = begin(5, len(big) + size) + big
    small = encode(5, 2, tensor(b"small", 4) + encode(9, 2, last.tobytes()))
    head = encode(1, 0, b"\x0a") + begin(7, len(big_head) + size + len(small)) + big_head
    file = tmp_path / "model.onnx"
    with file.open("wb") as out:
        out.write(head)
        out.seek(size, 1)
        out.write(small)
    listed = weighbridge.json("ls", file)["tensors"]
    assert [(entry["name"], entry["bytes"]) for entry in listed] == [("big", size), ("small", 16)]
    output = tmp_path / "small.safetensors"
    weighbridge.ok("convert", file, "--key", "small", "-o", output)
    assert read(output)["small"] == tensor_of(last)
