"""The devices that ``safe_open`` takes: a str, an int, None, or a ``torch.device``."""

from __future__ import annotations

import re
from typing import Any

from .._errors import SafetensorError

_NAMED = re.compile(r"[a-z_]+(:(?P<index>.*))?")


def parse_device(device: Any) -> str | int:
    """The device as torch understands it. Raises SafetensorError for what cannot be one, ValueError for a bad index."""
    if device is None:
        return "cpu"
    if isinstance(device, int) and not isinstance(device, bool):
        return device
    text = str(device) if type(device).__name__ == "device" else device
    named = _NAMED.fullmatch(text) if isinstance(text, str) else None
    if named is None:
        raise SafetensorError(f"device {device} is invalid")
    if named["index"] is not None and not named["index"].isdigit():
        raise ValueError(f"device {device} is invalid: {named['index']!r} is no index")
    if text.startswith("mps:") and text != "mps:0":
        raise SafetensorError(f"device {device} is invalid: only mps or mps:0 is supported")
    return str(text)


def is_cpu(device: str | int) -> bool:
    """Whether it is the CPU, with or without an index."""
    return isinstance(device, str) and device.partition(":")[0] == "cpu"


def device_text(device: str | int) -> str:
    """The device with its index, as the reference writes it; mps has only one."""
    if isinstance(device, int) or ":" in device or device == "mps":
        return "mps" if device == "mps:0" else str(device)
    return f"{device}:0"
