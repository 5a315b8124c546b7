"""A channel, watched for some seconds: its start, losses and audio."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

from xg2g.app.backend import choose_backend
from xg2g.lineup.naming import unknown
from xg2g.receiver.errors import NoTunerError, ReceiverError
from xg2g.receiver.openwebif import ListedService, OpenWebif
from xg2g.receiver.refusal_reason import refusal_reason
from xg2g.receiver.relay_list import RelayList
from xg2g.receiver.stream import StreamClient
from xg2g_backends.base import RemuxStats, TrackState, TrackStats
from xg2g_backends.errors import BackendError

from .check import CheckContext, Finding, bad, good, note, skipped

SLOW_START_S = 5.0
"""Some players give up after this time: Plex and Jellyfin probe before they play."""

_ELSEWHERE = "try another channel with --channel NAME, and this one on the television"
_SOUND = {
    TrackState.CONVERTING: "is converted to AAC",
    TrackState.PASSING_AAC: "is AAC already",
    TrackState.SCRAMBLED: "is scrambled",
    TrackState.UNSUPPORTED: "is not converted: its codec is not supported",
    TrackState.WAITING: "was announced but never sent",
    TrackState.DROPPED: "is removed, because of audio.tracks",
}


async def stream(context: CheckContext) -> AsyncIterator[Finding]:
    """Watch a channel."""
    if context.address is None or context.openwebif is None or not context.services:
        yield skipped("stream", "no channel was found")
        return
    service = context.channel
    if service is None:
        names = [it.name for it in context.services]
        what, _, advice = unknown([context.wanted or ""], names, kind="channel").partition("; ")
        yield bad("stream", what, advice)
        return
    try:
        if not await context.openwebif.playable(service):
            raise await refusal_reason(context.openwebif, service) or NoTunerError(
                "the receiver has no free tuner now"
            )
        watched = await _watch(context, context.openwebif, service)
    except NoTunerError as error:
        yield note(
            "stream", f"{service.name}: {error}", "try again when fewer people watch or record"
        )
    except (ReceiverError, BackendError) as error:
        what, _, advice = str(error).partition("; ")
        yield bad("stream", f"{service.name}: {what}", advice or _ELSEWHERE)
    else:
        for finding in _findings(service.name, *watched):
            yield finding


async def _watch(
    context: CheckContext, openwebif: OpenWebif, service: ListedService
) -> tuple[float, float, RemuxStats]:
    """Watch for `sample_s`: return the seconds to the first output, the seconds watched, and the
    counters."""
    settings = context.settings
    assert context.address is not None
    receiver = StreamClient(
        context.address,
        settings.receiver.deadlines(),
        relayed=RelayList(openwebif).includes,
    )
    options = replace(settings.audio.remux_options(), program=service.reference.sid)
    backend = choose_backend(settings)
    try:
        began_s = time.monotonic()
        async with await backend.open(options) as remuxer, receiver.open(service.reference) as live:
            first_s: float | None = None
            end_s = began_s + settings.receiver.first_byte_timeout_s
            while time.monotonic() < end_s and (chunk := await live.read()):
                if (await remuxer.process(chunk)).data and first_s is None:
                    first_s = time.monotonic() - began_s
                    end_s = time.monotonic() + context.sample_s
            watched_s = time.monotonic() - began_s - (first_s or 0)
            return first_s or 0.0, watched_s, await remuxer.stats()
    finally:
        await backend.aclose()


def _findings(name: str, first_s: float, watched_s: float, stats: RemuxStats) -> Iterator[Finding]:
    if not stats.bytes_out:
        yield bad("stream", f"{name}: no playable data arrived", _ELSEWHERE)
        return
    rate = stats.bytes_in * 8 / 1e6 / max(watched_s, 0.1)
    text = f"{name}: starts after {first_s:.1f} s, {rate:.1f} Mbit/s"
    figures = {"start_s": first_s, "mbit_s": rate}
    if first_s > SLOW_START_S:
        advice = "some players give up; check for a moving dish, weak reception or a slow card"
        yield note("stream", text, advice, **figures)
    else:
        yield good("stream", text, **figures)
    if stats.continuity_errors or stats.transport_errors:
        lost = stats.continuity_errors + stats.transport_errors
        advice = "check reception, and the network to the receiver (wireless may be too slow)"
        yield note("stream", f"{name}: {lost} gaps in {watched_s:.0f} s", advice, gaps=lost)
    if not stats.tracks:
        yield note("sound", f"{name} has no audio", _ELSEWHERE)
    for track in stats.tracks:
        yield _track(name, track)


def _track(name: str, track: TrackStats) -> Finding:
    what = " ".join(word for word in (track.codec or "sound", track.language) if word)
    text = f"{name}: {what} {_SOUND[track.state]}"
    match track.state:
        case TrackState.SCRAMBLED:
            advice = "check the receiver's card or softcam: it does not descramble this channel"
            return bad("sound", text, advice)
        case TrackState.UNSUPPORTED:
            return note("sound", text, "players without this codec stay silent")
        case TrackState.WAITING:
            return note(
                "sound", text, "no fix needed: some channels announce tracks that they rarely send"
            )
        case _:
            return good("sound", text)
