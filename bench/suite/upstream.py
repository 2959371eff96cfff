"""Builds the program around the reference's own crate, so that native code is compared with native code.

The crate comes out of the source distribution of the wheel, unchanged but for its manifest: a dependency that
only builds without the standard library use is taken in the version at hand. Where Debian's packages of its
dependencies are installed they are used, without a network:

    apt-get install cargo-web librust-serde-json-dev librust-serde-derive-dev librust-hashbrown-dev librust-tempfile-dev
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT / "bench" / "upstream"
DEBIAN_CRATES = Path("/usr/share/cargo/registry")
CRATE = "safetensors-0.8.0/safetensors/"


def fetch(folder: Path) -> Path:
    """The source distribution, recognised by its hash, as the tests of the package fetch it."""
    sys.path.insert(0, str(ROOT / "tests" / "python"))
    from reference_suite import fetch_sdist

    return Path(fetch_sdist(folder))


def unpack(sdist: Path, folder: Path) -> None:
    """Only the crate, with its sources as they are."""
    with tarfile.open(sdist) as archive:
        for member in archive.getmembers():
            if member.isfile() and member.name.startswith(CRATE):
                target = folder / member.name.removeprefix(CRATE)
                target.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None
                target.write_bytes(content.read())


def without_extras(manifest: str) -> str:
    """The manifest without what only tests and benches of the crate need, and with any hashbrown."""
    manifest = re.sub(r"\[dev-dependencies\][^\[]*", "", manifest)
    manifest = re.sub(r"\[\[bench\]\][^\[]*", "", manifest)
    return re.sub(r'(hashbrown = \{ version = )"[^"]*"', r'\1"*"', manifest)


def build(folder: Path) -> Path:
    """Builds the program in `folder`. Raises CalledProcessError where cargo or a crate is missing."""
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    unpack(fetch(folder), folder / "safetensors")
    manifest = folder / "safetensors" / "Cargo.toml"
    manifest.write_text(without_extras(manifest.read_text(encoding="utf-8")), encoding="utf-8")
    command = ["cargo", "build", "--release"]
    if DEBIAN_CRATES.exists():
        replace = 'source.crates-io.replace-with="debian"'
        where = f'source.debian.directory="{DEBIAN_CRATES}"'
        command += ["--offline", "--config", replace, "--config", where]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "target" / "release" / "upstream_bench"
