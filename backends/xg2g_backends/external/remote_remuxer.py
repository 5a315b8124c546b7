"""A remuxer that runs in a transcoder service, and its calls over HTTP."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from ..base import Piece, RemuxStats
from ..errors import BackendError, FinishedError, InvalidArgumentError, error_for_kind
from .http_client import HttpClient, NotConnectedError, Response, ResponseLostError
from .points import HEADER, read_points

MEDIA_TYPE: Final = "video/mp2t"
DELETE_TIMEOUT_S: Final = 1.0
"""Timeout for deleting a remuxer. The service frees an idle remuxer that was not deleted."""

MAX_FINISH_CALLS: Final = 64
"""Most calls of `finish`. A service keeps 64 KiB of points, and a response has room for 3 KiB."""


class LostError(Exception):
    """The remuxer is lost or does not respond. Another one may take the input under way."""

    def __init__(
        self,
        reason: str,
        *,
        transcoder_works: bool = False,
        input_was_seen: bool = True,
        silent_s: float = 0.0,
    ) -> None:
        super().__init__(reason)
        self.transcoder_works = transcoder_works
        """The service responded: only this remuxer is lost."""
        self.input_was_seen = input_was_seen
        """The input under way may have arrived, so it may be the cause of the loss."""
        self.silent_s = silent_s
        """How long the service was silent; 0 for other losses."""


class RemoteRemuxer:
    """A remuxer of a transcoder service. Its calls must not overlap.

    Each call that changes the remuxer has a number. When a response is lost, the call is sent once
    more with the same number, and the service returns the same bytes without processing the input
    twice.
    """

    def __init__(
        self,
        client: HttpClient,
        url: str,
        *,
        body_bytes: int,
        on_retry: Callable[[], None],
        on_silence: Callable[[str], bool],
    ) -> None:
        """Take the remuxer at `url`.

        `on_silence`: called with `url` while its service is silent; True gives the remuxer up.
        """
        self.body_bytes = body_bytes
        """Longest body that the service accepts."""
        self.url = url
        self.client = client
        self._on_retry = on_retry
        self._on_silence = partial(on_silence, url)
        self._seq = 0
        self._output_bytes = 0

    async def process(self, body: bytes) -> Piece:
        """Send the stream's next bytes. Raises `LostError` and `BackendError`."""
        return await self._call("process", body)

    async def finish(self) -> Piece:
        """End the stream. Raises `LostError` and `BackendError`."""
        pieces = [await self._call("finish")]
        # A response has limited room for points: further calls fetch the rest. Losing points there
        # is no reason to lose the bytes.
        with suppress(LostError):
            while pieces[-1].points and len(pieces) < MAX_FINISH_CALLS:
                pieces.append(await self._call("finish"))
        return Piece.joined(pieces)

    async def stats(self) -> RemuxStats:
        """Return the counters. Raises `LostError` and `BackendError`."""
        return RemuxStats.from_json((await self._request("GET", self.url)).json())

    async def aclose(self) -> None:
        """Delete the remuxer, if its service can be reached within `DELETE_TIMEOUT_S`."""
        with suppress(NotConnectedError, ResponseLostError):
            await self.client.request("DELETE", self.url, within_s=DELETE_TIMEOUT_S)

    async def _call(self, name: str, body: bytes = b"") -> Piece:
        url = f"{self.url}/{name}?seq={self._seq}"
        response = await self._request("POST", url, body, MEDIA_TYPE)
        self._seq += 1
        self._output_bytes += len(response.body)
        try:
            # Older services send no header: their streams have no points.
            points = read_points(response.headers.get(HEADER, "[]"), self._output_bytes)
        except ValueError as error:
            raise LostError(f"invalid response header {HEADER}: {error}") from error
        return Piece(response.body, points)

    async def _request(
        self, method: str, url: str, body: bytes = b"", media_type: str | None = None
    ) -> Response:
        request = partial(
            self.client.request, method, url, body, media_type, on_silence=self._on_silence
        )
        try:
            response = await request()
        except NotConnectedError as error:
            raise LostError(str(error), input_was_seen=False) from error
        except ResponseLostError as lost:
            # A service that was silent would not answer a second request sooner.
            if lost.silent_s:
                raise LostError(str(lost), silent_s=lost.silent_s) from lost
            self._on_retry()
            try:
                response = await request()
            except NotConnectedError as error:
                raise LostError(str(error)) from error
            except ResponseLostError as error:
                raise LostError(str(error), silent_s=error.silent_s) from error
        if response.status != 200:
            raise _error_of(response)
        return response


def _error_of(response: Response) -> LostError | BackendError:
    problem = response.json()
    kind, detail = str(problem.get("kind", "")), str(problem.get("detail", ""))
    error = error_for_kind(kind, detail)
    if isinstance(error, FinishedError | InvalidArgumentError):
        return error
    # A 5xx without a kind comes from a proxy that cannot reach the service.
    works = bool(kind) and kind not in ("Stopping", "Full", "Unauthorized")
    return LostError(detail or f"HTTP status {response.status}", transcoder_works=works)
