"""The reference's words around our messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .._errors import SafetensorError, SafetensorOSError, os_error

# What the reference says of each broken header. Programs look for these words; ours say the rest.
_HEADER_TEXTS = {
    "HeaderTooSmall": "header too small",
    "HeaderTooLarge": "header too large",
    "InvalidHeaderLength": "invalid header length",
    "InvalidHeader": "invalid UTF-8 in header",
    "InvalidHeaderDeserialization": "invalid JSON in header",
    "DuplicateKey": "invalid JSON in header",
    "InvalidOffset": "invalid offset for tensor `{tensor}`",
    "TensorInvalidInfo": "invalid shape, data type, or offset for tensor",
    "ValidationOverflow": "overflow computing buffer size from shape and/or element type",
    "MisalignedSlice": "The slice is slicing for subbytes dtypes, and the slice does not end up at a byte boundary, "
    "this is invalid.",
    "MetadataIncompleteBuffer": "incomplete metadata, file not fully covered",
}


@contextmanager
def reference_header_errors(prefix: str) -> Iterator[None]:
    """Errors of a header as the reference gives them: ``prefix: its words: our message``."""
    try:
        yield
    except SafetensorOSError:
        raise
    except SafetensorError as error:
        text = _HEADER_TEXTS.get(error.code, "").format(tensor=error.tensor)
        message = ": ".join(part for part in (prefix, text, str(error)) if part)
        raise SafetensorError(message, code=error.code, tensor=error.tensor, offset=error.offset) from None


@contextmanager
def reference_open_errors(filename: object) -> Iterator[None]:
    """What the system says when a file is opened, as the reference says that there is no such file."""
    try:
        yield
    except SafetensorOSError as error:
        if error.errno is None:
            raise
        raise os_error(f"{error.strerror}: {filename}", error.errno, tensor=error.tensor) from None


def no_dtype(framework: str, dtype: object) -> SafetensorError:
    """What to raise for a tensor of a dtype that a framework does not have."""
    return SafetensorError(f"{framework} has no dtype {dtype}", code="Unsupported")
