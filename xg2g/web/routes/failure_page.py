"""What a browser shows in place of a stream. Players get an empty body: they store any other."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from ...lineup import Lineup
from ...metrics import Outcome
from ...outputs.failures import Failure
from ...outputs.viewers import SharedStream, Viewer, shared_streams
from ...streaming.ledger import transponder
from ..gateway import Gateway, gateway_of
from ..http.access import access_of
from ..pages.rendering import page
from .address import base_url
from .html import Element, tag

_ADVICE: Mapping[str, str] = {
    Outcome.NO_TUNER: "Stop one of the others, or wait until a recording ends. Channels of one "
    "transponder share a tuner, so that another channel may open at once.",
    Outcome.UNKNOWN_SERVICE: "Load the playlist again: the channel may have left the receiver's "
    "bouquets, or have another number.",
    Outcome.NO_SIGNAL: "Try the channel on the television itself. If that has no picture either, "
    "look at dish, cable and tuner settings.",
    Outcome.SCRAMBLED: "The television shows whether the receiver can descramble the channel.",
    Outcome.RECEIVER_SILENT: "Try again in a moment: a dish may still be moving, or a card be "
    "busy. If it stays so, try the channel on the television itself.",
    Outcome.RECEIVER_UNREACHABLE: "Switch the receiver on (in deep standby it is off), and check "
    "receiver.url and receiver.stream_port. xg2g notices by itself when it is back.",
    Outcome.RECEIVER_CREDENTIALS: "Set receiver.user and receiver.password to what the receiver "
    "asks for, and have xg2g read its settings again.",
    Outcome.RECEIVER_UNEXPECTED: "Check receiver.stream_port: another program may answer there.",
    Outcome.BACKEND_UNAVAILABLE: "Start xg2g-transcoder, or another one beside it. With "
    "external.fallback, xg2g converts by itself meanwhile.",
    Outcome.BACKEND_FAILED: "This is a defect of xg2g: please report it with the lines of the log.",
    Outcome.OUT_OF_FILES: "Too many connections and streams are open for this process: end some or "
    "raise its limit of open files (LimitNOFILE, ulimit -n).",
    Outcome.NOT_OFFERED: "Play the channel's stream with VLC, Kodi, mpv or another player: its "
    "address stands in the overview.",
    Outcome.SHUTDOWN: "xg2g ends, or starts again just now: try again in a moment.",
}


def failure_page(request: Request, failure: Failure) -> Response:
    """Why a stream did not open, what to do, and who has the tuners."""
    gateway = gateway_of(request)
    name = failure.channel_name or failure.channel_id
    body = [
        tag("h1", f"{name} does not open"),
        tag("p", failure.reason, class_="trouble bad"),
    ]
    if text := advice(failure):
        body += [tag("h2", "What to do"), tag("p", text)]
    if failure.outcome == Outcome.NO_TUNER and _may_read(request):
        body += _users(gateway)
    again = tag("a", "Try again", href="", class_="button")
    home = tag("a", "Overview", href=f"{base_url(request)}/", class_="button")
    body.append(tag("p", again, " ", home, class_="buttons"))
    return page(f"{name} does not open", *body, status=failure.status or 500)


def since(viewer: Viewer) -> str:
    """Since when somebody watches, by this computer's clock."""
    minutes = int((datetime.now(UTC) - viewer.since).total_seconds() // 60)
    return f"since {viewer.since.astimezone():%H:%M %Z}, {minutes} min"


def advice(failure: Failure) -> str | None:
    """What a user can do about a failure, if that is known."""
    return _ADVICE.get(failure.outcome)


def tuner_users(request: Request) -> list[dict[str, object]]:
    """Who holds the tuners, for programs; empty to whoever may not read it."""
    gateway = gateway_of(request)
    if not _may_read(request):
        return []
    lineup = gateway.lineup_keeper.lineup or Lineup()
    asker = request.client.host if request.client else None
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
                "is_own": viewer.address == asker,
            }
            for viewer in each.viewers
        )
    return found


def _may_read(request: Request) -> bool:
    return access_of(request).refusal(request, changes=False) is None


def _holders(gateway: Gateway) -> list[SharedStream]:
    shared = shared_streams(gateway.hub.upstreams, gateway.viewers)
    return [each for each in shared if transponder(each.upstream.service) and each.viewers]


def _users(gateway: Gateway) -> Iterator[Element]:
    lineup = gateway.lineup_keeper.lineup or Lineup()
    users = _holders(gateway)
    yield tag("h2", "Who uses the tuners")
    if not users:
        yield tag("p", "Nobody watches through xg2g: the receiver uses them itself.", class_="dim")
    for each in users:
        channel_id = each.channel_id(lineup)
        channel = lineup.find(channel_id)
        viewers = (f"{it.address or 'somebody'}, {since(it)}" for it in each.viewers)
        yield tag(
            "div",
            tag("b", channel.name if channel else channel_id),
            tag("ul", *(tag("li", viewer) for viewer in viewers), class_="dim"),
            class_="viewer",
        )
