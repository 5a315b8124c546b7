"""HTTP Live Streaming (RFC 8216bis): /hls/{channel_id}/..., playlists and the files they name."""

import re
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

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
from .hls_responses import CountedRoute, WaitingResponse, client_key

PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
MEDIA_TYPES: Final = {
    "mp4": "video/mp4",
    "m4s": "video/mp4",
    "vtt": "text/vtt; charset=utf-8",
    "json": "application/json",
}
"""Media type by file ending."""
IMMUTABLE: Final = "public, max-age=31536000, immutable"
"""Files of a run never change."""
BLOCKED_TARGETS: Final = 3
"""Target durations that a request waits for a segment or part that is not there yet."""

_APPLE: Final = "AppleCoreMedia/"

_CACHED_TARGETS: Final = 6
"""Target durations that a cache keeps the answer to a blocking request (appendix B.1)."""

_REFUSALS: Final = {
    Decision.BAD: (400, "too far ahead of the live stream; request the playlist again"),
    Decision.MISSING: (404, "no such rendition or file"),
    Decision.GONE: (410, "no longer in the window; request the playlist again"),
    Decision.WAIT: (503, "not available in time; try again"),
}

_RUN_ENDED: Final = "this run of the stream has ended; request index.m3u8 again"

_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)


async def _index(request: Request) -> ASGIApp:
    gateway = gateway_of(request)
    channel_id = request.path_params["channel_id"]
    if gateway.hls is None:
        return _missing(request, "HTTP Live Streaming is switched off; set hls.enabled")
    lineup = gateway.lineup_keeper.lineup
    if lineup is None:
        return refused_without_lineup(request, channel_id)
    channel = lineup.find(channel_id)
    if channel is None:
        return unknown(request, channel_id)
    if hls_path(channel) is None:
        return refused(
            request, NOT_OFFERED, channel.id, "the source of this channel is DASH, not HLS"
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

    return WaitingResponse(output, request, answer, is_there=output.is_open)


def _head() -> Response:
    """Return the headers of a playlist that is not made: without its length (RFC 9110, 8.6)."""
    response = Response(headers={"Content-Type": PLAYLIST_TYPE, "Cache-Control": "no-cache"})
    del response.headers["Content-Length"]
    return response


async def _media(request: Request) -> ASGIApp:
    output = _output(request)
    if output is None:
        return _missing(request, _RUN_ENDED)
    rendition = request.path_params["rendition"]
    try:
        directives = _Directives.of(request)
    except ValueError as error:
        return _refusal(request, 400, str(error))

    def decide() -> Decision:
        segment, part = directives.segment, directives.part
        decision = playlist_decision(output.presentation, rendition, segment, part)
        if decision is Decision.SERVE and segment is None and not _plays_parts(request):
            # A playlist with parts only is empty to such clients.
            has_segment = output.presentation.renditions[rendition].has_segment
            return Decision.SERVE if has_segment else Decision.WAIT
        return decision

    async def answer() -> Response:
        decision = await output.decided(decide, within_s=_longest_s(output))
        is_first = directives.segment is None and decision is Decision.WAIT
        if decision is not Decision.SERVE and not is_first:
            return _refused(request, decision)
        caching = "no-cache"
        if directives.segment is not None and not output.presentation.window.has_lead_in:
            # The same request has the same answer later.
            caching = f"public, max-age={_CACHED_TARGETS * output.presentation.target_duration}"
        playlist = output.playlist(rendition, skip=directives.skip, lead_in=_knows_gaps(request))
        return _playlist(request, playlist, caching=caching)

    is_there = decide() is not Decision.WAIT
    return WaitingResponse(
        output, request, answer, is_there=is_there, is_low_latency=directives.segment is not None
    )


async def _file(request: Request) -> ASGIApp:
    output = _output(request)
    if output is None:
        return _missing(request, _RUN_ENDED)
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
            # It was removed because other outputs needed the memory.
            return _refused(request, Decision.GONE)
        ending = name.rpartition(".")[2]
        return Response(data, headers=headers, media_type=_media_type(rendition, ending))

    is_there = decide() is not Decision.WAIT
    return WaitingResponse(output, request, answer, is_there=is_there, is_low_latency=not is_there)


async def _leave(request: Request) -> ASGIApp:
    outputs, channel_id = gateway_of(request).hls, request.path_params["channel_id"]
    if outputs is not None and not is_from_foreign_page(request):
        outputs.leave(channel_id, client_key(request))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@dataclass(frozen=True, slots=True)
class _Directives:
    """Delivery directives (draft-pantos-hls-rfc8216bis-22, 6.2.5)."""

    segment: int | None
    part: int | None
    skip: bool

    @classmethod
    def of(cls, request: Request) -> "_Directives":
        """Read the query. Raises `ValueError`."""
        query = request.query_params
        segment = _number("_HLS_msn", query.get("_HLS_msn"))
        part = _number("_HLS_part", query.get("_HLS_part"))
        skip = query.get("_HLS_skip")
        if part is not None and segment is None:
            raise ValueError("_HLS_part needs _HLS_msn")
        if skip not in (None, "YES", "v2"):
            raise ValueError("invalid _HLS_skip; use YES or v2")
        return cls(segment, part, skip is not None)


def _number(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"invalid {name}; use a whole number")
    return int(text)


def _plays_parts(request: Request) -> bool:
    """Tell whether the client plays a presentation whose first segment is not complete.

    No header says so. Browsers do, with hls.js; ffmpeg and players built on it find such a playlist
    empty and give up."""
    return request.headers.get("user-agent", "").startswith("Mozilla/")


def _knows_gaps(request: Request) -> bool:
    """Tell whether the client skips gaps. Players built on ffmpeg try to load them."""
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


_READ: Final = ("GET", "HEAD")

ROUTES: list[BaseRoute] = [
    Route("/hls/{channel_id}/index.m3u8", CountedRoute(_index), methods=_READ),
    Route("/hls/{channel_id}/leave", _leave, methods=["POST"]),
    Route("/hls/{channel_id}/{run}/{rendition}.m3u8", CountedRoute(_media), methods=_READ),
    Route("/hls/{channel_id}/{run}/{rendition}/{name}", CountedRoute(_file), methods=_READ),
]
