#!/usr/bin/env bash
# Sees to it that this machine has what the project needs, and installs what is
# missing. Says nothing when there is nothing to do.
#
# usage: scripts/bootstrap.sh build|test|check|e2e|binary
#        scripts/bootstrap.sh python     prints which Python to use, and installs nothing
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/build/rust:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH

purpose=${1:?usage: scripts/bootstrap.sh build|test|check|e2e|binary|python}
pythons=(python3 python3.14 python3.13 python3.12 python3.11)
if [ -n "${PYTHON:-}" ]; then pythons=("$PYTHON"); fi
rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

say() { printf '  %-10s %s\n' system "$*"; }
fail() { printf 'xg2g: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# What apt says goes to a log: one line per step is what a user wants to see.
apt() {
  local log=build/apt.log
  mkdir -p build
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 </dev/null || {
    tail -n 3 "$log" >&2
    return 1
  }
}

apt_refreshed=
apt_refresh() {
  [ -n "$apt_refreshed" ] || apt update || fail "apt-get update failed: see build/apt.log"
  apt_refreshed=yes
}

at_least() { # at_least WANTED FOUND
  [ -n "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

# Sets $python to the first that can be used, else to the first.
python_fits() {
  for python in "${pythons[@]}"; do
    "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return
  done
  python=${pythons[0]}
  return 1
}

candidate_of() { # candidate_of PACKAGE: the version that apt would install
  # apt takes a name that it does not know for a pattern, and answers for what contains it.
  apt-cache policy "$1" | awk -v header="$1:" '
    /^[^ ]/ { asked = $0 == header }
    asked && $1 == "Candidate:" { sub(/[^0-9.].*/, "", $2); print $2 }'
}

# Ubuntu 22.04 has a newer Python beside its own, which stays what it is.
python_packages() {
  local name
  for name in "${pythons[@]}"; do
    if at_least 3.11 "$(candidate_of "$name-venv")"; then echo "$name $name-venv"; return; fi
  done
  echo python3 python3-venv
}

# PyInstaller packs Python's shared library, which Debian has in a package of its own.
python_is_shared() {
  local path
  for path in 'var("LIBDIR") + "/" + name' 'sys.base_prefix + "/lib/" + name' name; do
    "$python" -c "import ctypes, sys, sysconfig
var = sysconfig.get_config_var
name = var('INSTSONAME')
ctypes.CDLL($path)" 2>/dev/null && return
  done
  return 1
}

# The packages of the system: a compiler for the remuxer and its codecs, an
# assembler for the codecs' fast paths, Python with venv, and for the tests
# judges of the output, which never run in the product: ffmpeg, and those of XMLTV.
missing_packages() {
  have cc && have c++ && have make || echo build-essential
  case $(uname -m) in x86_64 | i?86 | amd64) have nasm || echo nasm ;; esac
  have curl || echo curl ca-certificates
  have xz || echo xz-utils
  python_fits || echo python3 python3-venv
  if [ "$purpose" = binary ] && python_fits && [ "$(uname -s)" = Linux ]; then
    python_is_shared || "$python" -c 'import sys; print("libpython%d.%d" % sys.version_info[:2])'
  fi
  if [ "$purpose" = test ] || [ "$purpose" = e2e ]; then
    have ffmpeg && have ffprobe || echo ffmpeg
    have xmllint || echo libxml2-utils
    have tv_validate_file || echo xmltv-util
  fi
  # What households watch with.
  if [ "$purpose" = e2e ]; then
    have unshare || echo util-linux
    have ip || echo iproute2
    have hdhomerun_config || echo hdhomerun-config
    have mpv || echo mpv
    have vlc || echo vlc-bin vlc-plugin-base
    have kodi || echo kodi
    have nginx || [ -x /usr/sbin/nginx ] || echo nginx-light
    [ -d /usr/share/kodi/addons/pvr.iptvsimple ] || echo kodi-pvr-iptvsimple
    have Xvfb || echo xvfb
    have chromium || echo chromium
    have firefox-esr || echo firefox-esr
    # A sound card without loudspeakers, and letters for the browsers.
    have pulseaudio || echo pulseaudio
    [ -d /usr/share/fonts/truetype/dejavu ] || echo fonts-dejavu-core
  fi
}

install_packages() {
  local missing
  missing=$(missing_packages | xargs)
  [ -n "$missing" ] || return 0
  if have apt-get; then
    if [ "$(id -u)" != 0 ] && ! have sudo; then
      fail "run this as root, then make again: apt-get install $missing"
    fi
    apt_refresh
    missing=${missing/python3 python3-venv/$(python_packages)}
    say "apt-get install $missing (to $purpose xg2g)"
    # shellcheck disable=SC2086 # a list of names
    apt install --no-install-recommends $missing || fail "run this as root, then make again: apt-get install $missing"
  elif [ "$(uname -s)" = Darwin ]; then
    fail "run this, then make again: xcode-select --install; brew install nasm xz python ffmpeg node rustup"
  else
    fail "install what your system calls these, then make again: $missing"
  fi
  python_fits || fail "Python 3.11 or newer is needed: install one and say make PYTHON=python3.12 (or where it is)"
}

rust_fits() {
  local found
  found=$(cargo --version 2>/dev/null | cut -d ' ' -f 2) || return 1
  at_least "$rust_wanted" "$found" && have rustc
}

lints_fit() {
  cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1
}

# rustup is told to use its current stable Rust in this folder only; what the
# user has chosen elsewhere stays as it is.
rust_from_rustup() {
  have rustup || return 1
  say "rustup: the current stable Rust for this folder ($rust_wanted or newer is needed)"
  rustup --quiet toolchain install stable --profile minimal --component clippy,rustfmt >/dev/null &&
    rustup --quiet override set stable >/dev/null
}

# Ubuntu's newer versions of Rust lie out of the way of its own. build/rust is where the newest
# is found, here and by the Makefile.
rust_beside_the_own() {
  local newest
  newest=$(find /usr/lib -maxdepth 1 -name 'rust-[0-9]*' | sort -V | tail -n 1)
  [ -n "$newest" ] && [ -x "$newest/bin/cargo" ] && [ -x "$newest/bin/rustc" ] || return 1
  mkdir -p build
  ln -sfn "$newest/bin" build/rust
  rust_fits || { rm build/rust; return 1; }
}

# Debian keeps a current Rust for its browsers in the stable releases, under names that end in
# -web, and Ubuntu under names that end in the version. Nothing that is installed is removed for it.
rust_from_apt() {
  have apt-get && { [ "$(id -u)" = 0 ] || have sudo; } || return 1
  apt_refresh
  local version packages candidate
  version=$(apt-cache pkgnames cargo- | sed -n 's/^cargo-\([0-9.]*\)$/\1/p' | sort -V | tail -n 1)
  for packages in "cargo rustc rustfmt rust-clippy" "cargo-web rustc-web rustfmt-web rust-web-clippy" \
    ${version:+"cargo-$version rustc-$version rustfmt-$version rust-$version-clippy"}; do
    candidate=$(candidate_of "${packages%% *}")
    at_least "$rust_wanted" "$candidate" || continue
    say "apt-get install $packages (Rust $candidate, to compile the remuxer)"
    # shellcheck disable=SC2086 # a list of names
    apt install --no-install-recommends --no-remove $packages || continue
    hash -r
    rust_fits || rust_beside_the_own && return 0
  done
  return 1
}

rust_from_the_net() {
  local address
  # The second is where the first leads to; some networks let only one of them through.
  for address in https://sh.rustup.rs https://static.rust-lang.org/rustup/rustup-init.sh; do
    curl --silent --fail --connect-timeout 5 --output build/rustup-init.sh --create-dirs \
      --proto '=https' --tlsv1.2 "$address" && break
  done || return 1
  say "rustup (into ~/.cargo and ~/.rustup): the current stable Rust, to compile the remuxer"
  sh build/rustup-init.sh -y --quiet --no-modify-path --profile minimal --component clippy,rustfmt </dev/null
}

install_rust() {
  rust_fits || rust_beside_the_own || rust_from_rustup || rust_from_apt || rust_from_the_net || true
  hash -r
  rust_fits || fail "Rust $rust_wanted or newer is needed and could not be installed: get it from https://rustup.rs, then make again"
}

install_lints() {
  lints_fit || { have rustup && rustup --quiet component add clippy rustfmt; } ||
    fail "cargo fmt and cargo clippy are needed for make check: install rustfmt and clippy for $(cargo --version)"
}

# The web page is built with Node. Where there is none, the rest is built without it, and
# build-page.sh says so.
install_node() {
  local missing=()
  have node || missing+=(nodejs)
  have npm || missing+=(npm)
  [ "${#missing[@]}" -gt 0 ] || return 0
  # Where it failed it is tried again tomorrow, not with each make.
  [ -z "$(find build/no-node -mtime -1 2>/dev/null)" ] || return 0
  have apt-get && { [ "$(id -u)" = 0 ] || have sudo; } || return 0
  # In a shell of its own, which apt_refresh may end.
  (apt_refresh) || { touch build/no-node; return 0; }
  # What is too old is not installed in vain.
  at_least 18 "$(candidate_of nodejs)" || { touch build/no-node; return 0; }
  say "apt-get install ${missing[*]} (to build the web page)"
  if ! apt install --no-install-recommends --no-remove "${missing[@]}"; then
    touch build/no-node
  fi
}

if [ "$purpose" = python ]; then
  python_fits || true
  echo "$python"
  exit
fi

install_packages
install_rust
install_node
if [ "$purpose" = check ]; then install_lints; fi
