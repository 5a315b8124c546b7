"""Answers for a channel that does not open: the reason, advice, and who uses the tuners."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ..lineup import Lineup
from ..metrics import Outcome
from ..outputs.failures import Failure
from ..outputs.refusals import SYSTEM_BUSY, UNKNOWN, Refusal, refusal_for
from ..outputs.viewers import SharedStream, Viewer, shared_streams
from ..receiver.errors import ReceiverError
from ..streaming.tuner_ledger import transponder
from .gateway import Gateway, base_url, gateway_of
from .http.access import access_of
from .http.refusals import MEDIA_TYPE, Problem, wants_page, wants_problem
from .pages.rendering import page

log = structlog.get_logger()

ADVICE: Mapping[str, str] = {
    Outcome.NO_TUNER: "Stop one of the other streams, or wait until a recording ends. Channels of "
    "one transponder share a tuner, so another channel may open at once.",
    Outcome.UNKNOWN_SERVICE: "Load the playlist again: the channel may have left the receiver's "
    "bouquets, or its number may have changed.",
    Outcome.NO_SIGNAL: "Try the channel on the television. If it has no picture there, check the "
    "dish, the cable and the tuner settings.",
    Outcome.SCRAMBLED: "Check on the television whether the receiver can descramble the channel.",
    Outcome.RECEIVER_SILENT: "Try again in a moment: a dish may still be moving, or a smart card "
    "may be busy. If it fails again, try the channel on the television.",
    Outcome.RECEIVER_UNREACHABLE: "Switch the receiver on (in deep standby it is off), and check "
    "receiver.url and receiver.stream_port. xg2g notices when the receiver is back.",
    Outcome.RECEIVER_CREDENTIALS: "Set receiver.user and receiver.password to the receiver's own, "
    "and reload the settings of xg2g.",
    Outcome.RECEIVER_UNEXPECTED: "Check receiver.stream_port: another program may answer there.",
    Outcome.BACKEND_UNAVAILABLE: "Start xg2g-transcoder, or start another one beside it. With "
    "external.fallback, xg2g converts streams itself until one is back.",
    Outcome.BACKEND_FAILED: "This is a defect of xg2g. Please report it with the lines of the log.",
    Outcome.OUT_OF_FILES: "xg2g has too many connections and streams open. End some, or raise its "
    "limit of open files (LimitNOFILE, ulimit -n).",
    Outcome.NOT_OFFERED: "Play the channel's stream with VLC, Kodi, mpv or another player. The "
    "overview shows its address.",
    Outcome.SHUTDOWN: "xg2g is stopping or restarting. Try again in a moment.",
}
"""What a user can do, by outcome."""


def is_stream_path(path: str) -> bool:
    """Tell whether clients store any body of this path as video."""
    return path == "/auto" or path.startswith(("/stream/", "/auto/", "/tuner")) or ":" in path


def refused_without_lineup(request: Request, channel_id: str) -> Response:
    """Refuse a channel while there is no lineup."""
    trouble = gateway_of(request).lineup_keeper.trouble
    if not isinstance(trouble, ReceiverError):
        reason = str(trouble or "the lineup is being read; try again in a moment")
        return refused(request, SYSTEM_BUSY, channel_id, reason)
    return refused(request, refusal_for(trouble), channel_id, str(trouble))


def unknown(request: Request, channel_id: str) -> Response:
    """Refuse a channel that is not in the lineup."""
    reason = "there is no such channel; load the playlist again"
    return refused(request, UNKNOWN, channel_id, reason)


def refused(request: Request, refusal: Refusal, channel_id: str, reason: str) -> Response:
    """Refuse a channel before anything was opened, and record the failure."""
    failure = gateway_of(request).failures.add(
        channel_id=channel_id,
        channel_name=None,
        viewer=request.client.host if request.client else None,
        status=refusal.status,
        outcome=refusal.outcome.value,
        reason=reason,
    )
    if failure.times == 1:
        log.warning(
            "channel not opened",
            channel=failure.channel_id,
            viewer=failure.viewer,
            reason=reason,
            outcome=failure.outcome,
            status=refusal.status,
        )
    return failure_answer(request, refusal, failure, is_video=is_stream_path(request.url.path))


def failure_answer(
    request: Request, refusal: Refusal, failure: Failure, *, is_video: bool = True
) -> Response:
    """Return a problem (RFC 9457) to a program and a page to a browser. Players get an empty body
    where they request video, since they store any body as video, and one line elsewhere."""
    if wants_problem(request):
        response = _problem(request, refusal, failure)
    elif wants_page(request):
        response = failure_page(request, failure)
    elif is_video:
        response = Response(status_code=refusal.status)
    else:
        response = PlainTextResponse(f"{failure.reason}\n", refusal.status)
    response.headers["Cache-Control"] = "no-store"
    if refusal.hdhomerun_error is not None:
        response.headers["X-HDHomeRun-Error"] = refusal.hdhomerun_error
    return response


def _problem(request: Request, refusal: Refusal, failure: Failure) -> Response:
    problem: dict[str, object] = Problem(
        title=HTTPStatus(refusal.status).phrase, status=refusal.status, detail=failure.reason
    ).model_dump()
    problem["outcome"] = failure.outcome
    if refusal.hdhomerun_error is not None:
        problem["code"] = refusal.hdhomerun_error.partition(" ")[0]
    if advice := ADVICE.get(failure.outcome):
        problem["advice"] = advice
    if failure.outcome == Outcome.NO_TUNER:
        problem["users"] = _tuner_users(request)
    return Response(json.dumps(problem), refusal.status, media_type=MEDIA_TYPE)


def failure_page(request: Request, failure: Failure) -> Response:
    """Return the page that a browser shows in place of a stream."""
    shows_users = failure.outcome == Outcome.NO_TUNER and _may_read(request)
    return page(
        "failure.html",
        f"{failure.channel_name or failure.channel_id} does not open",
        reason=failure.reason,
        advice=ADVICE.get(failure.outcome),
        users=_users(gateway_of(request)) if shows_users else None,
        base=base_url(request),
        status=failure.status or 500,
    )


def _since(viewer: Viewer) -> str:
    """Return the start of a stream in local time, and its length."""
    minutes = int((datetime.now(UTC) - viewer.since).total_seconds() // 60)
    return f"since {viewer.since.astimezone():%H:%M %Z}, {minutes} min"


def _tuner_users(request: Request) -> list[dict[str, object]]:
    """Return who uses the tuners; empty if this client may not read that."""
    gateway = gateway_of(request)
    if not _may_read(request):
        return []
    lineup = gateway.lineup_keeper.lineup or Lineup()
    own_address = request.client.host if request.client else None
    found: list[dict[str, object]] = []
    for each in _holders(gateway):
        channel_id = each.channel_id(lineup)
        channel = lineup.find(channel_id)
        found += (
            {
                "stream_id": viewer.id,
                "channel": channel_id,
                "channel_name": channel.name if channel else None,
                "address": viewer.address,
                "since": viewer.since.isoformat(),
                "is_own": viewer.address == own_address,
            }
            for viewer in each.viewers
        )
    return found


def _may_read(request: Request) -> bool:
    return access_of(request).refusal(request, changes=False) is None


def _holders(gateway: Gateway) -> list[SharedStream]:
    shared = shared_streams(gateway.hub.upstreams, gateway.viewers)
    return [each for each in shared if transponder(each.upstream.service) and each.viewers]


def _users(gateway: Gateway) -> list[tuple[str, list[str]]]:
    """Return the channels that use tuners, each with a line about every viewer."""
    lineup = gateway.lineup_keeper.lineup or Lineup()
    users = []
    for each in _holders(gateway):
        channel_id = each.channel_id(lineup)
        channel = lineup.find(channel_id)
        viewers = [f"{it.address or 'unknown address'}, {_since(it)}" for it in each.viewers]
        users.append((channel.name if channel else channel_id, viewers))
    return users
