#!/usr/bin/env bash
# Tries what scripts/cross.sh built for Windows, under Wine: C programs with the DLL, and the
# service over HTTP. What they write is compared with what this machine's library writes.
#
# usage: scripts/try-under-wine.sh [CAPTURE...]   (transport streams; default: clips of the simulator)
#        scripts/try-under-wine.sh --tests [ARGUMENT...]   the tests of the crate, by cargo test
#
# First: `make build` and `make cross TARGET=x86_64-pc-windows-gnu`. Needs wine, curl and Debian's
# gcc-mingw-w64-x86-64. Wine keeps its files in build/wine. PORT is the service's (default 22140).
set -euo pipefail
cd "$(dirname "$0")/.."

target=x86_64-pc-windows-gnu tools=x86_64-w64-mingw32-
built=build/$target work=build/wine native=backends/xg2g_backends/embedded service=
fail() { printf 'xg2g: %s\n' "$*" >&2; exit 1; }
say() { printf '  %-10s %s\n' wine "$*"; }

missing=()
need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null || missing+=("$2")
}
need wine wine64
need wineserver wine64
need "${tools}gcc" gcc-mingw-w64-x86-64
need curl curl
[ "${#missing[@]}" = 0 ] || fail "first run: apt-get install wine ${missing[*]}"

mkdir -p "$work"
# No window asks for Mono or Gecko; nothing of this is a program with windows.
export WINEPREFIX=$PWD/$work/prefix WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml=' DISPLAY=
trap '[ -z "$service" ] || kill -KILL "$service" 2>/dev/null || true; wineserver --kill || true' EXIT

# Rust draws random numbers from a DLL of Windows 10 that Wine 8 does not have.
cat >"$work/bcryptprimitives.c" <<'C'
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL ProcessPrng(PBYTE bytes, SIZE_T length) { return RtlGenRandom(bytes, (ULONG)length); }
C
system=$WINEPREFIX/drive_c/windows/system32
[ -d "$system" ] || wineboot --init
[ -f "$system/bcryptprimitives.dll" ] ||
  "${tools}gcc" -shared "$work/bcryptprimitives.c" -o "$system/bcryptprimitives.dll" -ladvapi32

if [ "${1:-}" = --tests ]; then
  export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine
  cargo test --locked --no-fail-fast --target $target --features service,test-hooks "${@:2}"
  exit
fi

for file in "$built/release/xg2g_transcoder.dll" "$built/release/xg2g-transcoder.exe"; do
  [ -f "$file" ] || fail "there is no $file: first run make cross TARGET=$target"
  ! "${tools}objdump" -p "$file" | grep -iE 'DLL Name: (lib|.*(stdc|gcc|pthread|ssp))' ||
    fail "$file needs a DLL that Windows does not have"
  say "$(basename "$file"): $(stat -c %s "$file") bytes, of Windows it needs" \
    "$("${tools}objdump" -p "$file" | sed -n 's/.*DLL Name: //p' | sort -fu | tr '\n' ' ')"
done
[ -f "$native/libxg2g_transcoder.so" ] || fail "there is no library to compare with: make build"

compile() { # compile COMPILER NAME OUTPUT LIBRARY...
  "$1" -std=c11 -Wall -Wextra -Wpedantic -Werror -I transcoder/include "transcoder/tests/$2.c" -o "$work/$3" "${@:4}"
}
compile "${tools}gcc" smoke smoke.exe "$built/lib/libxg2g_transcoder.dll.a"
compile "${tools}gcc" convert convert.exe "$built/lib/libxg2g_transcoder.dll.a"
compile cc convert convert "$native/libxg2g_transcoder.so" -Wl,-rpath,"$PWD/$native"
# Windows looks beside the program.
cp "$built/release/xg2g_transcoder.dll" "$built/release/xg2g-transcoder.exe" "$work/"
wine "$work/smoke.exe" || fail "tests/smoke.c failed with the DLL"
say "tests/smoke.c runs with the DLL"

[ "$#" != 0 ] || set -- xg2g/simulator/clips/*.ts
for capture in "$@"; do
  "$work/convert" "$capture" "$work/here.ts"
  wine "$work/convert.exe" "$capture" "$work/there.ts"
  cmp "$work/here.ts" "$work/there.ts" || fail "$capture: the DLL's output is another"
done
say "$# files, by a C program: the DLL's output is that of this machine's library, byte for byte"

port=${PORT:-22140} url=http://127.0.0.1:${PORT:-22140}
exe() { wine "$work/xg2g-transcoder.exe" "$@"; }
exe --help | grep --quiet -- --listen || fail "--help says nothing"
exe --version | sed 's/^/             /'
if said=$(exe --listen unix:C:/xg2g.sock 2>&1); then fail "a Unix socket was accepted"; fi
grep --quiet 'not available on Windows' <<<"$said" || fail "no reason for a Unix socket: $said"
wine "$work/xg2g-transcoder.exe" --listen "127.0.0.1:$port" >"$work/service.log" 2>&1 &
service=$!
for ((tries = 0; ; tries++)); do
  ! curl --silent --fail --output /dev/null "$url/readyz" || break
  if [ "$tries" -ge 300 ] || ! kill -0 "$service"; then
    cat "$work/service.log" >&2
    fail "the service does not listen"
  fi
  sleep 0.2
done
curl --silent --fail "$url/healthz" >/dev/null || fail "/healthz refuses"
exe healthcheck --listen "127.0.0.1:$port" || fail "healthcheck refuses"
for capture in "$@"; do
  "$work/convert" "$capture" "$work/here.ts"
  curl --silent --fail --upload-file "$capture" --request POST "$url/v1/remux" --output "$work/there.ts" ||
    fail "$capture: the service refused it"
  cmp "$work/here.ts" "$work/there.ts" || fail "$capture: the service's output is another"
done
say "$# files, over HTTP: the service's output is the same, byte for byte"
curl --silent --fail "$url/metrics" >"$work/metrics"
grep --quiet '^xg2g_transcoder_input_bytes_total [1-9]' "$work/metrics" || fail "/metrics counts nothing"
say "/metrics: $(grep -c '^xg2g' "$work/metrics") values"
kill -INT "$service"
wait "$service" || fail "Ctrl-C ended the service with $?"
service=
grep --quiet 'stopping' "$work/service.log" || fail "Ctrl-C did not stop the service in order"
say "Ctrl-C stops the service in order"
