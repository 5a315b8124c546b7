"""How the receiver is asked: one request after the other, and what happens when that fails."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.xg2g.receiver.clock import Time
from xg2g.receiver.address import Credentials, ReceiverAddress
from xg2g.receiver.errors import (
    CircuitOpenError,
    CredentialsError,
    ReceiverError,
    TimeLimitError,
    UnexpectedAnswerError,
    UnreachableError,
)
from xg2g.receiver.openwebif import BreakerState, OpenWebif, RequestPolicy
from xg2g.receiver.openwebif.priority_lock import PriorityLock
from xg2g.receiver.openwebif.transport import Request, Traffic, Transport
from xg2g.simulator import Credentials as SimulatedCredentials
from xg2g.simulator import SimulatedReceiver

pytestmark = pytest.mark.anyio

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
POWER = b'{"result": true, "instandby": true}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(POWER), POWER)


@asynccontextmanager
async def web_server(*answers: bytes | None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answers the requests in turn with these bytes and closes; None keeps silent. The last one
    stays. Gives its URL and what it was asked."""
    asked: list[bytes] = []
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            answer = answers[min(len(asked), len(answers)) - 1]
            if answer is None:
                await asyncio.Event().wait()
            else:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", asked
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def transport(url: str, time: Time, policy: RequestPolicy | None = None) -> Transport:
    return Transport(
        ReceiverAddress.parse(url),
        connect_timeout_s=5,
        policy=policy or RequestPolicy(),
        now=time.now,
        sleep=time.sleep,
    )


def request(deadline_s: float = 5) -> Request:
    return Request(path="api/powerstate", deadline_s=deadline_s, limit_bytes=1000)


def closed_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


async def failure(asking: Awaitable[object]) -> ReceiverError:
    with pytest.raises(ReceiverError) as raised:
        await asking
    assert "\n" not in str(raised.value)
    return raised.value


@pytest.mark.parametrize(
    "broken",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"HTTP/1.1 200 OK\r\nContent-"],
    ids=["closed", "cut body", "cut head"],
)
async def test_a_request_whose_connection_breaks_is_repeated(broken: bytes) -> None:
    time = Time()
    async with web_server(broken, OK) as (url, asked):
        answer = await transport(url, time).ask(request())
    assert answer.body.read(1000) == POWER
    assert len(asked) == 2
    (backoff_s,) = [slept for slept in time.slept if slept >= 0.5]
    assert backoff_s <= 1.0


async def test_repeated_requests_of_many_clients_are_spread_over_time() -> None:
    waits = set()
    for _ in range(5):
        time = Time()
        await failure(transport(closed_port(), time).ask(request()))
        waits.add(time.slept[0])
    assert len(waits) > 1


async def test_after_three_attempts_the_error_says_what_is_wrong() -> None:
    time = Time()
    error = await failure(transport(closed_port(), time).ask(request()))
    assert type(error) is UnreachableError
    assert "refused" in str(error) or "connection" in str(error)
    backoffs = [slept for slept in time.slept if slept >= 0.5]
    assert len(backoffs) == 2
    assert backoffs[1] >= 1.0


async def test_a_request_is_not_repeated_because_its_answer_is_slow() -> None:
    time = Time()
    async with web_server(None) as (url, asked):
        error = await failure(transport(url, time).ask(request(deadline_s=1)))
    assert isinstance(error, TimeLimitError)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", CredentialsError),
        (b"HTTP/1.1 403 403.6 IP address rejected\r\nContent-Length: 0\r\n\r\n", CredentialsError),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", UnexpectedAnswerError),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", UnexpectedAnswerError),
        (b"HTTP/1.1 302 No\r\nLocation: https://x/\r\n\r\n", UnexpectedAnswerError),
    ],
)
async def test_a_request_is_not_repeated_because_its_answer_is_an_error(
    answer: bytes, kind: type[ReceiverError]
) -> None:
    async with web_server(answer) as (url, asked):
        assert isinstance(await failure(transport(url, Time()).ask(request())), kind)
    assert len(asked) == 1


async def test_a_server_that_does_not_speak_http_is_a_broken_connection() -> None:
    async with web_server(b"SSH-2.0-dropbear\r\n") as (url, _):
        assert isinstance(await failure(transport(url, Time()).ask(request())), UnreachableError)


async def test_an_answer_without_end_is_cut_off() -> None:
    async with web_server(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 5000) as (url, _):
        error = await failure(transport(url, Time()).ask(request()))
    assert isinstance(error, UnexpectedAnswerError)


async def test_requests_pause_after_several_failures_in_a_row() -> None:
    time = Time()
    policy = RequestPolicy(failure_threshold=5, pause_s=15)
    async with web_server(b"") as (url, asked):
        subject = transport(url, time, policy)
        assert type(await failure(subject.ask(request()))) is UnreachableError
        assert isinstance(await failure(subject.ask(request())), CircuitOpenError)
        assert len(asked) == 5
        paused = await failure(subject.ask(request()))
        assert len(asked) == 5
        assert subject.traffic == Traffic(requests=5, failures=5, breaker=BreakerState.OPEN)
        assert "next attempt in 1" in str(paused)
        slept = list(time.slept)
        assert isinstance(await failure(subject.ask(request())), CircuitOpenError)
        assert time.slept == slept, "no second attempt while requests pause"
        time.now_s += 15
        assert isinstance(await failure(subject.ask(request())), CircuitOpenError)
        assert len(asked) == 6, "one trial"


async def test_requests_go_on_when_the_receiver_is_back() -> None:
    time = Time()
    async with web_server(b"", b"", b"", b"", b"", OK) as (url, _):
        subject = transport(url, time)
        for _ in range(2):
            await failure(subject.ask(request()))
        time.now_s += 15
        for _ in range(3):
            await subject.ask(request())


async def test_there_is_a_pause_between_two_requests() -> None:
    time = Time()
    async with web_server(OK) as (url, _):
        subject = transport(url, time, RequestPolicy(spacing_s=0.1))
        for _ in range(3):
            await subject.ask(request())
    assert [round(slept, 3) for slept in time.slept] == [0.1, 0.1]


async def test_requests_do_not_tell_for_which_client_they_are() -> None:
    async with web_server(OK) as (url, asked):
        await transport(url, Time()).ask(request())
    head = asked[0].decode().lower()
    assert head.startswith("get /api/powerstate http/1.1\r\n")
    assert "accept-encoding: gzip\r\n" in head
    assert "forwarded" not in head
    assert "authorization" not in head


async def test_credentials_go_with_the_first_request_and_are_in_no_error() -> None:
    async with web_server(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n") as (url, asked):
        address = ReceiverAddress.parse(url, credentials=Credentials("root", "geheim"))
        async with OpenWebif(address, connect_timeout_s=5, answer_timeout_s=5) as web:
            error = await failure(web.in_standby())
    assert b"authorization: basic" in asked[0].lower()
    assert "geheim" not in str(error)


async def test_a_receiver_gets_one_request_at_a_time_in_one_session() -> None:
    async with SimulatedReceiver(
        answer_delay_s=0.02, api_credentials=SimulatedCredentials("root", "geheim")
    ) as box:
        address = ReceiverAddress.parse(box.base_url, credentials=Credentials("root", "geheim"))
        policy = RequestPolicy(spacing_s=0)
        async with OpenWebif(
            address, connect_timeout_s=5, answer_timeout_s=5, policy=policy
        ) as web:
            assert await asyncio.gather(*(web.in_standby() for _ in range(10))) == [True] * 10
        assert box.gate.most_at_once == 1
        assert len(box.gate.requests) == 10


async def test_a_cancelled_request_lets_the_next_one_go() -> None:
    async with web_server(None, OK) as (url, asked):
        subject = transport(url, Time())
        asking = asyncio.create_task(subject.ask(request()))
        async with asyncio.timeout(60):
            while not asked:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait({asking})
        assert (await subject.ask(request())).status == httpx.codes.OK


async def test_an_urgent_request_goes_before_others_that_wait() -> None:
    async with SimulatedReceiver(answer_delay_s=0.05) as box:
        address = ReceiverAddress.parse(box.base_url)
        async with OpenWebif(address, connect_timeout_s=5, answer_timeout_s=5) as web:
            others = [asyncio.create_task(web.in_standby()) for _ in range(3)]
            await asyncio.sleep(0)
            await web.status()
            assert not others[-1].done()
            await asyncio.gather(*others)
        paths = list(box.gate.requests)
    assert paths == ["/api/powerstate", "/api/statusinfo", "/api/powerstate", "/api/powerstate"]


async def test_a_task_that_stops_waiting_for_the_lock_delays_no_other() -> None:
    turn = PriorityLock()
    got: list[int] = []

    async def take(number: int) -> None:
        async with turn.hold(urgent=number % 2 == 0):
            got.append(number)
            await asyncio.sleep(0)

    for turns in range(6):
        got.clear()
        taking = [asyncio.create_task(take(number)) for number in range(6)]
        for _ in range(turns):
            await asyncio.sleep(0)
        taking[2].cancel()
        taking[3].cancel()
        await asyncio.wait(taking)
        assert {0, 1, 4, 5} <= set(got)
    async with asyncio.timeout(60), turn.hold():
        pass


async def test_requests_go_on_after_the_receiver_has_stalled() -> None:
    async with SimulatedReceiver() as box:
        address = ReceiverAddress.parse(box.base_url)
        async with OpenWebif(address, connect_timeout_s=30, answer_timeout_s=2) as web:
            assert await web.in_standby()
            box.stall()
            assert isinstance(await failure(web.in_standby()), TimeLimitError)
            box.resume()
            assert await web.in_standby()
