"""A pytest plugin that writes down which module the tests knew as `safetensors`, into served_by.txt."""

from __future__ import annotations

import sys
from pathlib import Path


def pytest_sessionfinish() -> None:
    served = sys.modules.get("safetensors")
    Path("served_by.txt").write_text(str(getattr(served, "__file__", "")), encoding="utf-8")
