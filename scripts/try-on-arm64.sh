#!/usr/bin/env bash
# Tries the wheel for Linux on arm64 without such a machine: installs it in a minimal arm64
# Debian, whose programs QEMU runs, and plays a channel of `xg2g demo` from outside.
#
# usage: scripts/try-on-arm64.sh [SUITE]     (as root; default bookworm)
#
# `make cross TARGET=aarch64-unknown-linux-gnu` comes first. Needs debootstrap, qemu-user-static,
# unshare, curl, ffmpeg and ffprobe. The root is kept in build/roots.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/bare-root.sh
. scripts/bare-root.sh

suite=${1:-bookworm} label=arm64 binfmt=/proc/sys/fs/binfmt_misc
built=build/aarch64-unknown-linux-gnu

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

can_make_roots pgrep
[ -n "$(ls "$built"/*.whl 2>/dev/null)" ] ||
  fail "there is no wheel in $built: say make cross TARGET=aarch64-unknown-linux-gnu first"
emulate
say "$suite in build/roots/$suite-arm64 (minutes, the first time)"
make_root "$suite-arm64" python3-venv --arch=arm64
version=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
say "$(chroot "$root" uname -m), $(chroot "$root" ldd --version | head -n 1), Python $version"
newest=$(chroot "$root" ldd --version | sed -n '1s/.* 2\.//p')
platforms=()
for ((minor = 17; minor <= newest; minor++)); do
  platforms+=(--platform "manylinux_2_${minor}_aarch64")
done
say "$(basename "$built"/*.whl) and its packages"
install_wheel "$built"/*.whl "$version" "${platforms[@]}"
inside /venv/bin/xg2g --version | sed 's/^/  arm64      /'
inside /venv/bin/xg2g-transcoder --version | sed 's/^/  arm64      /'
play /venv/bin/xg2g
