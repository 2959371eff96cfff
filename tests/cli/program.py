"""The program under test, and a folder of inputs for each test."""

from __future__ import annotations

import os
import pathlib
import subprocess
import tempfile
import unittest

import make_inputs

PROGRAM = os.environ["WEIGHBRIDGE_CLI"]


class ProgramTest(unittest.TestCase):
    """Each test runs in a fresh folder that holds the inputs of make_inputs."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        make_inputs.write_files(self.folder)

    def run_program(self, *arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
        """Runs the program in the folder; its outputs are captured unless `options` say otherwise."""
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60, "cwd": self.folder} | options
        return subprocess.run([PROGRAM, *arguments], check=False, **settings)

    def new_files(self) -> list[str]:
        """What the folder holds beside the inputs, hidden files too."""
        given = {name.split("/")[0] for name in make_inputs.FILES}
        return sorted(path.name for path in self.folder.iterdir() if path.name not in given)
