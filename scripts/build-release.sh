#!/usr/bin/env bash
# Builds the library and the service as they are published, without debugging
# information, into build/release. Wheels and the single executable take them there.
#
#   CARGO_BUILD_TARGET  build for this target, with the C compiler that CC_<target> names, into
#                       build/<target>/release; scripts/cross.sh knows the compilers
#   STRIP               that target's strip
set -euo pipefail
cd "$(dirname "$0")/.."

release=${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}release
built=${CARGO_TARGET_DIR:-target}/$release
rm -rf "build/$release"
mkdir -p "build/$release"

take() { # take NAME...: those that this platform has
  local name
  for name in "$@"; do
    [ ! -f "$built/$name" ] || cp "$built/$name" "build/$release/"
  done
}

# Executables for musl have the C library inside; a library that is loaded takes its program's.
build_shared_for_musl() {
  local linked=build/$CARGO_BUILD_TARGET/link unwind variable=CARGO_TARGET_${CARGO_BUILD_TARGET^^}
  variable=${variable//-/_}
  unwind=$(rustc --print target-libdir --target "$CARGO_BUILD_TARGET")/self-contained/libunwind.a
  # Under the name that Rust asks for: the libgcc_s of a distribution with glibc asks for glibc.
  mkdir -p "$linked"
  ln -sf "$unwind" "$linked/libgcc_s.a"
  env "${variable}_LINKER=musl-gcc" \
    "${variable}_RUSTFLAGS=-Ctarget-feature=-crt-static -Lnative=$PWD/$linked" \
    cargo rustc --release --locked -p xg2g-transcoder --lib --crate-type cdylib
}

cargo build --release --locked -p xg2g-transcoder --features service
case ${CARGO_BUILD_TARGET:-} in *-musl) build_shared_for_musl ;; esac
take libxg2g_transcoder.{so,dylib} xg2g_transcoder.dll xg2g-transcoder{,.exe}

# Programs in C link with it; wheels do without it.
import=libxg2g_transcoder.dll.a
[ ! -f "$built/$import" ] || install -D --mode=644 "$built/$import" "build/${release%release}lib/$import"

case ${CARGO_BUILD_TARGET:-$(uname -s)} in
  Darwin | *-darwin) ;; # macOS keeps debugging information in files of its own.
  *) "${STRIP:-strip}" "build/$release"/* ;;
esac
