"""Cases 71 to 77: the formats of other libraries."""

from __future__ import annotations

from flax_cases import FLAX_CASES
from gguf_cases import GGUF_CASES
from hdf5_cases import HDF5_CASES
from keras_cases import KERAS_CASES
from numpy_cases import NUMPY_CASES
from onnx_cases import ONNX_CASES
from tensorflow_cases import TENSORFLOW_CASES

FORMAT_CASES = [
    *KERAS_CASES,
    *HDF5_CASES,
    *ONNX_CASES,
    *GGUF_CASES,
    *NUMPY_CASES,
    *FLAX_CASES,
    *TENSORFLOW_CASES,
]
