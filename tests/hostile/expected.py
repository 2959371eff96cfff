"""What the cases of formats end in: the errors, or the tensors that most of them hold."""

from __future__ import annotations

import numpy as np
from checkpoints import FOUR_FLOATS

CHECKPOINT = ("MalformedCheckpoint",)
DANGER = ("DangerousContent",)
UNSUPPORTED = ("Unsupported",)
LIMIT = ("LimitExceeded",)
ARCHIVE = ("MalformedArchive",)
OVERFLOW = ("ValidationOverflow", *CHECKPOINT)
OUTSIDE = ("IoError", *CHECKPOINT)
VALUES = np.frombuffer(FOUR_FLOATS, "<f4")
WEIGHT = {"weight": ("F32", [4], FOUR_FLOATS)}
DENSE = {"layers/dense/vars/0": ("F32", [4], FOUR_FLOATS)}
