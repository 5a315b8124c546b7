"""Which Host a request may name: what is none is refused, and so is the name of a stranger."""

from pathlib import Path

import pytest

from tests.harness.scripted_daemon import STREAM, daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, says
from xg2g.config.load import ConfigurationError, load
from xg2g.network.hosts import ANY, AllowedHosts, host_of

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)
LONGEST = ".".join(["a" * 61] * 4) + ".local"
DOCUMENTS = (
    "/playlist.m3u",
    "/xmltv.xml",
    "/lineup.json",
    "/lineup.xml",
    "/lineup.m3u",
    "/discover.json",
    "/device.xml",
    "/api/v1/channels",
    "/",
)


@pytest.mark.parametrize(
    "host",
    [
        "a" * 60_000,
        "a" * 64,
        f"a{LONGEST}",
        'evil" onload="x',
        "evil/path",
        "<evil>",
        "a b",
        "user@evil",
        "[::1",
        "::1",
        "[::1%25lo]",
        "[evil]",
        "xg2g:port",
        "xg2g:65536",
        "xg2g:0000080",
        "192.168.1.300",
        "1.2.3",
        "evil..lan",
        ".lan",
        "xg2g%00",
        "b\xfccher.local",
        "*",
    ],
    ids=lambda host: host[:20],
)
async def test_an_invalid_host_is_a_bad_request_and_is_not_echoed(host: str) -> None:
    async with daemon(PLAYS) as gateway:
        for path in DOCUMENTS:
            status, _, body = await gateway.ask(f"GET {path} HTTP/1.0\nHost: {host}\n\n")
            assert status == 400, path
            assert len(body) < 100
        status, _, body = await gateway.ask(f"GET {STREAM} HTTP/1.0\nHost: {host}\n\n")
        assert (status, body) == (400, b"")
        assert not gateway.upstream.connections


@pytest.mark.parametrize(
    "host",
    [
        "",
        "xg2g",
        "XG2G:8088",
        "xg2g:",
        "xg2g.local",
        "xg2g.local.",
        "xg2g.LAN:80",
        "tv.home.arpa",
        "xg2g.fritz.box",
        "xg2g.xg2g.svc.cluster.local",
        "localhost:8088",
        "living_room",
        "192.168.1.20:8088",
        "[fd00::1]:8088",
        "[::ffff:192.168.1.20]",
        LONGEST,
        f"{LONGEST}:65535",
    ],
    ids=lambda host: host[:20],
)
async def test_addresses_and_names_of_a_household_are_answered(host: str) -> None:
    async with daemon(PLAYS) as gateway:
        status, _, body = await gateway.ask(f"GET /playlist.m3u HTTP/1.0\nHost: {host}\n\n")
    assert status == 200
    if host:
        assert f"http://{host}/stream/".encode() in body


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",
        "127.0.0.1.nip.io",
        "192-168-1-20.attacker.example:8088",
        "local.attacker.example",
        "evil-local.example",
        "xg2g.local.example.",
        "notfritz.box",
    ],
)
async def test_a_strangers_name_is_refused(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its page would read the household's documents once the name leads here."""
    async with daemon(PLAYS) as gateway:
        for path in (*DOCUMENTS, "/api/v1/streams", "/metrics", "/healthz", "/nothing"):
            status, _, body = await gateway.ask(f"GET {path} HTTP/1.0\nHost: {host}\n\n")
            assert (status, b"server.host_names" in body) == (421, True), path
        status, _, body = await gateway.ask(f"GET {STREAM} HTTP/1.0\nHost: {host}\n\n")
        assert (status, body) == (421, b"")
        assert not gateway.upstream.connections
        post = f"POST /lineup.json HTTP/1.0\nHost: {host}\nContent-Length: 0\n\n"
        assert (await gateway.ask(post))[0] == 421
    assert capsys.readouterr().out.count("unknown host name") == 1


def test_names_in_the_settings_are_answered() -> None:
    hosts = AllowedHosts.of_settings(
        ["tv.example.org", "TV.example.net."], public_url="https://public.example/tv", host="::"
    )
    for name in ("tv.example.org", "tv.example.net", "public.example"):
        assert hosts.has(name)
    assert not hosts.has("example.org")
    assert not hosts.has("other.tv.example.org")
    assert AllowedHosts([ANY]).has("attacker.example")


def test_a_name_has_at_most_253_characters() -> None:
    assert len(LONGEST) == 253
    assert host_of(LONGEST) == LONGEST
    assert host_of(f"{LONGEST}:8088") == LONGEST
    assert host_of(f"a{LONGEST}") is None


def test_host_names_are_read_from_the_environment_and_nonsense_is_refused(tmp_path: Path) -> None:
    environment = {"XG2G_SERVER_HOST_NAMES": "tv.example.org, *", "HOME": str(tmp_path)}
    assert load(environment=environment).settings.server.host_names == (
        "tv.example.org",
        "*",
    )
    environment["XG2G_SERVER_HOST_NAMES"] = "http://tv.example.org"
    with pytest.raises(ConfigurationError, match="is not a host name"):
        load(environment=environment)
