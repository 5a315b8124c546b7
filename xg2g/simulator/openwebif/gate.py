"""Access control, sessions, and the single thread that answers every request."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from inspect import isawaitable
from ipaddress import ip_address
from secrets import token_hex

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from xg2g.simulator.air import Air
from xg2g.simulator.openwebif.answer_faults import AnswerFault
from xg2g.simulator.openwebif.responses import Handler, processing_failed, whole
from xg2g.simulator.stream_server import Credentials

# A box keeps each for 15 minutes; here the oldest is forgotten instead.
_MAX_SESSIONS = 256
_MAX_REMEMBERED = 10_000


@dataclass
class Gate:
    """The part that every request passes.

    Without `credentials` it answers private addresses only; with them it requires Basic
    authentication, or a session that was opened with it.
    """

    air: Air
    credentials: Credentials | None
    answer_delay_s: float = 0.0
    """Delay of every answer."""
    requests: deque[str] = field(default_factory=lambda: deque(maxlen=_MAX_REMEMBERED))
    """Path and query of the requests, oldest first."""
    most_at_once: int = 0
    """Maximum number of requests that waited together; a polite client keeps it at 1."""
    answer_faults: dict[str, AnswerFault] = field(default_factory=dict)
    """The fault of each path's answers."""

    def __post_init__(self) -> None:
        self._sessions: deque[str] = deque(maxlen=_MAX_SESSIONS)
        self._at_once = 0
        self._thread = asyncio.Lock()

    def guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Return the handler behind the gate."""

        async def endpoint(request: Request) -> Response:
            self.requests.append(f"{request.url.path}?{request.url.query}".removesuffix("?"))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            try:
                async with self._thread:
                    response = await self._answer(handler, request)
                # As Twisted writes it into every answer.
                response.headers["Date"] = format_datetime(self.air.utc(), usegmt=True)
                return response
            finally:
                self._at_once -= 1

        return endpoint

    async def _answer(self, handler: Handler, request: Request) -> Response:
        await self.air.flowing.wait()
        if self.answer_delay_s:
            await self.air.clock.sleep(self.answer_delay_s)
        known = request.cookies.get("TWISTED_SESSION") in self._sessions
        refusal = None if known else self._refusal(request)
        if refusal is not None:
            return refusal
        try:
            answer = handler(request)
            response = await answer if isawaitable(answer) else answer
            if fault := self.answer_faults.get(request.url.path):
                response = fault(await whole(response))
        except Exception:
            response = processing_failed()
        if not known:
            self._sessions.append(token_hex(16))
            response.set_cookie("TWISTED_SESSION", self._sessions[-1])
        return response

    def _refusal(self, request: Request) -> Response | None:
        if self.credentials is not None:
            wanted = b"Basic " + self.credentials.token
            if request.headers.get("authorization", "").encode() == wanted:
                return None
            challenge = {"WWW-Authenticate": 'Basic realm="OpenWebif"'}
            return HTMLResponse("<h1>401 Authorization required</h1>", 401, challenge)
        # The header of a proxy replaces the peer's address, even that of the machine itself.
        peer = request.client.host if request.client else ""
        peer = request.headers.get("x-forwarded-for", peer)
        if ip_address(peer).is_private:
            return None
        return HTMLResponse("<h1>403.6 IP address rejected</h1>", 403)
