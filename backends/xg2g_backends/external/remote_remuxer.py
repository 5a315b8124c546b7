"""One remuxer of a service, seen from here."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from ..base import Piece, RemuxStats
from ..errors import BackendError, FinishedError, InvalidArgumentError, error_for_kind
from .http_client import Answer, AnswerLostError, Line, NotReachedError
from .points import HEADER, read_points

MEDIA_TYPE: Final = "video/mp2t"
DELETE_S: Final = 1.0
"""For giving a remuxer back. One that is not given back is reaped by its service."""

LAST_CALLS: Final = 64
"""Calls of `finish` at most: a service keeps 64 KiB of points, and an answer has room for 3."""


class LostError(Exception):
    """The remuxer is gone, or nobody can say. What was under way may go to another one."""

    def __init__(
        self,
        reason: str,
        *,
        service_is_well: bool = False,
        input_was_seen: bool = True,
        silent_s: float = 0.0,
    ) -> None:
        super().__init__(reason)
        self.service_is_well = service_is_well
        """The service answered: only this remuxer is lost."""
        self.input_was_seen = input_was_seen
        """What was under way may have arrived, and so may be what the remuxer was lost over."""
        self.silent_s = silent_s
        """For how long the service has answered nobody; 0 for other losses."""


class Session:
    """A remuxer behind HTTP. Its calls must not overlap.

    Each call that changes it has a number. When an answer is lost, the same number goes out once
    more, and the service gives the same bytes without processing anything twice.
    """

    def __init__(
        self,
        line: Line,
        url: str,
        *,
        body_bytes: int,
        on_retry: Callable[[], None],
        on_silence: Callable[[str], bool],
    ) -> None:
        """`on_silence` is told the remuxer's URL while its service answers nobody, and says whether
        to give it up."""
        self.body_bytes = body_bytes
        """Longest body that the service takes."""
        self.url = url
        self.line = line
        self._on_retry = on_retry
        self._on_silence = partial(on_silence, url)
        self._seq = 0
        self._output_bytes = 0

    async def process(self, body: bytes) -> Piece:
        """Send the stream's next bytes. Raises `LostError` and `BackendError`."""
        return await self._numbered("process", body)

    async def finish(self) -> Piece:
        """End the stream. Raises `LostError` and `BackendError`."""
        pieces = [await self._numbered("finish")]
        # An answer has room for so many points; further calls get those that are left. Without
        # them the bytes still count.
        with suppress(LostError):
            while pieces[-1].points and len(pieces) < LAST_CALLS:
                pieces.append(await self._numbered("finish"))
        return Piece.joined(pieces)

    async def stats(self) -> RemuxStats:
        """Return the counters. Raises `LostError` and `BackendError`."""
        return RemuxStats.from_json((await self._sent("GET", self.url)).json())

    async def aclose(self) -> None:
        """Give the remuxer back, if its service can be reached in time."""
        with suppress(NotReachedError, AnswerLostError):
            await self.line.request("DELETE", self.url, within_s=DELETE_S)

    async def _numbered(self, call: str, body: bytes = b"") -> Piece:
        url = f"{self.url}/{call}?seq={self._seq}"
        answer = await self._sent("POST", url, body, MEDIA_TYPE)
        self._seq += 1
        self._output_bytes += len(answer.body)
        try:
            # Services of before the header give none: streams of theirs have no points.
            points = read_points(answer.headers.get(HEADER, "[]"), self._output_bytes)
        except ValueError as error:
            raise LostError(f"the answer is not that of a service: {HEADER}: {error}") from error
        return Piece(answer.body, points)

    async def _sent(
        self, method: str, url: str, body: bytes = b"", media_type: str | None = None
    ) -> Answer:
        request = partial(
            self.line.request, method, url, body, media_type, on_silence=self._on_silence
        )
        try:
            answer = await request()
        except NotReachedError as error:
            raise LostError(str(error), input_was_seen=False) from error
        except AnswerLostError as lost:
            # Who has answered nobody would answer this no sooner.
            if lost.silent_s:
                raise LostError(str(lost), silent_s=lost.silent_s) from lost
            self._on_retry()
            try:
                answer = await request()
            except NotReachedError as error:
                raise LostError(str(error)) from error
            except AnswerLostError as error:
                raise LostError(str(error), silent_s=error.silent_s) from error
        if answer.status != 200:
            raise _trouble(answer)
        return answer


def _trouble(answer: Answer) -> LostError | BackendError:
    problem = answer.json()
    kind, detail = str(problem.get("kind", "")), str(problem.get("detail", ""))
    error = error_for_kind(kind, detail)
    if isinstance(error, FinishedError | InvalidArgumentError):
        return error
    # A 5xx without a kind is a proxy's, for a service that it does not reach.
    well = bool(kind) and kind not in ("Stopping", "Full", "Unauthorized")
    return LostError(detail or f"HTTP status {answer.status}", service_is_well=well)
