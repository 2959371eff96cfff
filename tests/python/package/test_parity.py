"""The mirror has every name of the reference package, and takes every call that it takes."""

from __future__ import annotations

import importlib
import inspect
import os
import subprocess
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

reference = pytest.importorskip("safetensors")

MODULES = os.environ.get("PARITY_MODULES", ",.numpy,.torch").split(",")
# These crash in one process with one another: each is compared in a process of its own, by this file again.
APART = [".flax", ".tensorflow", ".paddle", ".mlx"]
# The one module of the reference that is its own affair: it is ours that is native in another place.
NOT_MIRRORED = {"_safetensors_rust"}

Parameter = tuple[str, str, bool]


def pair(module: str) -> tuple[types.ModuleType, types.ModuleType]:
    """A module of the reference and its mirror; skips without its framework."""
    try:
        original = importlib.import_module("safetensors" + module)
    except ImportError as error:
        pytest.skip(f"the framework is not installed: {error}")
    return original, importlib.import_module("weighbridge.safetensors" + module)


def own_names(module: types.ModuleType) -> Iterator[str]:
    """What a module of the reference defines, or re-exports from its native one."""
    for name, value in vars(module).items():
        if inspect.ismodule(value) or name.startswith("__"):
            continue
        home = getattr(value, "__module__", module.__name__)
        if isinstance(home, str) and home.split(".")[0] in ("safetensors", "builtins"):
            yield name


def parameters(function: Any, *, without_self: bool = False) -> list[Parameter] | None:
    """Name, kind, and whether it may be left out; None when the function does not tell."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    found = [(p.name, p.kind.name, p.default is not p.empty) for p in signature.parameters.values()]
    return found[1:] if without_self else found


def missing_calls(original: list[Parameter], ours: list[Parameter]) -> str:
    """Why a call that `original` takes would not be taken by `ours`; empty when all are."""
    positional = [p for p in original if p[1] != "KEYWORD_ONLY"]
    for place, (name, _, optional) in enumerate(positional):
        if place >= len(ours) or ours[place][0] != name or ours[place][1] not in ("POSITIONAL_OR_KEYWORD",):
            return f"'{name}' is not parameter {place}"
        if optional and not ours[place][2]:
            return f"'{name}' has no default"
    by_name = {p[0]: p for p in ours}
    for name, kind, optional in original:
        if kind == "KEYWORD_ONLY" and (name not in by_name or (optional and not by_name[name][2])):
            return f"there is no keyword '{name}', or it has no default"
    known = {p[0] for p in original}
    needed = [name for name, _, optional in ours if name not in known and not optional]
    return f"{needed} have no default" if needed else ""


@pytest.mark.parametrize("module", MODULES)
def test_every_name_is_there(module: str) -> None:
    original, ours = pair(module)
    names = set(own_names(original)) - NOT_MIRRORED
    assert names
    assert {name for name in names if not hasattr(ours, name)} == set()


@pytest.mark.parametrize("module", MODULES)
def test_every_call_is_taken(module: str) -> None:
    original, ours = pair(module)
    problems: dict[str, str] = {}
    compared = 0
    for name in own_names(original):
        theirs = parameters(getattr(original, name)) if callable(getattr(original, name)) else None
        if theirs is None or not hasattr(ours, name):
            continue
        mine = parameters(getattr(ours, name))
        assert mine is not None, f"{name} does not tell its parameters"
        compared += 1
        if problem := missing_calls(theirs, mine):
            problems[name] = problem
    assert compared
    assert problems == {}


@pytest.mark.parametrize("module", APART)
def test_the_module_of_another_framework_is_compared_alone(module: str) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", __file__, "-k", "test_every_"]
    done = subprocess.run(
        command, env=os.environ | {"PARITY_MODULES": module}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_constants_have_the_same_value_where_both_have_them() -> None:
    for module, constant in ((".numpy", "_TYPES"), (".torch", "_TYPES"), (".torch", "_SIZE")):
        original, ours = pair(module)
        table = getattr(original, constant)
        assert {key: getattr(ours, constant).get(key) for key in table if key is not None} == {
            key: value for key, value in table.items() if key is not None
        }


METHODS = ["keys", "offset_keys", "metadata", "get_tensor", "get_tensors", "get_slice"]


@pytest.mark.parametrize("name", METHODS)
def test_an_open_file_has_the_methods(name: str) -> None:
    original, ours = pair("")
    theirs = parameters(getattr(original.safe_open, name), without_self=True)
    mine = parameters(getattr(ours.safe_open, name), without_self=True)
    assert theirs is not None
    assert mine is not None
    assert missing_calls(theirs, mine) == ""


def test_the_comparison_can_fail() -> None:
    """A parity test that takes everything is none."""
    theirs = parameters(lambda a, b=1, *, c=2: None)
    assert theirs is not None
    for ours in (
        lambda a, b=1: None,
        lambda b, a=1, *, c=2: None,
        lambda a, b, *, c=2: None,
        lambda a, b=1, *, c: None,
        lambda a, b=1, *, c=2, d: None,
    ):
        mine = parameters(ours)
        assert mine is not None
        assert missing_calls(theirs, mine)
    wider = parameters(lambda a, b=1, *, c=2, d=3: None)
    assert wider is not None
    assert missing_calls(theirs, wider) == ""
