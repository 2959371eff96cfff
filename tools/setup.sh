#!/bin/sh
# Installs the Debian packages that Weighbridge needs:
#
#   tools/setup.sh          what `cmake --preset release` needs
#   tools/setup.sh python   that, and what `pip install .` needs
#   tools/setup.sh test     all that, and what the tests, checks and fuzz targets need
#
# Says nothing and changes nothing when all of them are there.
set -eu

build_packages="g++ cmake ninja-build pkg-config
  libcli11-dev libfmt-dev nlohmann-json3-dev zlib1g-dev libbz2-dev liblzma-dev liblz4-dev libre2-dev
  libseccomp-dev libssl-dev libhdf5-dev"
python_packages="python3 python3-dev python3-venv"
test_packages="libgtest-dev libgmock-dev
  clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev lld-19 valgrind"

case "${1:-build}" in
  build) wanted="$build_packages" ;;
  python) wanted="$build_packages $python_packages" ;;
  test) wanted="$build_packages $python_packages $test_packages" ;;
  *) echo "usage: tools/setup.sh [build|python|test]" >&2; exit 2 ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "tools/setup.sh knows Debian and its kin only. Install the counterparts of these packages" >&2
  echo "(docs/dependencies.md says what each is for) and build with CMake:" >&2
  # shellcheck disable=SC2086  # one word a package
  echo $wanted >&2
  exit 1
fi

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=""
for package in $wanted; do
  is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "These packages are missing, and only root can install them:$missing" >&2
    exit 1
  fi
  as_root="sudo"
fi

echo "Installing Debian packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086  # one word a package
install_missing() {
  $as_root apt-get update &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing
}
if ! install_missing >"$log" 2>&1; then
  cat "$log" >&2
  echo "Debian packages could not be installed:$missing" >&2
  exit 1
fi
