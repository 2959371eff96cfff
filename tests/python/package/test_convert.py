"""weighbridge.convert: the program's convert, as a function."""

from __future__ import annotations

import errno
import inspect
import io
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import weighbridge
from inputs import write_inputs, write_large
from tqdm import tqdm
from weighbridge import _cli


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder with the small files of the command-line tests."""
    return write_inputs(tmp_path)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class Stopped(Exception):
    """Of a callback."""


def stop_at_once(done: int, total: int) -> None:
    raise Stopped(done)


class TestResult:
    def test_a_checkpoint_becomes_safetensors_beside_it(self, inputs: Path) -> None:
        result = weighbridge.convert(inputs / "training.pt")
        assert result.output == inputs / "training.safetensors"
        assert [file.path for file in result.files] == [result.output]
        assert result.files[0].bytes == result.output.stat().st_size
        assert (result.format, result.root) == ("torch-zip", "state_dict")
        assert (result.tensors, result.parameters, result.bytes) == (3, 17, 72)
        assert result.tied == {"head.weight": "embed.weight"}
        assert result.not_tensors == 4
        assert result.verified
        assert result.sidecar is None
        assert result.report["schema"] == "weighbridge.convert.v1"

    def test_findings_are_values(self, inputs: Path) -> None:
        result = weighbridge.convert(inputs / "dangerous.pt", allow_dangerous=True)
        dangers = [finding for finding in result.findings if finding.severity == "danger"]
        assert [(finding.code, finding.subject) for finding in dangers] == [("DangerousGlobal", "os.system")]

    def test_a_sidecar_is_named(self, inputs: Path) -> None:
        result = weighbridge.convert(inputs / "training.pt", sidecar=True)
        assert result.sidecar == inputs / "training.safetensors.meta.json"
        assert [file.path for file in result.files] == [result.output, result.sidecar]

    def test_shards_are_listed(self, inputs: Path) -> None:
        result = weighbridge.convert(inputs / "training.pt", inputs / "model.safetensors", max_shard_size=40)
        assert [file.path.name for file in result.files[:2]] == [
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
        ]
        assert all(file.path.stat().st_size == file.bytes for file in result.files)

    def test_a_dry_run_writes_nothing(self, inputs: Path) -> None:
        before = names_in(inputs)
        result = weighbridge.convert(inputs / "training.pt", dry_run=True)
        assert result.report["plan"]["steps"]
        assert names_in(inputs) == before

    def test_there_and_back(self, inputs: Path) -> None:
        there = weighbridge.convert(inputs / "training.pt", sidecar=True)
        back = weighbridge.convert(there.output, inputs / "again.pt", to="pt")
        assert weighbridge.convert(back.output, inputs / "again.safetensors").tensors == there.tensors

    def test_names_that_look_like_options_are_files(self, inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(inputs)
        for name in ("-", "--force", "-o"):
            result = weighbridge.convert("--help", name)
            assert Path(name) in (result.output, Path(name))
            assert (inputs / name).is_file()

    def test_verification_can_be_left_out(self, inputs: Path) -> None:
        assert not weighbridge.convert(inputs / "training.pt", verify=False).verified


class TestOptions:
    def test_every_option_of_the_program_is_a_keyword(self) -> None:
        text = subprocess.run(
            [_cli.find_program(), "convert", "--help"], capture_output=True, text=True, check=True
        ).stdout.split("Examples:")[0]
        options = {name.replace("-", "_") for name in re.findall(r"--([a-z][a-z0-9-]*)", text)}
        elsewhere = {"explain", "help", "output", "quiet", "json", "no_sandbox", "no_verify"}
        keywords = {
            name
            for name, parameter in inspect.signature(weighbridge.convert).parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }
        assert keywords - {"cancel"} == options - elsewhere

    def test_the_defaults_are_those_of_the_program(self, inputs: Path) -> None:
        weighbridge.convert(inputs / "training.pt", inputs / "ours.safetensors")
        subprocess.run(
            [_cli.find_program(), "convert", "training.pt", "-o", "its.safetensors"],
            cwd=inputs, check=True, capture_output=True,
        )  # fmt: skip
        assert (inputs / "ours.safetensors").read_bytes() == (inputs / "its.safetensors").read_bytes()

    def test_options_reach_the_program(self, inputs: Path) -> None:
        result = weighbridge.convert(inputs / "training.pt", key=".", align=64, slack=100, shared="copy", threads=1)
        assert result.root == "."
        with result.output.open("rb") as file:
            header = int.from_bytes(file.read(8), "little")
        assert (8 + header) % 64 == 0
        assert result.tied == {}


class TestErrors:
    def test_names_and_dtypes_change_on_the_way(self, inputs: Path) -> None:
        names = weighbridge.convert(inputs / "training.pt", inputs / "all.safetensors", dry_run=True, shared="copy")
        result = weighbridge.convert(
            inputs / "training.pt",
            inputs / "some.npz",
            to="npz",
            select=["*weight", "turned"],
            drop="head.*",
            dtype="f16",
            dtype_only="embed.*",
            rename={"^embed": "first", r"(\w+)ed$": r"\1ing"},
        )
        assert result.tensors == 2 < names.tensors
        assert {finding.code for finding in result.findings} >= {"TensorsCast", "TensorsLeftOut"}
        assert result.cast_overflows == 0
        assert sorted(np.load(result.output).files) == ["first.weight", "turning"]

    def test_dangerous_content_is_refused(self, inputs: Path) -> None:
        with pytest.raises(weighbridge.DangerousContentError, match=r"refused, nothing was run: os\.system") as caught:
            weighbridge.convert(inputs / "dangerous.pt")
        assert isinstance(caught.value, weighbridge.SafetensorError)
        assert (caught.value.code, caught.value.tensor, caught.value.offset) == ("DangerousContent", "os.system", 161)
        assert not (inputs / "dangerous.safetensors").exists()

    def test_a_missing_input_is_an_os_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError) as caught:
            weighbridge.convert(tmp_path / "missing.pt")
        assert caught.value.errno == errno.ENOENT

    def test_an_existing_output_is_kept(self, inputs: Path) -> None:
        (inputs / "training.safetensors").write_bytes(b"old")
        with pytest.raises(FileExistsError):
            weighbridge.convert(inputs / "training.pt")
        assert (inputs / "training.safetensors").read_bytes() == b"old"
        weighbridge.convert(inputs / "training.pt", force=True)
        assert (inputs / "training.safetensors").read_bytes() != b"old"

    def test_a_folder_that_is_not_there_is_an_os_error(self, inputs: Path) -> None:
        with pytest.raises(FileNotFoundError) as caught:
            weighbridge.convert(inputs / "training.pt", inputs / "missing" / "out.safetensors")
        assert caught.value.errno == errno.ENOENT

    def test_an_unreadable_content_names_its_reason(self, inputs: Path) -> None:
        with pytest.raises(weighbridge.SafetensorError, match="no format that is read here") as caught:
            weighbridge.convert(inputs / "noise.bin")
        assert caught.value.code == "UnknownFormat"
        with pytest.raises(weighbridge.SafetensorError, match="tensor 'a'") as caught:
            weighbridge.convert(inputs / "broken.safetensors", inputs / "out.safetensors")
        assert caught.value.tensor == "a"

    @pytest.mark.parametrize("options", [{"align": 3}, {"max_memory": 1}, {"shared": "odd"}, {"max_shard_size": "5XB"}])
    def test_a_wrong_argument_is_a_value_error(self, inputs: Path, options: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=r"\w"):
            weighbridge.convert(inputs / "training.pt", **options)  # type: ignore[arg-type]

    def test_no_path_is_a_type_error(self) -> None:
        with pytest.raises(TypeError):
            weighbridge.convert(3)  # type: ignore[arg-type]


class TestProgress:
    def test_it_grows_from_less_than_all_to_all(self, tmp_path: Path) -> None:
        steps: list[tuple[int, int]] = []
        large = write_large(tmp_path / "large", 1 << 24)
        weighbridge.convert(large, tmp_path / "out", progress=lambda done, total: steps.append((done, total)))
        assert steps == sorted(steps)
        assert len({total for _, total in steps}) == 1
        assert steps[-1][0] == steps[-1][1] == 2 * (tmp_path / "out").stat().st_size
        assert len(steps) > 2

    def test_the_last_call_finds_the_output_in_place(self, inputs: Path) -> None:
        output, found = inputs / "out", []
        weighbridge.convert(inputs / "training.pt", output, progress=lambda done, total: found.append(output.exists()))
        assert found[-1]

    def test_a_tqdm_class_makes_a_bar(self, inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        weighbridge.convert(inputs / "training.pt", progress=tqdm)
        shown = capsys.readouterr().err
        assert "training.pt: 100%" in shown

    def test_a_tqdm_object_is_advanced_to_its_end(self, inputs: Path) -> None:
        with tqdm(file=io.StringIO()) as bar:
            result = weighbridge.convert(inputs / "training.pt", progress=bar)
            assert bar.n == bar.total == 2 * result.files[0].bytes

    def test_a_callback_may_convert_too(self, inputs: Path) -> None:
        inner: list[Path] = []

        def convert_again(done: int, total: int) -> None:
            if not inner:
                inner.append(weighbridge.convert(inputs / "model.safetensors", inputs / "inner").output)

        weighbridge.convert(inputs / "training.pt", inputs / "outer", progress=convert_again)
        assert (inputs / "inner").exists()
        assert (inputs / "outer").exists()


class TestCancellation:
    def test_a_raising_callback_stops_and_its_exception_arrives(self, tmp_path: Path) -> None:
        write_large(tmp_path / "large")
        with pytest.raises(Stopped):
            weighbridge.convert(tmp_path / "large", tmp_path / "out", progress=stop_at_once, threads=1)
        assert names_in(tmp_path) == {"large"}

    def test_an_old_output_is_as_it_was(self, tmp_path: Path) -> None:
        write_large(tmp_path / "large")
        (tmp_path / "out").write_bytes(b"old")
        with pytest.raises(Stopped):
            weighbridge.convert(tmp_path / "large", tmp_path / "out", force=True, progress=stop_at_once, threads=1)
        assert (tmp_path / "out").read_bytes() == b"old"
        assert names_in(tmp_path) == {"large", "out"}

    def test_an_event_stops(self, tmp_path: Path) -> None:
        write_large(tmp_path / "large")
        cancel = threading.Event()
        with pytest.raises(weighbridge.CancelledError):
            weighbridge.convert(
                tmp_path / "large", tmp_path / "out",
                progress=lambda done, total: cancel.set(), cancel=cancel, threads=1,
            )  # fmt: skip
        assert names_in(tmp_path) == {"large"}

    def test_an_event_that_is_set_before_stops_before_anything_is_written(self, inputs: Path) -> None:
        cancel = threading.Event()
        cancel.set()
        before = names_in(inputs)
        with pytest.raises(weighbridge.CancelledError):
            weighbridge.convert(inputs / "training.pt", cancel=cancel)
        assert names_in(inputs) == before

    def test_too_late_is_no_cancellation(self, inputs: Path) -> None:
        cancel = threading.Event()

        def at_the_end(done: int, total: int) -> None:
            if done == total:
                cancel.set()

        result = weighbridge.convert(inputs / "training.pt", progress=at_the_end, cancel=cancel)
        assert result.output.exists()

    def test_an_interrupt_stops_and_goes_on(self, tmp_path: Path) -> None:
        write_large(tmp_path / "large")
        with pytest.raises(KeyboardInterrupt):
            weighbridge.convert(
                tmp_path / "large", tmp_path / "out",
                progress=lambda done, total: signal.raise_signal(signal.SIGINT), threads=1,
            )  # fmt: skip
        assert names_in(tmp_path) == {"large"}

    def test_no_process_is_left_behind(self, tmp_path: Path) -> None:
        write_large(tmp_path / "large")
        with pytest.raises(Stopped):
            weighbridge.convert(tmp_path / "large", tmp_path / "out", progress=stop_at_once, threads=1)
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)


def test_threads_convert_at_the_same_time(inputs: Path) -> None:
    inside = threading.Barrier(2, timeout=60)
    once = threading.local()

    def meet(done: int, total: int) -> None:
        if not getattr(once, "met", False):
            once.met = True
            inside.wait()

    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            weighbridge.convert(inputs / "training.pt", inputs / name, progress=meet)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"out{i}",)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (inputs / "out0").read_bytes() == (inputs / "out1").read_bytes()


def test_the_module_is_the_program(inputs: Path) -> None:
    def printed(*command: str | Path) -> bytes:
        return subprocess.run([*command, "ls", "training.pt"], cwd=inputs, capture_output=True, check=True).stdout

    assert printed(sys.executable, "-m", "weighbridge") == printed(_cli.find_program())


def test_the_module_gives_the_programs_exit_status(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "weighbridge", "ls", "missing"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 3


def test_a_program_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_cli, "_places", lambda: [tmp_path / "weighbridge"])
    with pytest.raises(FileNotFoundError, match="install it again"):
        weighbridge.convert("x")
