"""The built web page as browsers get it."""

import gzip
import re
from pathlib import Path

import pytest

from tests.harness.scripted_daemon import Daemon, daemon
from tests.harness.stream_server import CRLF_ANSWER, PACKET, says
from xg2g.web.pages.built_page import BuiltPage

pytestmark = pytest.mark.anyio

PLAYS = says(CRLF_ANSWER, PACKET * 10)
SCRIPT = b"/* words words words words words words words */"
FILES = {
    "index.html": b'<!doctype html><script type="module" src="assets/app-1.js"></script>',
    "assets/app-1.js": SCRIPT,
    "assets/app-1.js.gz": gzip.compress(SCRIPT),
    "assets/app-1.css": b"body{margin:0}",
    "assets/icon-1.png": b"\x89PNG\r\n",
    "assets/icon-1.svg": b"<svg/>",
    "manifest.webmanifest": b"{}",
    "licenses.txt": b"MIT",
}
TYPES = {
    "": "text/html; charset=utf-8",
    "assets/app-1.js": "text/javascript; charset=utf-8",
    "assets/app-1.css": "text/css; charset=utf-8",
    "assets/icon-1.png": "image/png",
    "assets/icon-1.svg": "image/svg+xml",
    "manifest.webmanifest": "application/manifest+json",
    "licenses.txt": "text/plain; charset=utf-8",
}


@pytest.fixture
def page(tmp_path: Path) -> BuiltPage:
    for name, body in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body)
    loaded = BuiltPage.load(tmp_path)
    assert loaded is not None
    return loaded


async def _get(gateway: Daemon, path: str, *headers: str) -> tuple[int, dict[str, str], bytes]:
    lines = "".join(f"{line}\n" for line in ("Host: gateway:8088", *headers))
    return await gateway.ask(f"GET {path} HTTP/1.0\n{lines}\n")


async def test_a_browser_gets_every_file_with_its_type(page: BuiltPage) -> None:
    async with daemon(PLAYS, page=page) as gateway:
        for path, media_type in TYPES.items():
            status, headers, body = await _get(gateway, f"/{path}")
            assert (status, headers["content-type"]) == (200, media_type)
            assert body == FILES[path or "index.html"]
            assert headers["content-length"] == str(len(body))


async def test_only_files_of_the_page_are_served(page: BuiltPage) -> None:
    async with daemon(PLAYS, page=page) as gateway:
        for path in (
            "/assets/app-2.js",
            "/assets/app-1.js.gz",
            "/assets/",
            "/assets/..%2Findex.html",
            "/assets/%2e%2e/index.html",
            "/assets/../index.html",
        ):
            status, _, body = await _get(gateway, path)
            assert (status, b"<script" in body) == (404, False), path


async def test_names_with_a_hash_are_cached_for_ever_and_the_page_is_revalidated(
    page: BuiltPage,
) -> None:
    async with daemon(PLAYS, page=page) as gateway:
        for path in TYPES:
            _, headers, _ = await _get(gateway, f"/{path}")
            wanted = "public, max-age=31536000, immutable" if "assets" in path else "no-cache"
            assert headers["cache-control"] == wanted, path
            status, again, body = await _get(
                gateway, f"/{path}", f"If-None-Match: {headers['etag']}"
            )
            assert (status, body, again["etag"]) == (304, b"", headers["etag"])


async def test_a_client_that_accepts_gzip_gets_a_smaller_body_with_another_tag(
    page: BuiltPage,
) -> None:
    path = "/assets/app-1.js"
    async with daemon(PLAYS, page=page) as gateway:
        _, plain, _ = await _get(gateway, path)
        _, coded, body = await _get(gateway, path, "Accept-Encoding: gzip, br")
        _, image, _ = await _get(gateway, "/assets/icon-1.png", "Accept-Encoding: gzip")
        status, _, _ = await _get(
            gateway, path, "Accept-Encoding: gzip", f"If-None-Match: {coded['etag']}"
        )
    assert (coded["content-encoding"], gzip.decompress(body)) == ("gzip", SCRIPT)
    assert coded["content-type"] == plain["content-type"]
    assert coded["etag"] != plain["etag"]
    assert "content-encoding" not in plain
    assert plain["vary"] == coded["vary"] == "Accept-Encoding"
    assert "content-encoding" not in image
    assert status == 304


async def test_the_page_may_run_nothing_foreign_and_nothing_inline(page: BuiltPage) -> None:
    async with daemon(PLAYS, page=page) as gateway:
        for path in TYPES:
            _, headers, _ = await _get(gateway, f"/{path}")
            policy = dict(
                (part.split()[0], part.split()[1:])
                for part in headers["content-security-policy"].split(";")
            )
            assert policy["default-src"] == policy["frame-ancestors"] == ["'none'"]
            assert policy["base-uri"] == policy["form-action"] == ["'none'"]
            for name in ("script-src", "style-src", "connect-src", "manifest-src"):
                assert policy[name] == ["'self'"], name
            sources = {source for each in policy.values() for source in each}
            assert sources == {"'none'", "'self'", "data:", "blob:"}
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"


async def test_addresses_are_shown_beside_the_page_and_in_place_of_a_missing_page(
    page: BuiltPage,
) -> None:
    async with daemon(PLAYS, page=page) as gateway:
        _, _, with_page = await _get(gateway, "/")
        _, _, beside = await _get(gateway, "/addresses")
    async with daemon(PLAYS) as gateway:
        _, _, without = await _get(gateway, "/")
        status, _, _ = await _get(gateway, "/manifest.webmanifest")
    assert b"playlist.m3u" not in with_page
    assert b"http://gateway:8088/playlist.m3u" in beside
    assert without == beside
    assert status == 404


def test_without_built_files_there_is_no_page(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    assert BuiltPage.load(tmp_path / "nowhere") is None
    assert BuiltPage.load(tmp_path) is None


@pytest.fixture(scope="module")
def built() -> BuiltPage:
    page = BuiltPage.load()
    if page is None:
        pytest.skip("the web page is not built: Node is missing")
    return page


def test_the_built_page_names_its_own_files_and_no_other_host(built: BuiltPage) -> None:
    for path in ("index.html", "manifest.webmanifest"):
        text = built.files[path].body.decode()
        named = re.findall(r"""["']((?:assets/|manifest)[^"']+)["']""", text)
        assert len(named) >= 4
        assert [name for name in named if name not in built.files] == []
        assert "%" not in text
        assert "//" not in text.replace("<!doctype html>", "")


def test_the_built_page_runs_no_inline_script_or_style(built: BuiltPage) -> None:
    text = built.files["index.html"].body.decode()
    assert re.findall(r"<script(?![^>]*\ssrc=)", text) == []
    assert "<style" not in text
    assert re.search(r"\s(?:style|on\w+)=", text) is None


def test_the_built_page_carries_the_licences_of_what_is_inside(built: BuiltPage) -> None:
    text = built.files["licenses.txt"].body.decode()
    for said in ("hls.js 1.", "preact 1", "Permission is hereby granted", "Apache License"):
        assert said in text
    assert text.count("TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION") == 1


def test_the_built_page_is_small_enough_for_a_slow_radio_link(built: BuiltPage) -> None:
    scripts = [
        len(file.gzipped or file.body)
        for path, file in built.files.items()
        if re.fullmatch(r"assets/app-.*\.(js|css)", path)
    ]
    assert len(scripts) == 2
    assert sum(scripts) < 300_000
