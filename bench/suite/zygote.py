"""The process that measurements are forked from: it has imported what they need, and done nothing else.

    python -m suite.zygote FROM TO MODULE...

It reads tasks from the descriptor FROM and writes to TO, all of it JSON, one value a line. For each task it
forks a process that holds this conversation, in which the suite looks at the process between the phases:

    -> {"row": ..., "contender": ..., "case": {...}}
    <- {"ready": pid}      everything is prepared
    -> "go"
    <- {"seconds": 1.25}   the work is done and its result is alive
    -> "end"               or "name", which also asks for a name of the result
    <- {"teardown": 0.1, "digest": "..."}
    <- {"exit": 0}         from the zygote

A program of its own (bench/native) holds the part between "ready" and "teardown" over its standard streams.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from suite.model import Case, Contender, Row


class Line:
    """Both directions of the conversation. Nobody says more than one thing at a time, so that the forked process may
    go on with it: there is never anything left in the buffer then."""

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._heard = bytearray()

    def say(self, value: object) -> None:
        os.write(self._sink, json.dumps(value).encode() + b"\n")

    def hear(self) -> Any:
        """The next value, or nothing at the end."""
        end = self._heard.find(b"\n")
        while end < 0:
            more = os.read(self._source, 1 << 20)
            if not more:
                return None
            searched = len(self._heard)
            self._heard += more
            end = self._heard.find(b"\n", searched)
        text = self._heard[:end]
        del self._heard[: end + 1]
        return json.loads(text)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.hear, None)


def warm_up(row: Row, contender: Contender, case: Case) -> None:
    """Runs code that has never run, so that nobody pays for its first time on the clock."""
    if contender.make is None or row.warm_up == "none":
        return
    chosen = case if row.warm_up == "full" else case.small()
    if contender.share is not None and chosen is not case:
        chosen = replace(chosen, shared=contender.share(chosen))
    contender.make(chosen)()


def perform(row: Row, contender: Contender, case: Case, line: Line) -> None:
    """The whole of one measurement, in its own process."""
    assert contender.make is not None
    warm_up(row, contender, case)
    work = contender.make(case)
    gc.collect()
    gc.disable()  # Nobody pays for the objects that other code has left behind.
    line.say({"ready": os.getpid()})
    line.hear()
    start = time.perf_counter()
    held = [work()]
    seconds = time.perf_counter() - start
    line.say({"seconds": seconds})
    name = contender.digest(held[0]) if line.hear() == "name" and contender.digest else None
    start = time.perf_counter()
    held.clear()
    line.say({"teardown": time.perf_counter() - start, "digest": name})


def serve(line: Line, modules: list[str]) -> None:
    """Imports the modules, then forks a process for every task."""
    for module in modules:
        importlib.import_module(module)
    from suite.rows import find

    line.say({"imported": modules})
    shared: dict[tuple[str, int], Any] = {}
    for task in line:
        if task == "forget":
            shared.clear()
            continue
        row = find(task["row"])
        contender = next(c for c in row.contenders if c.name == task["contender"])
        case = Case.from_json(task["case"])
        key = (row.id, id(contender.share))
        if contender.share is not None and key not in shared:
            shared[key] = contender.share(case)
        case = replace(case, shared=shared.get(key))
        child = os.fork()
        if child == 0:
            finish(row, contender, case, line)
        line.say({"exit": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])})


def finish(row: Row, contender: Contender, case: Case, line: Line) -> None:
    """Performs the measurement and ends the process, without the cleaning up that is not measured."""
    status = 0
    try:
        perform(row, contender, case, line)
    except BaseException as error:
        status = 1
        line.say({"error": "".join(traceback.format_exception_only(error)).strip()})
    os._exit(status)


def main() -> None:
    line = Line(int(sys.argv[1]), int(sys.argv[2]))
    try:
        serve(line, sys.argv[3:])
    except ImportError as error:
        line.say({"missing": str(error)})


if __name__ == "__main__":
    main()
