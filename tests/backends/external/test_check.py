"""What the start-up check says of services that cannot be used."""

import asyncio
import logging
import re
from contextlib import closing
from pathlib import Path

import pytest

from tests.backends.external.stand_in import StandIn, stand_in
from tests.harness.fake_backend import FakeBackend
from xg2g_backends.base import BackendHealth, RemuxOptions
from xg2g_backends.errors import UnavailableError
from xg2g_backends.external.address import ServiceAddress
from xg2g_backends.external.backend import ExternalBackend
from xg2g_backends.external.deadlines import Deadlines

pytestmark = pytest.mark.anyio

NOBODY = ServiceAddress.parse("http://127.0.0.1:1")
QUICK = Deadlines(connect_s=5, answer_s=1)


async def checked(
    *addresses: ServiceAddress, token: str | None = None, fallback: FakeBackend | None = None
) -> BackendHealth:
    backend = ExternalBackend(addresses, token=token, fallback=fallback, deadlines=QUICK)
    with_trouble = await backend.check()
    if not with_trouble.usable:
        with pytest.raises(UnavailableError) as raised:
            await backend.open(RemuxOptions())
        assert str(raised.value) == with_trouble.detail
    await backend.aclose()
    assert "\n" not in with_trouble.detail
    return with_trouble


async def unusable(service: StandIn, token: str | None = None) -> str:
    health = await checked(service.address, token=token)
    assert not health.usable
    assert str(service.address) in health.detail
    return health.detail


async def test_a_usable_service_is_described_by_its_versions() -> None:
    async with stand_in() as service:
        health = await checked(service.address)
    assert health.usable
    assert health.detail == f"at {service.address}: xg2g-transcoder 0.1.0"
    assert health.versions == {"xg2g-transcoder": "0.1.0"}
    assert not health.warnings


async def test_a_missing_library_makes_the_backend_unusable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XG2G_LIBRARY", str(tmp_path / "missing.so"))
    async with stand_in() as service:
        health = await checked(service.address)
    assert not health.usable
    assert "library does not load" in health.detail
    assert "missing.so" in health.detail


async def test_a_refused_connection_says_to_start_the_transcoder() -> None:
    health = await checked(NOBODY)
    assert not health.usable
    assert "http://127.0.0.1:1 (connection refused)" in health.detail
    assert "start xg2g-transcoder" in health.detail


async def test_a_missing_socket_is_named(tmp_path: Path) -> None:
    address = ServiceAddress.parse(f"unix://{tmp_path}/transcoder.sock")
    health = await checked(address)
    assert not health.usable
    assert f"{address} (no such file or directory)" in health.detail


async def test_an_unknown_host_is_named() -> None:
    health = await checked(ServiceAddress.parse("http://transcoder.invalid:3000"))
    assert not health.usable
    assert "http://transcoder.invalid:3000" in health.detail


async def test_a_server_without_a_response_is_unusable() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    with closing(await asyncio.start_server(say_nothing, "127.0.0.1", 0)) as server:
        port = server.sockets[0].getsockname()[1]
        health = await checked(ServiceAddress.parse(f"http://127.0.0.1:{port}"))
    assert re.search(r"no response within \d", health.detail)


async def test_another_service_is_told_from_a_transcoder() -> None:
    async with stand_in() as service:
        service.description = {"service": "something else"}
        assert "is not xg2g-transcoder" in await unusable(service)


async def test_deeply_nested_json_is_refused() -> None:
    async def nest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"[" * 100_000)
        await reader.read()
        writer.close()

    with closing(await asyncio.start_server(nest, "127.0.0.1", 0)) as server:
        port = server.sockets[0].getsockname()[1]
        health = await checked(ServiceAddress.parse(f"http://127.0.0.1:{port}"))
    assert "is not xg2g-transcoder" in health.detail


async def test_a_redirect_is_not_followed_and_its_target_is_named() -> None:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        answer = (
            b"HTTP/1.1 308 Moved\r\nContent-Length: 0\r\n"
            b"Location: https://me:secret@other:3000/v1\r\n\r\n"
        )
        writer.write(answer)
        writer.close()

    with closing(await asyncio.start_server(redirect, "127.0.0.1", 0)) as server:
        port = server.sockets[0].getsockname()[1]
        health = await checked(ServiceAddress.parse(f"http://127.0.0.1:{port}"))
    assert "redirects to https://other:3000;" in health.detail


async def test_an_old_service_has_to_be_updated() -> None:
    async with stand_in() as service:
        service.description["api"] = 0
        assert "update xg2g-transcoder" in await unusable(service)


async def test_a_newer_service_asks_for_an_update_of_xg2g() -> None:
    async with stand_in() as service:
        service.description["api"] = 2
        assert (await unusable(service)).endswith("update xg2g")


async def test_an_incomplete_description_is_refused() -> None:
    async with stand_in() as service:
        del service.description["max_body_bytes"]
        assert "invalid description" in await unusable(service)


async def test_a_description_with_an_infinite_number_is_refused() -> None:
    async with stand_in() as service:
        service.description["max_remuxers"] = float("inf")
        assert "invalid description" in await unusable(service)


async def test_a_missing_or_wrong_token_is_reported_by_its_setting_alone() -> None:
    async with stand_in() as service:
        service.token = "right"
        assert "requires a token; set XG2G_EXTERNAL_TRANSCODER_TOKEN" in await unusable(service)
        refused = await unusable(service, token="wrong")
        assert "rejects the token; set XG2G_EXTERNAL_TRANSCODER_TOKEN" in refused
        assert "wrong" not in refused
        assert (await checked(service.address, token="right")).usable


async def test_a_full_service_is_a_warning_since_it_does_not_stay_full() -> None:
    async with stand_in() as service:
        service.description["open_remuxers"] = 8
        health = await checked(service.address)
    assert health.usable
    assert "8 of 8 remuxers" in health.warnings[0]
    assert "--max-remuxers" in health.warnings[0]


async def test_one_usable_service_is_enough_and_the_others_are_warnings() -> None:
    async with stand_in() as service:
        health = await checked(NOBODY, service.address)
    assert health.usable
    assert len(health.warnings) == 1
    assert "http://127.0.0.1:1" in health.warnings[0]


async def test_with_a_fallback_an_unusable_service_is_a_warning() -> None:
    health = await checked(NOBODY, fallback=FakeBackend())
    assert health.usable
    assert "http://127.0.0.1:1" in health.warnings[0]


async def test_a_failure_and_the_recovery_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with stand_in() as service:
        port = int(service.address.url.rpartition(":")[2])
    backend = ExternalBackend([service.address], token="secret")
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await backend.open(RemuxOptions())
    async with stand_in(port):
        for _ in range(2):
            await (await backend.open(RemuxOptions())).aclose()
        await backend.aclose()
    trouble, recovery = [record.getMessage() for record in caplog.records]
    assert "connection refused" in trouble
    assert "used again" in recovery
    assert "secret" not in caplog.text + repr(backend) + repr(backend._context)
