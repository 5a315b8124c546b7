#!/usr/bin/env bash
# Builds the web page into xg2g/web/pages/built, from page/ and the packages that its lock file
# names. Without Node 18 or npm, or where the packages cannot be had, it says so in one line and
# succeeds: the rest of the project needs none of them.
#
# usage: scripts/build-page.sh [build|test|check|fix|packages]
set -euo pipefail
cd "$(dirname "$0")/.."

verb=${1:-build} oldest=18 page=xg2g/web/pages/built/index.html
say() { printf '  %-10s %s\n' "$@"; }
without() {
  case $verb in
    build) if [ -e "$page" ]; then say page "$1; the web page stays as it was built"
      else say page "$1; everything but the web page is built"; fi ;;
    *) say page "$1; no $verb of the web page" ;;
  esac
  exit 0
}

found=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/') || found=
[ -n "$found" ] || without "Node is not installed ($oldest or newer is needed)"
[ "$found" -ge "$oldest" ] || without "Node $found is too old ($oldest or newer is needed)"
command -v npm >/dev/null || without "npm is not installed"

case $verb in build | test) packages=run omit=(--omit=dev) ;; *) packages=all omit=() ;; esac
# The lock file's checksum is written down once everything is there.
stamp=page/node_modules/.installed
wanted=$(cksum <page/package-lock.json)
installed() { [ "$(cat "$stamp.$1" 2>/dev/null)" = "$wanted" ]; }
if ! installed all && ! installed "$packages"; then
  say page "packages of page/package-lock.json"
  mkdir -p build
  # No package runs a program of its own when it is installed: none of these has to.
  npm --prefix page ci ${omit[@]+"${omit[@]}"} --ignore-scripts --prefer-offline --no-audit --no-fund \
    --loglevel=error >build/npm.log 2>&1 </dev/null ||
    without "its packages could not be installed (build/npm.log)"
  printf '%s\n' "$wanted" >"$stamp.$packages"
fi

cd page
case $verb in
  build) say page "${page%/*}"; node build.mjs ;;
  test) say test page; node test.mjs ;;
  check | fix) say "$verb" page; npm run --silent "$verb" ;;
  packages) ;; # All of them, which tests in browsers use, too.
  *) printf 'usage: scripts/build-page.sh [build|test|check|fix|packages]\n' >&2; exit 2 ;;
esac
