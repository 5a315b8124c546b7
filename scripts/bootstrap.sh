#!/usr/bin/env bash
# Sees to it that this machine has what the project needs, and installs what is
# missing. Says nothing when there is nothing to do.
#
# usage: scripts/bootstrap.sh build|test|check|e2e|binary
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH

purpose=${1:?usage: scripts/bootstrap.sh build|test|check|e2e|binary}
python=${PYTHON:-python3}
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

python_fits() {
  "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
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
    say "apt-get install $missing (to $purpose xg2g)"
    apt_refresh
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

# Debian keeps a current Rust for its browsers in the stable releases, under
# names that end in -web. Nothing that is installed is removed for it.
rust_from_apt() {
  have apt-get && { [ "$(id -u)" = 0 ] || have sudo; } || return 1
  apt_refresh
  local packages candidate
  for packages in "cargo rustc rustfmt rust-clippy" "cargo-web rustc-web rustfmt-web rust-web-clippy"; do
    candidate=$(apt-cache policy "${packages%% *}" | sed -n 's/^ *Candidate: *\([0-9.]*\).*/\1/p')
    at_least "$rust_wanted" "$candidate" || continue
    say "apt-get install $packages (Rust $candidate, to compile the remuxer)"
    # shellcheck disable=SC2086 # a list of names
    apt install --no-install-recommends --no-remove $packages && return 0
  done
  return 1
}

rust_from_the_net() {
  curl --silent --fail --connect-timeout 5 --output build/rustup-init.sh --create-dirs \
    --proto '=https' --tlsv1.2 https://sh.rustup.rs || return 1
  say "rustup (into ~/.cargo and ~/.rustup): the current stable Rust, to compile the remuxer"
  sh build/rustup-init.sh -y --quiet --no-modify-path --profile minimal --component clippy,rustfmt </dev/null
}

install_rust() {
  rust_fits || rust_from_rustup || rust_from_apt || rust_from_the_net || true
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
  say "apt-get install ${missing[*]} (to build the web page)"
  # In a shell of its own, which apt_refresh may end.
  if ! (apt_refresh) || ! apt install --no-install-recommends --no-remove "${missing[@]}"; then
    touch build/no-node
  fi
}

install_packages
install_rust
install_node
if [ "$purpose" = check ]; then install_lints; fi
