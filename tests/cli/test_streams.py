"""Terminals, pipes and signals."""

from __future__ import annotations

import json
import os
import pty
import signal
import struct
import subprocess
import unittest
from pathlib import Path

from program import PROGRAM, ProgramTest


class StandardOutput(ProgramTest):
    def test_convert_writes_the_same_bytes_to_a_pipe_as_to_a_file(self) -> None:
        self.run_program("convert", "training.pt", "-o", "out.safetensors")
        piped = self.run_program("convert", "training.pt", "-o", "-")
        self.assertEqual(piped.returncode, 0)
        self.assertEqual(piped.stdout, (self.folder / "out.safetensors").read_bytes())
        self.assertIn(b"wrote standard output", piped.stderr)

    def test_the_report_of_a_piped_conversion_is_json_on_standard_error(self) -> None:
        piped = self.run_program("convert", "training.pt", "-o", "-", "--json")
        self.assertEqual(json.loads(piped.stderr)["output"], "-")

    def test_cat_appends_to_what_the_stream_holds(self) -> None:
        with (self.folder / "both").open("wb") as both:
            for name in ("layers.0.weight", "layers.0.bias"):
                self.run_program("cat", "model.safetensors", name, stdout=both)
        self.assertEqual((self.folder / "both").read_bytes(), struct.pack("<8f", *range(8)))

    def test_a_full_disk_is_an_error(self) -> None:
        with Path("/dev/full").open("wb") as full:
            done = self.run_program("ls", "model.safetensors", stdout=full)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"No space left on device", done.stderr)

    def test_a_reader_that_goes_away_ends_the_program_quietly(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        done = self.run_program("ls", "model.safetensors", stdout=writer)
        os.close(writer)
        self.assertEqual((done.returncode, done.stderr), (-signal.SIGPIPE, b""))


class Terminal(ProgramTest):
    def run_on_terminal(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Exit status and what a person would see, standard error included."""
        master, slave = pty.openpty()
        variables = {"PATH": os.environ["PATH"], "TERM": "xterm"} | environment
        done = self.run_program(*arguments, stdout=slave, stderr=slave, env=variables)
        os.close(slave)
        with os.fdopen(master, "rb", buffering=0) as terminal:
            shown = b""
            while piece := read_piece(terminal.fileno()):
                shown += piece
        return done.returncode, shown.decode()

    def test_colours_are_for_terminals(self) -> None:
        self.assertIn("\x1b[", self.run_on_terminal("info", "model.safetensors")[1])
        self.assertNotIn(b"\x1b[", self.run_program("info", "model.safetensors").stdout)

    def test_colours_can_be_refused(self) -> None:
        self.assertNotIn("\x1b[", self.run_on_terminal("info", "model.safetensors", NO_COLOR="1")[1])
        self.assertNotIn("\x1b[", self.run_on_terminal("info", "model.safetensors", TERM="dumb")[1])

    def test_a_progress_bar_is_for_terminals(self) -> None:
        self.assertIn("100%", self.run_on_terminal("convert", "training.pt", "-o", "a")[1])
        self.assertNotIn("100%", self.run_on_terminal("convert", "training.pt", "-o", "b", TERM="dumb")[1])
        self.assertNotIn("100%", self.run_on_terminal("convert", "training.pt", "-o", "c", "--quiet")[1])
        self.assertNotIn(b"100%", self.run_program("convert", "training.pt", "-o", "d").stderr)

    def test_raw_bytes_are_kept_from_a_terminal(self) -> None:
        for arguments in (["cat", "model.safetensors", "count"], ["convert", "training.pt", "-o", "-"]):
            status, shown = self.run_on_terminal(*arguments)
            self.assertEqual(status, 2)
            self.assertIn("is a terminal", shown)

    def test_cat_can_be_forced_onto_a_terminal(self) -> None:
        (status, shown) = self.run_on_terminal("cat", "./--help", "w", "--force")
        self.assertEqual((status, shown), (0, "ab"))

    def test_names_from_a_file_cannot_steer_the_terminal(self) -> None:
        for verb in (["ls"], ["ls", "--tree"], ["info"], ["hash", "--tensors"], ["convert", "--dry-run", "-o", "x"]):
            shown = self.run_on_terminal(*verb, "escapes.safetensors", NO_COLOR="1", TERM="dumb")[1]
            self.assertNotRegex(shown, r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f]", verb)
            self.assertIn("\\x1b", shown, verb)


def read_piece(descriptor: int) -> bytes:
    """The next bytes of a terminal; none at its end, which Linux reports as an error."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


class Signals(ProgramTest):
    def start_large_conversion(self) -> subprocess.Popen[bytes]:
        """A conversion of 1 GiB, caught in the act: its progress bar has begun."""
        size = 1 << 30
        header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
        header += b" " * (-len(header) % 8)
        with (self.folder / "large").open("wb") as large:
            large.write(struct.pack("<Q", len(header)) + header)
            large.truncate(8 + len(header) + size)
        command = [PROGRAM, "convert", "large", "-o", "out", "--progress", "always", "--threads", "1"]
        process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.assertTrue(process.stderr.read(1))
        return process

    def check_interruption(self, number: signal.Signals) -> None:
        process = self.start_large_conversion()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + number, errors)
        self.assertEqual(self.new_files(), ["large"])

    def test_an_interrupt_leaves_no_file_behind(self) -> None:
        self.check_interruption(signal.SIGINT)

    def test_a_termination_leaves_no_file_behind(self) -> None:
        self.check_interruption(signal.SIGTERM)


if __name__ == "__main__":
    unittest.main()
