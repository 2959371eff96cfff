"""Conversion of checkpoints, by the program in its sandbox."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from . import _cli
from ._cli import CancelToken
from ._progress import ProgressTarget, open_progress
from ._reports import Finding, parse_findings, parse_report, progress_lines

StrPath = str | os.PathLike[str]

_SCHEMA = "weighbridge.convert.v1"


@dataclass(frozen=True)
class OutputFile:
    """A file of an output: tensors, an index, a sidecar."""

    path: Path
    bytes: int


@dataclass(frozen=True)
class ConvertResult:
    """What was converted, and what became of it.

    Attributes:
        output: the file that was asked for; of an output in several files the name that they share.
        files: every file of the output, in order. Nothing was written after a dry run.
        format: the format of the input, as ``weighbridge info`` names it.
        root: the dotted path below which the tensors were taken.
        tensors, parameters, bytes: sums over the tensors that were written.
        tied: ``{name: kept}`` of the names that stand for the bytes of another tensor.
        not_tensors: how many values of the input are no tensor.
        findings: what was noticed on the way.
        cast_overflows: numbers that were too large for the dtype they were cast to.
        verified: whether every tensor was read again and compared with its source.
        sidecar: the file with all that is no tensor, when one was written.
        report: the whole report, as docs/cli.md describes it.
    """

    output: Path
    files: tuple[OutputFile, ...]
    format: str
    root: str
    tensors: int
    parameters: int
    bytes: int
    tied: dict[str, str]
    not_tensors: int
    findings: tuple[Finding, ...]
    verified: bool
    cast_overflows: int
    sidecar: Path | None
    report: dict[str, Any] = field(repr=False)


def convert(
    src: StrPath,
    dst: StrPath | None = None,
    *,
    force: bool = False,
    to: Literal["safetensors", "pt", "npz", "npy", "onnx", "gguf", "h5", "keras"] = "safetensors",
    template: StrPath | None = None,
    external: bool = False,
    inline_below: int = 1024,
    kv: str | Sequence[str] | None = None,
    quantize: Literal["none", "q8_0"] = "none",
    key: str | None = None,
    shared: Literal["dedupe", "copy", "error"] = "dedupe",
    optimizer: Literal["skip", "separate", "inline"] = "skip",
    sparse: Literal["dense", "split"] = "dense",
    quantized: Literal["split", "dequantize"] = "split",
    dequantize: Literal["f32", "f16", "bf16"] | None = None,
    complex: Literal["whole", "split"] = "whole",
    numpy_void: Literal["bf16", "bytes"] = "bf16",
    names: Literal["exact", "pretty"] = "exact",
    variable_names: bool = False,
    select: str | Sequence[str] | None = None,
    drop: str | Sequence[str] | None = None,
    dtype: Literal["f64", "f32", "f16", "bf16", "f8_e4m3", "f8_e5m2"] | None = None,
    dtype_only: str | Sequence[str] | None = None,
    strip_prefix: str | None = None,
    rename: Mapping[str, str] | None = None,
    lacking: Literal["error", "u8"] = "error",
    skip_meta: bool = False,
    paddle_bf16: bool = False,
    constants: bool = False,
    allow_dangerous: bool = False,
    allow_empty: bool = False,
    sidecar: bool = False,
    no_sidecar: bool = False,
    keep_sources: bool = False,
    drop_objects: bool = False,
    max_shard_size: int | str | None = None,
    align: int = 8,
    slack: int = 0,
    max_output_bytes: int | None = None,
    verify: bool = True,
    durability: Literal["none", "data", "full"] = "none",
    threads: int = 0,
    sandbox: Literal["best", "require", "off"] = "best",
    max_memory: int | None = None,
    dry_run: bool = False,
    progress: ProgressTarget | None = None,
    cancel: CancelToken | None = None,
) -> ConvertResult:
    """Converts a checkpoint to safetensors, or to another format; executes nothing of it.

    The work is done by the program ``weighbridge convert``, in a process of its own without rights,
    and every option of it is a keyword here under the same name; docs/cli.md says what each does.
    The output appears under its name only when it is complete and verified; when anything fails or
    is cancelled, no new file is left behind and an old one is as it was.

    Args:
        src: a checkpoint, the index of one in several files, or its folder. The format is told by
            the content.
        dst: where to write; by default `src` with the suffix of the format.
        force: replace `dst` when it exists.
        template: a model that becomes `dst` with the tensors of `src` in it (to ``onnx``, ``h5``, ``keras``).
        external: to an ONNX model whose data is a safetensors file beside it.
        kv: pairs for GGUF, ``"key=type:value"``, one or several.
        select, drop, dtype_only: shell patterns for names in `src`, one or several.
        rename: ``{pattern: replacement}``, regular expressions of RE2, in this order.
        max_shard_size: bytes, or text with a unit: ``"5GB"``, ``"500MiB"``.
        progress: ``callable(done, total)`` in bytes, or a `tqdm` class or object. Called in this
            thread. The call with ``done == total`` comes when the output is in place. An exception
            that it raises cancels the conversion and goes on to the caller.
        cancel: anything with ``is_set()``, such as a `threading.Event`; set it from another thread to
            cancel. A conversion that is complete by then returns as usual.

    Raises:
        DangerousContentError: `src` names code that a loader of pickles would run.
        OSError: a system call failed; with `errno`, and as the subclass that it stands for.
        FileExistsError: `dst` exists, and `force` is not given.
        ValueError: an argument is wrong, or two do not go together.
        CancelledError: `cancel` was set.
        SafetensorError: anything else that is wrong with `src`; `code` says what.
    """
    options = {name: value for name, value in locals().items() if name not in _NO_OPTIONS}
    if external and to == "safetensors":
        options["to"] = "onnx"
    source, target = os.fspath(src), None if dst is None else os.fspath(dst)
    arguments = ["convert", *_arguments(options), *([] if target is None else [f"--output={_no_dash(target)}"])]
    with open_progress(progress, Path(source).name) as shown:
        watch = progress_lines(shown.step) if progress is not None else _no_lines
        arguments += ["--json", "--progress=json" if progress is not None else "--progress=never", "--", source]
        result = _result(parse_report(_cli.run(arguments, watch, cancel), _SCHEMA))
        shown.finish()
    return result


_NO_OPTIONS = {"src", "dst", "progress", "cancel"}
_NEGATED = {"verify": "--no-verify"}


def _arguments(options: dict[str, Any]) -> list[str]:
    """Keywords as the program's arguments; what is None or False is left to its default."""
    given: list[str] = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if name in _NEGATED:
            given += [] if value else [_NEGATED[name]]
        elif isinstance(value, bool):
            given += [option] if value else []
        elif isinstance(value, Mapping):
            given += [f"{option}={pattern}=>{replacement}" for pattern, replacement in value.items()]
        elif isinstance(value, Sequence) and not isinstance(value, str):
            given += [f"{option}={item}" for item in value]
        elif value is not None:
            given.append(f"{option}={value}")
    return given


def _no_dash(path: str) -> str:
    """A file called ``-`` is a file, not standard output."""
    return "./-" if path == "-" else path


def _no_lines(line: str) -> bool:
    return False


def _result(report: dict[str, Any]) -> ConvertResult:
    write = report.get("write", {})
    sidecar = write.get("sidecar")
    totals = report["totals"]
    return ConvertResult(
        output=Path(report["output"]),
        files=tuple(OutputFile(Path(file["path"]), file["bytes"]) for file in report["files"]),
        format=report["format"],
        root=report["root"],
        tensors=totals["tensors"],
        parameters=totals["parameters"],
        bytes=totals["bytes"],
        tied={pair["name"]: pair["kept"] for pair in report["tied"]},
        not_tensors=report["not_tensors"]["count"],
        findings=parse_findings(report["findings"]),
        verified=write.get("verified", False),
        cast_overflows=write.get("cast_overflows", 0),
        sidecar=None if sidecar is None else Path(sidecar),
        report=report,
    )
