#!/usr/bin/env bash
# Resolves requirements/*.txt anew from pyproject.toml, for every platform.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=build/lock-tools
[ -x "$tools/bin/uv" ] || { python3 -m venv "$tools" && "$tools/bin/pip" install --quiet uv; }

compile() {
  "$tools/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 \
    --generate-hashes --no-header --no-emit-index-url --no-emit-find-links "$@"
}
runtime=requirements/runtime.txt build=requirements/build.txt
binary=requirements/binary.txt dev=requirements/dev.txt macos=requirements/macos.txt
compile pyproject.toml -o "$runtime"
compile --group build -c "$runtime" -o "$build"
compile --group binary -c "$runtime" -c "$build" -o "$binary"
compile --group macos -o "$macos"
compile --group dev -c "$runtime" -c "$build" -o "$dev"
