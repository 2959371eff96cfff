"""What a row of the suite consists of: inputs, contenders, and what is asked of the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

OURS = "weighbridge"


@dataclass(frozen=True)
class Case:
    """Where a measurement finds its files, and how large they are."""

    folder: Path
    scale: float = 1.0
    native: Path = Path("weighbridge_bench")
    upstream: Path = Path("upstream_bench")
    program: Path = Path("weighbridge")
    # What the process that is forked has made beforehand, for contenders that ask for it.
    shared: Any = field(default=None, compare=False)

    def small(self) -> Case:
        """A case of the same kind in which nothing takes long, to warm up with."""
        return replace(self, folder=self.folder / "small", scale=min(self.scale, 0.001))

    def count(self, full: int) -> int:
        return max(2, int(full * self.scale))

    def to_json(self) -> dict[str, Any]:
        fields = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(self).items()}
        del fields["shared"]
        return fields

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Case:
        return cls(**{key: value if key == "scale" else Path(value) for key, value in fields.items()})


Work = Callable[[], Any]


@dataclass(frozen=True)
class Contender:
    """One way to do the work.

    `make` is called off the clock and gives what is put on it; what that gives is kept until memory has been
    looked at, and dropped on a clock of its own. `command` is for programs that hold the same conversation by
    themselves (zygote.py says which). `digest` names what came out, so that equal results have equal names.
    """

    name: str
    make: Callable[[Case], Work] | None = None
    command: Callable[[Case], list[str]] | None = None
    needs: tuple[str, ...] = ()  # Modules, imported before the process is forked.
    share: Callable[[Case], Any] | None = None  # Made once, before the fork.
    digest: Callable[[Any], str] | None = None
    size: Callable[[Case], float] | None = None  # Bytes that the work is about.
    ceiling: bool = False  # What the machine does without any format.


@dataclass(frozen=True)
class Gate:
    """Ours is to be at least so many times as fast (or as small) as `against`; where no gate is set, it is shown how
    many times."""

    against: str
    gate: float | None = None
    stretch: float | None = None
    ours: str = OURS
    per_byte: bool = False  # Compare the cost of a byte of input, not of the whole.
    when: str = ""  # What it takes to be asked for.


@dataclass(frozen=True)
class Bound:
    """A value of ours that is to stay below one that is given."""

    gate: float
    stretch: float | None = None
    ours: str = OURS


@dataclass(frozen=True)
class Row:
    """One workload."""

    id: str
    title: str
    contenders: tuple[Contender, ...]
    inputs: Callable[[Case], list[Path]]
    judged: tuple[Gate | Bound, ...]
    metric: str = "seconds"
    unit: str = "s"
    cold: bool = False
    warm_up: str = "small"  # "small": the same in small; "full": the same; "none".
    outputs: tuple[str, ...] = ()  # Files that the work writes: gone and synced before every measurement.
    written: Callable[[Case], int] = lambda case: 0  # How many bytes of them, where the inputs do not tell.
    sampled: bool = False  # Follow the private memory while the work runs.
    like: str = ""  # The row whose measurements are judged here by another metric.
    per: Callable[[Case], float] = lambda case: 1.0  # Divides the metric.
    compared: bool = True  # Whether all contenders are to give the same.

    @property
    def least_rounds(self) -> int:
        """Rounds that the protocol asks for, the first one not counted."""
        return 7 if self.cold or self.outputs else 15
