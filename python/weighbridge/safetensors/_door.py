"""The mirror under the name ``safetensors``, for programs whose imports are not to be changed."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder
from pathlib import Path
from types import ModuleType
from typing import ClassVar

from .._errors import SafetensorError

NAME = "safetensors"
MIRROR = "weighbridge.safetensors"
NATIVE = f"{NAME}._safetensors_rust"
VERSION = "0.8.0"


def install() -> None:
    """Makes ``import safetensors`` and the import of all its modules give Weighbridge's mirror.

    Call it before anything imports safetensors. It holds for this process until :func:`uninstall`;
    ``python -m weighbridge.run`` is the way to include the processes that a program starts. Where the
    real package is installed it stays as it is, and is just not found meanwhile. Modules are imported
    when they are asked for: ``install()`` itself imports no framework. Calling it again does nothing.

    ``importlib.metadata.version("safetensors")`` tells the version that is mirrored, and
    ``SafetensorError`` names the module ``safetensors._safetensors_rust`` as its own, as the
    package's does.

    Raises:
        RuntimeError: the real safetensors has been imported already.
    """
    if _installed():
        return
    if imported := _modules():
        first = min(imported)
        place = getattr(sys.modules[first], "__file__", None)
        raise RuntimeError(
            f"'{first}' is already imported from {place}: "
            "call weighbridge.safetensors.install() before anything that imports safetensors"
        )
    sys.meta_path.insert(0, _Finder())
    SafetensorError.__module__ = NATIVE


def uninstall() -> None:
    """Takes back :func:`install`: the next ``import safetensors`` finds what it found before.

    Modules that have imported the mirror under that name keep it. Without an ``install()`` it does nothing.
    """
    finder = _installed()
    if finder is None:
        return
    sys.meta_path.remove(finder)
    for name in _modules():
        del sys.modules[name]
    SafetensorError.__module__ = finder.error_module


def _installed() -> _Finder | None:
    return next((finder for finder in sys.meta_path if isinstance(finder, _Finder)), None)


def _modules() -> list[str]:
    """What is imported under the name."""
    return [name for name in list(sys.modules) if _is_ours(name)]


def _is_ours(name: str) -> bool:
    return name == NAME or name.startswith(NAME + ".")


class _Finder(DistributionFinder):
    """Finds the mirror's modules by the names of the package's, and a distribution of that name."""

    def __init__(self) -> None:
        self.error_module = SafetensorError.__module__

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _is_ours(fullname):
            return None
        mirrored = MIRROR + fullname[len(NAME) :]
        found = importlib.util.find_spec(mirrored)
        if found is None:
            return None
        is_package = found.submodule_search_locations is not None
        return ModuleSpec(fullname, _Loader(mirrored), origin=found.origin, is_package=is_package)

    def find_distributions(
        self,
        context: DistributionFinder.Context = DistributionFinder.Context(),  # noqa: B008  # as the base has it
    ) -> Iterator[Distribution]:
        if context.name is None or context.name.lower() == NAME:
            yield _Distribution()


class _Loader(Loader):
    """Gives the one module that the mirror has, rather than a second copy of it."""

    def __init__(self, mirrored: str) -> None:
        self._mirrored = mirrored
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._mirrored)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has put the other name's there


class _Distribution(Distribution):
    """What the metadata of the package says, as far as libraries ask: name, version and modules."""

    _FILES: ClassVar = {
        "METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n",
        "top_level.txt": f"{NAME}\n",
        "INSTALLER": "weighbridge\n",
    }

    def read_text(self, filename: str) -> str | None:
        return self._FILES.get(filename)

    def locate_file(self, path: str | os.PathLike[str]) -> Path:
        return Path(__file__).parent.parent / path
