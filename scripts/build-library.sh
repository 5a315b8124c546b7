#!/usr/bin/env bash
# Builds the remuxer and puts it where the embedded backend loads it from.
set -euo pipefail
cd "$(dirname "$0")/.."

case $(uname -s) in
  Darwin) library=libxg2g_transcoder.dylib ;;
  *) library=libxg2g_transcoder.so ;;
esac

# cargo shows nothing of a build script that succeeds; where the codecs are built is found again.
scripts/build-codecs.sh >/dev/null
scripts/cargo-build.sh "crates of the remuxer" --lib

# Replaced by a rename: a running daemon keeps the file that it has mapped.
destination=backends/xg2g_backends/embedded
mkdir -p "$destination"
cp "${CARGO_TARGET_DIR:-target}/release/$library" "$destination/.$library.new"
mv -f "$destination/.$library.new" "$destination/$library"
