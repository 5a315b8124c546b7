"""What is in the archives that are published."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(__file__).parent.parent


RUNTIME = {
    "libc",
    "libm",
    "libgcc_s",
    "libstdc++",
    "libpthread",
    "libdl",
    "librt",
    "ld-linux-x86-64",
}


def _build(target: str, directory: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", directory],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [archive] = directory.iterdir()
    return archive


def _sources() -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for folder in ("xg2g", "backends")
        for pattern in ("*.py", "py.typed", "templates/*.*")
        for path in (ROOT / folder).rglob(pattern)
    }


@pytest.mark.timeout(600)
def test_a_wheel_holds_every_module_and_the_library_for_this_platform(tmp_path: Path) -> None:
    wheel = _build("wheel", tmp_path / "wheel")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "-py3-none-" in wheel.name
    assert not wheel.name.endswith("-any.whl")
    assert {source.removeprefix("backends/") for source in _sources()} <= names
    [library] = [name for name in names if "xg2g_transcoder." in name]
    assert len([name for name in names if "/scripts/xg2g-transcoder" in name]) == 1
    if sys.platform == "linux":
        built = ROOT / "target" / "release" / Path(library).name
        subprocess.run(["strip", "-o", tmp_path / "stripped", built], check=True)
        assert zipfile.ZipFile(wheel).read(library) == (tmp_path / "stripped").read_bytes()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith((".dist-info", ".data"))} == {
        "xg2g",
        "xg2g_backends",
    }


def test_a_wheel_and_a_source_archive_hold_the_web_page_and_what_it_is_made_of(
    tmp_path: Path,
) -> None:
    built = ROOT / "xg2g" / "web" / "pages" / "built"
    if not (built / "index.html").exists():
        pytest.skip("the web page is not built: Node is missing")
    wheel = set(zipfile.ZipFile(_build("wheel", tmp_path / "wheel")).namelist())
    page = {name for name in wheel if name.startswith("xg2g/web/pages/built/")}
    # The wheel's build may have built it anew.
    assert page == {path.relative_to(ROOT).as_posix() for path in built.rglob("*.*")}
    assert "xg2g/web/pages/built/licenses.txt" in page
    with tarfile.open(_build("sdist", tmp_path / "sdist")) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"page/package.json", "page/package-lock.json", "page/build.mjs"} <= names
    assert {"page/src/main.tsx", "page/src/index.html", "docs/reference/openapi.json"} <= names
    assert not [name for name in names if "node_modules" in name]


def test_no_package_of_the_page_is_locked_with_an_address() -> None:
    lock = json.loads((ROOT / "page" / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert {"node_modules/preact", "node_modules/hls.js", "node_modules/esbuild"} <= set(packages)
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert package["integrity"].startswith("sha512-"), name


def test_a_source_archive_holds_what_a_wheel_is_built_from(tmp_path: Path) -> None:
    archive = _build("sdist", tmp_path)
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
    names = {member.name.partition("/")[2] for member in members}
    assert all(member.isfile() for member in members), "a link would dangle where it is unpacked"
    assert _sources() <= names
    assert {"Cargo.toml", "Cargo.lock", "hatch_build.py", "scripts/build-release.sh"} <= names
    assert {"transcoder/Cargo.toml", "transcoder/src/lib.rs", "LICENSE", "NOTICE"} <= names
    assert not [name for name in names if name.endswith((".so", ".dylib"))]


@pytest.mark.parametrize(
    ("version", "machine", "target", "tag"),
    [
        ("15.3.1", "arm64", None, "macosx_15_0_arm64"),
        ("15.3.1", "arm64", "11.0", "macosx_11_0_arm64"),
        ("15.3.1", "x86_64", "10.13", "macosx_10_13_x86_64"),
    ],
)
def test_a_wheel_for_macos_names_what_the_compiler_aimed_at(
    monkeypatch: pytest.MonkeyPatch, version: str, machine: str, target: str | None, tag: str
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "mac_ver", lambda: (version, ("", "", ""), machine))
    monkeypatch.delenv("MACOSX_DEPLOYMENT_TARGET", raising=False)
    if target:
        monkeypatch.setenv("MACOSX_DEPLOYMENT_TARGET", target)
    assert hatch_build.platform_tag() == tag


@pytest.mark.skipif(sys.platform != "linux", reason="reads ELF")
@pytest.mark.parametrize("crate", ["tokio", "axum", "hyper", "prometheus"])
def test_the_service_is_left_out_of_the_library_that_is_built_with_it(crate: str) -> None:
    """Symbols tell. Of the strings of code that it leaves out, GNU ld leaves some."""
    library = ROOT / "target" / "release" / "libxg2g_transcoder.so"
    assert _defines(ROOT / "target" / "release" / "xg2g-transcoder", crate)
    assert _defines(library, "xg2g_transcoder")
    assert not _defines(library, crate)


def _defines(built: Path, crate: str) -> bool:
    """Return whether an item of a crate is defined.

    Its name as an argument of somebody else's generic function says nothing: LLVM merges functions
    that are alike, under any one's name, and names of Rust 1.97 have the arguments, too.
    """
    command = ["nm", "--demangle", "--defined-only", str(built)]
    symbols = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return re.search(rf"^[0-9a-f]+ \w [<&]*{crate}::", symbols, re.MULTILINE) is not None


@pytest.mark.skipif(sys.platform != "linux", reason="reads ELF")
def test_the_library_needs_the_c_and_cxx_runtime_alone_and_exports_its_own_names_alone() -> None:
    library = ROOT / "backends" / "xg2g_backends" / "embedded" / "libxg2g_transcoder.so"
    command = ["readelf", "--wide", "--dynamic", "--dyn-syms", str(library)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.+?)\.so", text))
    defined = set(re.findall(r"(?:GLOBAL|WEAK)\s+DEFAULT\s+\d+ (\S+)$", text, re.MULTILINE))
    assert "libc" in needed
    assert needed <= RUNTIME
    assert "xg2g_audio_remux_process" in defined
    assert {name for name in defined if not name.startswith("xg2g_")} == set()
