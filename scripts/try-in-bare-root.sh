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

seconds=20 demo=
fail() { printf 'xg2g: %s\n' "$*" >&2; exit 1; }
say() { printf '  %-10s %s\n' "$suite" "$*"; }

[ "$(id -u)" = 0 ] || fail "chroot needs root"
for tool in debootstrap unshare curl ffmpeg ffprobe; do
  command -v "$tool" >/dev/null || fail "$tool is not installed"
done
[ -x dist/xg2g ] || fail "there is no dist/xg2g: say make dist first"

make_root() { # make_root NAME PACKAGES: sets $root
  root=build/roots/$1
  [ -e "$root/.complete" ] || {
    mkdir -p build/roots
    rm -rf "$root"
    debootstrap --variant=minbase ${2:+--include="$2"} "$suite" "$root" >"$root.log" 2>&1 ||
      fail "debootstrap $suite failed: see $root.log"
    touch "$root/.complete"
  }
}

# Runs a command there as process 1, as a container does.
inside() { "${unshare[@]}" --root="$root" "${clean[@]}" "$@"; }
unshare=(unshare --mount --pid --fork --kill-child --mount-proc)
clean=(env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/root LANG=C.UTF-8)

play() { # play COMMAND...: a demo in the root, watched from outside
  local log=$root/demo.log capture=$root/capture.ts url begun=$EPOCHREALTIME
  : >"$log"
  rm -rf "$root"/tmp/*
  "${unshare[@]}" --root="$root" "${clean[@]}" "$@" demo --port 0 >>"$log" 2>&1 &
  demo=$!
  trap 'kill $(pgrep --parent "$demo") 2>/dev/null || true' EXIT
  until url=$(sed -n 's/^try  *vlc \(http.*\)/\1/p' "$log") && [ -n "$url" ]; do
    kill -0 "$demo" 2>/dev/null || { cat "$log" >&2; fail "$* demo ended"; }
    sleep 0.1
  done
  say "demo listens after $(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $begun }") s"
  curl --silent --fail "${url%/stream/*}/" | grep --quiet 'src="assets/app-' ||
    fail "${url%/stream/*}/ does not show the web page"
  curl --silent --max-time "$seconds" --output "$capture" "$url" || [ $? = 28 ] ||
    fail "$url broke off"
  kill -TERM "$(pgrep --parent "$demo")"
  wait "$demo" || fail "SIGTERM ended the demo with $?"
  [ -z "$(ls "$root/tmp")" ] || fail "it left $(ls "$root/tmp") in /tmp"

  local codecs faults decoded_bytes wanted_bytes=$((seconds * 48000 * 2 * 2 * 9 / 10))
  codecs=$(ffprobe -v quiet -select_streams a -show_entries stream=codec_name -of csv=p=0 \
    "$capture" | sed '/^$/d' | sort -u)
  [ "$codecs" = aac ] || fail "$url carries ${codecs:-no sound}, which should be aac"
  # The capture ends inside an access unit, which is nobody's fault.
  decoded_bytes=$(ffmpeg -v error -nostdin -t $((seconds - 1)) -i "$capture" -map 0:a:0 -ac 2 -ar 48000 -f s16le - \
    2>"$root/faults.log" | wc -c)
  # What there is to say of the picture is that a viewer joins between two key frames.
  sed -i '/^\[h264/d; /Last message repeated/d' "$root/faults.log"
  faults=$(wc -l <"$root/faults.log")
  say "$((decoded_bytes / 192000)) s of AAC decoded, $faults complaints"
  [ "$decoded_bytes" -ge "$wanted_bytes" ] || fail "that is too little of $seconds s"
  [ "$faults" = 0 ] || { head -n 5 "$root/faults.log" >&2; fail "the decoder complains"; }
}

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
  local version wheels=$root/wheels
  version=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  case $version in 3.[0-9] | 3.10) say "Python $version: no wheel for it"; return ;; esac
  rm -rf "$root/venv" "$wheels"
  mkdir "$wheels"
  "${PYTHON:-python3}" -m pip download --quiet --dest "$wheels" --only-binary=:all: \
    --python-version "$version" -r requirements/runtime.txt
  cp dist/*.whl "$wheels/"
  inside python3 -m venv /venv
  inside /venv/bin/pip install --quiet --no-index --find-links /wheels xg2g
  inside /venv/bin/xg2g --version | sed "s/^/  $suite     wheel, Python $version: /"
  inside /venv/bin/xg2g-transcoder --version | sed "s/^/  $suite     /"
  play /venv/bin/xg2g
}

for suite in "${@:-bookworm}"; do
  try_executable
  try_wheel
done
