#!/bin/sh
# Makes the Python environment that the tests compare with: tools/make_venv.sh FOLDER
#
# Installs tests/python/requirements.txt; does nothing when the folder already holds just that.
set -eu
venv=$1
requirements="$(dirname "$0")/../tests/python/requirements.txt"

cmp -s "$requirements" "$venv/installed.txt" && exit 0

rm -rf "$venv"
python3 -m venv "$venv"
# torch goes first and by itself: asked for by name and version, pip takes a CPU wheel where one is
# offered, while as a dependency it would bring gigabytes of CUDA.
"$venv/bin/pip" install --quiet "$(grep '^torch==' "$requirements")"
"$venv/bin/pip" install --quiet --requirement "$requirements"
cp "$requirements" "$venv/installed.txt"
