"""What the program tells in JSON, as Python values: errors, findings, lines of progress."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ._cli import Finished
from ._errors import CancelledError, from_native

Severity = Literal["info", "warning", "error", "danger"]

_PROGRESS = '{"schema":"weighbridge.progress.'
_USAGE = 2


@dataclass(frozen=True)
class Finding:
    """Something noticed on the way: not an error, and worth knowing.

    `code` is a stable name, `subject` a tensor, archive entry or global (it may be empty), `offset` a
    byte of the input.
    """

    severity: Severity
    code: str
    message: str
    subject: str
    offset: int | None


def parse_findings(items: list[dict[str, Any]]) -> tuple[Finding, ...]:
    """The findings of a report."""
    return tuple(Finding(**{name: item[name] for name in Finding.__dataclass_fields__}) for item in items)


def parse_report(done: Finished, schema: str) -> dict[str, Any]:
    """The report of a run that came to its end; raises what the run failed with.

    A report is printed when all is done: a run that was asked to stop too late still gives one.
    """
    report = _load(done.output)
    if report.get("schema") == schema:
        return report
    raise _failure(done, report.get("error"))


def progress_lines(report: Callable[[int, int], object]) -> Callable[[str], bool]:
    """Takes the lines of ``--progress json`` and calls ``report(done, total)`` for them."""

    def take(line: str) -> bool:
        if not line.startswith(_PROGRESS):
            return False
        step = json.loads(line)
        report(step["done"], step["total"])
        return True

    return take


def _load(text: str) -> dict[str, Any]:
    try:
        report = json.loads(text)
    except ValueError:  # nothing, or half of it
        return {}
    return report if isinstance(report, dict) else {}


def _failure(done: Finished, error: dict[str, Any] | None) -> Exception:
    """The exception for a run without a report."""
    if done.cancelled:
        return CancelledError("cancelled", code="Cancelled")
    if error is None:
        code = "InvalidArgument" if done.status == _USAGE else "WorkerStopped"
        message = done.errors.strip().removeprefix("weighbridge: ") or f"the program ended with status {done.status}"
        return from_native(code, message, "", None, 0)
    return from_native(error["code"], error["message"], error["subject"], error["offset"], error["errno"] or 0)
