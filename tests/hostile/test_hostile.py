"""Every adversarial file ends as its case says, within bounds that the kernel enforces, and leaves nothing behind."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import checkpoints
import program
import pytest
import safetensors_file
from case import Case
from make_cases import CASES
from program import Done

OLD = b"what was there before"


def parameters(cases: list[Case]) -> list[object]:
    return [pytest.param(case, id=case.id) for case in cases]


def convert(case: Case, source: Path, *options: str) -> Done:
    arguments = ("convert", source, "-o", "out.safetensors", "--json", *case.options, *options)
    return program.run(source.parent, *arguments, memory=case.memory)


def test_every_case_has_a_name_of_its_own() -> None:
    ids = [case.id for case in CASES]
    assert len(ids) == len(set(ids))
    assert {case.number for case in CASES} == {*range(1, 68), *range(71, 78)}


@pytest.mark.parametrize("made", [checkpoints.zipped(), checkpoints.legacy()], ids=["zip", "legacy"])
def test_what_the_cases_are_made_from_is_an_honest_checkpoint(made: bytes) -> None:
    torch = pytest.importorskip("torch")
    assert torch.load(io.BytesIO(made), weights_only=True)["weight"].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("case", parameters([case for case in CASES if case.codes]))
def test_is_refused(case: Case, tmp_path: Path, listed: Callable[[], dict[str, str]]) -> None:
    source = case.write(tmp_path)
    before = listed()
    done = convert(case, source)
    assert done.code in case.exit_codes(), done
    assert done.error_code() in case.codes, done
    assert case.message in done.stderr, done
    assert listed() == before


@pytest.mark.parametrize("case", parameters([case for case in CASES if case.codes and not case.slow]))
def test_leaves_an_old_output_as_it_was(case: Case, tmp_path: Path, listed: Callable[[], dict[str, str]]) -> None:
    source = case.write(tmp_path)
    (tmp_path / "out.safetensors").write_bytes(OLD)
    before = listed()
    assert convert(case, source, "--force").code in case.exit_codes()
    assert listed() == before


@pytest.mark.parametrize("case", parameters([case for case in CASES if not case.codes]))
def test_is_converted(case: Case, tmp_path: Path, listed: Callable[[], dict[str, str]]) -> None:
    source = case.write(tmp_path)
    before = listed()
    done = convert(case, source)
    assert done.code == 0, done
    assert safetensors_file.read(tmp_path / "out.safetensors") == case.tensors
    assert done.finding_codes().issuperset(case.findings), done
    after = listed()
    assert after.pop("out.safetensors")
    assert after == before


@pytest.mark.skipif(not program.has_command("scan"), reason="the program has no command 'scan'")
@pytest.mark.parametrize("case", parameters(CASES))
def test_is_judged(case: Case, tmp_path: Path, listed: Callable[[], dict[str, str]]) -> None:
    source = case.write(tmp_path)
    before = listed()
    done = program.run(tmp_path, "scan", source, memory=case.memory)
    assert done.code in case.scan, done
    assert listed() == before


@pytest.mark.parametrize("variant", ["06-wrong-crc", "14-no-version", "12-dots", "13-suffix", "44-rest"])
def test_strict_validation_takes_warnings_for_errors(variant: str, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.id == variant)
    source = case.write(tmp_path)
    assert program.run(tmp_path, "validate", source).code == 0
    assert program.run(tmp_path, "validate", "--strict", source).code == 1


def test_the_bounds_are_enforced(tmp_path: Path) -> None:
    """A case that needs more memory than it may have ends as an error of the system, not as its own outcome."""
    case = next(case for case in CASES if case.id == "34-lists")
    source = case.write(tmp_path)
    assert program.run(tmp_path, "convert", source, memory=96 << 20).code not in case.exit_codes()
