"""Requests to the web interface of a receiver, which is easily overloaded.

A single thread of the receiver serves the television's screen and every web request. So requests
go one at a time, with a pause in between; parallel ones have crashed receivers. A request is
repeated when its connection fails, but not when the answer is slow: the receiver would do the work
a second time. After several failures in a row, requests pause.

OpenWebif ignores the method: a GET may zap, record or switch off. Only requests that change nothing
are made here.
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
    """Limits on requests, which keep the receiver from being overloaded."""

    spacing_s: float = 0.1
    """Pause between two requests."""
    attempts: int = 3
    """Attempts at a request whose connection fails."""
    backoff_s: float = 0.5
    """Pause before the second attempt, doubled before each further one. A random share of this
    value is added."""
    failure_threshold: int = 5
    """Failed connections and answers in a row, after which requests pause."""
    pause_s: float = 15.0
    """Length of that pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A GET that changes nothing."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    deadline_s: float
    """Limit from sending to the last byte of the response."""
    limit_bytes: int
    """Limit of the decompressed body."""
    accepted_statuses: frozenset[int] = frozenset({200})
    """Statuses that are returned; any other raises."""
    urgent: bool = False
    """A viewer waits for the response: the request goes before others that wait."""


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response."""

    status: int
    headers: httpx.Headers
    body: Body


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counters of requests to the receiver."""

    requests: int = 0
    failures: int = 0
    """Requests that the receiver did not answer, or not in time."""
    breaker: BreakerState = BreakerState.CLOSED
    """State of the circuit breaker, which pauses requests after too many failures."""


class Transport:
    """Sends requests to one receiver. Raises the errors of `xg2g.receiver.errors` and no others."""

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
        """Counters since the start."""
        return Traffic(self._requests, self._failures, self._breaker.state_now)

    @property
    def url(self) -> str:
        """URL of the web interface without credentials: safe to show."""
        return self._address.url

    async def ask(self, request: Request) -> Response:
        """Send a request when the others before it are done, again if its connection fails."""
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
        """Send further requests to another address, and forget earlier failures. Waits until the
        request under way is answered."""
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
        # which the receiver keeps for 15 minutes. Credentials go with the first request, since
        # otherwise every request gets a 401 first.
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
            if open_state := self._breaker.blocking():
                wait_s = open_state.until_s - self._now()
                raise CircuitOpenError(f"{open_state.reason}; next attempt in {wait_s:.0f} s")
            if (pause_s := self._free_at_s - self._now()) > 0:
                await self._sleep(pause_s)
            self._requests += 1
            try:
                response = await self._exchange(request)
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
            return response

    async def _exchange(self, request: Request) -> Response:
        """Send a request, and turn the exceptions of other libraries into `ReceiverError`s."""
        try:
            # httpx's timeouts start again with each read; a trickling response needs one in all.
            async with asyncio.timeout(request.deadline_s):
                return await self._send(request)
        except (httpx.TimeoutException, TimeoutError) as error:
            if isinstance(error, httpx.ConnectTimeout):
                raise self._unreachable("it does not answer") from error
            raise TimeLimitError(
                f"the receiver at {self.url} took longer than {request.deadline_s:g} s to answer; "
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
            if response.status_code not in request.accepted_statuses:
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
                "authentication in OpenWebif's settings, or allow this address there"
            )
        return self.no_openwebif(f"HTTP status {status}")

    def _unreachable(self, why: str) -> UnreachableError:
        return UnreachableError(
            f"cannot reach the receiver at {self.url}: {why}; check the address, and that "
            "the receiver is on and not in deep standby"
        )

    def _nobody_listens(self, why: str) -> UnreachableError:
        return UnreachableError(
            f"cannot reach the receiver at {self.url}: {why}; it is on, but no web interface "
            "listens on this port: start OpenWebif on it, or correct the port"
        )

    def _no_tls(self, why: str) -> TlsError:
        return TlsError(
            f"cannot reach the receiver at {self.url}: {why}; check that OpenWebif's settings "
            "name this port for HTTPS, or write http:// and the port for HTTP"
        )

    async def _refuse_redirect(self, response: httpx.Response) -> None:
        """Raise for a redirect, before httpx parses its target, which may be invalid."""
        if not response.has_redirect_location:
            return
        requested = response.request.url
        target = redirect_target(str(requested), response.headers["location"])
        if target is None:
            raise self.no_openwebif(f"HTTP status {response.status_code} without a valid target")
        # A receiver with a new address redirects each path to the same path there.
        path = requested.path.removeprefix(self._address.path)
        raise UnexpectedAnswerError(
            f"{self.url} redirects to {target.removesuffix(path)}; "
            "set receiver.url to this URL if the receiver is there"
        )

    def no_openwebif(self, why: str) -> UnexpectedAnswerError:
        """Return the error for a response that cannot be OpenWebif's."""
        return UnexpectedAnswerError(
            f"the server at {self.url} is not OpenWebif ({why}); check the address"
        )
