#!/usr/bin/env bash
# Tries what scripts/cross.sh built for Windows, under Wine: C programs with the DLL, and the
# service over HTTP. What they write is compared with what this machine's library writes.
#
# usage: scripts/try-under-wine.sh [CAPTURE...]   (transport streams; default: clips of the simulator)
#        scripts/try-under-wine.sh --tests [ARGUMENT...]   the tests of the crate, by cargo test
#        scripts/try-under-wine.sh --python [SUITE...]     the wheel with CPython for Windows: plays
#            channels of `xg2g demo`, both ways; then runs the suites that are named, by pytest
#
# First: `make build` and `make cross TARGET=x86_64-pc-windows-gnu`. Needs wine, curl and Debian's
# gcc-mingw-w64-x86-64; --python needs ffmpeg, too. Wine keeps its files in build/wine. PORT is the
# service's (default 22140), the daemon has the next one.
set -euo pipefail
cd "$(dirname "$0")/.."

target=x86_64-pc-windows-gnu tools=x86_64-w64-mingw32-
built=build/$target work=build/wine native=backends/xg2g_backends/embedded service='' demo=''
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
trap 'kill -KILL $service $demo 2>/dev/null || true; wineserver --kill || true' EXIT

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

# Calls a function in a process that runs already, on a thread of its own.
cat >"$work/call.c" <<'C'
#include <windows.h>
#include <stdlib.h>
#include <string.h>
#include <tlhelp32.h>
int main(int count, char **words) { /* PROGRAM.exe LIBRARY FUNCTION NUMBER */
    if (count != 5) return 2;
    LPTHREAD_START_ROUTINE call = (LPTHREAD_START_ROUTINE)(void *)GetProcAddress(LoadLibraryA(words[2]), words[3]);
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32 each = {.dwSize = sizeof each};
    int missed = 1;
    for (BOOL more = Process32First(all, &each); call && more; more = Process32Next(all, &each)) {
        if (_stricmp(each.szExeFile, words[1]) != 0) continue;
        HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, each.th32ProcessID);
        if (CreateRemoteThread(process, NULL, 0, call, (void *)strtoull(words[4], NULL, 10), 0, NULL)) missed = 0;
    }
    return missed;
}
C
"${tools}gcc" "$work/call.c" -o "$work/call.exe"

if [ "${1:-}" = --tests ]; then
  export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine
  cargo test --locked --no-fail-fast --target $target --features service,test-hooks "${@:2}"
  exit
fi

port=${PORT:-22140} url=http://127.0.0.1:${PORT:-22140}
listens() { # listens URL PROCESS LOG
  local tries
  for ((tries = 0; ; tries++)); do
    ! curl --silent --fail --output /dev/null "$1/readyz" || return 0
    if [ "$tries" -ge 300 ] || ! kill -0 "$2"; then
      cat "$3" >&2
      fail "nothing listens at $1"
    fi
    sleep 0.2
  done
}
press() { # press Ctrl-C|Ctrl-Break PROCESS PROGRAM.exe
  case $1-$3 in
    # Ctrl-C reaches whoever has the console; here that is the one process.
    Ctrl-C-*) kill -INT "$2" ;;
    # Wine 8 sends no Ctrl-Break. Windows begins a thread that runs CtrlRoutine, and so does this.
    # Wine's C runtime, unlike that of Windows, makes no SIGBREAK of it: Python gets that from here.
    Ctrl-Break-python.exe) wine "$work/call.exe" "$3" ucrtbase.dll raise 21 || fail "no $3 runs" ;;
    Ctrl-Break-*) wine "$work/call.exe" "$3" kernelbase.dll CtrlRoutine 1 || fail "no $3 runs" ;;
  esac
}
begin_service() { # begin_service EXECUTABLE
  wine "$1" --listen "127.0.0.1:$port" >"$work/service.log" 2>&1 &
  service=$!
  listens "$url" "$service" "$work/service.log"
}

end_service() { # end_service KEY
  press "$1" "$service" xg2g-transcoder.exe
  wait "$service" || fail "$1 ended the service with $?"
  service=
  grep --quiet 'stopping' "$work/service.log" || fail "$1 did not stop the service in order"
  say "$1 stops the service in order"
}

# CPython's own build, as JavaCPP packs it: a file that Maven Central keeps.
cpython=3.11.3-1.5.9
cpython_sha256=3263a50b256447bb7b9e604d6587627e419891370fc33b94469e6a06ff4de834
python() { # without a terminal, and to a pipe: Wine has no other standard streams for it
  # -m would find the clone's own package before that of the wheel.
  PYTHONSAFEPATH=1 wine "$work/python/python.exe" "$@" </dev/null 2>&1 | cat
}
get_python() {
  local folder=${XDG_CACHE_HOME:-$HOME/.cache}/xg2g archive
  archive=$folder/cpython-$cpython-windows-x86_64.jar
  [ -f "$archive" ] || {
    mkdir -p "$folder"
    curl --silent --fail --location --output "$archive.part" \
      "https://repo1.maven.org/maven2/org/bytedeco/cpython/$cpython/${archive##*/}"
    printf '%s  %s\n' "$cpython_sha256" "$archive.part" | sha256sum --check --status ||
      fail "$archive.part is not the file that was expected"
    mv "$archive.part" "$archive"
  }
  rm -rf "$work/python" "$work/unpacked"
  python3 -m zipfile --extract "$archive" "$work/unpacked"
  mv "$work/unpacked/org/bytedeco/cpython/windows-x86_64" "$work/python"
  # Packages are built for Windows 10, which Wine 8 is only when it is told to be.
  wine winecfg -v win10
  python -m pip install --quiet --no-warn-script-location --require-hashes --requirement requirements/runtime.txt
  python -m pip install --quiet --no-warn-script-location --no-deps --force-reinstall "$(echo "$built"/*.whl)"
}
play() { # play KEY ARGUMENT...: of xg2g demo, which the key ends
  local key=$1 seconds=10 daemon_url=http://127.0.0.1:$((port + 1)) channel decoded_bytes held
  shift
  python -m xg2g demo --port $((port + 1)) "$@" >"$work/demo.log" &
  demo=$!
  listens "$daemon_url" "$demo" "$work/demo.log"
  channel=$(curl --silent --fail "$daemon_url/playlist.m3u" | sed -n 's|^http.*/stream/\(.*\)\.ts$|\1|p' | head -n 1)
  curl --silent --max-time "$seconds" --output "$work/played.ts" "$daemon_url/stream/$channel.ts" || [ $? = 28 ] ||
    fail "$channel broke off"
  [ "$(ffprobe -v quiet -select_streams a -show_entries stream=codec_name -of csv=p=0 "$work/played.ts" |
    sed '/^$/d' | sort -u)" = aac ] || fail "$channel has no AAC sound"
  decoded_bytes=$(ffmpeg -v error -nostdin -i "$work/played.ts" -map 0:a:0 -ac 2 -ar 48000 -f s16le - 2>/dev/null | wc -c)
  [ "$decoded_bytes" -ge $(((seconds - 3) * 192000)) ] || fail "only $decoded_bytes bytes of sound in $seconds s"
  timeout 30 ffmpeg -v error -nostdin -t 4 -i "$daemon_url/hls/$channel/index.m3u8" -f null - 2>"$work/hls.log" ||
    { cat "$work/hls.log" >&2; fail "HLS does not play"; }
  rm -f "$work/held.ts"
  curl --silent --fail --output "$work/page" "$daemon_url/" --output "$work/guide" "$daemon_url/xmltv.xml"
  grep --quiet 'src="assets/app-' "$work/page" || fail "/ does not show the web page"
  grep --quiet '<programme' "$work/guide" || fail "the guide is empty"
  # A stream that plays tells whether it was ended, or cut with the process.
  curl --silent --output "$work/held.ts" --max-time 60 "$daemon_url/stream/$channel.ts" &
  held=$!
  until [ -s "$work/held.ts" ]; do kill -0 "$held" || fail "$channel does not play again"; sleep 0.2; done
  press "$key" "$(pgrep --full "python.exe -m xg2g demo --port $((port + 1))")" python.exe
  wait "$demo" || fail "$key ended the demo with $?"
  grep --quiet '"outcome": "shutdown"' "$work/demo.log" || fail "$key did not end the demo in order"
  ! grep --quiet Traceback "$work/demo.log" || { cat "$work/demo.log" >&2; fail "something is wrong in its log"; }
  say "xg2g demo $*: page, guide, HLS, $((decoded_bytes / 192000)) of $seconds s of AAC decoded, ended by $key"
}
if [ "${1:-}" = --python ]; then
  for tool in ffmpeg ffprobe pgrep python3; do
    command -v $tool >/dev/null || fail "$tool is not installed"
  done
  [ -f "$(echo "$built"/*.whl)" ] || fail "there is no wheel: first run make cross TARGET=$target"
  get_python
  python -m xg2g --version | sed 's/^/             /'
  play Ctrl-C
  begin_service "$work/python/Scripts/xg2g-transcoder.exe"
  play Ctrl-Break --external-transcoder "$url"
  end_service Ctrl-Break
  [ "$#" != 1 ] || exit 0
  # numpy, PyAV and schemathesis call what Wine 8 does not have: suites that import them do not run.
  mapfile -t pins < <(grep -oE '^(hypothesis|psutil|pytest|pytest-timeout)==[^ ]*' requirements/dev.txt)
  python -m pip install --quiet --no-warn-script-location "${pins[@]}"
  export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 PYTHONPATH
  PYTHONPATH="$(winepath --windows "$PWD")"
  python -m pytest -p no:cacheprovider -p anyio -p pytest_timeout "${@:2}"
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

exe() { wine "$work/xg2g-transcoder.exe" "$@"; }
exe --help | grep --quiet -- --listen || fail "--help says nothing"
exe --version | sed 's/^/             /'
if said=$(exe --listen unix:C:/xg2g.sock 2>&1); then fail "a Unix socket was accepted"; fi
grep --quiet 'not available on Windows' <<<"$said" || fail "no reason for a Unix socket: $said"
begin_service "$work/xg2g-transcoder.exe"
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
end_service Ctrl-C
begin_service "$work/xg2g-transcoder.exe"
end_service Ctrl-Break
