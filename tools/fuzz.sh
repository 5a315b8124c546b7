#!/usr/bin/env bash
# Runs every fuzz target of the Rust core for a bounded time; ends with the first
# input that breaks a promise, which is kept in transcoder/fuzz/artifacts.
#
#   FUZZ_SECONDS   time for each target (default 60)
#   FUZZ_TARGETS   some of the targets (default all)
set -euo pipefail
cd "$(dirname "$0")/../transcoder/fuzz"

if ! rustup run nightly cargo --version >/dev/null 2>&1; then
    echo "fuzz: libFuzzer needs a nightly compiler: rustup toolchain install nightly" >&2
    exit 1
fi
if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "fuzz: cargo-fuzz is missing: cargo install cargo-fuzz" >&2
    exit 1
fi

for target in ${FUZZ_TARGETS:-$(cargo +nightly fuzz list)}; do
    printf '  %-10s %s\n' fuzz "$target"
    mkdir -p "corpus/$target"
    cargo +nightly fuzz run "$target" "corpus/$target" "seeds/$target" -- \
        -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=2048 \
        -verbosity=0 -print_final_stats=1
done
