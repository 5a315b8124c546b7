#!/usr/bin/env bash
# Tries what scripts/cross.sh built for Linux on arm64 without such a machine: QEMU runs the
# programs, in a minimal arm64 Debian where they need one.
#
# usage: scripts/try-on-arm64.sh [SUITE]
#            installs the wheel and plays a channel of `xg2g demo` from outside
#        scripts/try-on-arm64.sh --file [SUITE]
#            builds the single executable of the wheel, as scripts/build-binary.sh does, and plays
#            a channel with it where there is no Python
#        scripts/try-on-arm64.sh --contract [SUITE [ARGUMENT...]]
#            installs the wheel and runs the contract suite, with arguments of pytest
#        scripts/try-on-arm64.sh --tests [ARGUMENT...]
#            runs the tests of the crate, with arguments of cargo test
#
# As root; SUITE is Debian's, by default bookworm. `make cross TARGET=aarch64-unknown-linux-gnu`
# comes first. Needs debootstrap, qemu-user-static, unshare, curl, ffmpeg and ffprobe. Roots are
# kept in build/roots.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/bare-root.sh
. scripts/bare-root.sh

case ${1:-} in
  --file | --contract | --tests) what=${1#--} && shift ;;
  -*) fail "usage: scripts/try-on-arm64.sh [--file|--contract|--tests] [SUITE]" ;;
  *) what=wheel ;;
esac
[ "$what" = tests ] || { suite=${1:-bookworm} && shift $(($# > 0)); }
label=arm64 binfmt=/proc/sys/fs/binfmt_misc target=aarch64-unknown-linux-gnu
built=build/$target
# Beside other work, QEMU is slower than the broadcast.
watched_s=600

# The kernel hands programs of arm64 to QEMU. Debian's package asks for that where systemd runs;
# elsewhere this script does, and takes it back at its end.
emulate() {
  [ "$(uname -m)" != aarch64 ] || return 0
  can_make_roots qemu-aarch64-static
  [ -e "$binfmt/register" ] || mount -t binfmt_misc binfmt_misc "$binfmt"
  if [ ! -e "$binfmt/qemu-aarch64" ]; then
    cat /usr/lib/binfmt.d/qemu-aarch64.conf >"$binfmt/register"
    trap 'end_demo; echo -1 >"$binfmt/qemu-aarch64"' EXIT
  fi
  say "$(qemu-aarch64-static --version | head -n 1)"
}

arm64_root() { # arm64_root NAME PACKAGES
  say "$suite in build/roots/$1 (minutes, the first time)"
  make_root "$1" "$2" --arch=arm64
  say "$(chroot "$root" uname -m), $(chroot "$root" ldd --version | head -n 1)"
}

# Sets what pip downloads for: the root's Python, and wheels for its glibc and older ones.
root_python() {
  version=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  say "Python $version"
  local newest minor
  newest=$(chroot "$root" ldd --version | sed -n '1s/.* 2\.//p')
  # The older name of manylinux_2_17, which pip does not take for the same.
  platforms=(--platform manylinux2014_aarch64)
  for ((minor = 17; minor <= newest; minor++)); do
    platforms+=(--platform "manylinux_2_${minor}_aarch64")
  done
}

try_wheel() {
  arm64_root "$suite-arm64" python3-venv
  root_python
  say "$(basename "$built"/*.whl) and its packages"
  install_wheel "$built"/*.whl "$version" "${platforms[@]}" "$@"
  inside /venv/bin/xg2g --version | sed 's/^/  arm64      /'
  inside /venv/bin/xg2g-transcoder --version | sed 's/^/  arm64      /'
}

# PyInstaller packs the Python and the libraries of the root that runs it, and a compiler of
# the root makes the launcher.
try_file() {
  arm64_root "$suite-arm64-gcc" python3-venv,libpython3-dev,gcc,libc6-dev,patch
  root_python
  local began_s=$SECONDS wheel
  wheel=$(basename "$built"/*.whl)
  fetch_wheels "$built/$wheel" "$version" "${platforms[@]}" -r requirements/build.txt -r requirements/binary.txt
  locked binary pyinstaller >"$built/launcher.txt"
  "${PYTHON:-python3}" -m pip download --quiet --dest "$root/wheels" --no-deps --no-binary pyinstaller \
    -r "$built/launcher.txt"
  mkdir -p "$root/src"
  git ls-files -z scripts requirements Cargo.toml | tar -c --null -T - | tar -x -C "$root/src"
  inside env PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels /src/scripts/build-binary.sh "/wheels/$wheel" |
    sed 's/^/  arm64      /'
  cp "$root"/src/dist/* "$built/"
  say "$built/xg2g, $(stat -c %s "$built/xg2g") bytes, in $((SECONDS - began_s)) s"

  arm64_root "$suite-arm64-bare" ''
  ! chroot "$root" sh -c 'command -v python3 || command -v cc || command -v ffmpeg' ||
    fail "$root is not bare"
  install "$built"/xg2g{,-transcoder} "$root/usr/local/bin/"
  inside xg2g --version | sed 's/^/  arm64      /'
  inside xg2g-transcoder --version | sed 's/^/  arm64      /'
  play xg2g
}

# The kernel hands the tests to QEMU, which takes the libraries of the cross compiler.
crate() { # crate ARGUMENT...: cargo test, for arm64
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
  export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc CXX_aarch64_unknown_linux_gnu=aarch64-linux-gnu-g++
  # The test of the header compiles a C program, as CC says.
  export CC=aarch64-linux-gnu-gcc HOST_CC=cc
  export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
  cargo test --locked --target $target --features service,test-hooks "$@"
}

# The suite beside the wheel, not beside the clone's own packages: no xg2g/__init__.py comes along.
try_contract() {
  local wanted=$built/contract.txt
  locked dev pytest iniconfig packaging pluggy pygments pytest-timeout numpy psutil >"$wanted"
  try_wheel -r "$wanted"
  inside /venv/bin/pip install --quiet --no-index --find-links /wheels pytest pytest-timeout numpy psutil
  rm -rf "$root/src" && mkdir "$root/src"
  git ls-files -z tests pyproject.toml xg2g/simulator/clips | tar -c --null -T - | tar -x -C "$root/src"
  (crate --no-run --quiet --test ffi)
  cp "${CARGO_TARGET_DIR:-target}/$target/debug/deps/libxg2g_transcoder.so" "$root/src/hooked.so"
  inside env XG2G_HOOKED_LIBRARY=/src/hooked.so PYTHONDONTWRITEBYTECODE=1 \
    sh -c 'cd /src && exec /venv/bin/python -m pytest "$@"' sh --timeout 3000 "${@:-tests/contract/test_contract.py}"
}

locked() { # locked FILE NAME...: their lines of requirements/FILE.txt
  awk -v names="${*:2}" '
    BEGIN { split(names, list, " "); for (n in list) wanted[list[n]] = 1 }
    /^[^ #]/ { split($1, name, "=="); keep = name[1] in wanted }
    keep' "requirements/$1.txt"
}

[ "$what" = tests ] || [ -n "$(ls "$built"/*.whl 2>/dev/null)" ] ||
  fail "there is no wheel in $built: say make cross TARGET=$target first"
can_make_roots pgrep
emulate
case $what in
  wheel)
    try_wheel
    play /venv/bin/xg2g
    ;;
  file) try_file ;;
  contract) try_contract "$@" ;;
  tests) crate --no-fail-fast "$@" ;;
esac
