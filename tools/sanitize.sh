#!/usr/bin/env bash
# Runs the tests of the C ABI where a misuse of memory cannot stay unseen: in miri,
# which interprets them and cannot call into C, and as a program made with
# AddressSanitizer, which finds leaks too and runs the codecs.
#
#   SANITIZERS   one of them: miri, address (default both)
set -euo pipefail
cd "$(dirname "$0")/.."

toolchain=${NIGHTLY:-nightly}
if ! rustup run "$toolchain" cargo --version >/dev/null 2>&1; then
    echo "sanitize: a nightly compiler is missing: rustup toolchain install nightly" >&2
    exit 1
fi
tests=(--locked --package xg2g-transcoder --features test-hooks)
# Backtraces of the deliberate panics take minutes to interpret.
export RUST_BACKTRACE=0

for sanitizer in ${SANITIZERS:-miri address}; do
    printf '  %-10s %s\n' sanitize "$sanitizer"
    case $sanitizer in
    miri)
        if ! cargo "+$toolchain" miri --version >/dev/null 2>&1; then
            echo "sanitize: miri is missing: rustup component add --toolchain $toolchain miri rust-src" >&2
            exit 1
        fi
        MIRIFLAGS=-Zmiri-strict-provenance \
            cargo "+$toolchain" miri test "${tests[@]}" --test ffi
        ;;
    address)
        host=$(rustc -vV | sed -n 's/^host: //p')
        RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=target/address \
            cargo "+$toolchain" test "${tests[@]}" --target "$host" --test ffi --test native_codecs
        ;;
    *)
        echo "sanitize: no sanitizer is called $sanitizer" >&2
        exit 2
        ;;
    esac
done
