#!/usr/bin/env bash
# Builds codecs, library and service for a platform that is not this machine's into
# build/TARGET/release, stripped, and on request the wheel into build/TARGET, or the library to be
# linked statically into build/TARGET/static.
#
# usage: scripts/cross.sh TARGET [wheel|static]
#
# What a target needs is in its line of the case below; what of that is missing is named with
# the command that installs it. Variables that are set already (CC_..., STRIP) stay.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH

fail() { printf 'xg2g: %s\n' "$*" >&2; exit 1; }
say() { printf '  %-10s %s\n' cross "$*"; }

target=${1:-} what=${2:-}
[ -n "$target" ] || fail "name a target: scripts/cross.sh aarch64-unknown-linux-gnu [wheel]"
case $what in '' | wheel | static) ;; *) fail "usage: scripts/cross.sh TARGET [wheel|static]" ;; esac
name=${target//-/_}

packages=() # Debian's, that are missing
need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null || packages+=("$2")
}

# Says a variable of the compilers to cargo, its cc crate and build-codecs.sh.
default() { export "$1=${!1:-$2}"; }

gnu_tools() { # gnu_tools PREFIX
  default "CC_$name" "$1gcc"
  default "CXX_$name" "$1g++"
  default "AR_$name" "$1ar"
  default STRIP "$1strip"
  default "CARGO_TARGET_${name^^}_LINKER" "$1gcc"
}

# The tag of a wheel names the C library that was linked against, like that of a native build.
manylinux() { # manylinux MACHINE
  local compiler=CC_$name glibc
  glibc=$(printf '#include <features.h>\nglibc __GLIBC__ __GLIBC_MINOR__\n' |
    "${!compiler}" -E -P - | sed -n 's/^glibc \([0-9]*\) \([0-9]*\)$/\1_\2/p')
  [ -n "$glibc" ] || fail "${!compiler} finds no headers of glibc"
  printf 'manylinux_%s_%s\n' "$glibc" "$1"
}

# platform prints the platform tag of a wheel; it runs when nothing is missing.
case $target in
  aarch64-unknown-linux-gnu)
    gnu_tools aarch64-linux-gnu-
    need aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
    platform() { manylinux aarch64; }
    ;;
  # One executable with musl inside, which needs nothing of the system; cc links what Rust brings.
  x86_64-unknown-linux-musl)
    [ "$what" != wheel ] || fail "no wheel is made for musl: the service is, and the static library"
    default "CC_$name" musl-gcc
    need musl-gcc musl-tools
    ;;
  x86_64-pc-windows-gnu)
    gnu_tools x86_64-w64-mingw32-
    need x86_64-w64-mingw32-g++ g++-mingw-w64-x86-64
    need nasm nasm
    platform() { echo win_amd64; }
    ;;
  *) fail "nobody has built xg2g for $target yet; $0 has the targets" ;;
esac

missing=()
[ "${#packages[@]}" = 0 ] || missing+=("apt-get install ${packages[*]}")
[ -n "$(ls "$(rustc --print target-libdir --target "$target")" 2>/dev/null)" ] ||
  missing+=("rustup target add $target")
if [ "${#missing[@]}" != 0 ]; then
  printf -v commands '%s && ' "${missing[@]}"
  fail "to build for $target, first run: ${commands% && }"
fi

export CARGO_BUILD_TARGET=$target
# Built by cargo's build script, they would be newer than it, and the next build would begin anew.
TARGET=$target HOST=$(rustc -vV | sed -n 's/^host: //p') scripts/build-codecs.sh >/dev/null
if [ "$what" = wheel ]; then
  tag=$(platform)
  python=${PYTHON:-.venv/bin/python}
  "$python" -c 'import hatchling' 2>/dev/null ||
    fail "$python has no hatchling: run make cross, or pip install -r requirements/build.txt"
  rm -f "build/$target"/*.whl
  say "wheel for $tag"
  XG2G_WHEEL_PLATFORM=$tag "$python" -m hatchling build --target wheel --directory "build/$target" |
    sed '/\.whl$/!s/^/  /; /\.whl$/d'
elif [ "$what" = static ]; then
  scripts/build-static.sh
  exit
else
  scripts/build-release.sh
fi
say "$(echo "build/$target"/release/*)${what:+ $(echo "build/$target"/*.whl)}"
