"""The client of a running daemon's API, for the commands that show its state."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from xg2g.config import Configuration
from xg2g.errors import UserError
from xg2g.network.failures import is_refused, why_no_connection
from xg2g.web.api.models import Channel, Channels, Guide, Programme, Status, Streams

T = TypeVar("T", bound=BaseModel)

TIMEOUT_S = 10.0
PAGE = 5000
"""Items per request: the maximum of the API."""
_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class DaemonClient:
    """The API of one daemon. Every method raises `UserError` when the daemon cannot be read."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """`token` is sent with every request."""
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(trust_env=False, headers=headers, timeout=TIMEOUT_S)

    @classmethod
    def of(cls, configuration: Configuration, url: str | None) -> Self:
        """Return the client of the daemon at `url`; without one, of `xg2g serve` with this
        configuration."""
        server = configuration.settings.server
        host = _HERE.get(server.host, server.host)
        own = f"http://{f'[{host}]' if ':' in host else host}:{server.port}"
        named = url if url is None or "://" in url else f"http://{url}"
        token = server.token.value if server.token else None
        return cls(named or own, token)

    def status(self) -> Status:
        """Return the state of the daemon."""
        return self._read("status", Status)

    def watching(self) -> Streams:
        """Return the streams of viewers and of the receiver."""
        return self._read("streams", Streams)

    def channels(self) -> list[Channel]:
        """Return every channel, by number."""
        return [each for page in self._pages("channels", Channels) for each in page.channels]

    def now(self) -> dict[str, Programme]:
        """Return the current programmes by channel id."""
        pages = self._pages("guide", Guide, seconds=1)
        return {each.channel: each for page in pages for each in page.programmes}

    def _pages(self, path: str, answer: type[T], *, seconds: int | None = None) -> Iterator[T]:
        query: dict[str, str] = {"limit": str(PAGE)}
        if seconds is not None:
            begin = datetime.now(UTC).replace(microsecond=0)
            query |= {
                "from": begin.isoformat(),
                "to": (begin + timedelta(seconds=seconds)).isoformat(),
            }
        while True:
            page = self._read(path, answer, query)
            yield page
            following = getattr(page, "next")  # noqa: B009
            if following is None:
                return
            query["after"] = following

    def _read(self, path: str, answer: type[T], query: dict[str, str] | None = None) -> T:
        try:
            response = self._client.get(f"{self.url}/api/v1/{path}", params=query)
        except httpx.InvalidURL as error:
            raise UserError(
                f"{self.url} is not a URL; write it as http://192.168.1.20:8088"
            ) from error
        except httpx.TimeoutException as error:
            raise UserError(
                f"xg2g at {self.url} did not answer in {TIMEOUT_S:g} s; try again, or check --url"
            ) from error
        except httpx.HTTPError as error:
            why = why_no_connection(error)
            start = "start it with xg2g serve, or give its address with --url"
            advice = start if is_refused(error) else "check --url"
            raise UserError(f"no xg2g answers at {self.url}: {why}; {advice}") from error
        if response.status_code != httpx.codes.OK:
            raise UserError(f"xg2g at {self.url}: {_detail(response)}")
        try:
            return answer.model_validate_json(response.content)
        except ValidationError as error:
            raise UserError(f"{self.url} is not an xg2g of this version; check --url") from error


def _detail(response: httpx.Response) -> str:
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return "a token is required; set XG2G_TOKEN, or XG2G_TOKEN_FILE to a file with the token"
    try:
        body: Any = response.json()
    except ValueError:
        body = None
    detail = body.get("detail") if isinstance(body, dict) else None
    return str(detail) if detail else f"HTTP status {response.status_code}; check --url"
