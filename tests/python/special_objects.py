"""Objects of every kind that torch can save, each with the tensors that must come out of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from special import Special, Tensors, each, one, plain, save_legacy, save_pickle, save_script, save_zip, seeded, values
from special_quantized import quantized_objects
from special_sparse import compressed, coo, sparse_objects

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


class FromDeviceByNumpy(FromDevice):
    """The same as torch wrote it before it could pickle tensors of such devices."""

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild = torch._utils._rebuild_device_tensor_from_numpy
        return rebuild, (self.tensor.numpy(), self.dtype, "cpu", False)


def moved(value: dict[str, FromDevice]) -> Tensors:
    rebuild, arguments = value["w"].__reduce__()
    return {"w": rebuild(*arguments)}


def by_numpy(dtype: torch.dtype, make: Callable[[], torch.Tensor] | None = None) -> Callable[[], object]:
    return lambda: {"w": FromDeviceByNumpy(make() if make else values((4, 3), dtype), dtype)}


def device_objects() -> list[Special]:
    dtypes = (
        torch.float64, torch.float32, torch.float16, torch.bool, torch.uint8, torch.int8, torch.int16, torch.uint16,
        torch.int32, torch.int64, torch.complex64,
    )  # fmt: skip
    found = [Special(f"device tensor by numpy, {dtype}", by_numpy(dtype), moved) for dtype in dtypes]
    found += [
        Special("device tensor", lambda: {"w": FromDevice(torch.arange(4.0), torch.float32)}, moved),
        Special("device tensor of bfloat16", lambda: {"w": FromDevice(torch.randn(99), torch.bfloat16)}, moved),
        Special("device tensor of float16", lambda: {"w": FromDevice(all_floats(), torch.float16)}, moved),
        Special("device tensor by numpy, bfloat16", by_numpy(torch.bfloat16, lambda: torch.randn(99)), moved),
        Special("device tensor by numpy, rounded", by_numpy(torch.float16, all_floats), moved),
        Special("device tensor by numpy, transposed",
                by_numpy(torch.bfloat16, lambda: values((4, 3), torch.float32).t()), moved),
        Special("device tensor by numpy in a legacy stream", by_numpy(torch.int32), moved, save=save_legacy),
    ]  # fmt: skip
    return found


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
    return [
        *sparse_objects(),
        *quantized_objects(),
        *complex_objects(),
        *structured_objects(),
        *device_objects(),
        *files(),
    ]
