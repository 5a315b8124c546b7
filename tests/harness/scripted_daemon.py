"""The daemon on a real socket, over a scripted stream server and the fake backend."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from tests.harness.fake_backend import FakeBackend
from tests.harness.stream_server import Script, Upstream, upstream
from xg2g.app.asgi import Gateway, create_app
from xg2g.app.collectors import ReceiverCollector
from xg2g.app.listening import listen
from xg2g.app.server import serve
from xg2g.guide.refresher import Refresher
from xg2g.hdhomerun.identity import Identity
from xg2g.lineup.arrangement import Bouquet, Service
from xg2g.lineup.keeper import LineupKeeper
from xg2g.lineup.picons import Picons, PiconSource
from xg2g.metrics import Metrics, Outcome
from xg2g.network.hosts import AllowedHosts
from xg2g.network.origins import AllowedOrigins
from xg2g.outputs.failures import Failures
from xg2g.outputs.hls.options import HlsOptions
from xg2g.outputs.hls.outputs import HlsOutputs
from xg2g.outputs.stop_event import StopEvent
from xg2g.outputs.viewers import Viewers
from xg2g.readiness import Part, Readiness
from xg2g.readiness.streams import WatchedStreams
from xg2g.readiness.transcoders import WatchedBackend, probe_backend
from xg2g.receiver.address import ReceiverAddress, StreamDeadlines
from xg2g.receiver.errors import ReceiverError, TimeLimitError
from xg2g.receiver.openwebif import ListedService, Picon, Traffic
from xg2g.receiver.service_reference import ServiceReference
from xg2g.receiver.stream import StreamClient
from xg2g.store.location import open_database
from xg2g.streaming.hub import Hub
from xg2g.streaming.iptv import IptvClient, StreamRouter
from xg2g.web.http.access import Access
from xg2g.web.pages.built_page import BuiltPage
from xg2g_backends.base import RemuxOptions
from xg2g_backends.joining import Joiner

REFERENCE = "1:0:19:283D:3FB:1:C00000:0:0:0:"
STREAM = "/stream/1_0_19_283D_3FB_1_C00000_0_0_0.ts"
LISTED = Service(ServiceReference.parse(REFERENCE), "Das Erste HD")
BOUQUETS = [Bouquet("TV", (LISTED,))]

WITHIN_S = 8
"""What has to happen at once happens in this time on a busy machine, too. A deadline of the daemon
is longer, so that it cannot be what makes it happen."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nothing announces."""
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class NoLogos:
    async def picon(self, service: ListedService) -> Picon | None:
        return None


async def _silence() -> None:
    """A receiver that answers nothing."""
    raise TimeLimitError("the receiver does not answer")


@dataclass
class Daemon:
    """A daemon that serves."""

    port: int
    gateway: Gateway
    refresher: Refresher
    backend: FakeBackend
    upstream: Upstream
    serving: asyncio.Task[None]
    clients: list[asyncio.StreamWriter] = field(default_factory=list)
    """Whatever a test leaves open is closed at its end: uvloop waits for it, a failed test would
    never end."""

    async def connect(
        self, source: str = "127.0.0.1"
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        opened = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
        self.clients.append(opened[1])
        return opened

    async def ask(
        self, request: str, *, source: str = "127.0.0.1"
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request of HTTP/1.0 and return status, headers and the whole body."""
        reader, writer = await self.connect(source)
        writer.write(request.replace("\n", "\r\n").encode())
        answer = await reader.read()
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {key.lower(): value for key, value in (line.split(": ", 1) for line in lines)}
        return int(first.split()[1]), headers, body

    async def get(
        self, path: str, *, method: str = "GET", source: str = "127.0.0.1"
    ) -> tuple[int, dict[str, str], bytes]:
        return await self.ask(f"{method} {path} HTTP/1.0\nHost: gateway:8088\n\n", source=source)

    async def watch(
        self, path: str = STREAM, *, source: str = "127.0.0.1"
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Begin to watch and return with the first bytes of the body read."""
        reader, writer = await self.connect(source)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: gateway\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        await reader.readexactly(188)
        return reader, writer

    async def ended(self, outcome: Outcome, times: int = 1) -> None:
        """Wait until this many streams have ended with this outcome."""
        count = self.gateway.metrics.outcomes.labels(outcome)._value
        await until(lambda: count.get() >= times)
        assert count.get() == times

    async def stop(self) -> None:
        """Stop it with SIGTERM, as a service manager does."""
        if not self.serving.done():
            signal.raise_signal(signal.SIGTERM)
            await self.serving


@asynccontextmanager
async def daemon(
    script: Script,
    *,
    bouquets: Sequence[Bouquet] | ReceiverError = BOUQUETS,
    first_byte_s: float = 10,
    stall_s: float = 5,
    pause_limit_s: float = 60,
    public_url: str | None = None,
    logos: PiconSource | None = None,
    linger_s: float = 0,
    reconnect_s: float = 0,
    now: Callable[[], float] = time.monotonic,
    tuner_limit: int | None = None,
    access: Access | None = None,
    host: str = "127.0.0.1",
    tuner_bouquets: tuple[str, ...] = (),
    has_guide: bool = False,
    web_origins: tuple[str, ...] = (),
    ask: Callable[[], Awaitable[object]] | None = None,
    page: BuiltPage | None = None,
    hls: bool = False,
) -> AsyncIterator[Daemon]:
    async def read_bouquets() -> Sequence[Bouquet]:
        if isinstance(bouquets, ReceiverError):
            raise bouquets
        return bouquets

    metrics = Metrics()
    metrics.registry.register(ReceiverCollector(Traffic))
    backend = FakeBackend(begins_anywhere=True)
    readiness = Readiness()
    readiness.watch(Part.TRANSCODER, partial(probe_backend, backend))
    async with (
        upstream(script) as server,
        open_database(None, keep=False) as database,
        aclosing(Picons(logos or NoLogos(), database)) as picons,
    ):
        keeper = LineupKeeper(read_bouquets, database, clock_s=time.monotonic)
        if not isinstance(bouquets, ReceiverError):
            await keeper.load()
        refresher = Refresher(keeper, interval_s=3600)
        hub = _hub(
            server,
            WatchedBackend(backend, readiness),
            readiness,
            metrics,
            StreamDeadlines(connect_s=5, first_byte_s=first_byte_s, stall_s=stall_s),
            ask=ask or _silence,
            linger_s=linger_s,
            reconnect_s=reconnect_s,
            limit=tuner_limit,
            now=now,
        )
        stopping, viewers, failures = StopEvent(), Viewers(), Failures()
        outputs = HlsOutputs(
            hub,
            HlsOptions(),
            metrics=metrics,
            viewers=viewers,
            failures=failures,
            stopping=stopping,
        )
        gateway = Gateway(
            lineup_keeper=keeper,
            refresher=refresher,
            access=access or Access(),
            database=database,
            picons=picons,
            hub=hub,
            identity=await database.write(Identity.load_or_make),
            name="xg2g",
            metrics=metrics,
            readiness=readiness,
            pause_limit_s=pause_limit_s,
            tuner_bouquets=tuner_bouquets,
            has_guide=has_guide,
            origins=AllowedOrigins(AllowedHosts(), web_origins),
            public_url=public_url,
            stopping=stopping,
            viewers=viewers,
            failures=failures,
            hls=outputs if hls else None,
            page=page,
        )
        with listen(host, 0) as listener:
            serving = await _serving(gateway, listener)
            port = listener.getsockname()[1]
            running = Daemon(port, gateway, refresher, backend, server, serving)
            try:
                yield running
            finally:
                await running.stop()
                for client in running.clients:
                    client.transport.abort()
                await outputs.aclose()
                await hub.aclose()


def _hub(
    server: Upstream,
    backend: WatchedBackend,
    readiness: Readiness,
    metrics: Metrics,
    deadlines: StreamDeadlines,
    *,
    ask: Callable[[], Awaitable[object]],
    linger_s: float,
    reconnect_s: float,
    limit: int | None,
    now: Callable[[], float],
) -> Hub:
    """Return the hub of the streams that the scripted server sends."""
    address = ReceiverAddress.parse("http://127.0.0.1", stream_port=server.port)
    streams = WatchedStreams(StreamClient(address, deadlines), address, readiness, ask)
    readiness.watch(Part.STREAM_SERVER, streams.probe)
    return Hub(
        StreamRouter(streams, IptvClient("box", deadlines)),
        backend,
        RemuxOptions(),
        metrics=metrics,
        linger_s=linger_s,
        first_output_s=deadlines.first_byte_s,
        reconnect_s=reconnect_s,
        limit=limit,
        make_joiner=Joiner,
        now=now,
    )


async def _serving(gateway: Gateway, listener: socket.socket) -> asyncio.Task[None]:
    """Return the task that serves, once it does."""
    ready = asyncio.Event()
    serving = asyncio.create_task(
        serve(
            create_app(gateway),
            [listener],
            on_ready=ready.set,
            on_stop=gateway.stopping.set,
        )
    )
    await ready.wait()
    return serving
