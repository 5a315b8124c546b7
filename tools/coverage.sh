#!/usr/bin/env bash
# Runs the tests of both languages and lists the lines that no test ran, as HTML in
# build/coverage/python and build/coverage/rust, with a summary on the terminal.
#
# Rust needs cargo-llvm-cov (cargo install cargo-llvm-cov) and the component llvm-tools
# (rustup component add llvm-tools).
#
#   COVERAGE   one of them: python, rust (default both)
#
# usage: tools/coverage.sh [PYTEST-ARGUMENT...]      such as tests/xg2g/streaming
set -euo pipefail
cd "$(dirname "$0")/.."

for language in ${COVERAGE:-python rust}; do
  printf '  %-10s %s\n' coverage "$language"
  case $language in
  python)
    rm -rf build/coverage/python
    mkdir -p build/coverage/python
    # A test that fails leaves its lines in the report; the end tells of it.
    failed=0
    .venv/bin/python -m coverage run -m pytest -q "$@" || failed=$?
    .venv/bin/python -m coverage combine --quiet
    .venv/bin/python -m coverage html --quiet
    .venv/bin/python -m coverage report
    [ "$failed" = 0 ]
    ;;
  rust)
    if ! cargo llvm-cov --version >/dev/null 2>&1; then
      echo "coverage: cargo-llvm-cov is missing: cargo install cargo-llvm-cov" >&2
      exit 1
    fi
    cargo llvm-cov --locked --features service,test-hooks --html --output-dir build/coverage/rust
    cargo llvm-cov report --ignore-filename-regex '/tests/|/tests\.rs'
    ;;
  *)
    echo "coverage: no language is called $language" >&2
    exit 2
    ;;
  esac
done
