"""The exceptions of the package, and the one function that makes them from errors of the C++ library."""

from __future__ import annotations

import os
from typing import Any


class SafetensorError(Exception):
    """What is wrong with a file or an argument, in one sentence.

    ``code`` is the stable name of the reason, e.g. ``"InvalidOffset"`` (empty when it has none); ``tensor`` names the
    tensor, archive entry or file that it is about, and ``offset`` is the byte of the input where it stands; both are
    None where there is no such thing.
    """

    def __init__(self, *args: Any, code: str = "", tensor: str | None = None, offset: int | None = None) -> None:
        super().__init__(*args)
        self.code = code
        self.tensor = tensor
        self.offset = offset


class DangerousContentError(SafetensorError):
    """Refused: the file names code (``tensor``) that a loader of pickles would have run."""


class CancelledError(SafetensorError):
    """The work was asked to stop, and has undone what it did."""


class SafetensorValueError(SafetensorError, ValueError):
    """An argument is wrong, or two do not go together."""


class SafetensorOSError(SafetensorError, OSError):
    """A system call failed: ``errno`` and ``strerror`` say how, the text says on what."""

    def __init__(
        self,
        *args: Any,
        errno: int | None = None,
        code: str = "IoError",
        tensor: str | None = None,
        offset: int | None = None,
    ) -> None:
        super().__init__(*args, code=code, tensor=tensor, offset=offset)
        self.errno = errno
        self.strerror = None if errno is None else os.strerror(errno)

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        # OSError keeps these two outside the dict.
        return type(self), self.args, {**self.__dict__, "errno": self.errno, "strerror": self.strerror}


class SafetensorFileNotFoundError(SafetensorOSError, FileNotFoundError):
    """There is no such file."""


class SafetensorPermissionError(SafetensorOSError, PermissionError):
    """The file may not be read or written."""


class SafetensorFileExistsError(SafetensorOSError, FileExistsError):
    """The output exists, and was not to be overwritten."""


class SafetensorIsADirectoryError(SafetensorOSError, IsADirectoryError):
    """A file was needed, and there is a directory."""


class SafetensorNotADirectoryError(SafetensorOSError, NotADirectoryError):
    """A directory was needed, and there is a file."""


class SafetensorKeyError(SafetensorError, KeyError):
    """The file has no tensor of that name."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class SafetensorIndexError(SafetensorError, IndexError):
    """An index outside its dimension, or more indices than there are dimensions."""


# OSError itself makes the subclass that errno names; this makes ours of it.
_OS_ERRORS: dict[type[OSError], type[SafetensorOSError]] = {
    FileNotFoundError: SafetensorFileNotFoundError,
    PermissionError: SafetensorPermissionError,
    FileExistsError: SafetensorFileExistsError,
    IsADirectoryError: SafetensorIsADirectoryError,
    NotADirectoryError: SafetensorNotADirectoryError,
}

_OTHER_ERRORS: dict[str, type[SafetensorError]] = {
    "Cancelled": CancelledError,
    "DangerousContent": DangerousContentError,
    "InvalidArgument": SafetensorValueError,
    "IoError": SafetensorOSError,
    "OutputExists": SafetensorFileExistsError,
    "TensorNotFound": SafetensorKeyError,
    "SliceOutOfRange": SafetensorIndexError,
    "TooManySlices": SafetensorIndexError,
}


def os_error(message: str, errno: int, **attributes: Any) -> SafetensorOSError:
    """The exception for a failed system call: also of the class that Python has for ``errno``."""
    kind = _OS_ERRORS.get(type(OSError(errno, "")), SafetensorOSError)
    return kind(message, errno=errno, **attributes)


def from_native(code: str, message: str, subject: str, offset: int | None, errno: int) -> SafetensorError:
    """The exception for an error of the C++ library."""
    if errno:
        return os_error(message, errno, code=code, tensor=subject or None, offset=offset)
    return _OTHER_ERRORS.get(code, SafetensorError)(message, code=code, tensor=subject or None, offset=offset)
