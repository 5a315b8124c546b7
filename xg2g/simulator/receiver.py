"""A simulated Enigma2 receiver: its API, its stream port and its stream relay on real sockets."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Self

import uvicorn

from xg2g.simulator.air import BURST_S, Air, Clock, SystemClock
from xg2g.simulator.box import Box
from xg2g.simulator.connections import Listener
from xg2g.simulator.lineup import standard_lineup
from xg2g.simulator.openwebif import Gate, create_app
from xg2g.simulator.options import DEFAULT_GUIDE_DAYS, DEFAULT_TUNERS, Generation
from xg2g.simulator.relay import Relay
from xg2g.simulator.service import Service, parse_reference
from xg2g.simulator.stream_server import ActiveStream, Credentials, StreamServer
from xg2g.simulator.tuners import TunerPool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from starlette.types import ASGIApp

    from xg2g.simulator.service import Conditions


class SimulatedReceiver:
    """A simulated receiver: an async context manager that listens in the caller's event loop.

    Port 0 chooses a free port. `speed` is a factor on real time; None sends as fast as each viewer
    reads and waits for nothing. The constructor reads the clips and `sources`. It raises
    RecordingError, with a message for the user, for a source that cannot be served.

    Each program of `sources` becomes `copies` services, each on a transponder of its own.
    `channels` additional services are spread over `bouquets` bouquets. A burst holds `burst_s` of
    stream time. The web interface delays each answer by `answer_delay_s`, one after the other.
    With `whitelist` there is a list of services for the softcam relay, with the scrambled card.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        stream_port: int = 0,
        relay_port: int = 0,
        sources: Sequence[Path] = (),
        copies: int = 1,
        channels: int = 0,
        bouquets: int = 1,
        guide_days: int = DEFAULT_GUIDE_DAYS,
        tuners: int = DEFAULT_TUNERS,
        generation: Generation = Generation.O,
        answer_delay_s: float = 0.0,
        whitelist: bool = True,
        zaps_on_playlist: bool = False,
        api_credentials: Credentials | None = None,
        stream_credentials: Credentials | None = None,
        clock: Clock | None = None,
        speed: float | None = 1.0,
        burst_s: float = BURST_S,
    ) -> None:
        clock = clock or SystemClock()
        self._host = host
        self._port = port
        lineup = standard_lineup(sources, copies=copies, channels=channels, bouquets=bouquets)
        self.tuners = TunerPool(tuners, clock.now)
        self._air = Air(clock, clock.now(), speed, burst_s=burst_s)
        self._streams = StreamServer(lineup.services, self.tuners, self._air, stream_credentials)
        self.box = Box(
            lineup=lineup,
            streams=self._streams,
            tuners=self.tuners,
            air=self._air,
            generation=generation,
            guide_days=guide_days,
            whitelist=[s.reference for s in lineup.services.values() if s.relayed]
            if whitelist
            else None,
            zaps_on_playlist=zaps_on_playlist,
        )
        self.gate = Gate(self._air, api_credentials, answer_delay_s)
        self._stream_listener = Listener(self._streams.handle, host, stream_port)
        self._relay_listener = Listener(Relay(self._streams).handle, host, relay_port)
        self._power = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self.power_on()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.power_off()

    async def power_on(self) -> None:
        """Listen, on the same ports as before if it was on. Only when it is off."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._stream_listener)
            await stack.enter_async_context(self._relay_listener)
            api_socket = await _listening(self._host, self._port)
            self._port = api_socket.getsockname()[1]
            self.box.stream_port, self.box.relay_port = self.stream_port, self.relay_port
            self.box.authority = f"{self._client_host}:{self._port}"
            app = create_app(self.box, self.gate)
            await stack.enter_async_context(_ApiServer(app, api_socket))
            self._power = stack.pop_all()

    async def power_off(self) -> None:
        """Close every connection and stop listening, as in deep standby."""
        await self._power.aclose()

    async def restart(self, off_s: float) -> None:
        """Switch off, wait `off_s`, and switch on."""
        await self.power_off()
        await self._air.clock.sleep(off_s)
        await self.power_on()

    def stall(self) -> None:
        """Stop all streams and answers; connections stay open."""
        self._air.flowing.clear()

    def resume(self) -> None:
        """Continue after `stall`; the broadcast of the meantime is lost."""
        self._air.flowing.set()

    def start_recording(self, name_or_reference: str) -> bool:
        """Record a service, ending the oldest stream if no tuner is free; False if none is."""
        return self.box.start_recording(self.service(name_or_reference))

    def stop_recording(self, name_or_reference: str) -> None:
        """End a recording of the service; ValueError without one."""
        self.box.stop_recording(self.service(name_or_reference))

    @property
    def base_url(self) -> str:
        """Return the API's URL for a client on this machine."""
        return f"http://{self._client_host}:{self._port}"

    @property
    def stream_port(self) -> int:
        """Return the port of the streams, 8001 on a real receiver."""
        return self._stream_listener.port

    @property
    def relay_port(self) -> int:
        """Return the port of the stream relay, 17999 on a real receiver."""
        return self._relay_listener.port

    @property
    def services(self) -> Sequence[Service]:
        """Return all services, test cards first; their conditions may be changed."""
        return list(self.box.lineup.services.values())

    @property
    def active_streams(self) -> Sequence[ActiveStream]:
        """Return the streams that are being sent and hold a tuner."""
        return list(self._streams.active)

    def service(self, name_or_reference: str) -> Service:
        """Return the service with this name or reference; KeyError without one."""
        reference = parse_reference(name_or_reference)
        for service in self.services:
            if name_or_reference == service.name or reference == service.reference:
                return service
        raise KeyError(name_or_reference)

    def set_conditions(self, name_or_reference: str, conditions: Conditions) -> None:
        """Set a service's conditions for new viewers."""
        self.service(name_or_reference).conditions = conditions

    @property
    def _client_host(self) -> str:
        return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._host, self._host)


class _ApiServer(uvicorn.Server):
    """uvicorn in the caller's event loop: it leaves the signals alone, and ends at once."""

    def __init__(self, app: ASGIApp, listening: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
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
    """Return a listening socket; the kernel queues clients until the server accepts them."""
    loop = asyncio.get_running_loop()
    family, kind, protocol, _, address = (
        await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    )[0]
    listening = socket.socket(family, kind, protocol)
    if sys.platform != "win32":  # There it would let two programs listen at one port.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
    except OSError:
        listening.close()
        raise
    listening.listen(128)
    return listening
