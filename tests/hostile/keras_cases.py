"""Case 71: Keras."""

from __future__ import annotations

import json

from case import ALARM, DANGEROUS, Case
from expected import ARCHIVE, CHECKPOINT, DANGER, DENSE, LIMIT, UNSUPPORTED
from hdf5_files import external_link, hdf5, weights
from zips import DEFLATED, Entry, Zip, zeros_deflated


def keras(layer: object = None, text: bytes | None = None, content: bytes | None = None) -> bytes:
    """An archive of one dense layer, whose description has one more."""
    layers = [{"module": "keras.layers", "class_name": "Dense", "config": {"name": "dense", "units": 1}}]
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "model", "layers": [*layers, *([] if layer is None else [layer])]},
    }
    described = json.dumps(config).encode() if text is None else text
    model = hdf5(weights) if content is None else content
    return Zip([Entry("config.json", described), Entry("model.weights.h5", model)]).build()


def layer(module: str, name: str, **config: object) -> dict[str, object]:
    return {"module": module, "class_name": name, "config": config, "registered_name": name}


LAMBDA = layer("keras.layers", "Lambda", function={"class_name": "__lambda__", "config": {"code": "4wAAAA=="}})

KERAS_CASES = [
    Case(71, "honest", "a dense layer", keras, tensors=DENSE),
    Case(71, "lambda", "bytecode in a Lambda layer", lambda: keras(LAMBDA), DANGER, scan=DANGEROUS),
    Case(71, "module", "a layer that is os.system",
         lambda: keras(layer("os", "system", command="touch weighbridge-was-here")), DANGER, scan=DANGEROUS),
    Case(71, "unsafe", "a layer that switches safe mode off",
         lambda: keras(layer("keras.config", "enable_unsafe_deserialization")), DANGER, scan=DANGEROUS),
    Case(71, "download", "a layer that downloads",
         lambda: keras(layer("keras.utils", "get_file", fname="x", origin="http://localhost/x")), DANGER,
         scan=DANGEROUS),
    Case(71, "vocabulary", "a vocabulary that is /etc/passwd",
         lambda: keras(layer("keras.layers", "StringLookup", vocabulary="/etc/passwd")), DANGER, scan=DANGEROUS),
    Case(71, "custom", "a class of a package of the author's",
         lambda: keras(layer("my_package", "MyLayer")), tensors=DENSE, findings=("KerasCustomObject",), scan=ALARM),
    Case(71, "twice", "a key that stands there twice",
         lambda: keras(text=b'{"class_name": "Sequential", "class_name": "Lambda"}'), tensors=DENSE,
         findings=("KerasConfigUnreadable",), scan=ALARM),
    Case(71, "deep", "a description of a million levels", lambda: keras(text=b'{"class_name":' * 1_000_000),
         tensors=DENSE, findings=("KerasConfigUnreadable",), scan=ALARM),
    Case(71, "link", "weights that are a link", lambda: keras(content=hdf5(external_link)), UNSUPPORTED),
    Case(71, "wrong-crc", "weights of another checksum", lambda: Zip([
        Entry("config.json", b"{}"), Entry("model.weights.h5", hdf5(weights), crc=1),
    ]).build(), ARCHIVE, message="has the CRC-32"),
    Case(71, "bomb", "weights of 4 GiB in 4 MB", lambda: Zip([
        Entry("config.json", b"{}"),
        Entry("model.weights.h5", b"", DEFLATED, zeros_deflated(4096), size=4 << 30),
    ]).build(), (*LIMIT, *CHECKPOINT), slow=True),
]  # fmt: skip
