"""X: from a checkpoint of torch to safetensors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from suite import ceilings, inputs, names
from suite.model import OURS, Case, Contender, Gate, Row, Work

TENSORS = 300
OUTPUT = "converted.safetensors"
IN_PROCESS = "torch.load, save_file"
# What people run today.
SCRIPT = """
import sys, torch
from safetensors.torch import save_file
save_file(torch.load(sys.argv[1], weights_only=True), sys.argv[2], metadata={"format": "pt"})
"""


def checkpoint(case: Case) -> Path:
    """2 GiB in tensors of uneven sizes, half of the bytes F16 and half F32."""

    def make(path: Path) -> None:
        import torch

        torch.manual_seed(1)
        state: dict[str, torch.Tensor] = {}
        for i in range(TENSORS):
            dtype = torch.float16 if i % 2 else torch.float32
            share = int(2048 * inputs.MIB * case.scale) * (1 + i % 5) // (3 * TENSORS)
            state[f"layers.{i}.weight"] = torch.randn(max(1, share // dtype.itemsize // 64), 64).to(dtype)
        torch.save(state, path)
        inputs.sync(path)

    return inputs.made(case.folder / "checkpoint.pt", make)


def by_torch(case: Case) -> Work:
    import torch
    from safetensors.torch import save_file

    def work() -> Path:
        state = torch.load(checkpoint(case), weights_only=True, mmap=True)
        save_file(state, case.folder / OUTPUT, metadata={"format": "pt"})
        return case.folder / OUTPUT

    return work


def by_command(command: Callable[[Case], list[str]]) -> Callable[[Case], Work]:
    """A program, from its start to its end."""

    def make(case: Case) -> Work:
        arguments = command(case)

        def work() -> Path:
            subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
            return case.folder / OUTPUT

        return work

    return make


def program(*options: str) -> Callable[[Case], list[str]]:
    def command(case: Case) -> list[str]:
        return [
            str(case.program),
            "convert",
            str(checkpoint(case)),
            "-o",
            str(case.folder / OUTPUT),
            "--force",
            *options,
        ]

    return command


def by_package(case: Case) -> Work:
    import weighbridge

    def work() -> Path:
        weighbridge.convert(checkpoint(case), case.folder / OUTPUT, force=True)
        return case.folder / OUTPUT

    return work


def script(case: Case) -> list[str]:
    return [sys.executable, "-c", SCRIPT, str(checkpoint(case)), str(case.folder / OUTPUT)]


def plain_copy(case: Case) -> Work:
    return ceilings.copy(checkpoint(case), case.folder / OUTPUT)


def mapped_copy(case: Case) -> Work:
    return ceilings.copy_mapped(checkpoint(case), case.folder / OUTPUT)


def contender(name: str, make: Callable[[Case], Any], *needs: str) -> Contender:
    return Contender(name, make, needs=("safetensors.numpy", *needs), digest=names.of_file)


ROWS = (
    Row(
        "X1",
        "convert a .pt file of 2 GiB to safetensors",
        (
            contender(OURS, by_command(program())),
            contender("weighbridge --no-verify", by_command(program("--no-verify"))),
            contender("weighbridge.convert", by_package, "weighbridge"),
            contender(IN_PROCESS, by_torch, "torch", "safetensors.torch"),
            contender("the same as a command", by_command(script)),
            Contender("copy of the file, in the kernel", plain_copy, needs=("safetensors.numpy",), ceiling=True),
            Contender("copy of the file, mapped", mapped_copy, needs=("safetensors.numpy",), ceiling=True),
        ),
        lambda case: [checkpoint(case)],
        (
            Gate(IN_PROCESS, 3, 5, ours="weighbridge --no-verify"),
            Gate("the same as a command", 3, 5),
        ),
        outputs=(OUTPUT,),
        warm_up="small",
    ),
)
