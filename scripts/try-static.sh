#!/usr/bin/env bash
# Links the program of docs/reference/abi.md with the static library, once with glibc and once
# with musl into a file that needs nothing of the system, and once with the library for musl that
# programs load. Starts the static service, has each convert a clip, and compares what they make of
# it. Looks at what the loaded library needs and exports.
#
# usage: scripts/try-static.sh [RECORDING]       (default: the clip two-hd of the simulator)
#
# Needs cc, musl-gcc (Debian's musl-tools), curl, and Rust's target x86_64-unknown-linux-musl.
set -euo pipefail
cd "$(dirname "$0")/.."

recording=${1:-xg2g/simulator/clips/two-hd.ts} musl=x86_64-unknown-linux-musl
release=build/$musl/release library=build/$musl/release/libxg2g_transcoder.so
work=$(mktemp -d)
service=
trap '[ -z "$service" ] || kill "$service"; rm -rf "$work"' EXIT
fail() { printf 'xg2g: %s\n' "$*" >&2; exit 1; }
say() { printf '  %-10s %s\n' static "$*"; }

[ -r "$recording" ] || fail "$recording cannot be read"
[ "$(uname -sm)" = "Linux x86_64" ] || fail "this is for Linux on x86-64"
scripts/cross.sh $musl
scripts/cross.sh $musl static
scripts/build-static.sh

awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' docs/reference/abi.md >"$work/remux.c"
warnings=(-std=c11 -Wall -Wextra -Werror -I transcoder/include)
cc "${warnings[@]}" "$work/remux.c" build/static/libxg2g_transcoder.a -lm -o "$work/glibc"
musl-gcc -static "${warnings[@]}" "$work/remux.c" build/$musl/static/lib{xg2g_transcoder,unwind}.a \
  -o "$work/musl"
musl-gcc "${warnings[@]}" "$work/remux.c" -L "$release" -lxg2g_transcoder -Wl,-rpath,"$PWD/$release" \
  -o "$work/loads"

static() { # static FILE: fails when it asks for a library or for a loader of libraries
  ! readelf --wide --program-headers --dynamic "$1" | grep -E 'INTERP|NEEDED' ||
    fail "$1 needs something of the system"
}
static "$work/musl"
static $release/xg2g-transcoder
! readelf --dynamic "$work/glibc" | grep xg2g || fail "the program looks for the shared library"

needed() { readelf --wide --dynamic "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | tr '\n' ' '; }
[ "$(needed "$library")" = "libc.so " ] || fail "$library needs $(needed "$library")and not musl alone"
[ "$(needed "$work/loads")" = "libxg2g_transcoder.so libc.so " ] || fail "the program does not load the library"
declared() { grep -oE '\bxg2g_[a-z0-9_]+\(' transcoder/include/xg2g_transcoder.h | tr -d '(' | sort -u; }
exported() { nm --dynamic --defined-only --format=posix "$library" | cut -d ' ' -f 1 | sort; }
diff <(declared) <(exported) || fail "$library does not export what its header declares (>: exported)"

"$work/glibc" <"$recording" >"$work/glibc.ts"
"$work/musl" <"$recording" >"$work/musl.ts"
"$work/loads" <"$recording" >"$work/loads.ts"
socket=$work/socket
$release/xg2g-transcoder --listen "unix:$socket" 2>"$work/log" &
service=$!
for _ in {1..100}; do [ ! -S "$socket" ] || break; sleep 0.1; done
curl --silent --show-error --fail --unix-socket "$socket" --data-binary "@$recording" \
  "http://localhost/v1/remux?channels=2&bitrate=192000&tracks=all" --output "$work/service.ts" ||
  fail "the static service did not convert: $(tail -n 3 "$work/log")"

[ -s "$work/glibc.ts" ] || fail "nothing came out"
for other in musl loads service; do
  cmp "$work/glibc.ts" "$work/$other.ts" || fail "$other and glibc make different streams"
done
say "the library for musl needs musl alone and exports the $(declared | wc -l) functions of its header"
say "$(wc -c <"$work/glibc.ts") bytes, the same from programs with glibc, with musl, with its library, and the service"
