"""S5 and S6: saving very many tensors, and changing a few bytes of a large file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from suite import inputs, names
from suite.model import OURS, Case, Contender, Gate, Row, Work
from suite.rows.save import OUTPUT, contender, none, ours, ours_torch, wheel, wheel_torch

REWRITTEN = "rewritten.safetensors"


def tiny(case: Case) -> dict[str, Any]:
    return inputs.tiny_arrays(case.count(100_000))


def tiny_torch(case: Case) -> dict[str, Any]:
    import torch

    return {name: torch.from_numpy(array) for name, array in tiny(case).items()}


def many() -> tuple[Row, Row]:
    def row(identity: str, title: str, contenders: tuple[Contender, ...]) -> Row:
        judged = (Gate("safetensors wheel", 5, 10),)
        return Row(identity, title, contenders, none, judged, outputs=(OUTPUT,))

    return (
        row(
            "S5",
            "numpy: save 100 000 tiny tensors",
            (
                contender(OURS, ours(), "weighbridge.numpy", tiny),
                contender("safetensors wheel", wheel, "safetensors.numpy", tiny),
            ),
        ),
        row(
            "S5 torch",
            "torch: save 100 000 tiny tensors",
            (
                contender(OURS, ours_torch, "weighbridge.torch", tiny_torch),
                contender("safetensors wheel", wheel_torch, "safetensors.torch", tiny_torch),
            ),
        ),
    )


def edited_file(case: Case, slack: int) -> Path:
    """2 GiB, with room for an edit in the header or without."""

    def make(path: Path) -> None:
        import weighbridge.numpy

        tensors = inputs.arrays(int(2048 * inputs.MIB * case.scale), 64)
        weighbridge.numpy.save_file(tensors, path, metadata={"note": "first"}, slack=slack)
        inputs.sync(path)

    return inputs.made(case.folder / f"edited-{slack}.safetensors", make)


def edit(slack: int, **options: Any) -> Callable[[Case], Work]:
    """Gives the file a note that it has not; the next edit puts the first one back."""

    def make(case: Case) -> Work:
        import safetensors
        import weighbridge

        path = edited_file(case, slack)
        with safetensors.safe_open(path, "np") as file:
            note = "first" if file.metadata()["note"] != "first" else "other"

        def work() -> Path:
            assert weighbridge.edit_metadata(path, {"note": note}, **options).changed
            return path

        return work

    return make


def rewrite(case: Case) -> Work:
    """What the wheel offers: to load the file and to save it."""
    import safetensors.numpy

    source, target = edited_file(case, 256), case.folder / REWRITTEN

    def work() -> Path:
        safetensors.numpy.save_file(safetensors.numpy.load_file(source), target, {"note": "other"})
        return target

    return work


def editing() -> Row:
    needs = ("weighbridge", "safetensors.numpy")
    return Row(
        "S6",
        "change the metadata of a file of 2 GiB that has room for it in its header",
        (
            Contender(OURS, edit(256), needs=needs, digest=names.of_file),
            Contender("weighbridge, durable", edit(256, durable=True), needs=needs, digest=names.of_file),
            Contender("safetensors load and save", rewrite, needs=needs, digest=names.of_file),
        ),
        lambda case: [edited_file(case, 256)],
        (Gate("safetensors load and save", 500, 2000),),
        outputs=(REWRITTEN,),
    )


ROWS = (*many(), editing())
