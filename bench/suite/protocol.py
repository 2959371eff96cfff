"""How a row is measured: every contender in a process of its own, in an order drawn anew in every round.

The first round is not counted; in it the outputs are named, so that they can be compared. Before every
measurement the files are put where the row wants them, into the page cache or out of it, and it is checked
that they are there.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from suite import machine, meter, names, residency
from suite.model import Case, Contender, Row
from suite.zygote import Line

LEAST_MEMORY = 512 << 20
WARM_TRIES = 3
BENCH = Path(__file__).resolve().parent.parent
Sample = dict[str, float]


class Failed(Exception):
    """A contender cannot do this work."""


class Missing(Exception):
    """A contender is not installed."""


@dataclass
class Outcome:
    """What is known of one contender after a row."""

    name: str
    status: str = "measured"  # or "missing", "failed"
    reason: str = ""
    digest: str | None = None
    samples: list[Sample] = field(default_factory=list)


def shuffled_rounds(names: list[str], rounds: int, chance: random.Random) -> Iterator[list[str]]:
    """The order of the contenders in each round; all orders are equally likely."""
    for _ in range(rounds):
        yield chance.sample(names, k=len(names))


class Zygotes:
    """The processes to fork from: one for each set of modules, started when it is first needed."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, ...], Line] = {}
        self._missing: dict[tuple[str, ...], str] = {}
        self._processes: list[subprocess.Popen[bytes]] = []

    def line(self, modules: tuple[str, ...]) -> Line:
        """The conversation with the process that has imported these. Raises Missing when they cannot be."""
        if modules in self._missing:
            raise Missing(self._missing[modules])
        if modules not in self._lines:
            try:
                self._lines[modules] = self._start(modules)
            except Missing as missing:
                self._missing[modules] = str(missing)
                raise
        return self._lines[modules]

    def _start(self, modules: tuple[str, ...]) -> Line:
        their_source, our_sink = os.pipe()
        our_source, their_sink = os.pipe()
        command = [sys.executable, "-m", "suite.zygote", str(their_source), str(their_sink), *modules]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(BENCH), os.environ.get("PYTHONPATH", "")])}
        process = subprocess.Popen(
            command, pass_fds=(their_source, their_sink), env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr
        )
        self._processes.append(process)
        os.close(their_source)
        os.close(their_sink)
        line = Line(our_source, our_sink)
        answer = line.hear()
        if answer is None or "imported" not in answer:
            raise Missing(answer["missing"] if answer else f"the imports of {', '.join(modules)} end the process")
        return line

    def forget(self) -> None:
        """Lets go of what was made for the row that is over."""
        for line in self._lines.values():
            line.say("forget")

    def __enter__(self) -> Zygotes:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


def memory_for(row: Row, case: Case) -> int:
    """What a measurement may want of new memory: a file may be copied and what is copied changed.

    Of several large files each is the same tensors in another format, and a contender reads one.
    """
    if case.scale < 1:
        return 0
    largest = max((path.stat().st_size for path in row.inputs(case)), default=0)
    return LEAST_MEMORY + 2 * largest + row.written(case)


@dataclass(frozen=True)
class Turn:
    """One measurement of a row."""

    row: Row
    case: Case
    memory: machine.BackedMemory
    digest: bool


def converse(line: Line, turn: Turn) -> tuple[Sample, str | None]:
    """The phases of one measurement, and the readings between them."""
    try:
        return phases(line, turn)
    except (ProcessLookupError, FileNotFoundError, BrokenPipeError) as error:
        raise Failed("its process ended in the middle of its work") from error


def phases(line: Line, turn: Turn) -> tuple[Sample, str | None]:
    ready = _expect(line, "ready")
    if turn.row.warm_up == "full":
        turn.memory.take()
    if turn.row.cold:  # The pages that the files have left are free since a moment ago.
        turn.memory.outlast_reports()
    cached = share_before(turn.row, turn.case)
    meter.forget_peak(ready["ready"])
    peak = meter.PeakOfPrivateMemory(ready["ready"]) if turn.row.sampled else None
    turn.memory.give_back()
    before = meter.read_counters(ready["ready"])
    line.say("go")
    done = _expect(line, "seconds")
    used = meter.used(before, meter.read_counters(ready["ready"]))
    sample = {"seconds": done["seconds"], **used, "cached": cached}
    if peak is not None:
        sample["peak_private"] = peak.end()
    line.say("name" if turn.digest else "end")
    gone = _expect(line, "teardown")
    sample["teardown"] = gone["teardown"]
    return sample, gone.get("digest")


def _expect(line: Line, key: str) -> dict[str, Any]:
    answer = line.hear()
    if answer is None:
        raise Failed("its process ended")
    if key not in answer:
        raise Failed(answer.get("error") or f"its process ended with status {answer.get('exit')}")
    return answer


def in_zygote(zygotes: Zygotes, contender: Contender, turn: Turn) -> tuple[Sample, str | None]:
    """Measures in a fork of the zygote."""
    line = zygotes.line(contender.needs)
    task = {"row": turn.row.id, "contender": contender.name, "case": turn.case.to_json()}
    line.say(task)
    try:
        return converse(line, turn)
    finally:
        while (answer := line.hear()) is not None and "exit" not in answer:
            pass


def in_program(contender: Contender, turn: Turn) -> tuple[Sample, str | None]:
    """Measures a program that holds the conversation itself."""
    assert contender.command is not None
    command = contender.command(turn.case)
    if not Path(command[0]).exists():
        raise Missing(f"{Path(command[0]).name} is not built")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = Line(process.stdout.fileno(), process.stdin.fileno())
        try:
            sample, listing = converse(line, turn)
        finally:
            process.stdin.close()
    if process.returncode:
        raise Failed(f"its process ended with status {process.returncode}")
    return sample, names.of_lines([listing]) if listing is not None else None


def place_files(row: Row, case: Case) -> None:
    """Makes the page cache and the disk what the row wants them to be."""
    for name in row.outputs:
        (case.folder / name).unlink(missing_ok=True)
    if row.outputs:
        os.sync()  # Nobody waits for the writes of the one before.
    if row.cold:
        residency.evict(row.inputs(case))
    else:
        warm_inputs(row, case)


def warm_inputs(row: Row, case: Case) -> float:
    """Has the files of the row in the page cache; gives the share of them that is there."""
    files = row.inputs(case)
    cached = residency.warm(files)
    for _ in range(WARM_TRIES):  # Some kernels take pages back that nobody has looked at for a while.
        if cached < 1:
            cached = residency.warm(files)
    return cached


def share_before(row: Row, case: Case) -> float:
    """How much of the files is in the page cache when the work begins; what was taken back since is read anew."""
    return residency.share_cached(row.inputs(case)) if row.cold else warm_inputs(row, case)


def measure(zygotes: Zygotes, row: Row, contender: Contender, case: Case, digest: bool) -> tuple[Sample, str | None]:
    place_files(row, case)
    with machine.BackedMemory(memory_for(row, case)) as memory:
        if row.warm_up == "full":  # The process takes as much while it prepares, and may keep it for the work.
            memory.give_back()
        turn = Turn(row, case, memory, digest)
        if contender.command is not None:
            sample, name = in_program(contender, turn)
        else:
            sample, name = in_zygote(zygotes, contender, turn)
    if sample["cached"] != (0.0 if row.cold else 1.0) and row.inputs(case):
        raise Failed(f"{sample['cached']:.1%} of the files are in the page cache")
    return sample, name


def run_row(
    zygotes: Zygotes,
    row: Row,
    case: Case,
    rounds: int,
    chance: random.Random,
    say: Callable[[str], None] = lambda text: None,
) -> list[Outcome]:
    """All contenders, `rounds` times each and once more before."""
    for chosen in (case.small(), case):
        chosen.folder.mkdir(parents=True, exist_ok=True)
        row.inputs(chosen)
    outcomes = {contender.name: Outcome(contender.name) for contender in row.contenders}
    by_name = {contender.name: contender for contender in row.contenders}
    for number, order in enumerate(shuffled_rounds(list(outcomes), rounds + 1, chance)):
        for name in order:
            take_turn(zygotes, row, by_name[name], case, outcomes[name], number)
        say(f"{row.id}: round {number} of {rounds}")
    zygotes.forget()
    return list(outcomes.values())


def take_turn(zygotes: Zygotes, row: Row, contender: Contender, case: Case, outcome: Outcome, number: int) -> None:
    """One measurement, unless an earlier one has shown that there can be none."""
    if outcome.status != "measured":
        return
    try:
        named = number == 0 and not contender.ceiling
        sample, digest = measure(zygotes, row, contender, case, digest=named)
    except Missing as missing:
        outcome.status, outcome.reason = "missing", str(missing)
    except Failed as failed:
        outcome.status, outcome.reason = "failed", str(failed)
    else:
        if number == 0:
            outcome.digest = digest
        else:
            outcome.samples.append(sample)
