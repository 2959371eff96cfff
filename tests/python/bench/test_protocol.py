"""How measurements are made: order, processes, page cache, counters."""

from __future__ import annotations

import collections
import mmap
import os
import random
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from suite import inputs, machine, meter, protocol, residency
from suite.model import Case, Contender
from suite.protocol import Zygotes, run_row, shuffled_rounds
from suite.rows import find

MIB = 2**20


def test_every_contender_takes_one_turn_in_every_round() -> None:
    for order in shuffled_rounds(["a", "b", "c"], 50, random.Random(1)):
        assert sorted(order) == ["a", "b", "c"]


def test_all_orders_are_about_equally_frequent() -> None:
    seen = collections.Counter(map(tuple, shuffled_rounds(["a", "b", "c"], 6000, random.Random(1))))
    assert len(seen) == 6
    assert min(seen.values()) > 900


def small_row(*names: str, **more: object) -> object:
    """H4 with these contenders alone."""
    row = find("H4")
    chosen = tuple(contender for contender in row.contenders if contender.name in names)
    return replace(row, contenders=chosen, judged=(), **more)


def test_every_measurement_is_a_process_of_its_own(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes: list[int] = []
    forget = meter.forget_peak
    monkeypatch.setattr(meter, "forget_peak", lambda pid: (processes.append(pid), forget(pid)))
    row = small_row("safetensors mmap", "safetensors pread")
    with Zygotes() as zygotes:
        outcomes = run_row(zygotes, row, Case(disk, 0.001), 3, random.Random(1))
    assert len(processes) == len(set(processes)) == 2 * (3 + 1)
    assert os.getpid() not in processes
    assert [len(outcome.samples) for outcome in outcomes] == [3, 3]


def test_outputs_are_named_in_the_round_that_is_not_counted(disk: Path) -> None:
    row = small_row("safetensors mmap", "safetensors pread", "weighbridge", "weighbridge.open")
    with Zygotes() as zygotes:
        outcomes = run_row(zygotes, row, Case(disk, 0.001), 1, random.Random(1))
    assert [outcome.status for outcome in outcomes] == ["measured"] * 4
    assert len({outcome.digest for outcome in outcomes}) == 1
    assert outcomes[0].digest is not None


def test_limits_of_the_machine_have_no_output_to_be_compared(disk: Path) -> None:
    row = small_row("safetensors mmap", "safetensors pread")
    limit = replace(row.contenders[1], ceiling=True)
    with Zygotes() as zygotes:
        outcomes = run_row(
            zygotes, replace(row, contenders=(row.contenders[0], limit)), Case(disk, 0.001), 1, random.Random(1)
        )
    assert [outcome.digest is None for outcome in outcomes] == [False, True]


def test_beside_every_time_stands_what_it_took(disk: Path) -> None:
    with Zygotes() as zygotes:
        outcome = run_row(zygotes, small_row("safetensors mmap"), Case(disk, 0.1), 1, random.Random(1))[0]
    sample = outcome.samples[0]
    assert sample["seconds"] > 0
    assert sample["cpu"] > 0
    assert sample["minor_faults"] > 0
    assert sample["private_dirty"] > 0
    assert sample["cached"] == 1.0
    assert {"pss", "peak_rss", "read_bytes", "read_calls_bytes", "teardown"} <= sample.keys()


def test_what_is_not_installed_is_missing_and_not_beaten(disk: Path) -> None:
    row = small_row()
    nobody = Contender("nobody", make=lambda case: list, needs=("no_such_module",))
    nothing = Contender("nothing", command=lambda case: [str(disk / "no_such_program")])
    with Zygotes() as zygotes:
        outcomes = run_row(zygotes, replace(row, contenders=(nobody, nothing)), Case(disk, 0.001), 2, random.Random(1))
    assert [(outcome.status, outcome.samples) for outcome in outcomes] == [("missing", []), ("missing", [])]
    assert "no_such_module" in outcomes[0].reason
    assert "no_such_program" in outcomes[1].reason


def test_one_that_fails_is_told_and_the_others_go_on(disk: Path) -> None:
    broken = small_row("safetensors mmap", "weighbridge")
    path = broken.inputs(Case(disk, 0.001))[0]
    path.write_bytes(path.read_bytes()[:-1])
    (disk / "small").mkdir()
    with Zygotes() as zygotes:
        outcomes = run_row(zygotes, broken, Case(disk, 0.001), 1, random.Random(1))
        assert [outcome.status for outcome in outcomes] == ["failed", "failed"]
        assert all("Error" in outcome.reason for outcome in outcomes)
        path.unlink()
        again = run_row(zygotes, broken, Case(disk, 0.001), 1, random.Random(1))
    assert [outcome.status for outcome in again] == ["measured", "measured"]


def test_files_leave_the_page_cache_and_come_back(disk: Path) -> None:
    path = disk / "file"
    path.write_bytes(os.urandom(8 * MIB))
    assert residency.evict([path]) == 0.0
    assert residency.warm([path]) == 1.0


def test_both_ways_to_look_at_the_page_cache_agree(disk: Path) -> None:
    path = disk / "file"
    path.write_bytes(os.urandom(8 * MIB))
    residency.evict([path])
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        file.read(MIB)
        by_mincore = residency._by_mincore(file.fileno())
        assert by_mincore == MIB // residency.PAGE
        assert residency._by_cachestat(file.fileno()) in (by_mincore, None)


def test_a_row_of_cold_files_is_not_measured_while_they_are_cached(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residency, "evict", lambda files: 0.0)
    with Zygotes() as zygotes:
        row = small_row("safetensors mmap", cold=True)
        outcome = run_row(zygotes, row, Case(disk, 0.001), 1, random.Random(1))[0]
    assert outcome.status == "failed"
    assert "% of the files are in the page cache" in outcome.reason


# A measured process that drops its file from the page cache while it prepares, and fails if it begins without it.
FORGETFUL = """
import os, sys
from pathlib import Path
from suite import residency
files = [Path(sys.argv[1])]
assert residency.evict(files) == 0
print('{"ready": %d}' % os.getpid(), flush=True)
sys.stdin.readline()
assert residency.share_cached(files) == 1
print('{"seconds": 1.0}', flush=True)
sys.stdin.readline()
print('{"teardown": 0.0}', flush=True)
"""


def test_what_leaves_the_page_cache_in_between_is_there_when_the_work_begins(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(residency.__file__).parents[1]))
    row = small_row()
    forgetful = Contender(
        "forgetful", command=lambda case: [sys.executable, "-c", FORGETFUL, str(row.inputs(case)[0])], ceiling=True
    )
    with Zygotes() as zygotes:
        outcome = run_row(zygotes, replace(row, contenders=(forgetful,)), Case(disk, 0.001), 1, random.Random(1))[0]
    assert (outcome.status, outcome.reason) == ("measured", "")
    assert outcome.samples[0]["cached"] == 1.0


# A measured process that fails unless the suite holds 64 MiB ("held") or nothing ("free") while it prepares, and
# none of it when it begins.
WATCHFUL = """
import os, sys
from pathlib import Path
from suite import meter
def held():
    return meter.kibibytes(meter.fields_of(Path(f"/proc/{os.getppid()}/status")), "RssAnon")
prepared = held()
print('{"ready": %d}' % os.getpid(), flush=True)
sys.stdin.readline()
assert (prepared - held() > 60 << 20) == (sys.argv[1] == "held")
print('{"seconds": 1.0}', flush=True)
sys.stdin.readline()
print('{"teardown": 0.0}', flush=True)
"""


@pytest.mark.parametrize(
    ("cold", "warm_up", "state"),
    [(False, "small", "held"), (True, "small", "held"), (False, "full", "free")],
)
def test_memory_stays_backed_until_it_is_taken(
    disk: Path, monkeypatch: pytest.MonkeyPatch, cold: bool, warm_up: str, state: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(residency.__file__).parents[1]))
    monkeypatch.setattr(machine, "LEFT_FREE", 0)
    monkeypatch.setattr(protocol, "memory_for", lambda row, case: 64 * MIB)
    watchful = Contender("watchful", command=lambda case: [sys.executable, "-c", WATCHFUL, state], ceiling=True)
    with Zygotes() as zygotes:
        row = small_row(cold=cold, warm_up=warm_up)
        outcome = run_row(zygotes, replace(row, contenders=(watchful,)), Case(disk, 0.001), 1, random.Random(1))[0]
    assert (outcome.status, outcome.reason) == ("measured", "")


def private_memory(size: int) -> mmap.mmap:
    """Memory of this process alone, with all its pages."""
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.write(b"x" * size)
    return memory


def test_counters_follow_memory_and_processor() -> None:
    before = meter.read_counters(os.getpid())
    with private_memory(8 * MIB):
        used = meter.used(before, meter.read_counters(os.getpid()))
    assert used["private_dirty"] >= 8 * MIB
    assert used["peak_rss"] >= 8 * MIB
    assert used["minor_faults"] >= 4
    assert used["cpu"] > 0


def test_counters_follow_reads() -> None:
    before = meter.read_counters(os.getpid())
    with Path("/dev/zero").open("rb", buffering=0) as zeros:
        zeros.read(3 * MIB)
    assert meter.used(before, meter.read_counters(os.getpid()))["read_calls_bytes"] >= 3 * MIB


def test_the_peak_of_private_memory_is_seen_although_it_is_gone() -> None:
    peak = meter.PeakOfPrivateMemory(os.getpid())
    with private_memory(32 * MIB):
        time.sleep(50 * meter.SAMPLING_S)
    assert peak.end() >= 32 * MIB


def test_inputs_are_whole_or_not_there(disk: Path) -> None:
    def interrupted(path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inputs.made(disk / "file", interrupted)
    assert not (disk / "file").exists()
    assert inputs.made(disk / "file", lambda path: path.write_bytes(b"whole")).read_bytes() == b"whole"


def test_the_conversation_ends_with_the_process(disk: Path) -> None:
    row = small_row("safetensors mmap")
    program = disk / "program"
    program.write_text("#!/bin/sh\necho '{\"ready\": '$$'}'\nexit 3\n")
    program.chmod(0o755)
    liar = Contender("liar", command=lambda case: [str(program)])
    with Zygotes() as zygotes:
        outcome = run_row(zygotes, replace(row, contenders=(liar,)), Case(disk, 0.001), 1, random.Random(1))[0]
    assert outcome.status == "failed"
    assert outcome.reason
