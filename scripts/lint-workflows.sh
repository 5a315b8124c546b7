#!/usr/bin/env bash
# Runs actionlint over .github/workflows, with the shellcheck of .venv where there is one. It is
# written in Go and compiled once into ~/.cache/xg2g: no registry of Python or npm has its own build,
# and the Go of Debian 12 is too old for it. Without Go it says so in one line and succeeds, unless
# --require is given.
#
# usage: scripts/lint-workflows.sh [--require]
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.7.12 # The module's checksum is compared with Go's database of checksums.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/xg2g/actionlint-$version
log=build/actionlint.log
PATH=$PWD/.venv/bin:$PATH

without() {
  printf '  %-10s %s\n' check "$1; workflows are checked against their schema alone"
  [ "${option:-}" != --require ] || exit 1
  exit 0
}

option=${1:-}
[ -z "$option" ] || [ "$option" = --require ] || {
  printf 'usage: scripts/lint-workflows.sh [--require]\n' >&2
  exit 2
}
if [ ! -x "$cache/actionlint" ]; then
  command -v go >/dev/null || without "Go is not installed, which actionlint needs"
  mkdir -p build
  GOBIN=$cache GOFLAGS=-modcacherw timeout 300 \
    go install "github.com/rhysd/actionlint/cmd/actionlint@v$version" >"$log" 2>&1 ||
    without "actionlint could not be built ($log)"
fi
"$cache/actionlint" -no-color
