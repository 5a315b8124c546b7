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

target=${1:-} what=${2:-} python=${PYTHON:-.venv/bin/python}
[ -n "$target" ] || fail "name a target: scripts/cross.sh aarch64-unknown-linux-gnu [wheel]"
case $what in '' | wheel | static) ;; *) fail "usage: scripts/cross.sh TARGET [wheel|static]" ;; esac
name=${target//-/_}

packages=() # Debian's, that are missing
later=()    # commands that install what is no package of Debian
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

# clang, the lld that Rust brings, and zig's headers and stub of macOS 11: what newer systems have
# is neither declared nor found. docs/design/packaging.md says why zig itself does not compile.
apple_tools() { # apple_tools MACHINE
  [ "$what" != static ] || fail "no static library is made for macOS: nobody has tried one"
  local machine="--target=$1-apple-macosx11.0" lld='-fuse-ld=lld'
  export MACOSX_DEPLOYMENT_TARGET=11.0 SDKROOT=$PWD/build/$target/sdk
  PATH=$PATH:$(rustc --print target-libdir 2>/dev/null)/../bin/gcc-ld
  # FFmpeg's configure links with CC as well.
  default "CC_$name" "clang $machine $lld -Qunused-arguments"
  default "CXX_$name" "clang++ $machine"
  default "AR_$name" llvm-ar
  default "CARGO_TARGET_${name^^}_LINKER" clang
  # Stripped by the linker: what it has signed may not change.
  default "CARGO_TARGET_${name^^}_RUSTFLAGS" \
    "-Clink-arg=$machine -Clink-arg=$lld -Clink-arg=-Wl,-S,-x"
  need clang clang
  need llvm-ar llvm
  need ld64.lld lld
  zig=$("$python" -c 'import ziglang; print(ziglang.__path__[0])' 2>/dev/null) ||
    later+=("$python -m pip install --require-hashes -r requirements/macos.txt")
}

# Lays zig's files out as clang and rustc expect them of Apple's SDK.
apple_sdk() {
  local libc=$zig/lib/libc stub=$SDKROOT/usr/lib part library
  rm -rf "$SDKROOT"
  mkdir -p "$SDKROOT/usr/include" "$stub"
  for part in any-macos-any any-macos.11-any "${target%%-*}-macos.11-none"; do
    cp -R "$libc/include/$part/." "$SDKROOT/usr/include"
  done
  cp "$libc/darwin/libSystem.11.tbd" "$stub/libSystem.tbd"
  # Nothing of the last two is used: Rust's crate libc and fdk-aac-sys merely name them.
  for library in c m iconv stdc++; do ln -s libSystem.tbd "$stub/lib$library.tbd"; done
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
  # The service has musl inside and needs nothing of the system: cc links what Rust brings.
  # build-release.sh says how the library is linked, which needs musl.
  x86_64-unknown-linux-musl)
    default "CC_$name" musl-gcc
    need musl-gcc musl-tools
    platform() { echo musllinux_1_2_x86_64; }
    ;;
  x86_64-pc-windows-gnu)
    gnu_tools x86_64-w64-mingw32-
    need x86_64-w64-mingw32-g++ g++-mingw-w64-x86-64
    need nasm nasm
    platform() { echo win_amd64; }
    ;;
  aarch64-apple-darwin)
    apple_tools arm64
    platform() { echo macosx_11_0_arm64; }
    ;;
  x86_64-apple-darwin)
    apple_tools x86_64
    need nasm nasm
    platform() { echo macosx_11_0_x86_64; }
    ;;
  *) fail "nobody has built xg2g for $target yet; $0 has the targets" ;;
esac

missing=()
[ "${#packages[@]}" = 0 ] || missing+=("apt-get install ${packages[*]}")
[ -n "$(ls "$(rustc --print target-libdir --target "$target")" 2>/dev/null)" ] ||
  missing+=("rustup target add $target")
missing+=("${later[@]}")
if [ "${#missing[@]}" != 0 ]; then
  printf -v commands '%s && ' "${missing[@]}"
  fail "to build for $target, first run: ${commands% && }"
fi

case $target in *-apple-darwin) apple_sdk ;; esac
export CARGO_BUILD_TARGET=$target
# Built by cargo's build script, they would be newer than it, and the next build would begin anew.
TARGET=$target HOST=$(rustc -vV | sed -n 's/^host: //p') scripts/build-codecs.sh >/dev/null
if [ "$what" = wheel ]; then
  tag=$(platform)
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
case $target in *-apple-darwin) scripts/check-macos.sh "$target" ;; esac
say "$(echo "build/$target"/release/*)${what:+ $(echo "build/$target"/*.whl)}"
