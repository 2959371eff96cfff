"""What a hostile case is: its files, its story and its outcome."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from checkpoints import Tensors

# Whether `weighbridge scan` may end so: the exit codes are 0 clean, 1 neither, 4 dangerous.
DANGEROUS = (4,)
ALARM = (1, 4)  # Anything but "clean".
HARMLESS = (0, 1)  # Anything but "dangerous".

# Exit codes of the program by error code; 1 for all that are not listed.
EXIT_CODES = {"DangerousContent": 4, "IoError": 3, "OutputExists": 2, "InvalidArgument": 2}

GIBIBYTE = 1 << 30

Files = dict[str, bytes]


@dataclasses.dataclass(frozen=True)
class Case:
    """One file (with those beside it) that somebody made to do harm, or that only looks like it."""

    number: int  # As in the list of adversarial files that the project works from: 1 to 70; from 71 on, the formats.
    variant: str
    story: str
    make: Callable[[], bytes | Files]  # Of several files the first is the input.
    codes: tuple[str, ...] = ()  # Error codes, one of which refuses it; none: it is converted.
    tensors: Tensors = dataclasses.field(default_factory=dict)
    findings: tuple[str, ...] = ()
    message: str = ""  # Part of the error's message.
    options: tuple[str, ...] = ()
    scan: tuple[int, ...] = HARMLESS
    memory: int = GIBIBYTE
    slow: bool = False  # Takes seconds to refuse, so that once is enough.
    prepare: Callable[[Path], object] | None = None  # For what bytes cannot say: links, pipes.
    source: str = ""  # The input, when it is not the first file.

    @property
    def id(self) -> str:
        return f"{self.number:02}-{self.variant}"

    @property
    def outcome(self) -> str:
        """In a few words, for the table."""
        if self.codes:
            return "refused: " + " or ".join(self.codes)
        return "converted: " + ", ".join([*self.tensors, *(f"[{code}]" for code in self.findings)])

    def exit_codes(self) -> set[int]:
        return {EXIT_CODES.get(code, 1) for code in self.codes} or {0}

    def write(self, folder: Path) -> Path:
        """Writes the files and returns the input."""
        made = self.make()
        files = made if isinstance(made, dict) else {f"{self.id}.pt": made}
        for name, content in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        if self.prepare is not None:
            self.prepare(folder)
        return folder / (self.source or next(iter(files)))
