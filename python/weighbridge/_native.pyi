"""The native module: private, and thin over the C++ library. tests/python/package/test_stub.py holds it true."""

import os

version: str

class File:
    @staticmethod
    def open_path(path: str | os.PathLike[str]) -> File: ...
    def offset_names(self) -> list[str]: ...
