"""A simulated Enigma2 receiver: its API, its stream port and its stream relay on real sockets."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Self

import uvicorn

from xg2g.simulator.clock import Clock, SystemClock
from xg2g.simulator.connections import Listener
from xg2g.simulator.lineup import standard_lineup
from xg2g.simulator.openwebif import OpenWebif
from xg2g.simulator.relay import Relay
from xg2g.simulator.service import Service, parse_reference
from xg2g.simulator.stream_server import ActiveStream, Credentials, StreamServer
from xg2g.simulator.transmission import Air
from xg2g.simulator.tuners import TunerPool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from xg2g.simulator.conditions import Conditions

# As a receiver with a full-band-capture tuner has.
DEFAULT_TUNERS = 8


class SimulatedReceiver:
    """An async context manager: listens from entering to leaving, in the caller's event loop.

    Port 0 takes any free port. `speed` is a factor on real time; None sends as fast as each viewer
    reads and waits for nothing. Constructing it reads the clips and `sources`, and raises
    RecordingError, with a message for the user, for a source that cannot be served.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        stream_port: int = 0,
        relay_port: int = 0,
        sources: Sequence[Path] = (),
        tuners: int = DEFAULT_TUNERS,
        api_credentials: Credentials | None = None,
        stream_credentials: Credentials | None = None,
        clock: Clock | None = None,
        speed: float | None = 1.0,
    ) -> None:
        clock = clock or SystemClock()
        self._host = host
        self._port = port
        self._clock = clock
        self._api_credentials = api_credentials
        self._lineup = standard_lineup(sources)
        self.tuners = TunerPool(tuners, clock.now)
        air = Air(clock, clock.now(), speed)
        self._streams = StreamServer(self._lineup.services, self.tuners, air, stream_credentials)
        self._stream_listener = Listener(self._streams.handle, host, stream_port)
        self._relay_listener = Listener(Relay(self._streams).handle, host, relay_port)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._stream_listener)
            await stack.enter_async_context(self._relay_listener)
            self._api_socket = await _listening(self._host, self._port)
            openwebif = OpenWebif(
                self._lineup,
                self._streams,
                self.tuners,
                self._clock.utc,
                self.stream_port,
                self._api_credentials,
            )
            await stack.enter_async_context(_ApiServer(openwebif, self._api_socket))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @property
    def base_url(self) -> str:
        """Where the API is, for a client on this machine."""
        return f"http://{self._client_host}:{self._api_socket.getsockname()[1]}"

    @property
    def stream_port(self) -> int:
        """The port of the streams, 8001 on a real receiver."""
        return self._stream_listener.port

    @property
    def relay_port(self) -> int:
        """The port of the stream relay, 17999 on a real receiver."""
        return self._relay_listener.port

    @property
    def services(self) -> Sequence[Service]:
        """All services, test cards first; their conditions may be changed."""
        return list(self._lineup.services.values())

    @property
    def active_streams(self) -> Sequence[ActiveStream]:
        """The streams that are being sent and hold a tuner."""
        return list(self._streams.active)

    def service(self, name_or_reference: str) -> Service:
        """The service of that name or reference; KeyError if there is none."""
        reference = parse_reference(name_or_reference)
        for service in self.services:
            if name_or_reference == service.name or reference == service.reference:
                return service
        raise KeyError(name_or_reference)

    def set_conditions(self, name_or_reference: str, conditions: Conditions) -> None:
        """Makes a service behave so for the viewers that come from now on."""
        self.service(name_or_reference).conditions = conditions

    @property
    def _client_host(self) -> str:
        return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._host, self._host)


class _ApiServer(uvicorn.Server):
    """uvicorn inside somebody else's event loop: the signals stay theirs, and it ends at once."""

    def __init__(self, openwebif: OpenWebif, listening: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                openwebif.app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._socket = listening
        self._ended = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self._ended.wait()

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self.serve(sockets=[self._socket]))
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        await self._serving


async def _listening(host: str, port: int) -> socket.socket:
    """A bound and listening socket; the kernel queues clients until the server takes them up."""
    loop = asyncio.get_running_loop()
    family, kind, protocol, _, address = (
        await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    )[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
    except OSError:
        listening.close()
        raise
    listening.listen(128)
    return listening
