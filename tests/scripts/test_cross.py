"""scripts/cross.sh says what a machine lacks to build for another platform."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(__file__).parent.parent.parent


def _bare(folder: Path, *commands: str) -> dict[str, str]:
    """Return an environment that has the shell's usual tools and `commands`, and no compiler."""
    folder.mkdir()
    for tool in ("bash", "dirname", "ls"):
        found = shutil.which(tool)
        assert found is not None
        (folder / tool).symlink_to(found)
    for command in commands:
        (folder / command).write_text("#!/bin/sh\necho /nowhere\n")
        (folder / command).chmod(0o755)
    return {"PATH": str(folder), "HOME": str(folder), "CARGO_HOME": str(folder / "cargo")}


def _cross(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", ROOT / "scripts" / "cross.sh", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("target", "commands"),
    [
        ("aarch64-unknown-linux-gnu", "apt-get install g++-aarch64-linux-gnu && "),
        ("x86_64-unknown-linux-musl", "apt-get install musl-tools && "),
        ("x86_64-pc-windows-gnu", "apt-get install g++-mingw-w64-x86-64 nasm && "),
    ],
)
def test_what_is_missing_is_named_in_one_line_with_the_commands_that_install_it(
    tmp_path: Path, target: str, commands: str
) -> None:
    done = _cross(_bare(tmp_path / "bin", "rustc"), target)
    assert done.returncode == 1
    assert done.stderr == (
        f"xg2g: to build for {target}, first run: {commands}rustup target add {target}\n"
    )


@pytest.mark.parametrize(
    ("target", "packages"),
    [("aarch64-apple-darwin", "clang llvm lld"), ("x86_64-apple-darwin", "clang llvm lld nasm")],
)
def test_for_macos_the_files_of_zig_are_asked_for_after_the_compiler(
    tmp_path: Path, target: str, packages: str
) -> None:
    environment = _bare(tmp_path / "bin", "rustc") | {"PYTHON": "python-of-mine"}
    done = _cross(environment, target, "wheel")
    assert done.returncode == 1
    assert done.stderr == (
        f"xg2g: to build for {target}, first run: apt-get install {packages}"
        f" && rustup target add {target}"
        " && python-of-mine -m pip install --require-hashes -r requirements/macos.txt\n"
    )


def test_what_is_there_is_not_asked_for(tmp_path: Path) -> None:
    environment = _bare(tmp_path / "bin", "rustc", "aarch64-linux-gnu-g++")
    done = _cross(environment, "aarch64-unknown-linux-gnu", "wheel")
    assert done.returncode == 1
    assert "apt-get" not in done.stderr
    assert done.stderr.endswith("first run: rustup target add aarch64-unknown-linux-gnu\n")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("pdp11-unknown-bsd",),
        ("x", "sdist"),
        ("aarch64-apple-darwin", "static"),
    ],
)
def test_a_target_that_nobody_built_and_a_wrong_call_are_refused_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = _cross(_bare(tmp_path / "bin"), *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("xg2g: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("target", "compilers", "tag"),
    [
        ("aarch64-unknown-linux-gnu", ["aarch64-linux-gnu-g++"], "manylinux_2_41_aarch64"),
        ("x86_64-unknown-linux-musl", ["musl-gcc"], "musllinux_1_2_x86_64"),
        ("x86_64-pc-windows-gnu", ["x86_64-w64-mingw32-g++", "nasm"], "win_amd64"),
    ],
)
def test_the_wheel_is_tagged_for_the_target(
    tmp_path: Path, target: str, compilers: list[str], tag: str
) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for script in ("cross.sh", "build-codecs.sh"):
        shutil.copy(ROOT / "scripts" / script, scripts)
    codecs = tmp_path / "codecs" / "lib"
    codecs.mkdir(parents=True)
    (codecs / "libavcodec.a").touch()
    bare = _bare(tmp_path / "bin", *compilers)
    for command, line in (
        ("rustc", f"echo {codecs}"),
        ("aarch64-linux-gnu-gcc", "echo glibc 2 41"),
        ("python-of-mine", "echo $CARGO_BUILD_TARGET $XG2G_WHEEL_PLATFORM $*"),
    ):
        (tmp_path / "bin" / command).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / "bin" / command).chmod(0o755)
    environment = bare | {
        "PATH": f"{bare['PATH']}:{os.environ['PATH']}",
        "PYTHON": "python-of-mine",
        "XG2G_CODECS_DIR": str(codecs.parent),
    }
    done = subprocess.run(
        ["bash", scripts / "cross.sh", target, "wheel"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    build = f"-m hatchling build --target wheel --directory build/{target}"
    assert f"  {target} {tag} {build}\n" in done.stdout


@pytest.mark.parametrize(
    "tag",
    ["manylinux_2_36_aarch64", "musllinux_1_2_x86_64", "win_amd64", "macosx_11_0_arm64"],
)
def test_a_wheel_for_another_platform_has_the_tag_that_is_given(
    monkeypatch: pytest.MonkeyPatch, tag: str
) -> None:
    monkeypatch.setenv("XG2G_WHEEL_PLATFORM", tag)
    assert hatch_build.platform_tag() == tag
