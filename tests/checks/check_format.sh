#!/bin/sh
# Whether all C++ sources stand as clang-format would write them: check_format.sh CLANG_FORMAT
set -eu
find include src tests fuzz examples bench \( -name '*.hpp' -o -name '*.cpp' \) -print0 |
  xargs -0 "$1" --dry-run -Werror
