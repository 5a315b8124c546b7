"""One transcoder service: its description, its remuxers, and whether it is silent."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from ..base import RemuxOptions
from ..errors import BackendError, InvalidArgumentError, error_for_kind
from .background import BackgroundTasks
from .http_client import HttpClient, NotConnectedError, Response, ResponseLostError
from .remote_remuxer import RemoteRemuxer

NAME: Final = "xg2g-transcoder"
API: Final = 1
"""Version of the HTTP interface that this client speaks (docs/reference/transcoder-http.md)."""

MAX_BODY_BYTES: Final = 192 * 1024
"""Longest body that is sent, even if the service accepts more. Converting five tracks of it takes
some 30 ms of CPU time, and after the loss of another service, one may receive 20 such bodies at
once and has to meet the deadline for each."""

INSTANCES_ASKED: Final = 8
"""How many instances behind one URL are asked for a remuxer. A load balancer takes a second or two
to notice that an instance is stopping or full, and until then chooses it as often as the others:
if it is one of two, eight in a row are as rare as 1 in 256."""

_RECONNECT_S: Final = 0.25
"""Pause before the next connection to a silent service that refused one."""

_NEXT_INSTANCE_S: Final = 0.05
"""Pause before the next instance is asked. A viewer is refused 0.35 s later if none has room."""

_INSTANCES_S: Final = 2.0
"""No further instance is asked after this time: a connection to one that is gone takes long."""


class UnusableError(Exception):
    """The service cannot be used. The text is one line: the problem, then the fix."""

    instance_only = False
    """Another instance at the same URL may work."""


class InstanceError(UnusableError):
    """The instance that was reached is stopping or gone."""

    instance_only = True


class FullError(Exception):
    """The service has no free remuxer."""

    instance_only = True
    """Another instance at the same URL may work."""

    def __init__(self, text: str, retry_after_s: float) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A service's description of itself."""

    versions: Mapping[str, str]
    open_remuxers: int
    max_remuxers: int
    body_bytes: int


class Transcoder:
    """A transcoder service at one URL, which may belong to a load balancer."""

    def __init__(
        self, client: HttpClient, background: BackgroundTasks, on_retry: Callable[[], None]
    ) -> None:
        self._client = client
        self._background = background
        self._on_retry = on_retry
        self._body_bytes: int | None = None
        self._has_instances = False
        """A remuxer was opened on an instance with an address of its own."""
        self._returns: dict[str, asyncio.Task[None]] = {}
        """Authority of a silent service -> task that waits until it answers again."""
        self.has_alternative: Callable[[], bool] = lambda: False
        """Returns True if a stream of this service could continue elsewhere now."""
        self.on_return: Callable[[], object] = lambda: None
        """Called when the service answers again after a silence."""

    @property
    def is_silent(self) -> bool:
        """True while the service accepts requests but answers none of them."""
        return self._client.address.url.rpartition("/")[2] in self._returns

    def __str__(self) -> str:
        return str(self._client.address)

    async def describe(self) -> Description:
        """Request the service's description. Raises `UnusableError`."""
        response = await self._request("GET", "/v1")
        found = response.json()
        if response.status == 401:
            raise self._token_error()
        if 300 <= response.status < 400:
            # Not followed: the request to the target would carry the token.
            target = _origin(response.headers.get("location", ""))
            raise UnusableError(
                f"the server at {self} redirects to {target}; "
                "set --external-transcoder to the transcoder itself"
            )
        if response.status != 200 or found.get("service") != NAME:
            raise UnusableError(
                f"the server at {self} is not {NAME}; check the URL of --external-transcoder"
            )
        api, version = found.get("api"), found.get("version")
        if api != API:
            older = NAME if isinstance(api, int) and api < API else "xg2g"
            raise UnusableError(
                f"the transcoder at {self} (version {version}) has interface version {api}, "
                f"xg2g has {API}; update {older}"
            )
        try:
            return Description(
                versions={str(name): str(v) for name, v in dict(found["versions"]).items()},
                open_remuxers=int(found["open_remuxers"]),
                max_remuxers=int(found["max_remuxers"]),
                body_bytes=min(int(found["max_body_bytes"]), MAX_BODY_BYTES),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise UnusableError(
                f"the transcoder at {self} returned an invalid description; update {NAME}"
            ) from error

    async def check_stopping(self) -> None:
        """Raise `UnusableError` if the service is stopping and opens no more remuxers."""
        response = await self._request("GET", "/readyz")
        if response.status == 503 and response.json().get("kind") == "Stopping":
            raise self._refusal(response)

    async def open(self, options: RemuxOptions) -> RemoteRemuxer:
        """Open a remuxer. When the caller is cancelled, the remuxer is deleted again.

        Raises `UnusableError`, `FullError`, and `InvalidArgumentError` for options that the service
        refuses.
        """
        opening = self._background.start(self._open(options))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            self._background.start(_close_opened(opening))
            raise

    def serves(self, remuxer: RemoteRemuxer) -> bool:
        """Return True if the remuxer's requests go to this URL, not directly to an instance."""
        here = remuxer.url.startswith(f"{self._client.address.url}/")
        return remuxer.client is self._client and here

    def forget_description(self) -> None:
        """Request the description again before the next remuxer is opened."""
        self._body_bytes = None

    async def aclose(self) -> None:
        """Close the connections."""
        waits = tuple(self._returns.values())
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        await self._client.aclose()

    async def _open(self, options: RemuxOptions) -> RemoteRemuxer:
        clock_s = asyncio.get_running_loop().time
        give_up_s = clock_s() + _INSTANCES_S
        asked = 1
        while True:
            try:
                return await self._open_once(options)
            except (UnusableError, FullError) as error:
                elsewhere = self._has_instances and error.instance_only
                if not elsewhere or asked == INSTANCES_ASKED or clock_s() > give_up_s:
                    raise
            asked += 1
            await asyncio.sleep(_NEXT_INSTANCE_S)

    async def _open_once(self, options: RemuxOptions) -> RemoteRemuxer:
        # A local copy: another stream may call `forget_description` meanwhile.
        body_bytes = self._body_bytes
        if body_bytes is None:
            body_bytes = self._body_bytes = (await self.describe()).body_bytes
        chosen = asdict(options)
        if options.dual_mono == "both":
            # Older services do not know the option, and behave like "both".
            del chosen["dual_mono"]
        response = await self._request(
            "POST", "/v1/remuxers", json.dumps(chosen).encode(), "application/json"
        )
        if response.status != 201:
            raise self._refusal(response)
        location = response.headers.get("location")
        if location is None:
            raise UnusableError(
                f"the transcoder at {self} opened a remuxer without a Location header; "
                f"update {NAME}"
            )
        url = self._client.address.resolve(location)
        self._has_instances = not url.startswith(f"{self._client.address.url}/")
        return RemoteRemuxer(
            self._client,
            url,
            body_bytes=body_bytes,
            on_retry=self._on_retry,
            on_silence=self._silence,
        )

    def _silence(self, url: str) -> bool:
        """Start to wait for the silent service at `url`. Return True if streams should leave it."""
        scheme, _, rest = url.partition("://")
        authority = rest.partition("/")[0]
        if authority not in self._returns:
            wait = asyncio.create_task(self._await_return(f"{scheme}://{authority}"))
            self._returns[authority] = wait
            wait.add_done_callback(lambda done: self._end_wait(authority, done))
        return self.has_alternative()

    def _end_wait(self, authority: str, done: asyncio.Task[None]) -> None:
        del self._returns[authority]
        if not done.cancelled():
            self.on_return()

    async def _await_return(self, base: str) -> None:
        """Send requests until one is answered.

        A connection alone proves nothing: the system accepts it even for a frozen process.
        """
        while True:
            try:
                await self._client.request("GET", f"{base}/v1", reuse=False)
            except NotConnectedError:
                await asyncio.sleep(_RECONNECT_S)
            except ResponseLostError:
                continue
            else:
                return

    async def _request(
        self, method: str, path: str, body: bytes = b"", media_type: str | None = None
    ) -> Response:
        address = self._client.address
        try:
            # A load balancer chooses an instance for each connection: a reused connection would
            # put every remuxer on the same instance.
            return await self._client.request(
                method,
                address.url + path,
                body,
                media_type,
                reuse=False,
                on_silence=partial(self._silence, address.url),
                silence_limit_s=self._client.deadlines.answer_s,
            )
        except (NotConnectedError, ResponseLostError) as error:
            # After a silence the viewer has waited long enough: no other instance is asked.
            silent = isinstance(error, ResponseLostError) and error.silent_s
            kind = UnusableError if silent else InstanceError
            raise kind(
                f"no response from a transcoder at {self} ({error}); "
                f"start {NAME} there, or change --external-transcoder"
            ) from error

    def _refusal(self, response: Response) -> UnusableError | FullError | BackendError:
        problem = response.json()
        detail = str(problem.get("detail") or f"HTTP status {response.status}")
        if response.status == 401:
            return self._token_error()
        if problem.get("kind") == "Full":
            # Seconds (RFC 9110, 10.2.3); a date, or anything else, counts as a second.
            text = response.headers.get("retry-after", "")
            retry_after_s = float(text) if text.isascii() and text.isdigit() else 1.0
            return FullError(f"the transcoder at {self} is full: {detail}", retry_after_s)
        error = error_for_kind(str(problem.get("kind", "")), detail)
        if isinstance(error, InvalidArgumentError):
            return error
        # A 5xx without a kind comes from a proxy that cannot reach an instance.
        from_proxy = response.status >= 500 and not problem.get("kind")
        gone = from_proxy or problem.get("kind") == "Stopping"
        kind = InstanceError if gone else UnusableError
        return kind(f"the transcoder at {self} cannot open a remuxer: {detail}")

    def _token_error(self) -> UnusableError:
        setting = "XG2G_EXTERNAL_TRANSCODER_TOKEN or XG2G_EXTERNAL_TRANSCODER_TOKEN_FILE"
        return UnusableError(
            f"the transcoder at {self} rejects the token; set {setting} to the transcoder's token"
            if self._client.has_token
            else f"the transcoder at {self} requires a token; set {setting}"
        )


async def _close_opened(opening: asyncio.Task[RemoteRemuxer]) -> None:
    with suppress(UnusableError, FullError, BackendError):
        await (await opening).aclose()


def _origin(location: str) -> str:
    """Return scheme, host and port of a URL whose other parts may hold secrets."""
    try:
        parts = urlsplit(location.strip())
        authority = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an invalid URL"
    if not location.isprintable() or not location.strip():
        return "an invalid URL"
    return f"{parts.scheme}://{authority}" if authority else "another path"
