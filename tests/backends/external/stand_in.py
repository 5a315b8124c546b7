"""A transcoder service that follows a script, for what a healthy one never shows.

It speaks the interface as the real one does, converts nothing, and gives back whole packets as they
came, with everything that it was sent kept for the test to look at. Each answer with packets begins
with a random access point, whose tables are the packet there.
"""

import asyncio
import json
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any
from urllib.parse import parse_qs, urlsplit

import h11

from xg2g_backends.external.address import ServiceAddress

PACKET_BYTES = 188


class Fault(Enum):
    """What happens to a request instead of an answer."""

    CUT_BEFORE = auto()
    """The connection ends before anything was done."""
    CUT_AFTER = auto()
    """It was done; the connection ends before the answer."""
    CUT_WITHIN = auto()
    """It was done; the connection ends within the answer."""
    SILENCE = auto()
    """It was done; no answer ever comes."""


@dataclass(frozen=True)
class Refusal:
    """A problem as answer."""

    status: int
    kind: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Remote:
    """A remuxer of the stand-in."""

    options: dict[str, Any]
    bodies: list[bytes] = field(default_factory=list)
    """What was processed, each once."""
    held: bytes = b""
    answer: bytes = b""
    points: str = ""
    """Header of `answer`."""
    given_bytes: int = 0
    seq: int = 0


class StandIn:
    """The service's behaviour. `faults` are taken by the next process and finish requests, and
    `refusals` by those that open."""

    def __init__(self) -> None:
        self.faults: deque[Fault | Refusal | None] = deque()
        self.refusals: deque[Refusal] = deque()
        self.token: str | None = None
        self.frozen = asyncio.Event()
        """Cleared, it accepts connections and requests and answers nobody, as a process that was
        stopped; what it was asked meanwhile is answered when it goes on."""
        self.frozen.set()
        self.description: dict[str, Any] = {
            "service": "xg2g-transcoder",
            "version": "0.1.0",
            "api": 1,
            "versions": {"xg2g-transcoder": "0.1.0"},
            "open_remuxers": 0,
            "max_remuxers": 8,
            "max_body_bytes": 1_000_000,
        }
        self.location = "/v1/remuxers/"
        self.points: str | None = None
        """Sent for the points of each answer; empty for no header at all."""
        self.last_points: deque[str] = deque()
        """Sent for those of `finish`, one with each call."""
        self.remotes: dict[str, Remote] = {}
        self.all: list[Remote] = []
        self.requests: list[str] = []
        self.connections = 0
        self.opened_on: list[asyncio.StreamWriter] = []
        self.addresses: list[ServiceAddress] = []

    @property
    def address(self) -> ServiceAddress:
        return self.addresses[0]

    def die(self) -> None:
        """Forget every remuxer, as a restart does."""
        self.remotes.clear()

    def serve(self, request: h11.Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Do what is asked and return status, headers and body."""
        method, target = request.method.decode(), urlsplit(request.target.decode())
        self.requests.append(f"{method} {request.target.decode()}")
        given = dict(request.headers).get(b"authorization", b"").decode()
        if self.token is not None and given != f"Bearer {self.token}":
            return _problem(Refusal(401, "Unauthorized"))
        match method, target.path.split("/")[1:]:
            case "GET", ["v1"]:
                open_remuxers = len(self.remotes) or self.description.get("open_remuxers")
                return _json(200, {**self.description, "open_remuxers": open_remuxers})
            case "POST", ["v1", "remuxers"]:
                return self._open(body)
            case "DELETE", ["v1", "remuxers", name] if self.remotes.pop(name, None):
                return 204, {}, b""
            case "GET", ["v1", "remuxers", name] if name in self.remotes:
                bodies = self.remotes[name].bodies
                return _json(200, {"bytes_in": sum(map(len, bodies)), "packets_in": 7})
            case "POST", ["v1", "remuxers", name, "process" | "finish" as call] if (
                name in self.remotes
            ):
                seq = int(parse_qs(target.query)["seq"][0])
                return self._numbered(self.remotes[name], seq, body, finishes=call == "finish")
        return _problem(Refusal(404, "NotFound"))

    def _open(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if self.refusals:
            return _problem(self.refusals.popleft())
        name = f"remote{len(self.all)}"
        self.all.append(Remote(json.loads(body)))
        self.remotes[name] = self.all[-1]
        return _json(201, {"id": name}, {"location": f"{self.location}{name}"})

    def _numbered(
        self, remote: Remote, seq: int, body: bytes, *, finishes: bool
    ) -> tuple[int, dict[str, str], bytes]:
        if seq == remote.seq:
            remote.bodies.append(body)
            held = remote.held + body
            whole = len(held) - len(held) % PACKET_BYTES
            remote.answer, remote.held = held[:whole], held[whole:]
            remote.points = self.points if self.points is not None else _points(remote)
            if finishes:
                remote.points = self.last_points.popleft() if self.last_points else ""
            remote.given_bytes += whole
            remote.seq += 1
        elif seq != remote.seq - 1:
            return _problem(Refusal(409, "BadSequence"))
        headers = {"content-type": "video/mp2t"}
        if remote.points:
            headers["xg2g-points"] = remote.points
        return 200, headers, remote.answer

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        connection = h11.Connection(h11.SERVER)
        try:
            while await self._exchange(connection, reader, writer):
                if connection.our_state is h11.MUST_CLOSE:
                    break
                connection.start_next_cycle()
        except (h11.RemoteProtocolError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    async def _exchange(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        request, body = await _request(connection, reader)
        await self.frozen.wait()
        if request is None:
            return False
        numbered = b"?seq=" in request.target
        fault = self.faults.popleft() if numbered and self.faults else None
        if isinstance(fault, Refusal):
            status, headers, answer = _problem(fault)
        elif fault is Fault.CUT_BEFORE:
            return False
        else:
            status, headers, answer = self.serve(request, body)
            if status == 201:
                self.opened_on.append(writer)
        if fault is Fault.SILENCE:
            await reader.read()
        if fault in (Fault.CUT_AFTER, Fault.SILENCE):
            return False
        headers["content-length"] = str(len(answer))
        writer.write(
            connection.send(h11.Response(status_code=status, headers=list(headers.items())))
        )
        if fault is Fault.CUT_WITHIN:
            writer.write(connection.send(h11.Data(data=answer[: len(answer) // 2])))
            await writer.drain()
            return False
        writer.write(connection.send(h11.Data(data=answer)))
        writer.write(connection.send(h11.EndOfMessage()))
        await writer.drain()
        return True


async def _request(
    connection: h11.Connection, reader: asyncio.StreamReader
) -> tuple[h11.Request | None, bytes]:
    request: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return request, body
        else:
            return None, b""


def point(offset: int, **fields: Any) -> str:
    """A random access point as it is sent."""
    return json.dumps({"offset": offset, "kind": "random_access", "program": 101, **fields})


def _points(remote: Remote) -> str:
    if not remote.answer.startswith(b"G"):
        return ""
    packet = remote.answer[:PACKET_BYTES].rstrip(b"\xff")
    return f"[{point(remote.given_bytes, tables=[b64encode(packet).decode()])}]"


def _json(
    status: int, content: object, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    return (
        status,
        {"content-type": "application/json", **(headers or {})},
        json.dumps(content).encode(),
    )


def _problem(refusal: Refusal) -> tuple[int, dict[str, str], bytes]:
    content = {"status": refusal.status, "kind": refusal.kind, "detail": f"{refusal.kind}, it says"}
    return _json(refusal.status, content, dict(refusal.headers))


@asynccontextmanager
async def stand_in(port: int = 0) -> AsyncIterator[StandIn]:
    """Run a stand-in on a port; it ends with its connections, as a process does."""
    service = StandIn()
    tasks: set[asyncio.Task[None]] = set()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(service.run(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accepted, "127.0.0.1", port)
    port = server.sockets[0].getsockname()[1]
    service.addresses.append(ServiceAddress.parse(f"http://127.0.0.1:{port}"))
    try:
        yield service
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await asyncio.sleep(0)
