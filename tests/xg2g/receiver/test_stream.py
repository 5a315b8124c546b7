"""Streams from the receiver's stream server, as it really behaves."""

import asyncio
from base64 import b64encode
from collections.abc import Callable

import pytest

from tests.harness.stream_server import (
    CRLF_ANSWER,
    PACKET,
    Connection,
    Script,
    plays_endlessly,
    says,
    says_then_stays_silent,
    upstream,
)
from tests.xg2g.receiver.clock import Time
from xg2g.receiver.address import Credentials, ReceiverAddress, StreamDeadlines
from xg2g.receiver.errors import (
    CredentialsError,
    NoSignalError,
    NoTunerError,
    ReceiverError,
    TimeLimitError,
    UnexpectedAnswerError,
    UnknownServiceError,
    UnreachableError,
)
from xg2g.receiver.openwebif import OpenWebif
from xg2g.receiver.relay_list import RelayList
from xg2g.receiver.service_reference import ServiceReference
from xg2g.receiver.stream import StreamClient
from xg2g.simulator import SimulatedReceiver

WITHIN_S = 60
"""For what comes at once, on a machine that is busy, too."""

pytestmark = pytest.mark.anyio

SERVICE = ServiceReference.parse("1:0:19:283D:3FB:1:C00000:0:0:0::A name with ? in it")
BODY_400 = b"HTTP/1.0 400 Bad Request\r\n\r\n"


def server_at(
    port: int,
    *,
    first_byte_s: float = 5,
    stall_s: float = 5,
    credentials: Credentials | None = None,
) -> StreamClient:
    address = ReceiverAddress.parse("http://127.0.0.1", stream_port=port, credentials=credentials)
    deadlines = StreamDeadlines(connect_s=5, first_byte_s=first_byte_s, stall_s=stall_s)
    return StreamClient(address, deadlines)


async def read_all(script: Script) -> bytes:
    received = b""
    async with upstream(script) as server, server_at(server.port).open(SERVICE) as stream:
        while chunk := await stream.read():
            received += chunk
    return received


async def failure_of_opening(
    script: Script, *, first_byte_s: float = 5, credentials: Credentials | None = None
) -> ReceiverError:
    async with upstream(script) as server:
        receiver = server_at(server.port, first_byte_s=first_byte_s, credentials=credentials)
        with pytest.raises(ReceiverError) as raised:
            async with receiver.open(SERVICE):
                pass
        if server.connections:
            await asyncio.wait_for(server.connections[0].closed_by_client.wait(), WITHIN_S)
    return raised.value


async def test_the_stream_is_what_follows_the_head_until_the_connection_ends() -> None:
    assert await read_all(says(CRLF_ANSWER, PACKET * 3, PACKET)) == PACKET * 4


async def test_head_and_stream_may_come_in_any_pieces() -> None:
    everything = CRLF_ANSWER + PACKET
    assert await read_all(says(*(bytes([byte]) for byte in everything))) == PACKET


async def test_a_relay_that_ends_its_lines_with_bare_lf_is_understood() -> None:
    answer = b"HTTP/1.0 200 OK\nConnection: Close\nServer: stream_enigma2\n\n"
    assert await read_all(says(answer + PACKET)) == PACKET


async def test_a_stream_that_begins_in_mid_packet_with_an_h_is_a_stream() -> None:
    assert await read_all(says(CRLF_ANSWER, b"H", b"TTQ" + PACKET)) == b"HTTQ" + PACKET
    assert await read_all(says(CRLF_ANSWER, b"HTT")) == b"HTT"


async def test_a_400_as_body_after_200_means_that_there_is_no_tuner() -> None:
    error = await failure_of_opening(says(CRLF_ANSWER, BODY_400))
    assert isinstance(error, NoTunerError)


async def test_a_400_as_body_is_recognised_in_pieces() -> None:
    error = await failure_of_opening(says(CRLF_ANSWER, b"H", b"TTP/1.0 4", b"00 Bad Request\r\n"))
    assert isinstance(error, NoTunerError)


async def test_a_real_400_means_the_same() -> None:
    assert isinstance(await failure_of_opening(says(BODY_400)), NoTunerError)


async def test_a_body_of_zero_bytes_means_that_there_was_no_lock() -> None:
    assert isinstance(await failure_of_opening(says(CRLF_ANSWER)), NoSignalError)


async def test_an_open_socket_without_a_byte_ends_at_the_deadline() -> None:
    error = await failure_of_opening(says_then_stays_silent(CRLF_ANSWER), first_byte_s=0.05)
    assert isinstance(error, TimeLimitError)


async def test_a_server_that_accepts_and_never_answers_ends_at_the_deadline() -> None:
    error = await failure_of_opening(says_then_stays_silent(), first_byte_s=0.05)
    assert isinstance(error, TimeLimitError)


async def test_wrong_credentials_are_told_from_everything_else() -> None:
    answer = b'HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="streamserver"\r\n\r\n'
    secret = Credentials("root", "geheim")
    error = await failure_of_opening(says(answer), credentials=secret)
    assert isinstance(error, CredentialsError)
    assert "refuses the password of user root" in str(error)
    missing = await failure_of_opening(says(answer))
    assert isinstance(missing, CredentialsError)
    assert "asks for a user and a password" in str(missing)
    assert "geheim" not in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nX: " + b"x" * 600_000,
        b"HTTP/1.0 200 OK\r\n" + b"X: y\r\n" * 10_000,
    ],
    ids=["nothing", "another protocol", "a redirect", "an endless line", "an endless head"],
)
async def test_another_server_on_the_stream_port_is_named_in_the_error(answer: bytes) -> None:
    assert isinstance(await failure_of_opening(says(answer)), UnexpectedAnswerError)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (b"\r\nLocation: https://root:geheim@box:8443/x?y", "https://box:8443/x;"),
        (b"\nserver: z\nlocation:/y", "/y;"),
        (b"", "an invalid URL;"),
    ],
)
async def test_the_error_for_a_redirect_names_its_target(location: bytes, target: str) -> None:
    answer = b"HTTP/1.1 301 Moved" + location + b"\r\n\r\n"
    error = await failure_of_opening(says(answer))
    assert isinstance(error, UnexpectedAnswerError)
    assert target in str(error)
    assert "geheim" not in str(error)


async def test_a_closed_port_is_unreachable() -> None:
    async with upstream(says()) as server:
        port = server.port
    with pytest.raises(UnreachableError, match="refused"):
        async with server_at(port).open(SERVICE):
            pass


async def test_a_stream_that_stands_still_ends_at_the_deadline() -> None:
    async with (
        upstream(says_then_stays_silent(CRLF_ANSWER, PACKET)) as server,
        server_at(server.port, stall_s=1).open(SERVICE) as stream,
    ):
        assert await stream.read() == PACKET
        with pytest.raises(TimeLimitError):
            await stream.read()


async def test_a_reset_in_mid_stream_is_a_broken_connection() -> None:
    broken = asyncio.Event()

    async def script(connection: Connection) -> None:
        await connection.send(CRLF_ANSWER + PACKET)
        await broken.wait()
        connection.reset()

    async with (
        upstream(script) as server,
        server_at(server.port).open(SERVICE) as stream,
    ):
        assert await stream.read() == PACKET
        broken.set()
        with pytest.raises(UnreachableError):
            await stream.read()


async def test_leaving_closes_the_connection_at_once_even_with_unread_bytes() -> None:
    async with upstream(plays_endlessly) as server:
        async with server_at(server.port).open(SERVICE) as stream:
            await stream.read()
        await asyncio.wait_for(server.connections[0].closed_by_client.wait(), WITHIN_S)


async def test_the_request_is_one_that_every_stream_server_reads() -> None:
    credentials = Credentials("root", "p:ä")
    async with upstream(says(CRLF_ANSWER, PACKET)) as server:
        async with server_at(server.port, credentials=credentials).open(SERVICE):
            pass
        # What one read returned: enigma2 and the relay parse no more than that.
        lines = server.connections[0].request[:512].split(b"\r\n")
        port = server.port
    assert lines[0] == b"GET /1:0:19:283D:3FB:1:C00000:0:0:0: HTTP/1.0"
    assert lines[1] == b"Host: 127.0.0.1:%d" % port
    assert lines[2] == b"Authorization: Basic " + b64encode("root:p:ä".encode())
    assert server.connections[0].request.endswith(b"\r\n\r\n")


async def test_credentials_too_long_for_the_stream_server_are_refused_before_asking() -> None:
    error = await failure_of_opening(
        says(CRLF_ANSWER, PACKET), credentials=Credentials("root", "x" * 400)
    )
    assert isinstance(error, CredentialsError)


RELAY_ANSWER = (
    b"HTTP/1.0 200 OK\nConnection: Close\nContent-Type: video/mpeg\nServer: stream_enigma2\n\n"
)


def with_relay(
    direct: int,
    relay: int,
    time: Time | None = None,
    *,
    first_byte_s: float = 5,
    failed: Callable[[], None] = lambda: None,
) -> StreamClient:
    """One of which every service is on the list of the relay."""

    async def relayed(_: ServiceReference) -> bool:
        return True

    time = time or Time()
    return StreamClient(
        ReceiverAddress.parse("http://127.0.0.1", stream_port=direct, relay_port=relay),
        StreamDeadlines(connect_s=5, first_byte_s=first_byte_s, stall_s=5),
        relayed=relayed,
        relay_failed=failed,
        now=time.now,
        sleep=time.sleep,
    )


async def test_a_service_on_the_relays_list_comes_from_the_relay() -> None:
    async with upstream(says()) as direct, upstream(says(RELAY_ANSWER, PACKET)) as relay:
        async with with_relay(direct.port, relay.port).open(SERVICE) as stream:
            assert await stream.read() == PACKET
        assert not direct.connections
        lines = relay.connections[0].request.split(b"\r\n")
    assert lines[0] == b"GET /1:0:19:283D:3FB:1:C00000:0:0:0: HTTP/1.0", "raw colons"
    assert lines[1] == f"Host: 127.0.0.1:{relay.port}".encode(), "the relay dials that address"


async def test_other_services_come_from_the_stream_server() -> None:
    async def relayed(service: ServiceReference) -> bool:
        return service.sid == 7

    async with upstream(says(CRLF_ANSWER, PACKET)) as direct, upstream(says()) as relay:
        address = ReceiverAddress.parse(
            "http://127.0.0.1", stream_port=direct.port, relay_port=relay.port
        )
        deadlines = StreamDeadlines(connect_s=5, first_byte_s=5, stall_s=5)
        async with StreamClient(address, deadlines, relayed=relayed).open(SERVICE) as stream:
            assert await stream.read() == PACKET
        assert not relay.connections


async def test_the_stream_server_replaces_a_relay_that_does_not_run() -> None:
    async with upstream(says()) as closed:
        port = closed.port
    async with (
        upstream(says(CRLF_ANSWER, PACKET)) as direct,
        with_relay(direct.port, port).open(SERVICE) as stream,
    ):
        assert await stream.read() == PACKET


@pytest.mark.parametrize(
    "relay",
    [
        says(RELAY_ANSWER),
        says(),
        says_then_stays_silent(RELAY_ANSWER),
        says_then_stays_silent(),
        says(RELAY_ANSWER, BODY_400),
    ],
    ids=["ends at once", "closes", "answers and is silent", "is silent", "refuses"],
)
async def test_when_the_relay_sends_nothing_the_stream_server_is_tried_once(relay: Script) -> None:
    failures: list[bool] = []
    async with upstream(says(CRLF_ANSWER, PACKET)) as direct, upstream(relay) as softcam:
        server = with_relay(
            direct.port, softcam.port, first_byte_s=4, failed=lambda: failures.append(True)
        )
        async with server.open(SERVICE) as stream:
            assert await stream.read() == PACKET
            await asyncio.wait_for(softcam.connections[0].closed_by_client.wait(), WITHIN_S)
        assert len(softcam.connections) == len(direct.connections) == len(failures) == 1


def begins_after(delay_s: float, answer: bytes) -> Script:
    async def script(connection: Connection) -> None:
        await connection.send(answer)
        await asyncio.sleep(delay_s)
        await connection.send(PACKET)
        await connection.stay_silent()

    return script


@pytest.mark.parametrize("which", ["relay", "stream server"])
async def test_relay_and_stream_server_each_have_half_of_the_time(which: str) -> None:
    """A relay that is silent leaves the stream server the time that a tuner takes."""
    patience_s = 4
    late, silent = patience_s / 8, says_then_stays_silent(RELAY_ANSWER)
    relay_script = begins_after(late, RELAY_ANSWER) if which == "relay" else silent
    async with (
        upstream(begins_after(late, CRLF_ANSWER)) as direct,
        upstream(relay_script) as softcam,
    ):

        async def relayed(_: ServiceReference) -> bool:
            return True

        server = StreamClient(
            ReceiverAddress.parse(
                "http://127.0.0.1", stream_port=direct.port, relay_port=softcam.port
            ),
            StreamDeadlines(connect_s=5, first_byte_s=patience_s, stall_s=5),
            relayed=relayed,
        )
        async with server.open(SERVICE) as stream:
            assert await stream.read() == PACKET
        assert len(direct.connections) == (which == "stream server")


async def test_when_neither_sends_anything_the_stream_servers_error_counts() -> None:
    async with (
        upstream(says(CRLF_ANSWER, BODY_400)) as direct,
        upstream(says(RELAY_ANSWER)) as softcam,
    ):
        with pytest.raises(NoTunerError):
            async with with_relay(direct.port, softcam.port).open(SERVICE):
                pass


async def test_a_cancelled_opening_closes_the_connection_to_a_silent_relay() -> None:
    async with (
        upstream(says(CRLF_ANSWER, PACKET)) as direct,
        upstream(says_then_stays_silent(RELAY_ANSWER)) as softcam,
    ):

        async def watch() -> None:
            async with with_relay(direct.port, softcam.port).open(SERVICE):
                pass

        watching = asyncio.create_task(watch())
        async with asyncio.timeout(WITHIN_S):
            while not softcam.connections:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.wait_for(softcam.connections[0].closed_by_client.wait(), WITHIN_S)
        assert not direct.connections


async def test_requests_to_the_relay_are_a_second_apart() -> None:
    time = Time()
    async with upstream(says(RELAY_ANSWER, PACKET)) as relay:
        server = with_relay(1, relay.port, time)
        for _ in range(3):
            async with server.open(SERVICE):
                pass
    assert [slept for slept in time.slept if slept] == [1.0, 1.0]


async def test_a_refusal_is_explained_once_its_connection_is_closed() -> None:
    async with upstream(says(CRLF_ANSWER, BODY_400)) as server:
        closed_first: list[bool] = []

        async def explain(service: ServiceReference) -> ReceiverError | None:
            await asyncio.wait_for(server.connections[-1].closed_by_client.wait(), WITHIN_S)
            closed_first.append(service == SERVICE)
            return UnknownServiceError("gone") if len(closed_first) == 1 else None

        address = ReceiverAddress.parse("http://127.0.0.1", stream_port=server.port)
        deadlines = StreamDeadlines(connect_s=5, first_byte_s=5, stall_s=5)
        receiver = StreamClient(address, deadlines, explain=explain)
        with pytest.raises(UnknownServiceError, match="gone"):
            async with receiver.open(SERVICE):
                pass
        with pytest.raises(NoTunerError):
            async with receiver.open(SERVICE):
                pass
    assert closed_first == [True, True]


async def test_the_simulated_relay_descrambles() -> None:
    async with SimulatedReceiver(speed=None) as box:
        address = ReceiverAddress.parse(
            box.base_url, stream_port=box.stream_port, relay_port=box.relay_port
        )
        deadlines = StreamDeadlines(connect_s=5, first_byte_s=5, stall_s=5)
        scrambled = ServiceReference.parse("1:0:19:68:1:1:C00000:0:0:0:")
        async with OpenWebif(address, connect_timeout_s=5, answer_timeout_s=5) as web:
            server = StreamClient(address, deadlines, relayed=RelayList(web).includes)
            async with server.open(scrambled) as stream:
                sent = await stream.read()
                while len(sent) < 188 * 1000:
                    sent += await stream.read()
    assert not any(sent[at + 3] & 0xC0 for at in range(0, len(sent) - 188, 188))
