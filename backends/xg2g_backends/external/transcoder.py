"""One transcoder service: what it is, and a remuxer of it."""

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
from .background import Errands
from .http_client import Answer, AnswerLostError, Line, NotReachedError
from .remote_remuxer import Session

NAME: Final = "xg2g-transcoder"
API: Final = 1
"""Version of the HTTP interface that is spoken here (docs/reference/transcoder-http.md)."""

LONGEST_BODY_BYTES: Final = 192 * 1024
"""Sent at once even if more is allowed. Five tracks of it are converted in some 30 ms of CPU time,
and a service that takes 20 streams over has them all at once, with a deadline to meet."""


_ASKED_AGAIN_S: Final = 0.25
"""After a silent service could not even be connected to."""


class UnusableError(Exception):
    """The service cannot be used. The text is one line: what is wrong, and what to do about it."""


class FullError(Exception):
    """The service has no room now."""

    def __init__(self, text: str, retry_after_s: float) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a service says of itself."""

    versions: Mapping[str, str]
    open_remuxers: int
    max_remuxers: int
    body_bytes: int


class Service:
    """A service under one URL, which may be a load balancer's."""

    def __init__(self, line: Line, errands: Errands, on_retry: Callable[[], None]) -> None:
        self._line = line
        self._errands = errands
        self._on_retry = on_retry
        self._body_bytes: int | None = None
        self._returns: dict[str, asyncio.Task[None]] = {}
        """By authority, the wait for a silent one to answer again."""
        self.elsewhere: Callable[[], bool] = lambda: False
        """Whether a stream of this service could go on at another place now."""
        self.returned: Callable[[], object] = lambda: None
        """Told when it answers again after a silence."""

    @property
    def is_silent(self) -> bool:
        """It took requests and answered nobody; somebody is waiting for it to answer again."""
        return self._line.address.url.rpartition("/")[2] in self._returns

    def __str__(self) -> str:
        return str(self._line.address)

    async def describe(self) -> Description:
        """Ask what runs there. Raises `UnusableError`."""
        answer = await self._request("GET", "/v1")
        found = answer.json()
        if answer.status == 401:
            raise self._refused_token()
        if 300 <= answer.status < 400:
            # Not followed: the token would go along.
            place = _place(answer.headers.get("location", ""))
            raise UnusableError(
                f"what answers at {self} redirects to {place}; "
                "set --external-transcoder to the transcoder itself"
            )
        if answer.status != 200 or found.get("service") != NAME:
            raise UnusableError(
                f"what answers at {self} is no {NAME}; check the URL of --external-transcoder"
            )
        api, version = found.get("api"), found.get("version")
        if api != API:
            older = NAME if isinstance(api, int) and api < API else "xg2g"
            raise UnusableError(
                f"the transcoder at {self} (version {version}) speaks version {api} of the "
                f"interface and xg2g version {API}; update {older}"
            )
        try:
            return Description(
                versions={str(name): str(v) for name, v in dict(found["versions"]).items()},
                open_remuxers=int(found["open_remuxers"]),
                max_remuxers=int(found["max_remuxers"]),
                body_bytes=min(int(found["max_body_bytes"]), LONGEST_BODY_BYTES),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UnusableError(
                f"the transcoder at {self} does not describe itself as it should; update {NAME}"
            ) from error

    async def check_ending(self) -> None:
        """Ask whether it opens no more remuxers, since it ends, though it describes itself. Raises
        `UnusableError`."""
        answer = await self._request("GET", "/readyz")
        if answer.status == 503 and answer.json().get("kind") == "Stopping":
            raise self._refused(answer)

    async def open(self, options: RemuxOptions) -> Session:
        """Make a remuxer. A caller who is cancelled leaves none behind.

        Raises `UnusableError`, `FullError`, and `InvalidArgumentError` for options it refuses.
        """
        opening = self._errands.start(self._open(options))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            self._errands.start(_undo(opening))
            raise

    def answers_for(self, session: Session) -> bool:
        """Whether the remuxer's requests go to this URL, and not past it to an instance."""
        here = session.url.startswith(f"{self._line.address.url}/")
        return session.line is self._line and here

    def forget(self) -> None:
        """Ask anew what runs there before the next remuxer is opened."""
        self._body_bytes = None

    async def aclose(self) -> None:
        """Close the connections."""
        waits = tuple(self._returns.values())
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        await self._line.aclose()

    async def _open(self, options: RemuxOptions) -> Session:
        # Kept here, since another stream may `forget` it meanwhile.
        body_bytes = self._body_bytes
        if body_bytes is None:
            body_bytes = self._body_bytes = (await self.describe()).body_bytes
        chosen = asdict(options)
        if options.dual_mono == "both":
            # Services of before the option refuse it, and do just that.
            del chosen["dual_mono"]
        answer = await self._request(
            "POST", "/v1/remuxers", json.dumps(chosen).encode(), "application/json"
        )
        if answer.status != 201:
            raise self._refused(answer)
        location = answer.headers.get("location")
        if location is None:
            raise UnusableError(f"the transcoder at {self} does not say where its remuxer is")
        return Session(
            self._line,
            self._line.address.beside(location),
            body_bytes=body_bytes,
            on_retry=self._on_retry,
            on_silence=self._silence,
        )

    def _silence(self, url: str) -> bool:
        """Wait for the silent one at this URL, and tell whether to do without it meanwhile."""
        scheme, _, rest = url.partition("://")
        authority = rest.partition("/")[0]
        if authority not in self._returns:
            wait = asyncio.create_task(self._await_return(f"{scheme}://{authority}"))
            self._returns[authority] = wait
            wait.add_done_callback(lambda done: self._end_wait(authority, done))
        return self.elsewhere()

    def _end_wait(self, authority: str, done: asyncio.Task[None]) -> None:
        del self._returns[authority]
        if not done.cancelled():
            self.returned()

    async def _await_return(self, base: str) -> None:
        """Ask until it answers, whatever that is: a connection is accepted by the system alone."""
        while True:
            try:
                await self._line.request("GET", f"{base}/v1", kept=False)
            except NotReachedError:
                await asyncio.sleep(_ASKED_AGAIN_S)
            except AnswerLostError:
                continue
            else:
                return

    async def _request(
        self, method: str, path: str, body: bytes = b"", media_type: str | None = None
    ) -> Answer:
        address = self._line.address
        try:
            # A load balancer chooses an instance for a connection: a kept one would lead every
            # remuxer to the first.
            return await self._line.request(
                method,
                address.url + path,
                body,
                media_type,
                kept=False,
                on_silence=partial(self._silence, address.url),
                silence_limit_s=self._line.deadlines.answer_s,
            )
        except (NotReachedError, AnswerLostError) as error:
            raise UnusableError(
                f"no transcoder answers at {self} ({error}); "
                f"start {NAME} there, or change --external-transcoder"
            ) from error

    def _refused(self, answer: Answer) -> UnusableError | FullError | BackendError:
        problem = answer.json()
        detail = str(problem.get("detail") or f"HTTP status {answer.status}")
        if answer.status == 401:
            return self._refused_token()
        if problem.get("kind") == "Full":
            try:
                retry_after_s = float(answer.headers.get("retry-after", ""))
            except ValueError:
                retry_after_s = 1.0
            return FullError(f"the transcoder at {self} takes no more: {detail}", retry_after_s)
        error = error_for_kind(str(problem.get("kind", "")), detail)
        if isinstance(error, InvalidArgumentError):
            return error
        return UnusableError(f"the transcoder at {self} opens no remuxer: {detail}")

    def _refused_token(self) -> UnusableError:
        setting = "XG2G_EXTERNAL_TRANSCODER_TOKEN or XG2G_EXTERNAL_TRANSCODER_TOKEN_FILE"
        return UnusableError(
            f"the transcoder at {self} refuses the token; set {setting} to the one it was given"
            if self._line.has_token
            else f"the transcoder at {self} asks for a token; set {setting}"
        )


async def _undo(opening: asyncio.Task[Session]) -> None:
    with suppress(UnusableError, FullError, BackendError):
        await (await opening).aclose()


def _place(location: str) -> str:
    """Scheme, host and port of a URL, which may hold secrets elsewhere."""
    try:
        parts = urlsplit(location.strip())
        authority = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "nowhere"
    if not location.isprintable() or not location.strip():
        return "nowhere"
    return f"{parts.scheme}://{authority}" if authority else "another path"
