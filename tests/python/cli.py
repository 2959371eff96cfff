"""The program under test, as Python sees it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Weighbridge:
    """Runs the weighbridge executable."""

    executable: str

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs it and returns what came of it, whatever that is."""
        command = [self.executable, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    def ok(self, *arguments: str | Path) -> str:
        """Runs it, demands exit code 0 and returns its standard output."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def convert(self, source: Path, *options: str) -> Path:
        """Converts `source` and returns the file that was written."""
        output = source.with_name(source.name + ".safetensors")
        self.ok("convert", source, "-o", output, "--force", *options)
        return output

    def json(self, *arguments: str | Path) -> dict[str, Any]:
        """Runs it with --json and returns the document."""
        document = json.loads(self.ok(*arguments, "--json"))
        assert isinstance(document, dict)
        return document
