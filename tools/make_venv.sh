#!/bin/sh
# Makes the Python environment of the tests: tools/make_venv.sh FOLDER
#
# It holds tests/python/requirements*.txt, in the versions of constraints.txt: the packages whose files
# Weighbridge reads and writes, and the frameworks and libraries that its Python package serves. That
# is 4 GB and a few minutes. Does nothing when the folder already holds just that.
set -eu
venv=$1
python="$(dirname "$0")/../tests/python"
requirements="$python/requirements.txt"
frameworks="$python/requirements-frameworks.txt"
constraints="$python/constraints.txt"

wanted() { cat "$requirements" "$frameworks" "$constraints"; }
wanted | cmp -s - "$venv/installed.txt" && exit 0

rm -rf "$venv"
python3 -m venv "$venv"
install() { "$venv/bin/pip" install --quiet --constraint "$constraints" "$@"; }
# torch goes first and by itself: asked for by name and version, pip takes a CPU wheel where one is
# offered, while as a dependency it would bring gigabytes of CUDA.
install "$(grep '^torch==' "$requirements")"
install --requirement "$requirements" --requirement "$frameworks"
wanted > "$venv/installed.txt"
