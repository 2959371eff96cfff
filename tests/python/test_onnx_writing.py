"""Models whose data was moved out, brought back or replaced: onnx accepts them, and onnxruntime computes the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from arrays import read, tensor_of
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, external_data_helper, helper, numpy_helper
from onnx_models import EVERY_TYPE, expected, model_of, model_of_messages, raw_tensor, typed_tensor, unpacked
from safetensors.numpy import load_file, save_file

from cli import Weighbridge


def run_model(file: Path, **inputs: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    outputs: list[np.ndarray] = session.run(None, inputs)
    return outputs


def assert_same_outputs(before: Path, after: Path, **inputs: np.ndarray) -> None:
    for one, other in zip(run_model(before, **inputs), run_model(after, **inputs), strict=True):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()


def without_data(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with empty initializers: all that must not change when data moves."""
    bare = onnx.ModelProto.FromString(model.SerializeToString())
    for tensor in bare.graph.initializer:
        described = TensorProto(
            name=tensor.name,
            dims=tensor.dims,
            data_type=tensor.data_type,
            doc_string=tensor.doc_string,
            metadata_props=tensor.metadata_props,
        )
        tensor.CopyFrom(described)
    return bare


def externalise(weighbridge: Weighbridge, source: Path, *options: str) -> Path:
    output = source.parent / "out.onnx"
    weighbridge.ok("convert", source, "--external", "-o", output, "--force", *options)
    return output


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network that PyTorch exported, with its data inside."""
    torch.manual_seed(0)
    layers = (
        torch.nn.Conv2d(3, 8, 3),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(288, 5),
    )
    file = tmp_path / "model.onnx"
    torch.onnx.export(
        torch.nn.Sequential(*layers).eval(), (torch.zeros(1, 3, 8, 8),), file, dynamo=False, input_names=["x"]
    )
    return file


IMAGE = np.random.default_rng(0).normal(size=(1, 3, 8, 8)).astype(np.float32)


@pytest.mark.parametrize("inline_below", ["0", "1024", "1000000"])
def test_the_data_is_the_safetensors_file(weighbridge: Weighbridge, network: Path, inline_below: str) -> None:
    output = externalise(weighbridge, network, "--inline-below", inline_below)
    data = network.parent / "out.safetensors"
    onnx.checker.check_model(output, full_check=True)
    assert_same_outputs(network, output, x=IMAGE)
    before, after = onnx.load(network), onnx.load(output, load_external_data=False)
    assert without_data(after) == without_data(before)
    tensors = read(data)
    limit = int(inline_below)
    for old, new in zip(before.graph.initializer, after.graph.initializer, strict=True):
        assert tensors[old.name] == expected(old)
        size = len(expected(old).content)
        assert external_data_helper.uses_external_data(new) == (size > 0 and size >= limit)
    for tensor in after.graph.initializer:
        if external_data_helper.uses_external_data(tensor):
            info = external_data_helper.ExternalDataInfo(tensor)
            assert info.location == "out.safetensors"
            content = data.read_bytes()[info.offset : info.offset + info.length]
            assert content == tensors[tensor.name].content
    assert (8 + int.from_bytes(data.read_bytes()[:8], "little")) % 4096 == 0
    assert set(load_file(data)) == set(tensors)
    assert not output.is_symlink()
    assert output.stat().st_nlink == data.stat().st_nlink == 1
    assert weighbridge.json("validate", output, "--strict")["files"][0]["status"] == "ok"


def test_an_edited_data_file_is_noticed_and_mended(weighbridge: Weighbridge, network: Path, tmp_path: Path) -> None:
    output = externalise(weighbridge, network)
    data = tmp_path / "out.safetensors"
    arrays = load_file(data)
    save_file({**arrays, "a.new.tensor": np.zeros(3000)}, data)
    findings = weighbridge.run("validate", output)
    assert findings.returncode == 1
    assert "ExternalDataMoved" in findings.stdout
    save_file(arrays, data)
    mended = tmp_path / "mended.onnx"
    weighbridge.ok("convert", data, "--external", "--template", output, "-o", mended)
    onnx.checker.check_model(mended)
    assert_same_outputs(network, mended, x=IMAGE)


def test_data_comes_back_inside(weighbridge: Weighbridge, network: Path, tmp_path: Path) -> None:
    output = externalise(weighbridge, network, "--inline-below", "0")
    inside = tmp_path / "inside.onnx"
    weighbridge.ok("convert", output, "--to", "onnx", "-o", inside)
    before, after = onnx.load(network), onnx.load(inside, load_external_data=False)
    assert without_data(after) == without_data(before)
    assert [expected(t) for t in after.graph.initializer] == [expected(t) for t in before.graph.initializer]
    onnx.checker.check_model(inside, full_check=True)
    assert_same_outputs(network, inside, x=IMAGE)


@pytest.mark.parametrize("external", [False, True])
def test_new_weights_by_name(weighbridge: Weighbridge, network: Path, tmp_path: Path, external: bool) -> None:
    weights = weighbridge.convert(network)
    arrays = {name: array * 2 if array.dtype == np.float32 else array for name, array in load_file(weights).items()}
    save_file(arrays, tmp_path / "new.safetensors")
    output = tmp_path / "new.onnx"
    options = ["--external"] if external else ["--to", "onnx"]
    out = tmp_path / "filled" / "new.onnx" if external else output
    out.parent.mkdir(exist_ok=True)
    weighbridge.ok("convert", tmp_path / "new.safetensors", *options, "--template", network, "-o", out)
    wanted = onnx.load(network)
    for tensor in wanted.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(arrays[tensor.name], tensor.name))
    onnx.save(wanted, tmp_path / "wanted.onnx")
    onnx.checker.check_model(out, full_check=True)
    assert_same_outputs(tmp_path / "wanted.onnx", out, x=IMAGE)


def test_what_does_not_belong_to_the_model_is_listed(weighbridge: Weighbridge, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    onnx.save(model_of([raw_tensor("a", 1, (2,)), raw_tensor("b", 1, (2,)), raw_tensor("c", 1, (2,))]), model)
    weights = tmp_path / "w.safetensors"
    save_file({"a": np.zeros((1, 2), np.float32), "b": np.zeros(2, np.float32), "x": np.zeros(1)}, weights)
    done = weighbridge.run("convert", weights, "--to", "onnx", "--template", model, "-o", tmp_path / "o.onnx")
    assert done.returncode == 1
    assert "1 initializers are missing: 'c'" in done.stderr
    assert "1 tensors have no place in it: 'x'" in done.stderr
    assert "a is F32 [1, 2], the model has F32 [2]" in done.stderr
    assert not (tmp_path / "o.onnx").exists()


def test_every_type_and_encoding_goes_out_and_in(weighbridge: Weighbridge, tmp_path: Path) -> None:
    raw = [raw_tensor(f"raw{t}", t, (6, 8), t) for t in EVERY_TYPE]
    typed = [typed_tensor(f"typed{t}", t, (5, 3), t) for t in EVERY_TYPE]
    single = [unpacked(typed_tensor(f"single{t}", t, (7,), t)) for t in EVERY_TYPE]
    source = tmp_path / "model.onnx"
    messages = [t.SerializeToString() for t in raw + typed] + single
    source.write_bytes(model_of_messages(messages))
    output = externalise(weighbridge, source, "--inline-below", "0")
    back = tmp_path / "back.onnx"
    weighbridge.ok("convert", output, "--to", "onnx", "-o", back)
    wanted = [expected(TensorProto.FromString(message)) for message in messages]
    for file in (output, back):
        loaded = onnx.load(file)
        assert [expected(tensor) for tensor in loaded.graph.initializer] == wanted
        assert without_data(loaded) == without_data(onnx.load(source))


def subgraphs() -> onnx.ModelProto:
    """A model with a branch that has data of its own, a function, constants, texts and a sparse constant."""

    def branch(value: float) -> onnx.GraphProto:
        weight = numpy_helper.from_array(np.full((400,), value, np.float32), "w")
        out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [400])
        return helper.make_graph([helper.make_node("Add", ["x", "w"], ["out"])], "b", [], [out], [weight])

    nodes = [
        helper.make_node("If", ["c"], ["y"], name="gate", then_branch=branch(1.5), else_branch=branch(-2)),
        helper.make_node("Constant", [], ["k"], value=numpy_helper.from_array(np.full((400,), 3, np.float32))),
        helper.make_node("Twice", ["y"], ["z"], domain="own"),
        helper.make_node("Mul", ["z", "k"], ["out"]),
    ]
    twice = helper.make_function(
        "own",
        "Twice",
        ["a"],
        ["b"],
        [helper.make_node("Constant", [], ["two"], value_float=2.0), helper.make_node("Mul", ["a", "two"], ["b"])],
        [helper.make_opsetid("", 17)],
    )
    graph = helper.make_graph(
        nodes,
        "g",
        [
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [400]),
        ],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [400])],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    model: onnx.ModelProto = helper.make_model(graph, functions=[twice], opset_imports=opsets, ir_version=10)
    return model


def test_branches_and_functions(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "model.onnx"
    onnx.save(subgraphs(), source)
    output = externalise(weighbridge, source)
    onnx.checker.check_model(output)
    for choice in (True, False):
        assert_same_outputs(source, output, c=np.array(choice), x=np.arange(400, dtype=np.float32))
    loaded = onnx.load(output)
    assert loaded.SerializeToString(deterministic=True) != b""
    plain = onnx.load(source)
    for one, other in zip(loaded.graph.node[0].attribute, plain.graph.node[0].attribute, strict=True):
        assert expected(one.g.initializer[0]) == expected(other.g.initializer[0])


def test_what_cannot_be_changed_says_so(weighbridge: Weighbridge, tmp_path: Path) -> None:
    source = tmp_path / "model.onnx"
    onnx.save(model_of(nodes=[helper.make_node("Constant", [], ["k"], value_floats=[1.0, 2.0])]), source)
    same, other = tmp_path / "same.safetensors", tmp_path / "other.safetensors"
    save_file({"k": np.array([1, 2], np.float32)}, same)
    save_file({"k": np.array([1, 3], np.float32)}, other)
    weighbridge.ok("convert", same, "--to", "onnx", "--template", source, "-o", tmp_path / "o.onnx")
    assert (tmp_path / "o.onnx").read_bytes() == source.read_bytes()
    done = weighbridge.run("convert", other, "--to", "onnx", "--template", source, "-o", tmp_path / "p.onnx")
    assert done.returncode == 1
    assert "tensor 'k': new values cannot be put into" in done.stderr


def test_mistakes_of_the_caller(weighbridge: Weighbridge, network: Path, tmp_path: Path) -> None:
    weights = weighbridge.convert(network)
    for arguments, text in [
        ((weights, "--to", "onnx"), "an ONNX file is made from one"),
        ((weights, "--to", "onnx", "--template", weights), "an ONNX file is made from one"),
        ((network, "--external", "--key", "x"), "without a key"),
        ((network, "--external", "--sidecar"), "beside safetensors only"),
    ]:
        done = weighbridge.run("convert", *arguments, "-o", tmp_path / "o.onnx")
        assert done.returncode == 2, done.stderr
        assert text in done.stderr
    assert weighbridge.run("convert", network, "--external", "-o", tmp_path / "o.safetensors").returncode == 2


def test_models_without_an_output_name(weighbridge: Weighbridge, network: Path) -> None:
    weighbridge.ok("convert", network, "--external")
    assert network.with_name("model.external.onnx").exists()
    assert network.with_name("model.external.safetensors").exists()


@given(data=st.data())
def test_random_models_go_out_and_in(
    weighbridge: Weighbridge, tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    count = data.draw(st.integers(0, 5))
    messages = []
    for number in range(count):
        data_type = data.draw(st.sampled_from(EVERY_TYPE))
        shape = data.draw(st.lists(st.integers(0, 20), max_size=3))
        form = data.draw(st.sampled_from(("raw", "typed", "unpacked")))
        tensor = (raw_tensor if form == "raw" else typed_tensor)(f"t{number}", data_type, shape, number)
        messages.append(unpacked(tensor) if form == "unpacked" else tensor.SerializeToString())
    folder = tmp_path_factory.mktemp("random")
    source = folder / "model.onnx"
    source.write_bytes(model_of_messages(messages))
    below = data.draw(st.sampled_from(("0", "16", "1024")))
    wanted = [expected(TensorProto.FromString(message)) for message in messages]
    output = externalise(weighbridge, source, "--inline-below", below, "--allow-empty")
    back = folder / "back.onnx"
    weighbridge.ok("convert", output, "--to", "onnx", "-o", back, "--allow-empty")
    for file in (output, back):
        assert [expected(tensor) for tensor in onnx.load(file).graph.initializer] == wanted


def test_tied_initializers_stay_one(weighbridge: Weighbridge, tmp_path: Path) -> None:
    values = np.arange(1000, dtype=np.float32)
    source = tmp_path / "model.onnx"
    model = model_of([numpy_helper.from_array(values, name) for name in ("a", "b")])
    onnx.save_model(model, source, save_as_external_data=True, location="d", size_threshold=0)
    for tensor in (tied := onnx.load(source, load_external_data=False)).graph.initializer:
        for entry in tensor.external_data:
            entry.value = {"offset": "0"}.get(entry.key, entry.value)
    source.write_bytes(tied.SerializeToString())
    output = externalise(weighbridge, source)
    assert len(read(tmp_path / "out.safetensors")) == 1
    assert [expected(t) for t in onnx.load(output).graph.initializer] == [tensor_of(values)] * 2


def real_models() -> list[Path]:
    folders = (Path(package.__file__).parent for package in (onnx, onnxruntime))
    return sorted(file for folder in folders for file in folder.rglob("*.onnx"))


def test_every_model_that_comes_with_onnx_and_onnxruntime(weighbridge: Weighbridge, tmp_path: Path) -> None:
    models = real_models()
    assert len(models) > 100
    for model in models:
        source = tmp_path / "model.onnx"
        source.write_bytes(model.read_bytes())
        before = onnx.load(source)
        output = externalise(weighbridge, source, "--inline-below", "0", "--allow-empty")
        weighbridge.ok("convert", output, "--to", "onnx", "-o", tmp_path / "back.onnx", "--force", "--allow-empty")
        tensors = read(tmp_path / "out.safetensors")
        for tensor in before.graph.initializer:
            assert tensors[tensor.name] == expected(tensor), model
        for after in (onnx.load(output), onnx.load(tmp_path / "back.onnx")):
            assert without_data(after) == without_data(before), model
            assert [expected(t) for t in after.graph.initializer] == [expected(t) for t in before.graph.initializer]
