"""Requests to one service, and the one place that knows httpx."""

import asyncio
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import sniffio  # noqa: F401 - httpcore asks for it in each request, and to search in vain is dear

from .address import ServiceAddress

ANSWER_BYTES: Final = 16 * 1024 * 1024
"""Longest answer that is read: several times what the longest body can become."""

KEEP_ALIVE_S: Final = 15.0
"""For which an idle connection is kept; streams use theirs 50 times a second."""


class NotReachedError(Exception):
    """No connection was made, so the service has not seen the request."""


class AnswerLostError(Exception):
    """The request was sent, and no whole answer came: it may have been served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long a service may take. A live stream stands still meanwhile."""

    connect_s: float = 1.0
    answer_s: float = 3.0
    """From a request to the end of its answer; conversion takes some 20 ms for a megabyte."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of whatever status."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """The body's JSON object; empty when the body is no such thing."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Line:
    """Pooled, kept connections to one service."""

    def __init__(self, address: ServiceAddress, token: str | None, deadlines: Deadlines) -> None:
        self.address = address
        self.has_token = token is not None
        self._headers = {"authorization": f"Bearer {token}"} if token is not None else {}
        self._deadlines = deadlines
        # The transport without httpx's client around it, whose redirects, cookies and
        # authentication nobody needs here, at half the CPU for a request.
        self._transport = httpx.AsyncHTTPTransport(
            uds=address.socket,
            verify=address.url.startswith("https:"),
            trust_env=False,
            limits=httpx.Limits(max_connections=None, keepalive_expiry=KEEP_ALIVE_S),
        )

    async def request(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        media_type: str | None = None,
        within_s: float | None = None,
        kept: bool = True,
    ) -> Answer:
        """Send a request and return its answer; on a connection that is not used again, if not
        `kept`.

        Raises `NotReachedError` and `AnswerLostError`, whose texts are reasons for a user.
        """
        headers = {**self._headers, **({"content-type": media_type} if media_type else {})}
        if not kept:
            headers["connection"] = "close"
        connect_s = self._deadlines.connect_s
        answer_s = within_s or self._deadlines.answer_s
        timeout = {"connect": connect_s, "read": answer_s, "write": answer_s}
        request = httpx.Request(
            method, url, headers=headers, content=body or None, extensions={"timeout": timeout}
        )
        try:
            # Those deadlines are for each piece; this one is for the whole of it.
            async with asyncio.timeout(connect_s + answer_s):
                return await self._answer(request)
        except httpx.ConnectTimeout as error:
            raise NotReachedError(f"no connection within {connect_s:g} s") from error
        except httpx.ConnectError as error:
            raise NotReachedError(_reason(error)) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise AnswerLostError(f"no answer within {answer_s:g} s") from error
        except httpx.HTTPError as error:
            raise AnswerLostError(_reason(error)) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _answer(self, request: httpx.Request) -> Answer:
        response = await self._transport.handle_async_request(request)
        try:
            pieces, length = [], 0
            async for piece in response.aiter_raw():
                length += len(piece)
                if length > ANSWER_BYTES:
                    raise AnswerLostError(f"the answer is longer than {ANSWER_BYTES} bytes")
                pieces.append(piece)
        finally:
            await response.aclose()
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return Answer(response.status_code, response.headers, body)


def _reason(error: httpx.HTTPError) -> str:
    """The operating system's word for it, which httpx leaves some causes deep."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return (cause.strerror or "the name is not known").lower()
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        else:
            cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
