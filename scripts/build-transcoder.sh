#!/usr/bin/env bash
# Compiles the remuxer and its service, and puts the library where the embedded backend loads it from.
#
# One build of the crate makes both: the linker leaves the service out of the library
# (docs/design/packaging.md).
set -euo pipefail
cd "$(dirname "$0")/.."

case $(uname -s) in
  Darwin) library=libxg2g_transcoder.dylib ;;
  *) library=libxg2g_transcoder.so ;;
esac

# cargo shows nothing of a build script that succeeds; where the codecs are built is found again.
scripts/build-codecs.sh >/dev/null

crates=$(cargo tree --quiet --locked -p xg2g-transcoder -e normal,build --prefix none \
  --format '{p}' --features service | sort -u | wc -l)
scripts/counted.sh cargo "crates of the remuxer and its service" "$crates" '^ +Compiling ' \
  cargo build --release --locked -p xg2g-transcoder --features service

# Replaced by a rename: a running daemon keeps the file that it has mapped.
destination=backends/xg2g_backends/embedded
mkdir -p "$destination"
cp "${CARGO_TARGET_DIR:-target}/release/$library" "$destination/.$library.new"
mv -f "$destination/.$library.new" "$destination/$library"
