"""A daemon that runs, asked over its API by the commands that look at it."""

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
"""Items of a list that are asked for at a time; the most that the API gives."""
_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class DaemonClient:
    """Reads from a daemon. Every method raises `UserError` when it cannot be read."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """`token` is shown with every request, for daemons that ask for it."""
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(trust_env=False, headers=headers, timeout=TIMEOUT_S)

    @classmethod
    def of(cls, configuration: Configuration, url: str | None) -> Self:
        """The daemon at `url`, or the one that `xg2g serve` starts with this configuration."""
        server = configuration.settings.server
        host = _HERE.get(server.host, server.host)
        own = f"http://{f'[{host}]' if ':' in host else host}:{server.port}"
        named = url if url is None or "://" in url else f"http://{url}"
        token = server.token.value if server.token else None
        return cls(named or own, token)

    def status(self) -> Status:
        return self._read("status", Status)

    def watching(self) -> Streams:
        """Who watches what."""
        return self._read("streams", Streams)

    def channels(self) -> list[Channel]:
        """Every channel, in the order of the numbers."""
        return [each for page in self._pages("channels", Channels) for each in page.channels]

    def now(self) -> dict[str, Programme]:
        """What runs now, by the channel's id."""
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
            raise UserError(f"{self.url} is not a URL; write http://192.168.1.20:8088") from error
        except httpx.TimeoutException as error:
            raise UserError(f"xg2g at {self.url} did not answer in {TIMEOUT_S:g} s") from error
        except httpx.HTTPError as error:
            why = why_no_connection(error)
            start = "start it with xg2g serve, or name it with --url"
            advice = start if is_refused(error) else "check --url"
            raise UserError(f"no xg2g answers at {self.url}: {why}; {advice}") from error
        if response.status_code != httpx.codes.OK:
            raise UserError(f"xg2g at {self.url}: {_detail(response)}")
        try:
            return answer.model_validate_json(response.content)
        except ValidationError as error:
            raise UserError(
                f"{self.url} does not answer as this version of xg2g does; check --url"
            ) from error


def _detail(response: httpx.Response) -> str:
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return "it asks for its token; set XG2G_TOKEN, or XG2G_TOKEN_FILE to a file that holds it"
    try:
        body: Any = response.json()
    except ValueError:
        body = None
    detail = body.get("detail") if isinstance(body, dict) else None
    return str(detail) if detail else f"HTTP status {response.status_code}; check --url"
