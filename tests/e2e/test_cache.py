"""nginx with the documented configuration, in front of the daemon."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from tests.harness.house import House, until
from tests.harness.nginx import nginx
from tests.harness.ports import free_port
from tests.harness.process import Process

CHANNEL = "/hls/1_0_19_65_1_1_C00000_0_0_0/index.m3u8"
MANY = 12


@pytest.fixture
def cache(home: House, tmp_path: Path) -> Iterator[str]:
    """The address of a cache before the house's daemon."""
    port = free_port()
    daemon = urlsplit(home.url)
    command = nginx(tmp_path, daemon.port or 80, listen=port)
    site = tmp_path / "nginx.conf"
    site.write_text(
        site.read_text()
        .replace(f"127.0.0.1:{daemon.port}", daemon.netloc)
        .replace(f"listen 127.0.0.1:{port}", f"listen {daemon.hostname}:{port}")
    )
    with Process(*command, variables={**os.environ, "PATH": "/usr/sbin:/usr/bin"}):
        url = f"http://{daemon.hostname}:{port}"
        until(lambda: _answers(url), "nginx answers")
        yield url


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def get(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, timeout=30, trust_env=False).raise_for_status()


def named(playlist: str) -> list[str]:
    """The URIs of a playlist's own lines."""
    return [line for line in playlist.splitlines() if line and not line.startswith("#")]


def test_however_many_ask_for_a_segment_the_daemon_sends_it_once(home: House, cache: str) -> None:
    index = get(cache + CHANNEL)
    picture = urljoin(str(index.url), named(index.text)[-1])
    segment = urljoin(picture, named(get(picture).text)[-1])
    before = requests(home, "segment")
    with ThreadPoolExecutor(MANY) as viewers:
        answers = list(viewers.map(get, [segment] * MANY))
    assert requests(home, "segment") - before == 1
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].content == get(segment.replace(cache, home.url)).content
    assert "immutable" in answers[0].headers["cache-control"]


def test_a_playlist_is_kept_for_a_second_packed_for_who_takes_it(home: House, cache: str) -> None:
    index = get(cache + CHANNEL)
    picture = urljoin(str(index.url), named(index.text)[-1])
    before = requests(home, "playlist")
    with ThreadPoolExecutor(MANY) as viewers:
        packed = list(
            viewers.map(lambda _: get(picture, **{"Accept-Encoding": "gzip"}), range(MANY))
        )
        plain = get(picture, **{"Accept-Encoding": "identity"})
    assert requests(home, "playlist") - before < MANY / 2
    assert {answer.headers.get("content-encoding") for answer in packed} == {"gzip"}
    assert "content-encoding" not in plain.headers
    assert plain.text.startswith("#EXTM3U\n")


def test_ffmpeg_plays_through_the_cache(home: House, cache: str) -> None:
    url = cache + CHANNEL
    said = home.run(
        *("ffmpeg", "-nostdin", "-v", "error", "-i", url, "-t", "4"),
        *("-map", "0:v:0", "-map", "0:a:0", "-f", "framecrc", "-"),
    )
    frames = [line for line in said.splitlines() if line and not line.startswith("#")]
    assert {line.partition(",")[0] for line in frames} == {"0", "1"}
    assert len(frames) > 100
    assert all(line[0].isdigit() for line in frames), said


def test_a_transport_stream_passes_at_once(home: House, cache: str) -> None:
    channel = home.channels()["Card One HD"]
    with httpx.stream("GET", channel.replace(home.url, cache), trust_env=False) as answer:
        assert next(answer.iter_bytes(188))[0] == 0x47


def requests(home: House, kind: str) -> int:
    """Answers of HLS of this kind that the daemon gave so far."""
    lines = home.get("/metrics").text.splitlines()
    counted = [it for it in lines if it.startswith(f'xg2g_hls_requests_total{{kind="{kind}"')]
    return sum(int(float(line.rpartition(" ")[2])) for line in counted)
