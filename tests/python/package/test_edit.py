"""Editing metadata: only they change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors
from weighbridge import EditReport, SafetensorError, edit_header, edit_metadata
from weighbridge.numpy import save_file

TENSORS = {f"layer.{i}": np.full(10, i, np.float32) for i in range(200)}


def metadata_of(path: Path) -> dict[str, str]:
    """What the real reference reads, after a look at every tensor."""
    with safetensors.safe_open(path, "np") as file:
        for name, array in TENSORS.items():
            assert (file.get_tensor(name) == array).all()
        return dict(file.metadata() or {})


def test_values_are_set_and_removed_in_place(tmp_path: Path) -> None:
    path = tmp_path / "x"
    save_file(TENSORS, path, metadata={"format": "np", "old": "1"}, slack=200)
    inode = path.stat().st_ino
    report = edit_metadata(path, {"format": "pt", "old": None, "note": 'quo"te and Grüße'})
    assert report.changed
    assert report.in_place
    assert path.stat().st_ino == inode
    assert metadata_of(path) == {"format": "pt", "note": 'quo"te and Grüße'}
    assert edit_metadata(path, {"format": "pt"}) == EditReport(False, False, 0)
    edit_metadata(path, {"only": "this"}, clear=True, durable=True)
    assert metadata_of(path) == {"only": "this"}


def test_without_room_the_file_is_rewritten_with_slack_for_the_next_edit(tmp_path: Path) -> None:
    path = tmp_path / "x"
    save_file(TENSORS, path)
    with pytest.raises(SafetensorError, match="cannot be changed in place"):
        edit_metadata(path, {"k": "v"}, rewrite=False)
    report = edit_metadata(path, {"k": "v"}, slack=300)
    assert not report.in_place
    assert report.bytes_written == path.stat().st_size
    assert edit_metadata(path, {"more": "x" * 200}, rewrite=False).in_place
    assert metadata_of(path) == {"k": "v", "more": "x" * 200}


def test_blocks_are_inserted_where_the_file_system_can_and_nobody_looks(tmp_path: Path) -> None:
    path = tmp_path / "x"
    save_file(TENSORS, path)
    inode, size = path.stat().st_ino, path.stat().st_size
    report = edit_metadata(path, {"k": "v"}, insert=True)
    assert report.changed
    assert metadata_of(path) == {"k": "v"}
    if report.in_place:
        assert path.stat().st_ino == inode
        assert path.stat().st_size % 4096 == size % 4096
        assert edit_metadata(path, {"more": "x" * 200}, rewrite=False).in_place
    path.with_name("other name").hardlink_to(path)
    assert not edit_metadata(path, {"k": "v" * 9000}, insert=True).in_place
    assert metadata_of(path)["k"] == "v" * 9000
    assert metadata_of(path.with_name("other name"))["k"] == "v"


def test_tensors_are_renamed_in_place_and_keep_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x"
    save_file(TENSORS, path, metadata={"k": "v"}, slack=100)
    inode = path.stat().st_ino
    exchanged = {"layer.0": "layer.1", "layer.1": "layer.0", "layer.10": "Grüße"}
    report = edit_header(path, metadata={"k": None}, rename=exchanged, rewrite=False)
    assert report.in_place
    assert report.why == "all that changes lies in one page of the file"
    assert path.stat().st_ino == inode
    with safetensors.safe_open(path, "np") as file:
        assert sorted(file.keys()) == sorted({"Grüße", *TENSORS} - {"layer.10"})
        assert not file.metadata()
        for name, array in TENSORS.items():
            assert (file.get_tensor(exchanged.get(name, name)) == array).all()


def test_a_longer_name_without_room_rewrites_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    save_file(TENSORS, path)
    report = edit_header(path, rename={"layer.0": "x" * 100}, slack=300)
    assert not report.in_place
    with safetensors.safe_open(path, "np") as file:
        assert (file.get_tensor("x" * 100) == TENSORS["layer.0"]).all()


@pytest.mark.parametrize(
    ("rename", "code"),
    [
        ({"none": "x"}, "TensorNotFound"),
        ({"layer.0": "layer.1"}, "NameCollision"),
        ({"layer.0": "x", "layer.1": "x"}, "NameCollision"),
        ({"layer.0": "__metadata__"}, "ReservedName"),
    ],
)
def test_names_that_a_file_cannot_hold_are_refused(tmp_path: Path, rename: dict[str, str], code: str) -> None:
    path = tmp_path / "x"
    save_file(TENSORS, path)
    before = path.read_bytes()
    with pytest.raises(SafetensorError) as caught:
        edit_header(path, rename=rename)
    assert caught.value.code == code
    assert path.read_bytes() == before


def test_what_is_no_file_of_this_format_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"something else")
    with pytest.raises(SafetensorError):
        edit_metadata(path, {"k": "v"})
    assert path.read_bytes() == b"something else"
    with pytest.raises(FileNotFoundError):
        edit_metadata(tmp_path / "none", {})
    with pytest.raises(TypeError):
        edit_metadata(path, {"k": 1})  # type: ignore[dict-item]
