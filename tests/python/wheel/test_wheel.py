"""The wheel of tools/wheel: what is in it, and that it runs where nothing else is installed.

WEIGHBRIDGE_WHEEL is the wheel, or a folder whose newest one it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GIVEN = Path(os.environ["WEIGHBRIDGE_WHEEL"])
WHEEL = max(GIVEN.glob("*.whl"), key=os.path.getmtime) if GIVEN.is_dir() else GIVEN
SAMPLE = ROOT / "examples" / "data" / "sample.pt"

# The C library, under the names of its parts, and the dynamic linker.
C_LIBRARY = re.compile(r"^(lib(c|m|dl|rt|pthread|util)\.so\.\d+|ld-linux[\w-]*\.so\.\d+)$")
# What every Linux of a manylinux wheel has: asked for when libraries were added and not linked in.
PLATFORM = re.compile(r"^lib(z\.so\.1|stdc\+\+\.so\.6|gcc_s\.so\.1)$")
# Of what is linked into the module and the program, or lies beside them.
LICENCES = {
    *("LICENSE", "libbz2-dev.txt", "libcli11-dev.txt", "libfmt-dev.txt", "liblz4-dev.txt", "liblzma-dev.txt"),
    *("libseccomp-dev.txt", "libssl-dev.txt", "libstdc++6.txt", "nanobind.txt", "nlohmann-json3-dev.txt"),
    *("libre2-dev.txt", "libhdf5-dev.txt", "libaec-dev.txt", "zlib1g-dev.txt"),
}
# Reads, writes, converts and scans with nothing but the package.
TRIAL = """
import sys
import weighbridge, weighbridge.safetensors as safetensors

result = weighbridge.convert(sys.argv[1], sys.argv[2])
assert result.verified, result
names = sorted(name for name, _ in safetensors.deserialize(open(sys.argv[2], "rb").read()))
assert len(names) == result.tensors, names
(file,) = weighbridge.scan(sys.argv[1])
assert file.clean, file
print("ran", weighbridge.__version__)
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The content of the wheel, executable bits as an installer sets them."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(WHEEL) as wheel:
        for member in wheel.infolist():
            path = Path(wheel.extract(member, folder))
            path.chmod(path.stat().st_mode | (member.external_attr >> 16 & 0o111))
    return folder


def files_in(folder: Path) -> Iterator[Path]:
    return (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())


def is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def needed_by(path: Path) -> set[str]:
    """The libraries that a binary asks for by name."""
    told = subprocess.run(["readelf", "--dynamic", path], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", told))


def test_it_holds_the_package_the_program_and_nothing_else(unpacked: Path) -> None:
    allowed = re.compile(
        r"weighbridge/(\w+/)*\w+\.(py|pyi)|weighbridge/py\.typed|weighbridge/_native[\w.-]*\.so"
        r"|weighbridge\.(libs|scripts)/[\w.+-]+|weighbridge-[\d.]+\.data/scripts/weighbridge"
        r"|weighbridge-[\d.]+\.dist-info/[\w/.+-]+"
    )
    odd = [name for name in map(str, files_in(unpacked)) if not allowed.fullmatch(name)]
    assert odd == []


def test_it_has_the_types(unpacked: Path) -> None:
    assert (unpacked / "weighbridge" / "py.typed").is_file()
    assert (unpacked / "weighbridge" / "_native.pyi").is_file()


def test_it_has_every_module_of_the_sources(unpacked: Path) -> None:
    sources = {str(path) for path in files_in(ROOT / "python" / "weighbridge") if path.suffix in (".py", ".pyi")}
    packed = {str(path) for path in files_in(unpacked / "weighbridge") if path.suffix in (".py", ".pyi")}
    assert packed == sources


def test_it_has_the_licences_of_what_is_linked_in(unpacked: Path) -> None:
    (folder,) = unpacked.glob("weighbridge-*.dist-info/licenses")
    texts = list(files_in(folder))
    assert {path.name for path in texts} == LICENCES
    assert all(len((folder / path).read_text(encoding="utf-8")) > 500 for path in texts)


def may_be_needed(wheel: Path, name: str) -> bool:
    linked_in = not (wheel / "weighbridge.libs").exists()
    return C_LIBRARY.match(name) is not None or (not linked_in and PLATFORM.match(name) is not None)


def test_its_binaries_need_the_c_library_alone(unpacked: Path) -> None:
    binaries = [path for path in files_in(unpacked) if is_elf(unpacked / path)]
    beside = {path.name for path in binaries}
    assert len(binaries) >= 2
    needs = {str(path): needed_by(unpacked / path) - beside for path in binaries}
    odd = {path: {name for name in names if not may_be_needed(unpacked, name)} for path, names in needs.items()}
    assert {path: names for path, names in odd.items() if names} == {}


def test_its_name_says_where_it_runs() -> None:
    assert re.search(r"-(cp312-abi3|cp3\d+-cp3\d+t?)-manylinux_2_\d+_\w+\.whl$", WHEEL.name)


def test_it_installs_into_an_empty_environment_and_runs(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    folder = tmp_path / "venv" / "bin"
    bare = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": "", "PYTHONNOUSERSITE": "1"}
    subprocess.run(
        [folder / "python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", WHEEL], check=True, env=bare
    )
    version = subprocess.run([folder / "weighbridge", "--version"], capture_output=True, check=True, env=bare)
    assert version.stdout.startswith(b"weighbridge ")
    trial = [folder / "python", "-I", "-c", TRIAL, SAMPLE, tmp_path / "out.safetensors"]
    done = subprocess.run(trial, capture_output=True, text=True, check=False, env=bare)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ran ")


def libraries_of(program: Path) -> set[Path]:
    """The files that the dynamic linker loads for a program, itself included."""
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return {Path(path) for path in re.findall(r"(/\S+) \(0x", told)}


def platform_libraries(unpacked: Path) -> set[Path]:
    """What the binaries of the wheel ask of the platform, beyond what lies beside them."""
    binaries = [unpacked / path for path in files_in(unpacked) if is_elf(unpacked / path)]
    return {path for binary in binaries for path in libraries_of(binary) if not path.is_relative_to(unpacked)}


def make_bare_root(root: Path, libraries: set[Path]) -> Path:
    """A root with this Python, its own library, and the shared `libraries`, and with nothing else.

    Gives the interpreter's path inside.
    """
    python = Path(sys.executable).resolve()
    standard = Path(sysconfig.get_path("stdlib"))
    parts = ("librt.so.1", "libdl.so.2", "libpthread.so.0")
    wanted = libraries | libraries_of(python)
    wanted |= {path.with_name(part) for path in wanted for part in parts}
    for file in [python, *filter(Path.exists, wanted)]:
        (root / file.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, root / file.relative_to("/"))
    (root / "proc").mkdir()
    (root / "dev").mkdir()
    (root / "dev" / "null").touch()
    shutil.copytree(
        standard, root / standard.relative_to("/"), symlinks=True,
        ignore=shutil.ignore_patterns("site-packages", "dist-packages", "test", "config-*", "__pycache__", "idlelib"),
    )  # fmt: skip
    return python


@pytest.mark.skipif(not shutil.which("unshare"), reason="there is no unshare to make a root of its own with")
def test_it_runs_in_a_root_with_the_c_library_alone(unpacked: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    isolated = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--root", str(root)]
    python = make_bare_root(root, platform_libraries(unpacked))
    if subprocess.run([*isolated, python, "-c", ""], capture_output=True, check=False).returncode:
        pytest.skip("this system gives no user namespaces")
    site = root / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", site, WHEEL]
    subprocess.run(install, check=True)
    (root / "trial.py").write_text("import sys\nsys.path.insert(0, '/site')\n" + TRIAL)
    shutil.copy(SAMPLE, root / "sample.pt")
    trial = [*isolated, python, "-I", "/trial.py", "/sample.pt", "/out.safetensors"]
    done = subprocess.run(trial, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ran ")
    assert (root / "out.safetensors").is_file()
