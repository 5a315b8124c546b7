#!/usr/bin/env bash
# Tries what is published where nothing of it was built: runs dist/xg2g in a minimal
# Debian without Python, installs dist/*.whl in one that has python3-venv and nothing
# more, and plays a channel of `xg2g demo` from outside, both times.
#
# usage: scripts/try-in-bare-root.sh [SUITE...]     (as root; default bookworm)
#
# `make dist` comes first. Needs debootstrap, unshare, curl, ffmpeg and ffprobe. A suite whose
# Python is older than 3.11 tries the executable alone. Roots are kept in build/roots.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/bare-root.sh
. scripts/bare-root.sh

can_make_roots pgrep
[ -x dist/xg2g ] || fail "there is no dist/xg2g: say make dist first"

try_executable() {
  make_root "$suite" ''
  ! chroot "$root" sh -c 'command -v python3 || command -v cc || command -v ffmpeg' ||
    fail "$root is not bare"
  install dist/xg2g dist/xg2g-transcoder "$root/usr/local/bin/"
  say "$(chroot "$root" ldd --version | head -n 1)"
  inside xg2g --version | sed "s/^/  $suite     dist\/xg2g: /"
  inside xg2g-transcoder --version | sed "s/^/  $suite     /"
  play xg2g
}

try_wheel() {
  make_root "$suite-python" python3-venv
  local version
  version=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  case $version in 3.[0-9] | 3.10) say "Python $version: no wheel for it"; return ;; esac
  install_wheel dist/*.whl "$version"
  inside /venv/bin/xg2g --version | sed "s/^/  $suite     wheel, Python $version: /"
  inside /venv/bin/xg2g-transcoder --version | sed "s/^/  $suite     /"
  play /venv/bin/xg2g
}

for suite in "${@:-bookworm}"; do
  try_executable
  try_wheel
done
