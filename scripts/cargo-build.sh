#!/usr/bin/env bash
# Builds a part of the crate, optimised, and shows how many of its crates are compiled.
#
# usage: scripts/cargo-build.sh WHAT OPTION...
set -euo pipefail
cd "$(dirname "$0")/.."

what=$1
shift
features=()
for option in "$@"; do
  if [ "$option" = service ]; then features=(--features service); fi
done
crates=$(cargo tree --quiet --locked -p xg2g-transcoder -e normal,build --prefix none \
  --format '{p}' ${features[@]+"${features[@]}"} | sort -u | wc -l)
exec scripts/counted.sh cargo "$what" "$crates" '^ +Compiling ' \
  cargo build --release --locked -p xg2g-transcoder "$@"
