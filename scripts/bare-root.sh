#!/usr/bin/env bash
# Makes roots of other systems with debootstrap, runs commands there, and plays a channel of
# `xg2g demo` from outside. Sourced by the scripts that try what is published.
#
# They set `suite`, and `label` if their lines shall begin with something else, and `watched_s` for
# a machine that is slower than the broadcast.

# Of the stream that is wanted, and how long to wait for them.
seconds=20 watched_s=20 demo=
fail() { printf 'xg2g: %s\n' "$*" >&2; exit 1; }
say() { printf '  %-10s %s\n' "${label:-$suite}" "$*"; }

end_demo() { [ -z "$demo" ] || kill "$(pgrep --parent "$demo")" 2>/dev/null || true; }
trap end_demo EXIT

can_make_roots() { # can_make_roots TOOL...: or ends the script
  local tool
  [ "$(id -u)" = 0 ] || fail "chroot needs root"
  for tool in debootstrap unshare curl ffmpeg ffprobe "$@"; do
    command -v "$tool" >/dev/null || fail "$tool is not installed"
  done
}

make_root() { # make_root NAME PACKAGES [OPTION...]: sets $root; options are debootstrap's
  root=build/roots/$1
  [ -e "$root/.complete" ] || {
    mkdir -p build/roots
    rm -rf "$root"
    debootstrap --variant=minbase ${2:+--include="$2"} "${@:3}" "$suite" "$root" >"$root.log" 2>&1 ||
      fail "debootstrap $suite failed: see $root.log"
    touch "$root/.complete"
  }
}

# Runs a command there as process 1, as a container does.
inside() { "${unshare[@]}" --root="$root" "${clean[@]}" "$@"; }
unshare=(unshare --mount --pid --fork --kill-child --mount-proc)
clean=(env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/root LANG=C.UTF-8)

# Downloads what the wheel needs into /wheels, beside it; options are those of pip download.
fetch_wheels() { # fetch_wheels WHEEL PYTHON [OPTION...]
  local wheels=$root/wheels
  rm -rf "$wheels"
  mkdir "$wheels"
  "${PYTHON:-python3}" -m pip download --quiet --dest "$wheels" --only-binary=:all: \
    --python-version "$2" "${@:3}" -r requirements/runtime.txt
  cp "$1" "$wheels/"
}

install_wheel() { # install_wheel WHEEL PYTHON [OPTION...]: into /venv
  rm -rf "$root/venv"
  fetch_wheels "$@"
  inside python3 -m venv /venv
  inside /venv/bin/pip install --quiet --no-index --find-links /wheels xg2g
}

# Takes a channel until enough has come, or the time is over.
watch() { # watch URL CAPTURE
  local curl began_s=$SECONDS
  rm -f "$2"
  curl --silent --max-time "$watched_s" --output "$2" "$1" &
  curl=$!
  while [ "$watched_s" -gt "$seconds" ] && kill -0 "$curl" 2>/dev/null; do
    sleep 5
    if ffprobe -v quiet -show_entries format=duration -of csv=p=0 "$2" |
      awk -v wanted="$seconds" '$1 > wanted { enough = 1 } END { exit !enough }'; then
      kill "$curl" 2>/dev/null || true
      break
    fi
  done
  # 28: the time is over; 143: killed above.
  wait "$curl" || case $? in 28 | 143) ;; *) fail "$1 broke off" ;; esac
  say "watched for $((SECONDS - began_s)) s"
}

play() { # play COMMAND...: a demo in the root, watched from outside
  local log=$root/demo.log capture=$root/capture.ts url begun=$EPOCHREALTIME
  : >"$log"
  rm -rf "$root"/tmp/*
  "${unshare[@]}" --root="$root" "${clean[@]}" "$@" demo --port 0 >>"$log" 2>&1 &
  demo=$!
  until url=$(sed -n 's/^ *try  *vlc \(http.*\)/\1/p' "$log") && [ -n "$url" ]; do
    kill -0 "$demo" 2>/dev/null || { cat "$log" >&2; fail "$* demo ended"; }
    sleep 0.1
  done
  say "demo listens after $(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $begun }") s"
  curl --silent --fail "${url%/stream/*}/" | grep --quiet 'src="assets/app-' ||
    fail "${url%/stream/*}/ does not show the web page"
  watch "$url" "$capture"
  kill -TERM "$(pgrep --parent "$demo")"
  wait "$demo" || fail "SIGTERM ended the demo with $?"
  demo=
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
