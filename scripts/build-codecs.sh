#!/usr/bin/env bash
# Builds the static libraries that decode broadcast audio: libavcodec, libavutil
# and libswresample of FFmpeg with the decoders of the list below and nothing else.
#
# Prints the installation prefix on stdout, progress on stderr. A finished build is
# kept and found again; what changes this script makes a new one.
#
#   XG2G_CODECS_DIR     use the libraries of this prefix (see docs/reference/native-codecs.md),
#                       or build into it when it does not exist
#   XG2G_FFMPEG_SOURCE  tarball to build from: for machines without a network, and for
#                       those who want another FFmpeg than the releases below
#   XDG_CACHE_HOME      where builds and tarballs are kept (default ~/.cache)
set -euo pipefail

# First release that can be had: version, SHA-256 of the release tarball, Debian
# release that carries it unchanged as ffmpeg_VERSION.orig.tar.xz. An archive drops
# a version soon after the next one; the last line is of a suite that has come to rest.
releases='
7.1.5 de668509caf9e35e3cd162473441fdb29538c6d96ed080292b3cf9e6fc5d558f trixie
5.1.9 d9b593bb2ba93d4b50f74177e0cdcd41747e708596367deed0c30348a71dd176 bookworm
'
decoders=mp1float,mp2float,mp3float,ac3,eac3,aac,aac_latm,dca

counted=$(cd "$(dirname "$0")" && pwd)/counted.sh
exec 4>&2 # for say(), while a step's own output goes to a log
say() { printf '  %-10s %s\n' codecs "$*" >&4; }
die() { say "$*"; exit 1; }

has_checksum() { # FILE SHA256
    [ -f "$1" ] && printf '%s  %s\n' "$2" "$1" | sha256sum --check --status
}

download_from_upstream() { # VERSION FILE
    local url="https://ffmpeg.org/releases/ffmpeg-$1.tar.xz"
    if command -v curl >/dev/null; then
        curl -fsSL --connect-timeout 5 --max-time 180 -o "$2" "$url"
    else
        wget -q --timeout=5 --tries=1 -O "$2" "$url"
    fi 2>>"$work/fetch.log"
}

# The state of this apt is all in $work, so the machine's own sources stay as they
# are. What comes is checked against our own checksum, whoever signed the archive.
download_from_debian() { # VERSION FILE SUITE
    command -v apt-get >/dev/null || return 1
    local apt="$work/apt-$3" id release version
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/source"
    # shellcheck source=/dev/null # what the distribution says of itself
    read -r id release < <(. /etc/os-release && echo "$ID ${VERSION_CODENAME:-}")
    # shellcheck disable=SC2016 # apt-get expands them
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v own="$release" -v suite="$3" '
            $3 == "main" && $2 == own { print "deb-src [trusted=yes]", $1, suite, "main" }
            $3 == "main" && $2 == own "-security" {
                print "deb-src [trusted=yes]", $1, suite "-security", "main" }' |
        sort -u >"$apt/sources.list"
    if [ "$id" != debian ]; then # Ubuntu and others carry other versions
        printf 'deb-src [trusted=yes] http://deb.debian.org/%s main\n' \
            "debian $3" "debian-security $3-security" >"$apt/sources.list"
    fi
    [ -s "$apt/sources.list" ] || return 1
    local options=(-qq -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=-
        -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o Acquire::Languages=none
        -o Acquire::Retries=1 -o Acquire::http::Timeout=20)
    [ "$(id -u)" != 0 ] || options+=(-o APT::Sandbox::User=root)
    apt-get "${options[@]}" update >>"$work/fetch.log" 2>&1 || return 1
    version=$(apt-cache "${options[@]}" showsrc --only-source ffmpeg 2>>"$work/fetch.log" |
        awk -v wanted="$1" '$1 == "Version:" && index($2, ":" wanted "-") { print $2; exit }')
    [ -n "$version" ] || return 1
    (cd "$apt/source" && apt-get "${options[@]}" source --download-only --tar-only \
        "ffmpeg=$version") >>"$work/fetch.log" 2>&1 || return 1
    mv "$apt/source/ffmpeg_$1.orig.tar.xz" "$2"
}

find_source() { # sets $tarball and $version
    local sha256 suite origin
    if [ -n "${XG2G_FFMPEG_SOURCE:-}" ]; then
        tarball=$XG2G_FFMPEG_SOURCE version=$(basename "$tarball")
        return
    fi
    while read -r -u 3 version sha256 suite; do
        [ -n "$version" ] || continue
        tarball="$cache/ffmpeg-$version.tar.xz"
        ! has_checksum "$tarball" "$sha256" || return 0
        for origin in upstream debian; do
            say "fetching FFmpeg $version ($origin)"
            if "download_from_$origin" "$version" "$work/tarball" "$suite" &&
                has_checksum "$work/tarball" "$sha256"; then
                mv "$work/tarball" "$tarball"
                return 0
            fi
        done
    done 3<<<"$releases"
    [ ! -f "$work/fetch.log" ] || tail -n 20 "$work/fetch.log" >&2
    die "no source of FFmpeg can be reached; name a release tarball in XG2G_FFMPEG_SOURCE"
}

# For another target than this machine, as cargo names both in TARGET and HOST to build
# scripts: with the compiler of CC_<target>, or that of the GNU tools for the target.
cross_options() {
    [ -n "${TARGET:-}" ] && [ "$TARGET" != "${HOST:-$TARGET}" ] || return 0
    local arch=${TARGET%%-*} tools os compiler="CC_${TARGET//-/_}" archiver="AR_${TARGET//-/_}"
    case $TARGET in
    *-linux-*) tools=$arch-linux-gnu- os=linux ;;
    *-windows-gnu) tools=$arch-w64-mingw32- os=mingw32 ;;
    *-apple-darwin) tools=llvm- os=darwin ;;
    *) die "nobody has built the codecs for $TARGET yet" ;;
    esac
    printf '%s\n' --enable-cross-compile --arch="$arch" --target-os="$os" --cross-prefix="$tools" \
        --cc="${!compiler:-${tools}gcc}" --ar="${!archiver:-${tools}ar}"
}

build() { # leaves the installation in $work/root$prefix
    local data_sections=-fdata-sections
    # In files for Windows, variables in sections of their own come with all of their zeros.
    case ${TARGET:-} in *-windows-*) data_sections='' ;; esac
    local options=(
        --prefix="$prefix" --disable-everything --disable-autodetect --disable-programs
        --disable-doc --disable-network --disable-avdevice --disable-avfilter
        --disable-avformat --disable-swscale --disable-debug --disable-shared
        --enable-static --enable-pic --enable-swresample --enable-decoder="$decoders"
        # No symbol of these libraries may reach the dynamic symbols of what links them.
        --extra-cflags="-fvisibility=hidden -ffunction-sections $data_sections"
        # The bytes that are decoded come from anyone who has a transmitter.
        --extra-cflags='-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2'
    )
    case ${TARGET:-$(uname -m)} in
    x86_64* | i?86*)
        if ! command -v nasm >/dev/null; then
            say "nasm is not installed: building without assembly (decoding takes more CPU)"
            options+=(--disable-x86asm)
        fi
        ;;
    esac
    local cross
    readarray -t cross < <(cross_options)
    mkdir "$work/source" &&
        tar -xf "$tarball" -C "$work/source" --strip-components=1 &&
        cd "$work/source" &&
        say "configuring FFmpeg $version" &&
        ./configure "${options[@]}" "${cross[@]}" &&
        objects=$(make -n | grep -cE 'printf "(CC|AS|X86ASM)[\]') &&
        "$counted" codecs "objects of libavcodec, libswresample, libavutil" "$objects" \
            '^(CC|AS|X86ASM)[[:space:]]' make -j"$(nproc)" 2>&4 &&
        make install-libs install-headers DESTDIR="$work/root" &&
        cp COPYING.LGPLv2.1 "$work/root$prefix/" &&
        echo "$version" >"$work/root$prefix/VERSION"
}

cache="${XDG_CACHE_HOME:-$HOME/.cache}/xg2g"
for variable in XG2G_CODECS_DIR XG2G_FFMPEG_SOURCE; do
    case ${!variable:-/} in /*) ;; *) die "$variable has to be an absolute path" ;; esac
done
if [ -n "${XG2G_FFMPEG_SOURCE:-}" ] && [ ! -r "$XG2G_FFMPEG_SOURCE" ]; then
    die "XG2G_FFMPEG_SOURCE names $XG2G_FFMPEG_SOURCE, which cannot be read"
fi
key=$(cat "$0" ${XG2G_FFMPEG_SOURCE:+"$XG2G_FFMPEG_SOURCE"} <(uname -sm) <(cross_options) | sha256sum | cut -c1-12)
prefix="${XG2G_CODECS_DIR:-$cache/codecs-$key}"

if [ ! -f "$prefix/lib/libavcodec.a" ]; then
    mkdir -p "$cache" "$(dirname "$prefix")"
    if command -v flock >/dev/null; then # two builds at once: the second waits and finds
        exec 9>"$cache/.lock"
        flock 9
    fi
fi
if [ ! -f "$prefix/lib/libavcodec.a" ]; then
    [ ! -e "$prefix" ] || die "$prefix holds no lib/libavcodec.a; remove it or unset XG2G_CODECS_DIR"
    for tool in cc make tar xz sha256sum; do
        command -v "$tool" >/dev/null || die "$tool is needed to build the codecs; install it"
    done
    work=$(mktemp -d "$prefix.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    find_source
    (build) >"$work/build.log" 2>&1 ||
        { tail -n 40 "$work/build.log" >&2; die "building FFmpeg $version failed; see above"; }
    mv "$work/root$prefix" "$prefix"
    say "FFmpeg $version is in $prefix"
fi
# cargo on Windows does not know the paths of MSYS2.
if command -v cygpath >/dev/null; then cygpath --mixed "$prefix"; else printf '%s\n' "$prefix"; fi
