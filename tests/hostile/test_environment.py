"""Cases 68 to 70: inputs and outputs that are no plain files, names that steer terminals, and real malware."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import program
import pytest
import safetensors_file
from checkpoints import WEIGHT, storage, tensor, zipped
from pickles import EMPTY_TUPLE, POP, REDUCE, STOP, dump, name, proto, value

HONEST = zipped()

Listed = Callable[[], dict[str, str]]


def convert(folder: Path, source: str | Path, *options: str) -> program.Done:
    return program.run(folder, "convert", source, "-o", "out.safetensors", "--json", *options)


# 68: what is no plain file


def pipe(folder: Path) -> str:
    os.mkfifo(folder / "pipe")
    return "pipe"


def listening_socket(folder: Path) -> str:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(folder / "socket"))
    return "socket"


def subfolder(folder: Path) -> str:
    (folder / "sub").mkdir()
    return "sub"


NO_FILES: dict[str, Callable[[Path], str]] = {
    "pipe": pipe,
    "socket": listening_socket,
    "folder": subfolder,
    "device": lambda _: "/dev/zero",
    "terminal": lambda _: "/dev/tty",
    "memory": lambda _: "/proc/self/mem",
}


@pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES.keys())
def test_what_is_no_plain_file_is_refused(make: Callable[[Path], str], tmp_path: Path, listed: Listed) -> None:
    source = make(tmp_path)
    before = listed()
    done = convert(tmp_path, source)
    assert done.code in (1, 2, 3), done
    assert listed() == before


def test_a_file_without_a_size_has_no_content(tmp_path: Path) -> None:
    """Files of /proc are plain files of 0 bytes, whatever reading them gives."""
    done = convert(tmp_path, "/proc/self/maps")
    assert done.error_code() == "UnknownFormat", done


def test_a_missing_file(tmp_path: Path) -> None:
    assert convert(tmp_path, "nothing.pt").error_code() == "IoError"


def test_an_input_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    """The reader is held up by a full pipe, and then its input is cut short."""
    floats = 16 << 20
    source = tmp_path / "model.pt"
    source.write_bytes(zipped({"weight": tensor(storage("0", floats), (floats,))}, {"0": bytes(4 * floats)}))
    with program.start(tmp_path, "convert", source, "-o", "-") as running:
        assert running.stdout is not None
        assert running.stdout.read(8)
        os.truncate(source, 4096)
        rest = running.stdout.read()
    assert running.returncode in (1, 3), running.returncode
    assert len(rest) < 4 * floats


@pytest.mark.parametrize("output", ["model.pt", "./model.pt", "hard", "soft", "dangling"])
def test_an_output_that_exists_is_refused(tmp_path: Path, listed: Listed, output: str) -> None:
    """The input by any of its names, or what a link points to."""
    make_links(tmp_path)
    before = listed()
    if output == "dangling":
        (tmp_path / "elsewhere").write_bytes(b"old")
        before = listed()
    assert program.run(tmp_path, "convert", "model.pt", "-o", output).code == 2
    assert listed() == before


def make_links(folder: Path) -> None:
    (folder / "model.pt").write_bytes(HONEST)
    (folder / "hard").hardlink_to(folder / "model.pt")
    (folder / "soft").symlink_to("model.pt")
    (folder / "dangling").symlink_to("elsewhere")


@pytest.mark.parametrize("output", ["model.pt", "./model.pt", "hard", "soft"])
def test_an_output_that_is_the_input_is_refused_even_by_force(tmp_path: Path, listed: Listed, output: str) -> None:
    make_links(tmp_path)
    before = listed()
    assert program.run(tmp_path, "convert", "model.pt", "-o", output, "--force").code == 2
    assert listed() == before


@pytest.mark.parametrize("options", [[], ["--force"]])
def test_an_output_that_is_a_link_is_refused(tmp_path: Path, listed: Listed, options: list[str]) -> None:
    make_links(tmp_path)
    before = listed()
    assert program.run(tmp_path, "convert", "model.pt", "-o", "dangling", *options).code == 2
    assert listed() == before


@pytest.mark.parametrize("output", ["pipe", "sub", "nowhere/out.safetensors"])
def test_an_output_that_cannot_be_a_file(tmp_path: Path, listed: Listed, output: str) -> None:
    (tmp_path / "model.pt").write_bytes(HONEST)
    pipe(tmp_path)
    subfolder(tmp_path)
    before = listed()
    assert program.run(tmp_path, "convert", "model.pt", "-o", output).code in (2, 3)
    assert listed() == before


# 69: names


@pytest.mark.parametrize("odd", ["--help", "-o", "--json", "-", "a\nb", "\x1b[2J", "$(touch evil)", "\udcff"])
def test_odd_file_names_are_names(tmp_path: Path, odd: str) -> None:
    (tmp_path / odd).write_bytes(HONEST)
    done = program.run(tmp_path, "convert", "-o", "out.safetensors", "--", f"./{odd}" if odd == "-" else odd)
    assert done.code == 0, done
    assert safetensors_file.read(tmp_path / "out.safetensors") == WEIGHT
    assert {path.name for path in tmp_path.iterdir()} == {odd, "out.safetensors"}
    assert is_plain(done.stdout.removesuffix("\n").replace("\n", "")), done


STEERING = [
    "\x1b[2Jgone",
    "a\nweighbridge: all is well",
    "\rover",
    "\u202eevil",
    "\u2066hidden",
    "\x9b31m",
    "\x07",
    "\x00",
]


def is_plain(text: str) -> bool:
    """No control characters but line ends, and nothing that reorders text."""
    return not any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202a\u202b\u202d\u202e\u2066\u2067" for c in text)


def lines_are_plain(done: program.Done) -> bool:
    return all(is_plain(line) for line in (done.stdout + done.stderr).split("\n"))


@pytest.mark.parametrize("odd", STEERING)
@pytest.mark.parametrize("command", [["ls"], ["ls", "--tree"], ["info"], ["validate"], ["convert"], ["ls", "--json"]])
def test_tensor_names_do_not_steer_a_terminal(tmp_path: Path, command: list[str], odd: str) -> None:
    (tmp_path / "model.pt").write_bytes(zipped({odd: tensor(), "other": 1.5}))
    done = program.run(tmp_path, *command, "model.pt")
    assert done.code == 0, done
    assert lines_are_plain(done), done
    assert not any(line.startswith("weighbridge: all is well") for line in done.stdout.split("\n"))


@pytest.mark.parametrize("odd", [text for text in STEERING if "\n" not in text])
@pytest.mark.parametrize("command", [["info"], ["validate"], ["convert"], ["convert", "--json"], ["scan"]])
def test_class_names_do_not_steer_a_terminal(tmp_path: Path, command: list[str], odd: str) -> None:
    if not program.has_command(command[0]):
        pytest.skip(f"the program has no command '{command[0]}'")
    for file, module in {"inert.pt": odd, "evil.pt": f"os.{odd}"}.items():
        state = value({"weight": tensor(), "class": name(module, "Class" + odd)})
        (tmp_path / file).write_bytes(zipped(state))
        done = program.run(tmp_path, *command, file)
        assert done.code in (0, 1, 4), done
        assert lines_are_plain(done), done


def test_entry_names_do_not_steer_a_terminal(tmp_path: Path) -> None:
    for odd in STEERING:
        (tmp_path / "model.pt").write_bytes(zipped(records={"0": b"short", odd: b""}))
        done = program.run(tmp_path, "convert", "model.pt")
        assert done.code == 1, done
        assert lines_are_plain(done), done


def test_opcodes_do_not_steer_a_terminal(tmp_path: Path) -> None:
    stream = proto(2) + name("a", "b") + EMPTY_TUPLE + REDUCE + POP + b"\x1b" + STOP
    for content in (stream, b"\x1b]0;title\x07", dump("\x1b[2J"), b"I\x1b[2J\n."):
        (tmp_path / "model.pt").write_bytes(content)
        done = program.run(tmp_path, "convert", "model.pt")
        assert done.code == 1, done
        assert lines_are_plain(done), done


# 70: the fixtures

FIXTURES = Path(os.environ.get("WEIGHBRIDGE_FIXTURES") or "/nonexistent")


def fixtures(kind: str) -> list[object]:
    paths = sorted(path for path in (FIXTURES / kind).glob("**/*") if path.is_file())
    absent = pytest.param(None, id="none", marks=pytest.mark.skip(reason=f"WEIGHBRIDGE_FIXTURES has no {kind} files"))
    return [pytest.param(path, id=path.name) for path in paths] or [absent]


@pytest.mark.parametrize("path", fixtures("malicious"))
def test_malware_is_refused_and_leaves_nothing(path: Path, tmp_path: Path, listed: Listed) -> None:
    shutil.copyfile(path, tmp_path / path.name)
    (tmp_path / "out.safetensors").write_bytes(b"old")
    before = listed()
    done = convert(tmp_path, path.name, "--force")
    assert done.code in (1, 4), done
    assert done.error_code() != "IoError", done
    assert listed() == before
    if program.has_command("scan"):
        assert program.run(tmp_path, "scan", path.name).code in (1, 4)
        assert listed() == before


@pytest.mark.parametrize("path", fixtures("lookalike"))
def test_lookalikes_are_not_called_dangerous(path: Path, tmp_path: Path) -> None:
    assert convert(tmp_path, path).code in (0, 1)
    if program.has_command("scan"):
        assert program.run(tmp_path, "scan", path).code in (0, 1)


# What no conversion needs. strace names a call on a line of its own, with the process before it.
FORBIDDEN = {"execveat", "socket", "connect", "bind", "ptrace", "process_vm_writev", "memfd_create", "kexec_load"}


def calls_of(trace: str) -> list[str]:
    """Each traced call with its arguments, without the process in front."""
    lines = [line.split(maxsplit=1)[-1] if line[:1].isdigit() else line for line in trace.splitlines()]
    return [line for line in lines if "(" in line]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here")
@pytest.mark.parametrize("path", fixtures("malicious"))
def test_malware_makes_no_system_call_that_conversion_does_not(path: Path, tmp_path: Path) -> None:
    log = tmp_path / "trace"
    done = program.run(
        tmp_path, "convert", path, "-o", "out.safetensors", before=["strace", "-f", "-qq", "-o", str(log)]
    )
    trace = log.read_text(errors="replace")
    if "ptrace" in done.stderr.lower() and not trace:
        pytest.skip("strace may not trace here")
    calls = calls_of(trace)
    started = [call for call in calls if call.startswith("execve(")]
    assert started, trace
    assert all(program.EXECUTABLE in call or "/proc/self/exe" in call for call in started), started
    assert FORBIDDEN.isdisjoint(call.split("(")[0] for call in calls)
