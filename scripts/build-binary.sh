#!/usr/bin/env bash
# Builds what runs without Python and without a compiler: dist/xg2g, which is the
# daemon with all it needs in one file, and dist/xg2g-transcoder.
#
# What goes in is the wheel and the locked packages, in an environment of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

work=build/binary
python=$work/venv/bin/python
mkdir -p "$work" dist

quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }; }

if ! cmp --silent <(cat requirements/{runtime,build,binary}.txt) "$work/.installed"; then
  "$(scripts/bootstrap.sh python)" -m venv --clear "$work/venv"
  "$python" -m pip install --quiet --require-hashes \
    -r requirements/runtime.txt -r requirements/build.txt -r requirements/binary.txt
  cat requirements/{runtime,build,binary}.txt >"$work/.installed"
fi

rm -f "$work"/*.whl
quietly "$python" -m hatchling build --target wheel --directory "$work"
"$python" -m pip install --quiet --no-deps --no-index --force-reinstall "$work"/*.whl

quietly "$python" -m PyInstaller --noconfirm --log-level WARN \
  --distpath dist --workpath "$work" scripts/xg2g.spec
install -m 755 "$work/venv/bin/xg2g-transcoder" dist/
"$python" scripts/glibc.py dist/xg2g
