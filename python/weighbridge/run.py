"""Runs a program with Weighbridge in place of safetensors, unchanged.

    python -m weighbridge.run SCRIPT [ARGUMENT...]
    python -m weighbridge.run -m MODULE [ARGUMENT...]

The program sees what it would see under plain ``python``: its own ``sys.argv``, ``sys.path`` and
``__main__``. ``import safetensors`` gives :mod:`weighbridge.safetensors` in it, and in every Python
process that it starts with this environment: by :mod:`subprocess`, by :mod:`multiprocessing` however it starts
them, by ``torchrun``. A process that ignores ``PYTHONPATH`` (``python -I``, ``-E``, ``-S``) is left out.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

from .safetensors import install

_USAGE = "usage: python -m weighbridge.run (SCRIPT | -m MODULE) [ARGUMENT...]"


def main() -> None:
    """Runs what the command line names."""
    arguments = sys.argv[1:]
    as_module = arguments[:1] == ["-m"]
    arguments = arguments[as_module:]
    if arguments and not as_module and arguments[0] in ("-h", "--help"):
        print(_USAGE)
        return
    if not arguments or (arguments[0].startswith("-") and not as_module):
        sys.exit(_USAGE)
    install()
    open_in_children()
    sys.argv = arguments
    if as_module:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    else:
        run_script(arguments[0])


def open_in_children() -> None:
    """Has the processes that this one starts do the same, by the ``sitecustomize`` of the folder ``_door``."""
    door = str(Path(__file__).parent / "_door")
    inherited = os.environ.get("PYTHONPATH")
    if inherited is None or door not in inherited.split(os.pathsep):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [door, inherited]))


def run_script(script: str) -> None:
    """Runs a file as ``python SCRIPT`` does: its folder is where it imports from first."""
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = str(Path(script).resolve().parent)
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
