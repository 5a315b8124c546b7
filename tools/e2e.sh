#!/usr/bin/env bash
# Runs the tests with real clients in a network of their own, where the ports that
# discovery needs are free and a broadcast reaches nobody else. It takes no rights of
# the system: the user is root of that network only while it is set up, and an
# ordinary user again for the tests (VLC refuses root).
#
# Where the system allows no such network, the tests run on the loopback address, and
# those that need discovery say that they are skipped.
#
# usage: tools/e2e.sh tests/e2e [PYTEST-ARGUMENT...]
set -euo pipefail
cd "$(dirname "$0")/.."

pytest=(.venv/bin/python -m pytest -m e2e "$@")

# shellcheck disable=SC2016 # for the shell inside
set_up='
set -e
ip link set lo up
# The other end is a cable that leads nowhere, but has to be plugged in.
ip link add lan type veth peer name cable
ip address add 10.65.0.1/24 broadcast + dev lan
ip link set cable up
ip link set lan up
ip route add default dev lan
# Jellyfin asks on port 80.
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
'
enter=(unshare --user --map-root-user --net --)
leave=(unshare --user --map-user=1000 --map-group=1000 --)

if "${enter[@]}" bash -c "$set_up"'exec "$@"' - "${leave[@]}" true 2>/dev/null; then
  exec "${enter[@]}" bash -c "$set_up"'exec "$@"' - "${leave[@]}" \
    env XG2G_E2E_ADDRESS=10.65.0.1 "${pytest[@]}"
fi
printf 'xg2g: this system allows no network of its own (unshare --user --net): discovery is left out\n' >&2
exec "${pytest[@]}"
