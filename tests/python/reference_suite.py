"""Runs the test suite of the reference package, unmodified, against Weighbridge's mirror of it.

    reference_suite.py FOLDER [--wheel] [FILE...]

The suite comes out of the source distribution of safetensors, which is fetched into FOLDER once and
recognised by its hash. Each of its files runs in a process of its own, in a fresh copy, as
`python -m weighbridge.run -m pytest tests/FILE`. The run fails when a test fails, when fewer tests pass
than pass with the real wheel, or when the module that was tested is not the mirror.

--wheel runs the same with the real wheel, which is where the numbers in PASSED come from.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

REQUIREMENT = "safetensors==0.8.0"
SDIST = "safetensors-0.8.0.tar.gz"
SDIST_SHA256 = "fabaf3e0f18a6618d9b36560682562157f77c2b71fcffc7b432be2baed9d753d"
INSIDE = "safetensors-0.8.0/bindings/python/"

# How many tests of each file pass with the real wheel, on a machine without a GPU. With it one more of
# the Paddle tests would, but for the crash below; with the mirror all six do.
PASSED = {
    "test_threadable.py": 1,
    "test_tf_comparison.py": 4,
    "test_flax_comparison.py": 4,
    "test_simple.py": 18,
    "test_pt_model.py": 13,
    "test_multithreaded.py": 2,
    "test_pt_comparison.py": 20,
    "test_pread_backend.py": 10,
    "test_paddle_comparison.py": 6,
    "test_handle.py": 2,
    "test_mlx_comparison.py": 0,  # MLX is for macOS: its file skips itself
}

NEEDS_GPU = "asks for device 'cuda' without looking whether there is one"
DESELECTED = {
    "test_paddle_comparison.py::WithOpenCase::test_paddle_tensor_gpu": NEEDS_GPU,
    "test_paddle_comparison.py::WithOpenCase::test_paddle_slice_gpu": NEEDS_GPU,
}
CRASHES_WITH_WHEEL = {
    "test_paddle_comparison.py::WithOpenCase::test_paddle_slice_cpu": "an empty slice of a mapped tensor aborts Paddle",
}

TIMEOUT_S = 600


@dataclass(frozen=True)
class Outcome:
    """What became of one file of the suite."""

    file: str
    passed: int
    skipped: int
    failed: int
    served_by: str
    output: str
    exit_code: int

    def complaint(self, expected: int, *, wheel: bool) -> str:
        """Why this outcome fails the run, or nothing."""
        if self.failed or self.exit_code:
            return f"{self.failed} failed, exit code {self.exit_code}"
        if self.passed < expected:
            return f"only {self.passed} of {expected} passed"
        if self.passed and is_mirror(self.served_by) == wheel:
            return f"tested the wrong module: {self.served_by}"
        return ""


def is_mirror(path: str) -> bool:
    return Path(path).parts[-3:] == ("weighbridge", "safetensors", "__init__.py")


def fetch_sdist(folder: Path) -> Path:
    """The source distribution, from FOLDER or from the package index."""
    folder.mkdir(parents=True, exist_ok=True)
    sdist = folder / SDIST
    if not sdist.exists():
        fetch = [sys.executable, "-m", "unearth", REQUIREMENT, "--no-binary", "--download", str(folder)]
        subprocess.run(fetch, check=True, stdout=subprocess.DEVNULL)
    found = hashlib.sha256(sdist.read_bytes()).hexdigest()
    if found != SDIST_SHA256:
        raise SystemExit(f"{sdist} has SHA-256 {found}, not {SDIST_SHA256}")
    return sdist


def unpack_suite(sdist: Path, folder: Path) -> None:
    """Unpacks the tests and the pytest settings of SDIST into FOLDER, as they are."""
    with tarfile.open(sdist) as archive:
        for member in archive.getmembers():
            name = member.name.removeprefix(INSIDE)
            if name != member.name and (name == "setup.cfg" or name.startswith("tests/")):
                member.name = name
                archive.extract(member, folder, filter="data")


def run_file(file: str, sdist: Path, folder: Path, *, wheel: bool) -> Outcome:
    """Runs one FILE of the suite in a copy of its own, below FOLDER."""
    work = Path(tempfile.mkdtemp(prefix=f"{file}.", dir=folder))
    try:
        unpack_suite(sdist, work)
        return run_copy(file, work, wheel=wheel)
    finally:
        shutil.rmtree(work)


def run_copy(file: str, work: Path, *, wheel: bool) -> Outcome:
    left_out = DESELECTED | (CRASHES_WITH_WHEEL if wheel else {})
    door = [] if wheel else ["-m", "weighbridge.run"]
    command = [sys.executable, *door, "-m", "pytest", f"tests/{file}", "-p", "reference_witness"]
    command += ["-p", "no:cacheprovider", "--junitxml=junit.xml"]
    command += [f"--deselect=tests/{test}" for test in left_out if test.startswith(file)]
    run = subprocess.run(
        command, cwd=work, env=environment(), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    witness = work / "served_by.txt"
    passed, skipped, failed = count(work / "junit.xml")
    return Outcome(
        file=file,
        passed=passed,
        skipped=skipped,
        failed=failed,
        served_by=witness.read_text() if witness.exists() else "",
        output=run.stdout + run.stderr,
        exit_code=run.returncode,
    )


def environment() -> dict[str, str]:
    """The environment of the suite: ours, and the witness (reference_witness.py) on the module path."""
    path = [str(Path(__file__).parent / "plugins"), os.environ.get("PYTHONPATH", "")]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    return os.environ | quiet | {"PYTHONPATH": os.pathsep.join(filter(None, path))}


def count(junit: Path) -> tuple[int, int, int]:
    """(passed, skipped or expected to fail, failed) of a JUnit report; nothing passed when there is none."""
    if not junit.exists():
        return 0, 0, 1
    suites = ElementTree.parse(junit).getroot().findall("testsuite")
    ran, skipped, failures, errors = (
        sum(int(suite.attrib[key]) for suite in suites) for key in ("tests", "skipped", "failures", "errors")
    )
    return ran - skipped - failures - errors, skipped, failures + errors


def print_table(outcomes: list[Outcome], *, wheel: bool) -> None:
    rows = [(o.file, o.passed, o.skipped, o.failed, expected(o.file, wheel=wheel)) for o in outcomes]
    rows.append(("all", *(sum(row[i] for row in rows) for i in range(1, 5))))
    print(f"{'file':28} {'passed':>7} {'skipped':>8} {'failed':>7} {'wanted':>7}")
    for file, *numbers in rows:
        print(f"{file:28} {numbers[0]:7} {numbers[1]:8} {numbers[2]:7} {numbers[3]:7}")
    for test, reason in (DESELECTED | (CRASHES_WITH_WHEEL if wheel else {})).items():
        print(f"left out: {test}: {reason}")


def expected(file: str, *, wheel: bool) -> int:
    """How many tests of FILE must pass."""
    return PASSED[file] - (sum(test.startswith(file) for test in CRASHES_WITH_WHEEL) if wheel else 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="keeps the source distribution; work happens here too")
    parser.add_argument("files", nargs="*", help="files of the suite, all of them when none is named")
    parser.add_argument("--wheel", action="store_true", help="test the real wheel instead of the mirror")
    parser.add_argument("--jobs", type=int, default=2, help="files that run at the same time")
    arguments = parser.parse_args()

    sdist = fetch_sdist(arguments.folder)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = list(
            pool.map(
                lambda file: run_file(file, sdist, arguments.folder, wheel=arguments.wheel), arguments.files or PASSED
            )
        )
    print_table(outcomes, wheel=arguments.wheel)
    complaints = {o: o.complaint(expected(o.file, wheel=arguments.wheel), wheel=arguments.wheel) for o in outcomes}
    for outcome, complaint in complaints.items():
        if complaint:
            print(f"\n== {outcome.file}: {complaint}\n{outcome.output}")
    return int(any(complaints.values()))


if __name__ == "__main__":
    sys.exit(main())
