#!/bin/sh
# Lints sources as BUILD compiles them: check_tidy.sh RUN_CLANG_TIDY BUILD JOBS PATTERN
# Precompiled headers are left out: those of another compiler cannot be read, and a source that lacks an
# include is found only without.
set -eu
database=$2/tidy
mkdir -p "$database"
sed -E 's/ -Winvalid-pch .*cmake_pch\.hxx / /' "$2/compile_commands.json" >"$database/compile_commands.json"
exec "$1" -quiet -p "$database" -j "$3" "$4"
