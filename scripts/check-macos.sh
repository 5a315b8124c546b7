#!/usr/bin/env bash
# Checks what scripts/cross.sh built for macOS, by what the files say of themselves: processor,
# oldest system, loaded libraries, signature, and that the library exports what its header declares.
#
# usage: scripts/check-macos.sh aarch64-apple-darwin|x86_64-apple-darwin   (needs Debian's llvm)
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'xg2g: %s\n' "$*" >&2; exit 1; }
say() { printf '  %-10s %s\n' macos "$*"; }

target=${1:-} built=build/${1:-}/release library=libxg2g_transcoder.dylib
case $target in
  # Macs with arm64 start nothing that is not signed; an ad-hoc signature is enough.
  aarch64-apple-darwin) machine=ARM64 signature=LC_CODE_SIGNATURE ;;
  x86_64-apple-darwin) machine=X86_64 signature= ;;
  *) fail "usage: scripts/check-macos.sh aarch64-apple-darwin|x86_64-apple-darwin" ;;
esac
command -v llvm-objdump >/dev/null || fail "first run: apt-get install llvm"

facts() { # facts FILE: what the kernel and the loader of macOS read of it
  llvm-objdump --macho --private-headers "$1" | awk '
    $1 ~ /^MH_MAGIC/ { print $2, $5 }
    $1 == "cmd" { command = $2; if (command ~ /RPATH|SIGNATURE|VERSION_MIN/) print command }
    $1 == "name" && command ~ /DYLIB/ || $1 == "minos" { print command, $2 }' | sort
}

expect() { # expect NAME FACT...
  local file=$built/$1
  [ -f "$file" ] || fail "there is no $file: first run make cross TARGET=$target"
  diff <(printf '%s\n' "${@:2}" | sed '/^$/d' | sort) <(facts "$file") ||
    fail "$file is not what macOS 11 loads (>: what it says)"
  say "$1: $(stat -c %s "$file") bytes, $machine, from macOS 11.0 on, needs libSystem alone${signature:+, signed}"
}
system='LC_LOAD_DYLIB /usr/lib/libSystem.B.dylib' oldest='LC_BUILD_VERSION 11.0'
expect "$library" "$machine DYLIB" "LC_ID_DYLIB @rpath/$library" "$system" "$oldest" "$signature"
expect xg2g-transcoder "$machine EXECUTE" "$system" "$oldest" "$signature"

declared() { grep -oE '\bxg2g_[a-z0-9_]+\(' transcoder/include/xg2g_transcoder.h | tr -d '(' | sort -u; }
exported() { llvm-objdump --macho --exports-trie "$built/$library" | awk '/^0x/ { print substr($2, 2) }' | sort; }
diff <(declared) <(exported) || fail "$library does not export what its header declares (>: exported)"
say "$library exports the $(declared | wc -l) functions of its header"
