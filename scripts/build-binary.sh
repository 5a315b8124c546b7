#!/usr/bin/env bash
# Builds what runs without Python and without a compiler: dist/xg2g, which is the
# daemon with all it needs in one file, and dist/xg2g-transcoder.
#
# usage: scripts/build-binary.sh [WHEEL]
#
# What goes in is the wheel and the locked packages, in an environment of its own. The wheel is
# built here, unless one is named.
set -euo pipefail
wheel=${1:+$(realpath "$1")}
cd "$(dirname "$0")/.."

work=build/binary
python=$work/venv/bin/python
mkdir -p "$work" dist

log=$PWD/$work/log
quietly() { "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }; }

# PyInstaller's launcher from its source archive, with our patch: it passes over temporary folders
# that are full or mounted noexec, and says in one line when none is left or the file is damaged.
# zlib is linked into it.
patch_launcher() {
  { command -v cc && command -v patch; } >/dev/null || {
    printf 'xg2g: no cc or no patch: the launcher stays as PyInstaller made it\n' >&2
    return
  }
  local source=$work/launcher launcher packages
  rm -rf "$source" && mkdir "$source"
  sed -n '/^pyinstaller==/,/# via/p' requirements/binary.txt >"$source/wanted.txt"
  quietly "$python" -m pip download --require-hashes --no-deps --no-build-isolation \
    --no-binary pyinstaller --dest "$source" -r "$source/wanted.txt"
  tar -C "$source" --strip-components 1 -xzf "$source"/pyinstaller-*.tar.gz
  quietly patch --directory "$source" --strip 1 --input "$PWD/scripts/launcher.patch"
  (cd "$source/bootloader" && quietly "$OLDPWD/$python" waf configure all --static-zlib)
  launcher=$(echo "$source"/PyInstaller/bootloader/Linux-*/run)
  packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  install -m 755 "$launcher" "$packages/${launcher#"$source/"}"
}

inputs=(requirements/{runtime,build,binary}.txt scripts/launcher.patch)
if ! cmp --silent <(cat "${inputs[@]}") "$work/.installed"; then
  "$(scripts/bootstrap.sh python)" -m venv --clear "$work/venv"
  "$python" -m pip install --quiet --require-hashes \
    -r requirements/runtime.txt -r requirements/build.txt -r requirements/binary.txt
  [ "$(uname -s)" != Linux ] || patch_launcher
  cat "${inputs[@]}" >"$work/.installed"
fi

if [ -z "$wheel" ]; then
  rm -f "$work"/*.whl
  quietly "$python" -m hatchling build --target wheel --directory "$work"
  wheel=$(echo "$work"/*.whl)
fi
"$python" -m pip install --quiet --no-deps --no-index --force-reinstall "$wheel"

quietly "$python" -m PyInstaller --noconfirm --log-level WARN \
  --distpath dist --workpath "$work" scripts/xg2g.spec
if [ "$(uname -s)" = Linux ]; then
  # What the launcher compares the file with, before anything else.
  "$python" -c 'import pathlib, zlib; print("xg2g-crc32:%08x" % zlib.crc32(pathlib.Path("dist/xg2g").read_bytes()))' \
    >"$work/checksum"
  cat "$work/checksum" >>dist/xg2g
fi
install -m 755 "$work/venv/bin/xg2g-transcoder" dist/
"$python" scripts/glibc.py dist/xg2g
