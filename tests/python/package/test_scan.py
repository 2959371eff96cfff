"""weighbridge.scan: the program's verdicts, as values."""

from __future__ import annotations

import errno
import json
import subprocess
import threading
from pathlib import Path

import pytest
import weighbridge
from inputs import write_inputs
from weighbridge import _cli, _scan


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder with the small files of the command-line tests."""
    return write_inputs(tmp_path)


def test_a_clean_file(inputs: Path) -> None:
    (file,) = weighbridge.scan(inputs / "training.pt")
    assert (file.path, file.verdict, file.format) == (str(inputs / "training.pt"), "clean", "torch-zip")
    assert file.clean
    assert file.error is None
    assert {known.kind for known in file.globals} == {"known"}


def test_a_dangerous_file_names_the_code(inputs: Path) -> None:
    (file,) = weighbridge.scan(inputs / "dangerous.pt")
    assert file.verdict == "dangerous"
    assert not file.clean
    dangerous = [(found.module, found.name, found.offset) for found in file.globals if found.kind == "dangerous"]
    assert dangerous == [("os", "system", 161)]


def test_a_folder_is_all_that_is_below_it(inputs: Path) -> None:
    files = weighbridge.scan([inputs / "models"])
    paths = [Path(file.path) for file in files]
    assert paths == sorted(paths)
    assert set(paths) == {path for path in (inputs / "models").rglob("*") if path.is_file()}


def test_a_file_that_cannot_be_read_is_among_the_others(inputs: Path) -> None:
    missing, clean = weighbridge.scan([inputs / "missing.pt", inputs / "training.pt"])
    assert missing.verdict is None
    assert isinstance(missing.error, FileNotFoundError)
    assert missing.error.errno == errno.ENOENT
    assert clean.clean


def test_many_paths_are_more_than_one_command_line(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_scan, "_PATHS_AT_ONCE", 2)
    files = weighbridge.scan([inputs / "training.pt"] * 5)
    assert [file.verdict for file in files] == ["clean"] * 5


def test_no_paths_are_no_files() -> None:
    assert weighbridge.scan([]) == []


def test_the_values_are_those_of_the_report(inputs: Path) -> None:
    done = subprocess.run(
        [_cli.find_program(), "scan", "--json", "models"], cwd=inputs, capture_output=True, text=True, check=False
    )
    told = json.loads(done.stdout)["files"]
    files = weighbridge.scan(inputs / "models")
    assert len(files) == len(told) > 2
    for file, report in zip(files, told, strict=True):
        assert file.verdict == report["verdict"]
        assert [found.name for found in file.globals] == [found["name"] for found in report["globals"]]
        assert [found.code for found in file.findings] == [found["code"] for found in report["findings"]]
        assert (file.bytes, file.pickles, file.omitted) == (report["bytes"], report["pickles"], report["omitted"])


def test_the_depth_is_the_programs(inputs: Path) -> None:
    with pytest.raises(ValueError, match="depth"):
        weighbridge.scan(inputs / "training.pt", depth="x")  # type: ignore[arg-type]


def test_names_that_look_like_options_are_files(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(inputs)
    (inputs / "-").write_bytes((inputs / "dangerous.pt").read_bytes())
    option, dash = weighbridge.scan(["--help", "-"])
    assert option.clean
    assert dash.verdict == "dangerous"


def test_it_can_be_cancelled(inputs: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(weighbridge.CancelledError):
        weighbridge.scan([inputs / "training.pt"], cancel=cancel)
