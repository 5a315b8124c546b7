#!/usr/bin/env bash
# Builds the library to be linked statically, libxg2g_transcoder.a with the codecs inside, into
# build/static. docs/reference/abi.md says how a program links it.
#
#   CARGO_BUILD_TARGET  build for this target, into build/<target>/static; scripts/cross.sh TARGET
#                       static knows the compilers
#   STRIP               that target's strip
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}
static=build/${target}static
rm -rf "$static"
mkdir -p "$static"

# Not a crate-type of Cargo.toml: every build would make it.
cargo rustc --release --locked -p xg2g-transcoder --lib --crate-type staticlib
cp "${CARGO_TARGET_DIR:-target}/${target}release/libxg2g_transcoder.a" "$static/"
"${STRIP:-strip}" --strip-debug "$static/libxg2g_transcoder.a"
case $target in
  # Rust's, to unwind with: the libgcc_eh of a distribution with glibc asks for glibc.
  *-musl/) cp "$(rustc --print target-libdir --target "$CARGO_BUILD_TARGET")/self-contained/libunwind.a" "$static/" ;;
esac
printf '  %-10s %s\n' static "$static/libxg2g_transcoder.a"
