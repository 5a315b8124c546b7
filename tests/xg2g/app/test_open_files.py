"""The limit on open files."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from tests.harness.scripted_daemon import STREAM, daemon
from tests.harness.stream_server import plays_endlessly
from xg2g.app import connection, open_files
from xg2g.metrics import Outcome
from xg2g.network.log_limit import LogLimit

pytestmark = pytest.mark.anyio


@pytest.fixture
def few_files() -> Iterator[int]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open("/dev/null") as newest:  # noqa: PTH123
        few = newest.fileno() + 60
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, before[1]))
    yield few
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_without_free_file_descriptors_a_viewer_is_refused_and_the_log_says_why(
    few_files: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open streams go on."""
    monkeypatch.setattr(connection, "_files_log_limit", LogLimit(10.0))
    async with daemon(plays_endlessly) as gateway, AsyncExitStack() as stack:
        first = await gateway.watch()
        stack.callback(lambda: first[1].transport.abort())
        statuses = []
        for _ in range(few_files):
            try:
                reader, writer = await gateway.connect()
            except OSError:
                # The connections of the test use descriptors, too.
                break
            stack.callback(writer.close)
            writer.write(f"GET {STREAM} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            statuses.append(head[9:12])
            if statuses[-1] == b"503":
                assert b"x-hdhomerun-error: 803 system busy" in head.lower()
                break
        assert statuses[-1] == b"503"
        await first[0].readexactly(188 * 100)
    out = capsys.readouterr().out
    assert out.count("too many open files") == 1
    assert "LimitNOFILE" in out


def test_the_limit_on_open_files_is_raised_and_a_part_of_it_reserved() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(256, before[1])
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (low, before[1]))
        open_files.raise_limit()
        assert open_files.limit() == min(open_files.WANTED, before[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (low, before[1]))
        assert open_files.left(low // 3) > 0 >= open_files.left(low - low // 3)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_a_stream_without_a_free_file_descriptor_is_refused_as_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def no_files(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    async with daemon(plays_endlessly) as gateway:
        reader, writer = await gateway.connect()
        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", no_files)
        writer.write(f"GET {STREAM} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await gateway.ended(Outcome.OUT_OF_FILES)
    assert head.startswith(b"HTTP/1.1 503 ")
