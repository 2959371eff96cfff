"""Imported where something is loaded onto a CUDA device. Without one it cannot be, and whoever needs it is missing."""

from __future__ import annotations

import os

import torch

# Asking must not start the driver: a process that is forked afterwards could not use it.
os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
if not torch.cuda.is_available():
    raise ImportError("there is no CUDA device")
