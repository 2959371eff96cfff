"""What users write, for `mypy --strict`; nothing of it is run."""

from __future__ import annotations

import threading
from pathlib import Path

import weighbridge
from tqdm import tqdm
from typing_extensions import assert_type  # noqa: UP035  # typing has it from Python 3.11 on


def convert(source: Path, cancel: threading.Event) -> None:
    result = weighbridge.convert(source, "model.safetensors", shared="copy", progress=tqdm, cancel=cancel)
    assert_type(result, weighbridge.ConvertResult)
    assert_type(result.files[0].path, Path)
    assert_type(result.findings[0].offset, int | None)
    weighbridge.convert(source, max_shard_size="5GB", progress=lambda done, total: print(done, total))
    weighbridge.convert(source, shared="never")  # type: ignore[arg-type]


def scan(folder: Path) -> list[str]:
    files = weighbridge.scan([folder, "model.pt"], depth=2)
    assert_type(files, list[weighbridge.ScannedFile])
    return [f"{found.module}.{found.name}" for file in files for found in file.globals if found.kind == "dangerous"]
