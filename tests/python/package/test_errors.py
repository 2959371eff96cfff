"""Errors: what the C++ library says, as the exceptions that Python programs expect."""

from __future__ import annotations

import errno
import pickle
from pathlib import Path

import pytest
from weighbridge import SafetensorError, _native


def test_a_missing_file_is_also_what_python_calls_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        _native.File.open_path(tmp_path / "none.safetensors")
    error = caught.value
    assert isinstance(error, SafetensorError)
    assert error.errno == errno.ENOENT
    assert error.code == "IoError"
    assert "none.safetensors" in str(error)


def test_a_broken_header_names_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"\x02\0\0\0\0\0\0\0[]")
    with pytest.raises(SafetensorError) as caught:
        _native.File.open_path(path)
    assert caught.value.code == "InvalidHeaderDeserialization"
    assert caught.value.offset == 8


def test_errors_survive_pickling(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        _native.File.open_path(tmp_path / "none.safetensors")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value)
    assert str(again) == str(caught.value)
    assert again.errno == errno.ENOENT
