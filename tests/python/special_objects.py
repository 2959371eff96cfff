"""Objects of every kind that torch can save, each with the tensors that must come out of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from special import Special, Tensors, each, one, plain, save_legacy, save_pickle, save_zip, seeded, values
from special_sparse import compressed, coo, sparse_objects

# --- Quantised tensors


def per_tensor(dtype: torch.dtype) -> torch.Tensor:
    numbers = torch.randn(7, 5, generator=seeded()) * 10
    return torch.quantize_per_tensor(numbers, 0.123, 0 if dtype == torch.qint32 else 3, dtype)


def per_channel(dtype: torch.dtype, axis: int = 0, floats: bool = False) -> torch.Tensor:
    numbers = torch.randn(3, 4, 6, generator=seeded()) * 5
    count = numbers.shape[axis]
    scales = torch.rand(count, generator=seeded(), dtype=torch.float32 if floats else torch.float64) + 0.1
    zeros = torch.arange(count, dtype=torch.float32) * 0.7 if floats else torch.arange(count)
    return torch.quantize_per_channel(numbers, scales, zeros, axis, dtype)


def packed(dtype: torch.dtype, columns: int = 7) -> torch.Tensor:
    numbers = torch.rand(3, columns, generator=seeded()) * 4
    return torch.quantize_per_channel(numbers, torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.0, 1.0, 0.5]), 0, dtype)


def quantized(value: torch.Tensor) -> Tensors:
    if value.qscheme() == torch.per_tensor_affine:
        scale = torch.tensor(value.q_scale(), dtype=torch.float64)
        zero = torch.tensor(value.q_zero_point(), dtype=torch.int64)
    else:
        scale, zero = value.q_per_channel_scales(), value.q_per_channel_zero_points()
    return {"tensor": value.int_repr(), "tensor.scale": scale, "tensor.zero_point": zero}


def dequantized(value: torch.Tensor) -> Tensors:
    return {"tensor": value.dequantize()}


def quantized_objects() -> list[Special]:
    makers: dict[str, Callable[[], torch.Tensor]] = {
        **{f"{dtype} per tensor": lambda dtype=dtype: per_tensor(dtype)
           for dtype in (torch.qint8, torch.quint8, torch.qint32)},
        **{f"{dtype} per channel {axis}": lambda dtype=dtype, axis=axis: per_channel(dtype, axis)
           for dtype in (torch.qint8, torch.quint8, torch.qint32) for axis in (0, 1, 2)},
        "float parameters": lambda: per_channel(torch.quint8, 1, floats=True),
        "quint4x2": lambda: packed(torch.quint4x2),
        "quint4x2, even": lambda: packed(torch.quint4x2, 8),
        "quint2x4": lambda: packed(torch.quint2x4),
        "quantized, transposed": lambda: per_tensor(torch.qint8).t(),
        "quantized, a slice": lambda: per_tensor(torch.quint8)[2:5],
    }  # fmt: skip
    found = [Special(f"{name}, split", make, quantized) for name, make in makers.items()]
    found += [
        Special(f"{name}, dequantized", make, dequantized, ("--quantized", "dequantize"))
        for name, make in makers.items()
    ]
    found.append(Special("quantized in a legacy stream", makers["quint4x2"], quantized, save=save_legacy))
    return found


# --- Signs and complex numbers


def complex_numbers(dtype: torch.dtype = torch.complex64) -> torch.Tensor:
    return values((4, 3), dtype)


def parts(value: torch.Tensor) -> Tensors:
    return {"tensor.real": plain(value.real), "tensor.imag": plain(value.imag)}


def complex_objects() -> list[Special]:
    split = ("--complex", "split")
    return [
        Special("conj", lambda: complex_numbers().conj(), one),
        Special("conj of a view", lambda: complex_numbers().t()[1:].conj(), one),
        Special("neg", lambda: complex_numbers().conj().imag, one),
        Special("neg of integers", lambda: torch._neg_view(torch.arange(-3, 3)), one),
        Special("neg of bfloat16", lambda: torch._neg_view(values((3,), torch.bfloat16)), one),
        Special("neg and conj", lambda: torch._neg_view(complex_numbers().conj()), one),
        Special("conj in a legacy stream", lambda: complex_numbers().conj(), one, save=save_legacy),
        Special("complex64, split", complex_numbers, parts, split),
        Special("complex64, conj, split", lambda: complex_numbers().conj(), parts, split),
        Special("complex128, split", lambda: complex_numbers(torch.complex128), parts, split),
        Special("complex128, a view, split", lambda: complex_numbers(torch.complex128).t(), parts, split),
        Special("complex32", all_halves, widened),
        Special("complex32, conj", lambda: all_halves().conj(), widened),
        Special("complex32, split", lambda: complex_numbers(torch.complex32), parts, split),
        Special("complex128, COO, split", lambda: coo(torch.complex128), lambda value: parts(value.to_dense()), split),
    ]


def all_halves() -> torch.Tensor:
    """Every 16-bit float that is a number."""
    halves = torch.arange(65536, dtype=torch.int32).to(torch.int16).view(torch.float16)
    halves = halves[~halves.isnan()]
    return torch.view_as_complex(halves.reshape(-1, 2))


def widened(value: torch.Tensor) -> Tensors:
    return {"tensor": plain(value).to(torch.complex64)}


# --- Tensors of several components, and subclasses


def nested(layout: torch.layout) -> torch.Tensor:
    rows = [torch.randn(length, 4, generator=seeded()) for length in (2, 5, 1)]
    return torch.nested.nested_tensor(rows, layout=layout)


def components(value: torch.Tensor) -> Tensors:
    return {f"tensor.{i}": plain(part) for i, part in enumerate(value.unbind())}


def jagged(value: torch.Tensor) -> Tensors:
    found = {"tensor.values": value.values(), "tensor.offsets": value.offsets()}
    return found if value.lengths() is None else {**found, "tensor.lengths": value.lengths()}


class Tagged(torch.Tensor):
    """A subclass over plain memory."""


class Scaled(torch.Tensor):
    """A subclass that wraps two tensors, as torchao and its kind do."""

    raw: torch.Tensor
    scale: torch.Tensor

    @staticmethod
    def __new__(cls: type, raw: torch.Tensor, _scale: torch.Tensor) -> Scaled:  # type: ignore[misc]
        return torch.Tensor._make_wrapper_subclass(cls, raw.shape, dtype=torch.float32)  # type: ignore[attr-defined]

    def __init__(self, raw: torch.Tensor, scale: torch.Tensor) -> None:
        self.raw = raw
        self.scale = scale
        self.note = "kept in the sidecar"

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.ops.aten.detach.default:
            return args[0]
        raise NotImplementedError(function)


def scaled() -> Scaled:
    return Scaled(torch.arange(6, dtype=torch.int8).view(2, 3), torch.tensor([0.5, 2.0]))


def wrapped(value: Scaled) -> Tensors:
    return {"tensor.raw": value.raw, "tensor.scale": value.scale}


def wrapped_twice(value: Scaled) -> Tensors:
    return {f"tensor.raw.{part}": getattr(value.raw, part) for part in ("raw", "scale")} | {"tensor.scale": value.scale}


def tagged_parameter() -> torch.nn.Parameter:
    parameter = torch.nn.Parameter(torch.arange(3.0))
    parameter.tag = "x"  # type: ignore[attr-defined]
    return parameter


class FromDevice:
    """What torch writes for a tensor of a device that it has to move first."""

    def __init__(self, tensor: torch.Tensor, dtype: torch.dtype) -> None:
        self.tensor = tensor
        self.dtype = dtype

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild = torch._utils._rebuild_device_tensor_from_cpu_tensor
        return rebuild, (self.tensor, self.dtype, "cpu", False)


def structured_objects() -> list[Special]:
    rows = torch.randn(3, 5, 2, generator=seeded())
    return [
        Special("nested", lambda: nested(torch.strided), components),
        Special("nested, transposed", lambda: nested(torch.strided).transpose(1, 2), components),
        Special("nested in a legacy stream", lambda: nested(torch.strided), components, save=save_legacy),
        Special("jagged", lambda: nested(torch.jagged), jagged),
        Special("jagged with lengths", lambda: torch.nested.narrow(
            rows, 1, torch.tensor([0, 1, 2]), torch.tensor([2, 3, 1]), layout=torch.jagged), jagged),
        Special("subclass over plain memory", lambda: torch.arange(4.0).as_subclass(Tagged), one),
        Special("subclass that wraps tensors", scaled, wrapped),
        Special("subclass that wraps a subclass", lambda: Scaled(scaled(), torch.ones(1)), wrapped_twice),
        Special("parameter with an attribute", tagged_parameter, one),
        Special("buffer", lambda: torch.nn.Buffer(torch.arange(3.0)), one),
        Special("device tensor", lambda: {"w": FromDevice(torch.arange(4.0), torch.float32)},
                lambda value: {"w": value["w"].tensor}),
        Special("device tensor of bfloat16", lambda: {"w": FromDevice(torch.randn(99), torch.bfloat16)},
                lambda value: {"w": value["w"].tensor.bfloat16()}),
        Special("device tensor of float16", lambda: {"w": FromDevice(all_floats(), torch.float16)},
                lambda value: {"w": value["w"].tensor.half()}),
        Special("bits8", lambda: torch.arange(9, dtype=torch.uint8).view(torch.bits8),
                lambda value: {"tensor": value.view(torch.uint8)}),
        Special("float4, transposed", lambda: packed_float4().t(),
                lambda value: {"tensor": value.contiguous()}),
    ]  # fmt: skip


def all_floats() -> torch.Tensor:
    """Floats around every 16-bit one: what rounds up, down, and to the even neighbour."""
    halves = torch.arange(65536, dtype=torch.int32).to(torch.int16).view(torch.float16)
    floats = halves[halves.isfinite()].float()
    bits_ = floats.view(torch.int32)
    return torch.cat([(bits_ + step).view(torch.float32) for step in (0, 1, 4095, 4096, 4097, 8191)])


def packed_float4() -> torch.Tensor:
    return torch.arange(12, dtype=torch.uint8).view(3, 4).view(torch.float4_e2m1fn_x2)


# --- Whole files


def module() -> torch.nn.Module:
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Conv1d(1, 2, 3))


def state(value: torch.nn.Module) -> Tensors:
    return each(value.state_dict())


def trained() -> dict[str, Any]:
    model = module()
    optimizer = torch.optim.AdamW(model.parameters())
    sum(parameter.sum() for parameter in model.parameters()).backward()  # type: ignore[union-attr]
    optimizer.step()
    return {
        "epoch": 3,
        "state_dict": {f"model.{name}": tensor for name, tensor in model.state_dict().items()},
        "optimizer_states": [optimizer.state_dict()],
        "hyper_parameters": {"lr": 1e-3, "layers": (1, 2)},
    }


def mixed() -> dict[str, Any]:
    tied = coo(torch.float32)
    return {"sparse": tied, "conj": complex_numbers().conj(), "dense": torch.arange(6.0).view(2, 3).t()}


def quantized_linear() -> dict[str, Any]:
    return dict(torch.ao.nn.quantized.Linear(3, 2).state_dict())


def packed_parts(value: dict[str, Any]) -> Tensors:
    weight, bias = value["_packed_params._packed_params"]
    inner = {name.replace("tensor", "_packed_params._packed_params.0"): t for name, t in quantized(weight).items()}
    rest = {name: value[name] for name in ("scale", "zero_point")}
    return {**inner, "_packed_params._packed_params.1": bias.detach(), **rest}


def save_script(value: object, path: Path) -> None:
    torch.jit.save(value, path)  # type: ignore[no-untyped-call]


class PackedModel(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.ao.nn.quantized.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x)


def scripted_parts(value: torch.jit.ScriptModule) -> Tensors:
    weight, bias = value.linear._packed_params._packed_params.__getstate__()[0]
    name = "linear._packed_params._packed_params"
    inner = {part.replace("tensor", f"{name}.0"): tensor for part, tensor in quantized(weight).items()}
    return {**inner, f"{name}.1": bias.detach()}


def files() -> list[Special]:
    base = torch.arange(24.0).view(2, 3, 4)
    views = {"row": base[1], "turned": base.permute(2, 0, 1), "wide": torch.ones(1, 3).expand(4, 3), "none": base[:0]}
    found = [
        Special(f"module in {name}", module, state, save=save)
        for name, save in (("a zip", save_zip), ("a legacy stream", save_legacy), ("a pickle", save_pickle(2)))
    ]
    found += [
        Special(f"state dict, protocol {protocol}", lambda: dict(module().state_dict()), each,
                save=save_pickle(protocol)) for protocol in (2, 3, 4, 5)
    ]  # fmt: skip
    found += [
        Special("views", lambda: views, each),
        Special("sparse, complex and dense side by side", mixed, each),
        Special("training checkpoint", trained, lambda value: each(value["state_dict"])),
        Special("data parallel", lambda: torch.nn.DataParallel(module()), state),
        Special("storage", lambda: torch.arange(4.0).untyped_storage(), lambda value: {
            "storage": torch.frombuffer(bytearray(bytes(value)), dtype=torch.uint8)}),
        Special("list of tensors", lambda: [torch.ones(2), {"x": torch.zeros(1)}], lambda value: {
            "0": value[0], "1.x": value[1]["x"]}),
        Special("traced graph", lambda: torch.fx.symbolic_trace(module()), state, ("--allow-dangerous",)),
        Special("script", lambda: torch.jit.script(torch.nn.Linear(2, 3)), state, save=save_script),
        Special("script of packed weights", lambda: torch.jit.script(PackedModel()), scripted_parts, save=save_script),
        Special("packed weights in a state dict", quantized_linear, packed_parts),
        Special("module with a sparse buffer", sparse_module, state),
        Special("meta tensor left out", lambda: {"a": torch.ones(2), "b": torch.empty(2, device="meta")},
                lambda value: {"a": value["a"]}, ("--skip-meta",)),
        Special("lazy module", lambda: {"lazy": torch.nn.LazyLinear(3).state_dict(), "w": torch.ones(2)},
                lambda value: {"w": value["w"]}),
    ]  # fmt: skip
    return found


def sparse_module() -> torch.nn.Module:
    model = module()
    model.register_buffer("mask", compressed("csr"))
    return model


def objects() -> list[Special]:
    return [*sparse_objects(), *quantized_objects(), *complex_objects(), *structured_objects(), *files()]
