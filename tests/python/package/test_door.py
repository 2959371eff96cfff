"""Door (c): the mirror under the name `safetensors`, in this process and in those that it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A new interpreter, without a door open."""
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    search = [str(Path(entry).resolve()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    inherited = {"PYTHONPATH": os.pathsep.join(search)} if search else {}
    return subprocess.run(
        [sys.executable, *arguments],
        env=outside | inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def succeeds(code: str) -> list[str]:
    """The lines that CODE prints."""
    done = python("-c", textwrap.dedent(code))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def write(path: Path, code: str) -> str:
    path.write_text(textwrap.dedent(code))
    return str(path)


def test_every_module_is_the_mirrors_own_and_not_a_copy() -> None:
    assert succeeds("""
        import weighbridge.safetensors as mirror
        mirror.install()
        import safetensors, safetensors.numpy
        from safetensors import _safetensors_rust
        import weighbridge.safetensors.numpy
        print(safetensors is mirror)
        print(safetensors.numpy is weighbridge.safetensors.numpy)
        print(_safetensors_rust.SafetensorError is safetensors.SafetensorError is mirror.SafetensorError)
        print(safetensors.__spec__.name, safetensors.numpy.__spec__.name)
    """) == ["True", "True", "True", "weighbridge.safetensors weighbridge.safetensors.numpy"]


def test_no_framework_is_imported_before_it_is_asked_for() -> None:
    assert succeeds("""
        import sys, weighbridge.safetensors
        weighbridge.safetensors.install()
        import safetensors
        print([name for name in ("numpy", "torch", "jax", "tensorflow", "paddle") if name in sys.modules])
    """) == ["[]"]


def test_what_the_mirror_lacks_is_not_found_elsewhere() -> None:
    assert succeeds("""
        import weighbridge.safetensors
        weighbridge.safetensors.install()
        try:
            import safetensors.nothing
        except ModuleNotFoundError as error:
            print(error.name)
    """) == ["safetensors.nothing"]


def test_it_refuses_when_the_real_package_is_there_already() -> None:
    pytest.importorskip("safetensors")
    assert succeeds("""
        import sys, safetensors
        from weighbridge.safetensors import install
        try:
            install()
        except RuntimeError as error:
            print("already imported" in str(error) and safetensors.__file__ in str(error))
        print(sys.modules["safetensors"] is safetensors)
    """) == ["True", "True"]


def test_it_is_taken_back() -> None:
    pytest.importorskip("safetensors")
    assert succeeds("""
        import sys, weighbridge.safetensors as mirror
        before = list(sys.meta_path), mirror.SafetensorError.__module__
        mirror.install()
        mirror.install()
        import safetensors.numpy
        mirror.uninstall()
        mirror.uninstall()
        print((sys.meta_path, mirror.SafetensorError.__module__) == before)
        import safetensors.numpy
        print(safetensors is mirror, "weighbridge" in safetensors.numpy.__file__)
    """) == ["True", "False False"]


def test_errors_say_that_they_come_from_where_the_packages_do() -> None:
    assert succeeds("""
        import importlib, pickle, weighbridge.safetensors
        weighbridge.safetensors.install()
        from safetensors import SafetensorError
        print(SafetensorError.__module__)
        print(importlib.import_module(SafetensorError.__module__).SafetensorError is SafetensorError)
        print(repr(pickle.loads(pickle.dumps(SafetensorError("broken")))))
    """) == ["safetensors._safetensors_rust", "True", "SafetensorError('broken')"]


def test_the_metadata_tells_the_version_that_is_mirrored() -> None:
    assert succeeds("""
        import importlib.metadata, weighbridge.safetensors
        weighbridge.safetensors.install()
        import safetensors
        print(importlib.metadata.version("safetensors"), safetensors.__version__)
        print(importlib.metadata.distribution("safetensors").metadata["Name"])
        print("safetensors" in importlib.metadata.packages_distributions())
    """) == ["0.8.0 0.8.0", "safetensors", "True"]


def test_the_metadata_is_there_where_the_package_is_not() -> None:
    """As in an environment that never had it: with nothing of what is installed to be found."""
    assert succeeds("""
        import importlib.metadata, sys, weighbridge.safetensors
        weighbridge.safetensors.install()
        sys.path[:] = [entry for entry in sys.path if "-packages" not in entry]
        print(importlib.metadata.version("SafeTensors"))
        try:
            importlib.metadata.version("numpy")
        except importlib.metadata.PackageNotFoundError:
            print("no numpy")
    """) == ["0.8.0", "no numpy"]


REPORT = """
import sys
import safetensors
print(safetensors.__name__, sys.argv[1:], __name__)
"""


def test_a_script_is_run_with_its_own_arguments(tmp_path: Path) -> None:
    script = write(tmp_path / "script.py", REPORT + "import beside\n")
    write(tmp_path / "beside.py", "print('beside')\n")
    done = python("-m", "weighbridge.run", script, "-x", "--flag")
    assert done.stdout.splitlines() == ["weighbridge.safetensors ['-x', '--flag'] __main__", "beside"], done.stderr


def test_a_module_is_run_with_its_own_arguments(tmp_path: Path) -> None:
    write(tmp_path / "program.py", REPORT)
    done = python("-m", "weighbridge.run", "-m", "program", "-h", PYTHONPATH=f"{tmp_path}{os.pathsep}{search_path()}")
    assert done.stdout.splitlines() == ["weighbridge.safetensors ['-h'] __main__"], done.stderr


def search_path() -> str:
    """Where weighbridge is imported from here."""
    import weighbridge

    return str(Path(weighbridge.__file__).parent.parent)


def test_the_status_of_a_program_is_its_own(tmp_path: Path) -> None:
    assert python("-m", "weighbridge.run", write(tmp_path / "script.py", "raise SystemExit(7)")).returncode == 7


@pytest.mark.parametrize("arguments", [[], ["-m"], ["--wrong"]])
def test_a_wrong_call_tells_the_right_one(arguments: list[str]) -> None:
    done = python("-m", "weighbridge.run", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("usage: python -m weighbridge.run")


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_worker_processes_have_the_door_open(method: str, tmp_path: Path) -> None:
    script = write(
        tmp_path / "script.py",
        """
        import multiprocessing

        def served() -> str:
            import safetensors
            return safetensors.__name__

        def fail() -> None:
            from safetensors import SafetensorError
            raise SafetensorError("from a worker")

        if __name__ == "__main__":
            import safetensors
            with multiprocessing.get_context(METHOD).Pool(1) as pool:
                print(pool.apply(served))
                try:
                    pool.apply(fail)
                except safetensors.SafetensorError as error:
                    print(error)
        """.replace("METHOD", repr(method)),
    )
    done = python("-m", "weighbridge.run", script)
    assert done.stdout.splitlines() == ["weighbridge.safetensors", "from a worker"], done.stderr


def test_programs_that_are_started_have_the_door_open(tmp_path: Path) -> None:
    inner = write(tmp_path / "inner.py", REPORT)
    script = write(
        tmp_path / "script.py", f"import subprocess, sys\nsubprocess.run([sys.executable, {inner!r}, 'a'])\n"
    )
    done = python("-m", "weighbridge.run", script)
    assert done.stdout.splitlines() == ["weighbridge.safetensors ['a'] __main__"], done.stderr


def test_another_sitecustomize_still_gets_its_turn(tmp_path: Path) -> None:
    write(tmp_path / "sitecustomize.py", "print('customized')\n")
    script = write(tmp_path / "script.py", "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'pass'])\n")
    path = f"{tmp_path}{os.pathsep}{search_path()}"
    done = python("-m", "weighbridge.run", script, PYTHONPATH=path)
    assert done.stdout.splitlines() == ["customized", "customized"], done.stderr


def test_a_python_without_weighbridge_is_left_alone(tmp_path: Path) -> None:
    script = write(
        tmp_path / "script.py",
        """
        import os, subprocess, sys
        door = os.environ["PYTHONPATH"].split(os.pathsep)[0]
        assert door.endswith("_door")
        subprocess.run([sys.executable, "-S", "-c", "import sitecustomize; print('started')"], env={"PYTHONPATH": door})
        """,
    )
    done = python("-m", "weighbridge.run", script)
    assert done.stdout.splitlines() == ["started"], done.stderr
    assert not done.stderr
