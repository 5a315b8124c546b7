"""Requests to one service, and the one place that knows httpcore."""

import asyncio
import json
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpcore
import sniffio  # noqa: F401 - httpcore asks for it in each request, and to search in vain is dear

from .address import ServiceAddress
from .network import Network

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
        self._headers = [("authorization", f"Bearer {token}")] if token is not None else []
        self._deadlines = deadlines
        # What httpx is made of, without its redirects, cookies and authentication, which
        # nobody needs here and which take more CPU than the request.
        self._pool = httpcore.AsyncConnectionPool(
            uds=address.socket,
            max_connections=None,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=Network(),
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
        headers = list(self._headers)
        if media_type:
            headers.append(("content-type", media_type))
        if not kept:
            headers.append(("connection", "close"))
        connect_s = self._deadlines.connect_s
        answer_s = within_s or self._deadlines.answer_s
        deadlines = {"connect": connect_s, "read": answer_s, "write": answer_s}
        try:
            # Those deadlines are for each piece; this one is for the whole of it.
            async with asyncio.timeout(connect_s + answer_s):
                return await self._answer(method, url, headers, body, deadlines)
        except httpcore.ConnectTimeout as error:
            raise NotReachedError(f"no connection within {connect_s:g} s") from error
        except httpcore.ConnectError as error:
            raise NotReachedError(_reason(error)) from error
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise AnswerLostError(f"no answer within {answer_s:g} s") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise AnswerLostError(_reason(error)) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def _answer(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        body: bytes,
        deadlines: dict[str, float],
    ) -> Answer:
        pieces, length = [], 0
        async with self._pool.stream(
            method,
            url,
            headers=headers,
            content=body or None,
            extensions={"timeout": deadlines},
        ) as response:
            async for piece in response.aiter_stream():
                length += len(piece)
                if length > ANSWER_BYTES:
                    raise AnswerLostError(f"the answer is longer than {ANSWER_BYTES} bytes")
                pieces.append(piece)
        answer_headers = {name.decode().lower(): value.decode() for name, value in response.headers}
        answered = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return Answer(response.status, answer_headers, answered)


def _reason(error: Exception) -> str:
    """The operating system's word for it, which httpcore leaves some causes deep."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return (cause.strerror or "the name is not known").lower()
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        else:
            cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
