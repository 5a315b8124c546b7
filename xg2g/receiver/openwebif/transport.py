"""Requests to the web interface, as a fragile receiver bears them.

A single thread of the receiver serves the television's screen and every web request. So requests
go one at a time, with a pause in between; parallel ones have crashed receivers. A connection that
fails is tried again, a slow answer is not: the receiver would do the work a second time. After
failures in a row it is left alone.

Handlers look at no method: a GET may zap, record or switch off. Only questions are asked here.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpx

from ...network.failures import is_refused, is_tls_trouble, redirect_target, why_no_connection
from ..address import ReceiverAddress, refused_login
from ..errors import (
    AddressRefusedError,
    CircuitOpenError,
    CredentialsError,
    ReceiverError,
    TimeLimitError,
    TlsError,
    UnexpectedAnswerError,
    UnreachableError,
)
from ..tls import receiver_tls
from .answers import Body, BodyError
from .circuit_breaker import BreakerState, CircuitBreaker
from .priority_lock import PriorityLock


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPolicy:
    """How the receiver is spared."""

    spacing_s: float = 0.1
    """Between two requests."""
    attempts: int = 3
    """For a request whose connection fails."""
    backoff_s: float = 0.5
    """Before the second attempt; doubled for each further one, and up to so much more by chance."""
    failure_threshold: int = 5
    """Connections and answers in a row that failed."""
    pause_s: float = 15.0
    """For how long the receiver is left alone then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One GET that changes nothing."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    deadline_s: float
    """From sending to the answer's last byte."""
    limit_bytes: int
    """Of the answer unpacked."""
    understood: frozenset[int] = frozenset({200})
    """Statuses that say something; any other raises."""
    urgent: bool = False
    """Somebody waits for a picture: it is asked before the others that wait."""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, complete."""

    status: int
    headers: httpx.Headers
    body: Body


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counters of what was asked."""

    requests: int = 0
    failures: int = 0
    """Requests that the receiver did not answer, or not in time."""
    breaker: BreakerState = BreakerState.CLOSED
    """Whether it is left alone now, after too many."""


class Transport:
    """The way to one receiver. Raises the errors of `xg2g.receiver.errors` and nothing else."""

    def __init__(
        self,
        address: ReceiverAddress,
        *,
        connect_timeout_s: float,
        policy: RequestPolicy,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`transport`, `now` and `sleep` are for tests."""
        self._address = address
        self._policy = policy
        self._now = now
        self._sleep = sleep
        self._transport = transport
        self._client = self._new_client(connect_timeout_s)
        self._lock = PriorityLock()
        self._free_at_s = now()
        self._breaker = self._new_breaker()
        self._requests = self._failures = 0

    @property
    def traffic(self) -> Traffic:
        """What was asked so far."""
        return Traffic(self._requests, self._failures, self._breaker.state_now)

    @property
    def url(self) -> str:
        """The web interface's URL without credentials: safe to show."""
        return self._address.url

    async def ask(self, request: Request) -> Response:
        """Ask when it is this request's turn, again if the connection fails."""
        pause_s = self._policy.backoff_s
        for _ in range(self._policy.attempts - 1):
            try:
                return await self._attempt(request)
            except UnreachableError as error:
                # Its subclasses (TLS, an open circuit breaker) would fail again.
                if type(error) is not UnreachableError:
                    raise
            await self._sleep(pause_s + random.uniform(0, self._policy.backoff_s))
            pause_s *= 2
        return await self._attempt(request)

    async def reconfigure(self, address: ReceiverAddress, *, connect_timeout_s: float) -> None:
        """Ask there from now on, without what went wrong before. A request that is under way is
        answered first."""
        async with self._lock.hold():
            old = self._client
            self._address = address
            self._client = self._new_client(connect_timeout_s)
            self._breaker = self._new_breaker()
            await old.aclose()

    async def aclose(self) -> None:
        """Close the connection. Closing again does nothing."""
        await self._client.aclose()

    def _new_client(self, connect_timeout_s: float) -> httpx.AsyncClient:
        credentials = self._address.credentials
        # The client's cookie jar matters: without its cookie each request makes a new session,
        # which the receiver keeps for 15 minutes. Credentials go unasked, or each costs a 401.
        return httpx.AsyncClient(
            base_url=f"{self._address.url}/",
            auth=httpx.BasicAuth(credentials.user, credentials.password) if credentials else None,
            timeout=httpx.Timeout(None, connect=connect_timeout_s),
            limits=httpx.Limits(max_connections=1),
            headers={"User-Agent": "xg2g", "Accept-Encoding": "gzip"},
            verify=receiver_tls(),
            trust_env=False,
            event_hooks={"response": [self._refuse_redirect]},
            transport=self._transport,
        )

    def _new_breaker(self) -> CircuitBreaker:
        policy = self._policy
        return CircuitBreaker(
            threshold=policy.failure_threshold, pause_s=policy.pause_s, now=self._now
        )

    async def _attempt(self, request: Request) -> Response:
        async with self._lock.hold(urgent=request.urgent):
            if resting := self._breaker.resting():
                wait_s = resting.until_s - self._now()
                raise CircuitOpenError(f"{resting.reason}; it is asked again in {wait_s:.0f} s")
            if (pause_s := self._free_at_s - self._now()) > 0:
                await self._sleep(pause_s)
            self._requests += 1
            try:
                answer = await self._exchange(request)
            except (UnreachableError, TimeLimitError) as error:
                self._failures += 1
                self._breaker.failed(str(error))
                raise
            except ReceiverError:
                self._breaker.succeeded()
                raise
            finally:
                self._free_at_s = self._now() + self._policy.spacing_s
            self._breaker.succeeded()
            return answer

    async def _exchange(self, request: Request) -> Response:
        """The only place where foreign exceptions become ours."""
        try:
            # httpx's timeouts start again with each read; a trickling answer needs one in all.
            async with asyncio.timeout(request.deadline_s):
                return await self._send(request)
        except (httpx.TimeoutException, TimeoutError) as error:
            if isinstance(error, httpx.ConnectTimeout):
                raise self._unreachable("it does not answer") from error
            raise TimeLimitError(
                f"the receiver at {self.url} took more than {request.deadline_s:g} s to answer; "
                "try again when it is less busy"
            ) from error
        except httpx.ConnectError as error:
            if is_tls_trouble(error):
                raise self._no_tls(why_no_connection(error)) from error
            if is_refused(error):
                raise self._nobody_listens(why_no_connection(error)) from error
            raise self._unreachable(why_no_connection(error)) from error
        except httpx.TransportError as error:
            raise self._unreachable(f"the connection broke ({error})") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self.no_openwebif(str(error)) from error

    async def _send(self, request: Request) -> Response:
        async with self._client.stream(
            "GET", request.path, params=request.query, headers=request.headers
        ) as response:
            if response.status_code not in request.understood:
                raise self._refusal(response.status_code)
            try:
                body = await Body.receive(response, limit_bytes=request.limit_bytes)
            except BodyError as error:
                raise self.no_openwebif(f"/{request.path}: {error}") from error
            return Response(response.status_code, response.headers, body)

    def _refusal(self, status: int) -> ReceiverError:
        if status == httpx.codes.UNAUTHORIZED:
            return CredentialsError(f"the receiver at {self.url} {refused_login(self._address)}")
        if status == httpx.codes.FORBIDDEN:
            return AddressRefusedError(
                f"the receiver at {self.url} refuses this computer's address; switch on "
                "authentication in OpenWebif's settings, or allow the address there"
            )
        return self.no_openwebif(f"HTTP status {status}")

    def _unreachable(self, why: str) -> UnreachableError:
        return UnreachableError(
            f"cannot reach the receiver at {self.url}: {why}; check the address, and that "
            "the receiver is on and not in deep standby"
        )

    def _nobody_listens(self, why: str) -> UnreachableError:
        return UnreachableError(
            f"cannot reach the receiver at {self.url}: {why}; it is on, but nothing listens there: "
            "start OpenWebif on it, or correct the port"
        )

    def _no_tls(self, why: str) -> TlsError:
        return TlsError(
            f"cannot reach the receiver at {self.url}: {why}; check that this port is that of "
            "HTTPS in OpenWebif's settings, or write http:// and the port of HTTP"
        )

    async def _refuse_redirect(self, response: httpx.Response) -> None:
        """Before httpx reads where it leads, since it may lead nowhere."""
        if not response.has_redirect_location:
            return
        asked = response.request.url
        target = redirect_target(str(asked), response.headers["location"])
        if target is None:
            raise self.no_openwebif(f"HTTP status {response.status_code}, which leads nowhere")
        # A receiver that has moved sends each path to the same at its new place.
        path = asked.path.removeprefix(self._address.path)
        raise UnexpectedAnswerError(
            f"{self.url} redirects to {target.removesuffix(path)}; "
            "set receiver.url to that if the receiver is there"
        )

    def no_openwebif(self, why: str) -> UnexpectedAnswerError:
        """The error for an answer that makes no sense."""
        return UnexpectedAnswerError(
            f"{self.url} does not answer as OpenWebif does ({why}); check the address"
        )
