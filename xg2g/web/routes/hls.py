"""Channels as HTTP Live Streaming (RFC 8216bis): playlists, and the files that they name."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...clients.m3u import hls_path
from ...lineup.sources import segmented_url
from ...outputs.hls.output import NOT_OFFERED, HlsOutput, RefusedError
from ...outputs.hls.outputs import TooManyError
from ...outputs.hls.playlist_cache import Playlist
from ...outputs.hls.requests import Decision, file_decision, playlist_decision
from ...outputs.refusals import SYSTEM_BUSY
from ..channel_failure import failure_answer, refused, refused_without_lineup, unknown
from ..gateway import gateway_of
from ..http.conditional import accepts_gzip, entity_tag, has_current
from ..http.foreign_page import is_from_foreign_page
from ..http.refusals import problem, wants_problem

PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
MEDIA_TYPES: Final = {
    "mp4": "video/mp4",
    "m4s": "video/mp4",
    "vtt": "text/vtt; charset=utf-8",
    "json": "application/json",
}
"""By the ending of a file."""
IMMUTABLE: Final = "public, max-age=31536000, immutable"
"""What a run has named never changes."""
BLOCKED_TARGETS: Final = 3
"""Target durations that a request waits for what is yet to come."""

_APPLE: Final = "AppleCoreMedia/"

_CACHED_TARGETS: Final = 6
"""Target durations that a cache keeps a playlist which was waited for (appendix B.1)."""

_REFUSALS: Final = {
    Decision.BAD: (400, "this is too far ahead of what there is"),
    Decision.MISSING: (404, "there is no such rendition or file"),
    Decision.GONE: (410, "this has left the window"),
    Decision.WAIT: (503, "what was asked for did not come in time"),
}

_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)


async def _index(request: Request) -> ASGIApp:
    gateway = gateway_of(request)
    channel_id = request.path_params["channel_id"]
    if gateway.hls is None:
        return _missing(request, "HTTP Live Streaming is switched off (hls.enabled)")
    lineup = gateway.lineup_keeper.lineup
    if lineup is None:
        return refused_without_lineup(request, channel_id)
    channel = lineup.find(channel_id)
    if channel is None:
        return unknown(request, channel_id)
    if hls_path(channel) is None:
        return refused(
            request, NOT_OFFERED, channel.id, "the source of this channel sends DASH, and no HLS"
        )
    if url := segmented_url(channel):
        return RedirectResponse(url, 302)
    if request.method == "HEAD":
        return _head()
    if is_from_foreign_page(request):
        return Response(status_code=403)
    try:
        output = gateway.hls.get_or_open(
            channel.id,
            channel.sources,
            name=channel.name,
            address=request.client.host if request.client else None,
        )
    except TooManyError as error:
        return refused(request, SYSTEM_BUSY, channel.id, str(error))

    async def answer() -> Response:
        try:
            await output.ready()
        except RefusedError as error:
            return failure_answer(request, error.refusal, error.failure, is_video=False)
        return _playlist(request, output.playlist(None))

    return _Answer(output, request, answer, is_there=output.is_open)


def _head() -> Response:
    """What can be told of a playlist that is not made: not its length (RFC 9110, 8.6)."""
    response = Response(headers={"Content-Type": PLAYLIST_TYPE, "Cache-Control": "no-cache"})
    del response.headers["Content-Length"]
    return response


async def _media(request: Request) -> ASGIApp:
    output = _output(request)
    if output is None:
        return _missing(request, "this playlist belongs to an output that has ended")
    rendition = request.path_params["rendition"]
    try:
        asked = _Asked.of(request)
    except ValueError as error:
        return _refusal(request, 400, str(error))

    def decide() -> Decision:
        decision = playlist_decision(output.presentation, rendition, asked.segment, asked.part)
        if decision is Decision.SERVE and asked.segment is None and not _plays_parts(request):
            # A playlist of parts alone is empty to them.
            has_segment = output.presentation.renditions[rendition].has_segment
            return Decision.SERVE if has_segment else Decision.WAIT
        return decision

    async def answer() -> Response:
        decision = await output.decided(decide, within_s=_longest_s(output))
        is_first = asked.segment is None and decision is Decision.WAIT
        if decision is not Decision.SERVE and not is_first:
            return _refused(request, decision)
        caching = "no-cache"
        if asked.segment is not None and not output.presentation.window.has_lead_in:
            # What answers this request once does so later.
            caching = f"public, max-age={_CACHED_TARGETS * output.presentation.target_duration}"
        playlist = output.playlist(rendition, skip=asked.skip, lead_in=_knows_gaps(request))
        return _playlist(request, playlist, caching=caching)

    is_there = decide() is not Decision.WAIT
    return _Answer(
        output, request, answer, is_there=is_there, is_low_latency=asked.segment is not None
    )


async def _file(request: Request) -> ASGIApp:
    output = _output(request)
    if output is None:
        return _missing(request, "this file belongs to an output that has ended")
    rendition, name = request.path_params["rendition"], request.path_params["name"]

    def decide() -> Decision:
        return file_decision(output.presentation, rendition, name)

    async def answer() -> Response:
        decision = await output.decided(decide, within_s=_longest_s(output))
        if decision is not Decision.SERVE:
            return _refused(request, decision)
        key = f"{rendition}/{name}"
        tag = entity_tag(output.run, key)
        headers = {"Cache-Control": IMMUTABLE, "ETag": tag}
        if has_current(request, tag):
            return Response(status_code=304, headers=headers)
        data = await output.storage.get(key)
        if data is None:
            # It was given up for others' memory.
            return _refused(request, Decision.GONE)
        ending = name.rpartition(".")[2]
        return Response(data, headers=headers, media_type=_media_type(rendition, ending))

    is_there = decide() is not Decision.WAIT
    return _Answer(output, request, answer, is_there=is_there, is_low_latency=not is_there)


async def _leave(request: Request) -> ASGIApp:
    outputs, channel_id = gateway_of(request).hls, request.path_params["channel_id"]
    if outputs is not None and not is_from_foreign_page(request):
        outputs.leave(channel_id, _client(request))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@dataclass(frozen=True, slots=True)
class _Asked:
    """Delivery directives (draft-pantos-hls-rfc8216bis-22, 6.2.5)."""

    segment: int | None
    part: int | None
    skip: bool

    @classmethod
    def of(cls, request: Request) -> "_Asked":
        """Read the query. Raises `ValueError`."""
        query = request.query_params
        segment = _number("_HLS_msn", query.get("_HLS_msn"))
        part = _number("_HLS_part", query.get("_HLS_part"))
        skip = query.get("_HLS_skip")
        if part is not None and segment is None:
            raise ValueError("_HLS_part needs _HLS_msn beside it")
        if skip not in (None, "YES", "v2"):
            raise ValueError("_HLS_skip is YES or v2")
        return cls(segment, part, skip is not None)


def _number(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{name} is a whole number")
    return int(text)


def _plays_parts(request: Request) -> bool:
    """Whether the client plays a presentation whose first segment is under way.

    Nothing in a request says so. Pages of browsers do, with hls.js; ffmpeg and what stands on it
    finds such a playlist empty and gives up."""
    return request.headers.get("user-agent", "").startswith("Mozilla/")


def _knows_gaps(request: Request) -> bool:
    """Whether the client passes over gaps. What stands on ffmpeg tries to load them."""
    return _plays_parts(request) or _APPLE in request.headers.get("user-agent", "")


def _longest_s(output: HlsOutput) -> float:
    return BLOCKED_TARGETS * output.presentation.target_duration


def _refused(request: Request, decision: Decision) -> Response:
    return _refusal(request, *_REFUSALS[decision])


def _media_type(rendition: str, ending: str) -> str:
    if ending in ("mp4", "m4s") and rendition.startswith("sound-"):
        return "audio/mp4"
    return MEDIA_TYPES[ending]


def _playlist(request: Request, playlist: Playlist, *, caching: str = "no-cache") -> Response:
    headers = {"Cache-Control": caching, "Vary": "Accept-Encoding", "Content-Type": PLAYLIST_TYPE}
    if accepts_gzip(request):
        return Response(playlist.coded, headers={**headers, "Content-Encoding": "gzip"})
    return Response(playlist.plain, headers=headers)


def _output(request: Request) -> HlsOutput | None:
    outputs = gateway_of(request).hls
    params = request.path_params
    return None if outputs is None else outputs.find(params["channel_id"], params["run"])


def _missing(request: Request, reason: str) -> Response:
    return _refusal(request, 404, reason)


def _refusal(request: Request, status: int, reason: str) -> Response:
    if wants_problem(request):
        return problem(status, reason, {"Cache-Control": "no-store"})
    headers = {"Cache-Control": "no-store"}
    return Response(f"{reason}\n", status, headers, "text/plain; charset=utf-8")


def _kind(params: Mapping[str, str]) -> str:
    """What is asked for, in a word for the metrics."""
    if "rendition" not in params:
        return "index"
    name = params.get("name")
    if name is None:
        return "playlist"
    if name.startswith("header-"):
        return "header"
    return "part" if name.count(".") > 1 else "segment"


class _Answer:
    """An answer that may have to be waited for; the client counts as asking until it is sent."""

    def __init__(
        self,
        output: HlsOutput,
        request: Request,
        answer: Callable[[], Awaitable[Response]],
        *,
        is_there: bool,
        is_low_latency: bool = False,
    ) -> None:
        """`is_there`: nothing has to be waited for. `is_low_latency`: only such clients ask so."""
        self._output = output
        self._is_there = is_there
        self._is_low_latency = is_low_latency
        self._client = _client(request)
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._output.clients.asking(self._client, waits=self._is_low_latency):
            answer = self._answer()
            response = await (answer if self._is_there else _unless_left(answer, receive))
            if response is None:
                self._output.clients.break_off(self._client)
                return
            await response(scope, receive, send)
            if scope["method"] != "HEAD":
                self._output.sent(len(response.body))


async def _unless_left(answer: Awaitable[Response], receive: Receive) -> Response | None:
    """Return the answer; None once the client is gone."""
    answering = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return answering.result() if answering.done() else None
    finally:
        for each in (answering, leaving):
            each.cancel()
        await asyncio.wait({answering, leaving})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _client(request: Request) -> str:
    host = request.client.host if request.client else ""
    return f"{host} {request.headers.get('user-agent', '')[:200]}"


class _Counted:
    """Counts the answer of a handler by what was asked for."""

    def __init__(self, handler: Callable[[Request], Awaitable[ASGIApp]]) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        requests = gateway_of(request).metrics.hls.requests

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                requests.labels(_kind(request.path_params), message["status"]).inc()
            await send(message)

        await (await self._handler(request))(scope, receive, counted)


_READ: Final = ("GET", "HEAD")

ROUTES: list[BaseRoute] = [
    Route("/hls/{channel_id}/index.m3u8", _Counted(_index), methods=_READ),
    Route("/hls/{channel_id}/leave", _leave, methods=["POST"]),
    Route("/hls/{channel_id}/{run}/{rendition}.m3u8", _Counted(_media), methods=_READ),
    Route("/hls/{channel_id}/{run}/{rendition}/{name}", _Counted(_file), methods=_READ),
]
