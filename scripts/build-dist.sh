#!/usr/bin/env bash
# Puts beside dist/xg2g what is published with it: the wheel, the source archive, and an
# archive of both executables with the licences of everything inside them.
set -euo pipefail
cd "$(dirname "$0")/.."

work=build/binary
[ -e xg2g/web/pages/built/index.html ] || {
  printf 'xg2g: what is published holds the web page: install Node 18 or newer and npm, then make again\n' >&2
  exit 1
}
python=$work/venv/bin/python
version=$("$python" -c 'from importlib.metadata import version; print(version("xg2g"))')
case $(uname -s) in Darwin) system=macos ;; *) system=linux ;; esac
name=xg2g-$version-$system-$(uname -m)

rm -rf "$work/archive" dist/*.whl dist/*.tar.gz
cp "$work"/*.whl dist/
"$python" -m hatchling build --target sdist --directory dist >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; exit 1; }

mkdir -p "$work/archive/$name/licenses"
cp -p dist/xg2g dist/xg2g-transcoder LICENSE NOTICE "$work/archive/$name/"
cp licenses/* "$work/archive/$name/licenses/"
"$python" scripts/licenses.py requirements/runtime.txt "$work/archive/$name/licenses"
tar -C "$work/archive" --owner=0 --group=0 -czf "dist/$name.tar.gz" "$name"
