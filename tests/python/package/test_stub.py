"""The hand-kept stub says of the native module what is there, and no more."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import types
from pathlib import Path

import pytest
import weighbridge
from weighbridge import _native

STUB = Path(weighbridge.__file__).with_name("_native.pyi")

# Of every class, or of nanobind: nothing that a stub has to say.
MACHINERY = {"__module__", "__doc__", "__new__", "__weakref__", "__dict__", "__loader__", "__spec__", "__file__"}
MACHINERY |= {"__init__", "__name__", "__package__", "__nb_signature__", "__slots__", "__getstate__"}
if sys.version_info < (3, 12):
    MACHINERY |= {"__buffer__"}  # a slot without a name


def stub_members(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """What a body defines, by name."""
    members: dict[str, ast.stmt] = {}
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            members[statement.name] = statement
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            members[statement.target.id] = statement
    return members


# How nanobind writes a parameter without a name, and the place of a default in its table.
NAMELESS = re.compile(r"arg\d*")
DEFAULT = re.compile(r"\\\d+")

TREE = stub_members(ast.parse(STUB.read_text(encoding="utf-8")).body)


def is_private_alias(name: str, statement: ast.stmt) -> bool:
    """A type alias of the stub for itself."""
    return name.startswith("_") and isinstance(statement, ast.AnnAssign)


def native_members(owner: types.ModuleType | type) -> set[str]:
    """What the module or a class of it has of its own."""
    inherited = set() if isinstance(owner, types.ModuleType) else set(dir(object)) - {"__repr__", "__eq__"}
    return set(vars(owner)) - MACHINERY - inherited


def parameters_of(function: ast.FunctionDef) -> list[tuple[str, bool]]:
    """Names of the parameters, each with whether it may be left out; those without one are called ``arg``."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    optional = [False] * (len(positional) - len(arguments.defaults)) + [True] * len(arguments.defaults)
    named = zip(arguments.kwonlyargs, (default is not None for default in arguments.kw_defaults), strict=True)
    nameless = {each.arg for each in arguments.posonlyargs if each.arg != "self"}
    found = [(each.arg, may) for each, may in [*zip(positional, optional, strict=True), *named]]
    return [("arg" if name in nameless or NAMELESS.fullmatch(name) else name, may) for name, may in found]


def signature_of(native: object) -> list[tuple[str, bool]] | None:
    """The same of a native function; None when it has overloads, whose text nanobind keeps."""
    signatures = getattr(native, "__nb_signature__", None)
    if signatures is None or len(signatures) != 1:
        return None
    text, _, *_ = signatures[0]
    head = ast.parse(DEFAULT.sub("...", text) + ": ...").body[0]
    assert isinstance(head, ast.FunctionDef)
    return parameters_of(head)


def test_the_module_and_the_stub_have_the_same_names() -> None:
    stub = {name for name, statement in TREE.items() if not is_private_alias(name, statement)}
    assert native_members(_native) == stub


CLASSES = sorted(name for name, statement in TREE.items() if isinstance(statement, ast.ClassDef))


@pytest.mark.parametrize("name", CLASSES)
def test_the_classes_have_the_same_members(name: str) -> None:
    statement = TREE[name]
    assert isinstance(statement, ast.ClassDef)
    assert native_members(getattr(_native, name)) == set(stub_members(statement.body)) - MACHINERY


def functions() -> list[tuple[str, ast.FunctionDef, object]]:
    """Every function and method of the stub with its native counterpart."""
    found: list[tuple[str, ast.FunctionDef, object]] = []
    for name, statement in TREE.items():
        if isinstance(statement, ast.FunctionDef):
            found.append((name, statement, getattr(_native, name, None)))
        elif isinstance(statement, ast.ClassDef):
            owner = getattr(_native, name, None)
            for inner, member in stub_members(statement.body).items():
                if isinstance(member, ast.FunctionDef) and not is_property(member):
                    found.append((f"{name}.{inner}", member, inspect.getattr_static(owner, inner, None)))
    return found


def is_property(function: ast.FunctionDef) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "property" for each in function.decorator_list)


FUNCTIONS = functions()


@pytest.mark.parametrize(("name", "stub", "native"), FUNCTIONS, ids=[name for name, _, _ in FUNCTIONS])
def test_functions_take_the_same_parameters(name: str, stub: ast.FunctionDef, native: object) -> None:
    signature = signature_of(native)
    if signature is None:
        pytest.skip("has overloads, or no signature of its own")
    assert parameters_of(stub) == signature


@pytest.mark.parametrize(("name", "stub", "native"), FUNCTIONS, ids=[name for name, _, _ in FUNCTIONS])
def test_every_function_says_what_it_does(name: str, stub: ast.FunctionDef, native: object) -> None:
    if name.rpartition(".")[2].startswith("__"):
        pytest.skip("its name says it")
    assert inspect.getdoc(native)
