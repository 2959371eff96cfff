"""Quantised tensors and modules of every kind, each with the tensors that must come out of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from special import Special, Tensors, save_legacy, save_script, seeded


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


def tensor_objects() -> list[Special]:
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


# --- Quantised modules, whose weights are packed into objects of C++


def spread(name: str, value: torch.Tensor) -> Tensors:
    return {part.replace("tensor", name, 1): tensor for part, tensor in quantized(value).items()}


def linear_weight() -> torch.Tensor:
    """Packing rounds a scale to 32 bits, which this one has."""
    return torch.quantize_per_tensor(torch.randn(2, 3, generator=seeded()), 0.125, 2, torch.qint8)


def filter_weight() -> torch.Tensor:
    numbers = torch.randn(3, 2, 3, 3, generator=seeded())
    return torch.quantize_per_channel(numbers, torch.tensor([0.125, 0.25, 0.5]), torch.zeros(3).long(), 0, torch.qint8)


def bias_of(count: int) -> torch.Tensor:
    return torch.arange(count) * 0.5


def packed_linear(kind: Any = torch.ao.nn.quantized.Linear) -> torch.nn.Module:
    linear = kind(3, 2)
    linear.set_weight_bias(linear_weight(), bias_of(2))
    return linear


def packed_conv() -> torch.nn.Module:
    conv = torch.ao.nn.quantized.Conv2d(2, 3, 3, stride=2)
    conv.set_weight_bias(filter_weight(), bias_of(3))
    return conv


@cache
def packed_embedding() -> torch.nn.Module:
    """One for all: the scales that torch gives for it lie in its memory, and are lost with it."""
    numbers = torch.rand(3, 8, generator=seeded())
    scales, zeros = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.0, 1.0, 0.5])
    weight = torch.quantize_per_channel(numbers, scales, zeros, 0, torch.quint8)
    return torch.ao.nn.quantized.Embedding(3, 8, _weight=weight)


def embedding_parts(name: str) -> Callable[[Any], Tensors]:
    """Packing rounds the scales and zero points, in a way of its own."""
    return lambda _: spread(name, packed_embedding().state_dict()["_packed_params._packed_weight"])


def linear_parts(prefix: str) -> Callable[[Any], Tensors]:
    name = f"{prefix}_packed_params._packed_params"
    return lambda _: {**spread(f"{name}.0", linear_weight()), f"{name}.1": bias_of(2)}


@cache
def packed_lstm() -> torch.nn.Module:
    torch.manual_seed(5)
    lstm = torch.nn.Sequential(torch.nn.LSTM(3, 2))
    return torch.ao.quantization.quantize_dynamic(lstm, {torch.nn.LSTM}, torch.qint8)


def unpacked(value: Any, name: str) -> Tensors:
    """The tensors in tuples, lists and objects of C++, by their position."""
    if isinstance(value, torch.ScriptObject):
        return unpacked(value.__getstate__()[0], name)
    if isinstance(value, torch.Tensor):
        return spread(name, value) if value.is_quantized else {name: value.detach()}
    items = value if isinstance(value, (tuple, list)) else ()
    return {part: found for i, item in enumerate(items) for part, found in unpacked(item, f"{name}.{i}").items()}


def lstm_parts(_: Any) -> Tensors:
    name = "0._all_weight_values.0.param"
    return unpacked(packed_lstm().state_dict()[name], name)


class QuantizedTensors(torch.nn.Module):
    """A buffer of each kind, and an attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("whole", linear_weight())
        self.register_buffer("channels", filter_weight())
        self.register_buffer("wide", per_tensor(torch.qint32))
        self.note = per_tensor(torch.quint8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def scripted_tensors(value: Any) -> Tensors:
    names = ("whole", "channels", "wide", "note")
    return {part: tensor for name in names for part, tensor in spread(name, getattr(value, name)).items()}


def dequantized_tensors(value: Any) -> Tensors:
    return {name: getattr(value, name).dequantize() for name in ("whole", "channels", "wide", "note")}


def conv_parts(weight: str, bias: str) -> Callable[[Any], Tensors]:
    return lambda _: {**spread(weight, filter_weight()), bias: bias_of(3)}


def with_scale(expected: Callable[[Any], Tensors]) -> Callable[[Any], Tensors]:
    """A state dict has what the module multiplies its output by as well."""
    return lambda value: {**expected(value), **{name: value[name] for name in ("scale", "zero_point")}}


def packed_objects() -> list[Special]:
    dynamic = torch.ao.nn.quantized.dynamic.Linear

    def script(make: Callable[[], torch.nn.Module]) -> Callable[[], Any]:
        return lambda: torch.jit.script(torch.nn.Sequential(make()))

    return [
        Special("script of quantised tensors", lambda: torch.jit.script(QuantizedTensors()), scripted_tensors,
                save=save_script),
        Special("script of quantised tensors, dequantized", lambda: torch.jit.script(QuantizedTensors()),
                dequantized_tensors, ("--quantized", "dequantize"), save=save_script),
        Special("script of a packed linear", script(packed_linear), linear_parts("0."), save=save_script),
        Special("script of a dynamic linear", script(lambda: packed_linear(dynamic)), linear_parts("0."),
                save=save_script),
        Special("script of a packed convolution", script(packed_conv), conv_parts("0.10", "0.11"), save=save_script),
        Special("script of a packed embedding", script(packed_embedding),
                embedding_parts("0._packed_params._packed_weight.1.0"), save=save_script),
        Special("frozen script of a packed linear", lambda: torch.jit.freeze(script(packed_linear)().eval()),
                lambda _: {**spread("CONSTANTS.c0.0", linear_weight()), "CONSTANTS.c0.1": bias_of(2)},
                ("--constants",), save=save_script),
        Special("state dict of a packed linear", lambda: dict(packed_linear().state_dict()),
                with_scale(linear_parts(""))),
        Special("state dict of a packed convolution", lambda: dict(packed_conv().state_dict()),
                with_scale(conv_parts("weight", "bias"))),
        Special("state dict of a packed embedding", lambda: packed_embedding().state_dict(),
                embedding_parts("_packed_params._packed_weight")),
        Special("state dict of a dynamic LSTM", lambda: {**packed_lstm().state_dict(), "more": torch.ones(1)},
                lambda value: {**lstm_parts(value), "more": value["more"]}),
        Special("dynamic LSTM", packed_lstm, lstm_parts),
        Special("packed linear", packed_linear, linear_parts("")),
        Special("dynamic linear", lambda: torch.nn.Sequential(packed_linear(dynamic)), linear_parts("0.")),
        Special("packed convolution", packed_conv, conv_parts("10", "11")),
        Special("packed embedding", packed_embedding,
                embedding_parts("_packed_params._packed_weight.1.0")),
    ]  # fmt: skip


def quantized_objects() -> list[Special]:
    return [*tensor_objects(), *packed_objects()]
