#!/usr/bin/env bash
# Builds both images and runs the compose files, where no registry can be reached.
#
# Docker has to be installed with Compose, and with BuildKit's plugin where its client has none
# (Debian: docker.io docker-compose docker-buildx; Ubuntu: docker.io docker-compose-v2 docker-buildx),
# and mmdebstrap and ffmpeg; run it as root. The engine is one of its own, in a folder of its own: it
# builds with the machine's network, and runs the stack in a network namespace that ends with it. The
# base images are put together from Debian's packages and this machine's Rust, under the names that
# the Dockerfile asks for, so that their sizes are near those of the real ones and not the same.
#
# usage: scripts/images/try.sh [FOLDER]      where images are kept (default build/images)
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$(realpath -m "${1:-build/images}")
export DOCKER_HOST=unix://$folder/docker.sock DOCKER_BUILDKIT=1
docker() { /usr/bin/docker "$@"; }
# Version 2 is a plugin of the client.
compose() {
  if docker compose version >/dev/null 2>&1; then docker compose --project-name xg2g "$@"
  else COMPOSE_PROJECT_NAME=xg2g COMPOSE_DOCKER_CLI_BUILD=1 docker-compose "$@"; fi
}
say() { printf '\n== %s\n' "$*"; }

# Said before the images are built, not half an hour later.
[ "$(id -u)" = 0 ] || { echo "try.sh: a Docker engine needs root" >&2; exit 1; }
for tool in dockerd /usr/bin/docker mmdebstrap rustc ffmpeg ffprobe curl openssl unshare ip; do
  command -v "$tool" >/dev/null || { echo "try.sh: $tool is not installed" >&2; exit 1; }
done

start_engine() { # FLAGS...
  mkdir -p "$folder"
  dockerd --data-root "$folder/root" --exec-root "$folder/exec" --pidfile "$folder/pid" \
    --host "$DOCKER_HOST" "$@" >"$folder/engine.log" 2>&1 &
  engine=$!
  for _ in {1..60}; do docker info >/dev/null 2>&1 && return; sleep 0.5; done
  tail -n 5 "$folder/engine.log" >&2
  return 1
}

stop_engine() {
  [ -n "${engine:-}" ] || return 0
  kill "$engine" && wait "$engine" || true
  engine=
}
trap stop_engine EXIT

base_of() { sed -n "s/^ARG $1_IMAGE=//p" Dockerfile; }

# A machine behind a proxy of its own certificates has to hand them on.
make_bases() {
  local debian rust python node
  rust=$(base_of RUST) python=$(base_of PYTHON) node=$(base_of NODE)
  debian=debian:${rust##*-}-slim
  docker image inspect "$debian" >/dev/null 2>&1 || {
    say "base image $debian"
    mmdebstrap --quiet --variant=minbase --include=ca-certificates \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
      "${rust##*-}" - | docker import - "$debian"
  }
  docker image inspect "$rust" >/dev/null 2>&1 || {
    say "base image $rust"
    local context=$folder/rust sysroot
    sysroot=$(rustc --print sysroot)
    rm -rf "$context" && mkdir -p "$context/rust"
    (cd "$sysroot" && tar -c bin/cargo bin/rustc lib/*.so* "lib/rustlib/$(rustc --print host-tuple)") |
      tar -x -C "$context/rust"
    cp /etc/ssl/certs/ca-certificates.crt "$context/"
    docker build --network host --tag "$rust" --file - "$context" <<END
FROM $debian
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && apt-get clean
COPY rust /usr/local
COPY ca-certificates.crt /etc/ssl/certs/
ENV CARGO_HTTP_CAINFO=/etc/ssl/certs/ca-certificates.crt CARGO_HOME=/usr/local/cargo
END
  }
  docker image inspect "$python" >/dev/null 2>&1 || {
    say "base image $python"
    local context=$folder/python
    mkdir -p "$context" && cp /etc/ssl/certs/ca-certificates.crt "$context/"
    docker build --network host --tag "$python" --file - "$context" <<END
FROM $debian
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv && apt-get clean \
  && rm -rf /var/lib/apt/lists/* && python3 -m venv /usr/local
COPY ca-certificates.crt /etc/ssl/certs/
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
END
  }
  docker image inspect "$node" >/dev/null 2>&1 || {
    say "base image $node"
    local context=$folder/node
    mkdir -p "$context" && cp /etc/ssl/certs/ca-certificates.crt "$context/"
    docker build --network host --tag "$node" --file - "$context" <<END
FROM $debian
RUN apt-get update && apt-get install --yes --no-install-recommends nodejs npm && apt-get clean
COPY ca-certificates.crt /etc/ssl/certs/
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
END
  }
}

# A registry holds and sends the layers compressed.
sizes() { # IMAGE...
  local image
  for image in "$@"; do
    printf '%s: %s, compressed %s\n' "$image" "$(docker images --format '{{.Size}}' "$image")" \
      "$(docker save "$image" | gzip | wc -c | numfmt --to=si --round=nearest --suffix=B)"
  done
}

channel() { # NUMBER of the channel in the playlist
  curl -sf http://127.0.0.1:8088/playlist.m3u | grep ^http | sed -n "${1}p"
}

until_answered() {
  for _ in {1..60}; do
    if channel 1 >/dev/null 2>&1; then
      printf '%s channels listed\n' "$(curl -sf http://127.0.0.1:8088/playlist.m3u | grep -c ^http)"
      return
    fi
    sleep 1
  done
  compose logs --tail 20 >&2
  return 1
}

# What the compose files and the images promise of each container.
containers_keep_promises() {
  local id name state uid
  for id in $(compose "$@" ps --quiet); do
    name=$(docker inspect --format '{{.Name}}' "$id")
    for _ in {1..60}; do
      state=$(docker inspect --format '{{.State.Health.Status}} {{.HostConfig.ReadonlyRootfs}}' "$id")
      if [ "$state" = 'healthy true' ]; then break; fi
      sleep 1
    done
    uid=$(stat -c %u "/proc/$(docker inspect --format '{{.State.Pid}}' "$id")")
    printf '%s: %s, user %s\n' "$name" "${state/ true/, read-only root}" "$uid"
    [ "$state" = 'healthy true' ] && [ "$uid" = 65532 ] || return 1
  done
}

# Docker kills after ten seconds, and calls what it killed 137.
stops_in_time() {
  local begun=$EPOCHREALTIME id
  compose --profile demo stop
  awk "BEGIN { printf \"stopped in %.1f s\n\", $EPOCHREALTIME - $begun }"
  for id in $(compose --profile demo ps --all --quiet); do
    docker inspect --format '{{.Name}} ended with {{.State.ExitCode}}' "$id" | tee "$folder/ended"
    grep -q 'with 0$' "$folder/ended" || return 1
  done
}

# Twenty seconds of a channel, decoded: what is not AAC, or does not decode, fails.
play() { # NUMBER
  local sample=$folder/channel-$1.ts seconds=20 got
  curl -s --max-time $seconds -o "$sample" "$(channel "$1")" || true
  ffprobe -v quiet -select_streams a -show_entries stream=codec_name -of csv=p=0 "$sample" |
    sort -u | grep -x aac
  # The sample ends inside an access unit, which is nobody's fault.
  got=$(ffmpeg -v error -t $((seconds - 3)) -i "$sample" -map 0:a:0 -f s16le -ac 1 -ar 8000 - 2>"$sample.log" | wc -c)
  printf 'channel %s: %s KiB, %s s of sound decoded\n' "$1" \
    $(($(stat -c %s "$sample") / 1024)) $((got / 16000))
  if grep '\[aac' "$sample.log"; then return 1; fi
  [ $((got / 16000)) -ge $((seconds - 4)) ]
}

say "building"
start_engine --bridge=none --iptables=false --ip6tables=false --ip-forward=false
make_bases
docker build --network host --tag xg2g .
docker build --network host --tag xg2g-transcoder --target transcoder .
sizes "$(base_of PYTHON)" xg2g xg2g-transcoder
stop_engine

# From here on in a network of its own.
export folder DOCKER_HOST
export -f docker compose say start_engine stop_engine channel until_answered play
export -f containers_keep_promises stops_in_time
# shellcheck disable=SC2016 # expanded in there
unshare --net --mount bash -euo pipefail -c '
  # The sysfs of this namespace comes without the control groups that containers are put into.
  mkdir -p "$folder/cgroup"
  mount --rbind /sys/fs/cgroup "$folder/cgroup"
  mount -t sysfs sysfs /sys
  mount --rbind "$folder/cgroup" /sys/fs/cgroup
  ip link set lo up
  trap "compose --profile demo down --volumes >/dev/null 2>&1; stop_engine" EXIT
  start_engine

  say "docker compose --profile demo up"
  compose --profile demo up --detach --no-build
  until_answered
  play 1; play 2
  containers_keep_promises --profile demo

  say "the transcoder is killed"
  transcoder=$(compose ps --quiet transcoder)
  docker kill "$transcoder" >/dev/null
  docker start "$transcoder" >/dev/null
  play 1

  say "docker compose --profile demo stop"
  stops_in_time
  compose --profile demo down --volumes

  say "docker compose with docker-compose.tcp.yml, --scale transcoder=3"
  mkdir -p -m 700 secrets
  [ -e secrets/transcoder-token ] || openssl rand -hex 32 >secrets/transcoder-token
  files=(-f docker-compose.yml -f docker-compose.tcp.yml)
  compose "${files[@]}" --profile demo up --detach --no-build --scale transcoder=3
  until_answered
  play 1 & other=$!
  play 2
  wait "$other"
  compose "${files[@]}" --profile demo down --volumes
'
