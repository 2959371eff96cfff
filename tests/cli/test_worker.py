"""The process without rights that files are read in, seen from outside the program."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import time
import unittest
from pathlib import Path

from program import PROGRAM, ProgramTest

LAYERS = [
    "descriptors",
    "environment",
    "limits",
    "namespaces",
    "root",
    "leash",
    "undumpable",
    "capabilities",
    "no-new-privileges",
    "landlock",
    "system-calls",
]


class Layers(ProgramTest):
    def test_version_verbose_says_what_holds(self) -> None:
        lines = self.run_program("--version", "--verbose").stdout.decode().splitlines()
        self.assertRegex(lines[0], r"^weighbridge \d[^,]*, with(out HDF5| libhdf5 \d[.\d]*)$")
        self.assertEqual([line.split()[0] for line in lines[2:]], LAYERS)
        for line in lines[2:]:
            self.assertRegex(line, r"^  \S+ +(holds|not available) +\S")

    def test_version_alone_stays_short(self) -> None:
        self.assertEqual(len(self.run_program("--version").stdout.splitlines()), 1)

    def test_require_runs_only_when_all_hold(self) -> None:
        missing = b"not available" in self.run_program("--version", "--verbose").stdout
        done = self.run_program("ls", "model.safetensors", "--sandbox", "require")
        self.assertEqual(done.returncode, 3 if missing else 0, done.stderr)

    def test_the_output_is_the_same_with_and_without(self) -> None:
        for verb in (["ls"], ["info", "--json"], ["hash", "--tensors"], ["validate"]):
            with_it = self.run_program(*verb, "training.pt")
            without = self.run_program(*verb, "training.pt", "--no-sandbox")
            self.assertEqual((with_it.stdout, with_it.stderr), (without.stdout, without.stderr), verb)

    def test_too_little_memory_is_an_error(self) -> None:
        size = 100_000_000
        with (self.folder / "header").open("wb") as file:
            names = ",".join(f'"{i}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}' for i in range(1_500_000))
            header = ("{" + names + "}").encode()
            self.assertLess(len(header), size)
            file.write(struct.pack("<Q", len(header)) + header)
        done = self.run_program("ls", "header", "--max-memory", str(64 << 20))
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(b"header: out of memory; reading may take 64.0 MiB", done.stderr)

    def test_hardly_any_memory_is_a_mistake_in_the_arguments(self) -> None:
        self.assertEqual(self.run_program("ls", "model.safetensors", "--max-memory", "1").returncode, 2)


class OddFiles(ProgramTest):
    def refusal(self, *arguments: str) -> tuple[int, str]:
        done = self.run_program(*arguments, timeout=30)
        return done.returncode, done.stderr.decode()

    def test_what_is_no_file_of_bytes_is_refused(self) -> None:
        os.mkfifo(self.folder / "fifo")
        (self.folder / "folder").mkdir()
        expected = {
            "fifo": (3, "is a pipe"),
            "/dev/zero": (3, "is a character device"),
            "/proc/self/status": (1, ""),
            "folder": (1, "this is a folder without"),
        }
        for name, (status, words) in expected.items():
            code, errors = self.refusal("convert", name, "-o", "out")
            self.assertEqual(code, status, errors)
            self.assertIn(words, errors)
        self.assertFalse((self.folder / "out").exists())

    def test_a_folder_is_no_file_for_the_other_verbs_either(self) -> None:
        (self.folder / "folder").mkdir()
        self.assertEqual(self.refusal("ls", "folder"), self.refusal("ls", "folder", "--no-sandbox"))

    def test_the_input_is_never_its_own_output(self) -> None:
        old = (self.folder / "training.pt").read_bytes()
        status, errors = self.refusal("convert", "training.pt", "-o", "training.pt", "--force")
        self.assertEqual(status, 2)
        self.assertIn("'training.pt' is the input", errors)
        self.assertEqual((self.folder / "training.pt").read_bytes(), old)

    def test_an_output_that_is_a_link_is_refused(self) -> None:
        (self.folder / "target").write_bytes(b"old")
        (self.folder / "out").symlink_to("target")
        for options in ([], ["--force"]):
            status, errors = self.refusal("convert", "training.pt", "-o", "out", *options)
            self.assertEqual(status, 2)
            self.assertIn("'out' is a symbolic link", errors)
        self.assertEqual((self.folder / "target").read_bytes(), b"old")


def child_of(process: int) -> int:
    """The one child of a process; waits until there is one."""
    for _ in range(1000):
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.01)
    raise AssertionError("the program started no worker")


class Killed(ProgramTest):
    def start_conversion(self) -> subprocess.Popen[bytes]:
        """A conversion of 1 GiB over an old output, caught while it writes."""
        size = 1 << 30
        header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
        header += b" " * (-len(header) % 8)
        with (self.folder / "large").open("wb") as large:
            large.write(struct.pack("<Q", len(header)) + header)
            large.truncate(8 + len(header) + size)
        (self.folder / "out").write_bytes(b"old")
        command = [PROGRAM, "convert", "large", "-o", "out", "--force", "--progress", "always", "--threads", "1"]
        process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.assertTrue(process.stderr.read(1))
        return process

    def check_old_output(self) -> None:
        self.assertEqual((self.folder / "out").read_bytes(), b"old")
        self.assertEqual(self.new_files(), ["large", "out"])

    def test_a_killed_worker_is_an_error_and_leaves_the_old_output(self) -> None:
        process = self.start_conversion()
        os.kill(child_of(process.pid), signal.SIGKILL)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 3)
        self.assertIn(b"it was killed", errors)
        self.check_old_output()

    def test_a_killed_program_takes_its_worker_along(self) -> None:
        process = self.start_conversion()
        worker = child_of(process.pid)
        process.kill()
        process.communicate(timeout=60)  # ends when nobody holds its pipes any more: the worker is gone
        self.assertFalse(Path(f"/proc/{worker}/exe").exists())
        self.check_old_output()

    def test_a_crash_of_the_worker_is_told_with_its_signal(self) -> None:
        process = self.start_conversion()
        os.kill(child_of(process.pid), signal.SIGSEGV)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"crashed (Segmentation fault)", errors)
        self.check_old_output()


if __name__ == "__main__":
    unittest.main()
