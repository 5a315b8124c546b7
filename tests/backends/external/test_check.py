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


async def test_a_service_that_can_be_used_says_what_runs_there() -> None:
    async with stand_in() as service:
        health = await checked(service.address)
    assert health.usable
    assert health.detail == f"at {service.address}: xg2g-transcoder 0.1.0"
    assert health.versions == {"xg2g-transcoder": "0.1.0"}
    assert not health.warnings


async def test_without_the_library_of_this_process_it_is_not_usable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XG2G_LIBRARY", str(tmp_path / "missing.so"))
    async with stand_in() as service:
        health = await checked(service.address)
    assert not health.usable
    assert "library does not load" in health.detail
    assert "missing.so" in health.detail


async def test_nobody_there() -> None:
    health = await checked(NOBODY)
    assert not health.usable
    assert "http://127.0.0.1:1 (connection refused)" in health.detail
    assert "start xg2g-transcoder" in health.detail


async def test_no_socket_there(tmp_path: Path) -> None:
    address = ServiceAddress.parse(f"unix://{tmp_path}/transcoder.sock")
    health = await checked(address)
    assert not health.usable
    assert f"{address} (no such file or directory)" in health.detail


async def test_no_such_host() -> None:
    health = await checked(ServiceAddress.parse("http://transcoder.invalid:3000"))
    assert not health.usable
    assert "http://transcoder.invalid:3000" in health.detail


async def test_somebody_who_says_nothing() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    with closing(await asyncio.start_server(say_nothing, "127.0.0.1", 0)) as server:
        port = server.sockets[0].getsockname()[1]
        health = await checked(ServiceAddress.parse(f"http://127.0.0.1:{port}"))
    assert re.search(r"no response within \d", health.detail)


async def test_another_service() -> None:
    async with stand_in() as service:
        service.description = {"service": "something else"}
        assert "is not xg2g-transcoder" in await unusable(service)


async def test_json_that_is_nested_without_end_is_that_of_another_service() -> None:
    async def nest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"[" * 100_000)
        await reader.read()
        writer.close()

    with closing(await asyncio.start_server(nest, "127.0.0.1", 0)) as server:
        port = server.sockets[0].getsockname()[1]
        health = await checked(ServiceAddress.parse(f"http://127.0.0.1:{port}"))
    assert "is not xg2g-transcoder" in health.detail


async def test_a_redirect_says_where_to() -> None:
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


async def test_a_service_that_is_too_old() -> None:
    async with stand_in() as service:
        service.description["api"] = 0
        assert "update xg2g-transcoder" in await unusable(service)


async def test_a_service_that_is_too_new() -> None:
    async with stand_in() as service:
        service.description["api"] = 2
        assert (await unusable(service)).endswith("update xg2g")


async def test_a_service_that_says_too_little() -> None:
    async with stand_in() as service:
        del service.description["max_body_bytes"]
        assert "invalid description" in await unusable(service)


async def test_a_token_that_is_missing_or_wrong_is_named_by_its_setting_alone() -> None:
    async with stand_in() as service:
        service.token = "right"
        assert "requires a token; set XG2G_EXTERNAL_TRANSCODER_TOKEN" in await unusable(service)
        refused = await unusable(service, token="wrong")
        assert "rejects the token; set XG2G_EXTERNAL_TRANSCODER_TOKEN" in refused
        assert "wrong" not in refused
        assert (await checked(service.address, token="right")).usable


async def test_a_service_that_is_full_is_warned_about_since_it_does_not_stay_so() -> None:
    async with stand_in() as service:
        service.description["open_remuxers"] = 8
        health = await checked(service.address)
    assert health.usable
    assert "8 of 8 remuxers" in health.warnings[0]
    assert "--max-remuxers" in health.warnings[0]


async def test_of_several_services_one_has_to_be_usable_and_the_others_are_warned_about() -> None:
    async with stand_in() as service:
        health = await checked(NOBODY, service.address)
    assert health.usable
    assert len(health.warnings) == 1
    assert "http://127.0.0.1:1" in health.warnings[0]


async def test_with_the_library_to_fall_back_to_no_service_is_a_warning() -> None:
    health = await checked(NOBODY, fallback=FakeBackend())
    assert health.usable
    assert "http://127.0.0.1:1" in health.warnings[0]


async def test_trouble_and_its_end_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
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
