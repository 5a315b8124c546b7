"""The receiver: web interface, clock, channels and ports."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from xg2g.lineup.naming import choose, unknown
from xg2g.network.failures import why_no_connection
from xg2g.receiver.errors import ReceiverError
from xg2g.receiver.openwebif import RADIO, TELEVISION, About, ListedService, OpenWebif

from .check import CheckContext, Finding, bad, good, note, skipped

CLOCK_TOLERANCE_S = 30
"""A larger difference shows in the guide: the current programme seems to be the next one."""
_SLOW_ANSWER_S = 5.0
_MAX_BOUQUETS = 20
"""Maximum number of bouquets whose channels are read; each is a request."""


async def web_interface(context: CheckContext) -> AsyncIterator[Finding]:
    """Check that the receiver's web interface answers."""
    if context.openwebif is None or context.address is None:
        yield bad(
            "receiver",
            "receiver.url is not set",
            "run xg2g setup to find the receiver, or start with --receiver http://192.168.1.10",
        )
        return
    began_s = time.monotonic()
    try:
        about = await context.openwebif.about()
        status = await context.openwebif.status()
    except ReceiverError as error:
        what, _, advice = str(error).partition("; ")
        yield bad("receiver", what, advice)
        return
    answer_s = time.monotonic() - began_s
    context.answers = True
    name = " ".join(word for word in (about.brand, about.model) if word) or "Enigma2"
    image = " ".join(word for word in (about.image, about.image_version) if word)
    doing = _doing(about, in_standby=status.in_standby, is_recording=status.is_recording)
    text = f"{name} at {context.address.url}" + (f", {image}" if image else "") + doing
    yield good("receiver", text, answer_s=answer_s)
    if answer_s > _SLOW_ANSWER_S:
        yield note(
            "receiver",
            f"slow: it took {answer_s:.1f} s for two answers",
            "if channels or guide cannot be read, raise receiver.answer_timeout_s",
        )
    for finding in _generation(about):
        yield finding


async def clock(context: CheckContext) -> AsyncIterator[Finding]:
    """Compare the clocks of receiver and computer."""
    if context.openwebif is None or not context.answers:
        return
    try:
        theirs = await context.openwebif.clock()
    except ReceiverError as error:
        yield note("clock", str(error))
        return
    if theirs is None:
        return
    apart_s = (theirs - datetime.now(UTC)).total_seconds()
    if abs(apart_s) <= CLOCK_TOLERANCE_S:
        yield good("clock", "receiver and computer show the same time", apart_s=apart_s)
    else:
        ahead = "ahead of" if apart_s > 0 else "behind"
        yield bad(
            "clock",
            f"the receiver is {abs(apart_s):.0f} s {ahead} this computer",
            "set both clocks by NTP: until then the guide shows the wrong programme",
            apart_s=apart_s,
        )


async def channels(context: CheckContext) -> AsyncIterator[Finding]:
    """Read the bouquets and their channels."""
    if context.openwebif is None or not context.answers:
        yield skipped("channels", "the receiver does not answer")
        return
    try:
        bouquets = [
            bouquet
            for kind in (TELEVISION, RADIO)
            for bouquet in await context.openwebif.bouquets(kind)
        ]
        for bouquet in bouquets[:_MAX_BOUQUETS]:
            context.services += await _playable(context.openwebif, bouquet)
    except ReceiverError as error:
        yield bad("channels", str(error))
        return
    names = [bouquet.name for bouquet in bouquets]
    for where, wanted in (
        ("", context.settings.lineup.bouquets),
        ("hdhomerun.bouquets: ", context.settings.hdhomerun.bouquets),
    ):
        if missing := choose(wanted, names).missing:
            what, _, advice = unknown(missing, names).partition("; ")
            yield bad("channels", f"{where}{what}", advice)
    text = f"{len(context.services)} in {len(bouquets)} bouquets"
    if len(bouquets) > _MAX_BOUQUETS:
        text = f"{len(bouquets)} bouquets; {len(context.services)} in the first {_MAX_BOUQUETS}"
    if context.services:
        yield good("channels", text, channels=len(context.services), bouquets=len(bouquets))
    else:
        advice = "search for channels on the receiver, and add them to a bouquet"
        yield bad("channels", "the bouquets have no channels", advice)


async def stream_ports(context: CheckContext) -> AsyncIterator[Finding]:
    """Check that the receiver's stream port and relay port accept connections."""
    if context.openwebif is None or context.address is None or not context.answers:
        return
    host, number = context.address.host, context.address.stream_port
    if trouble := await _refusal(host, number):
        yield bad(
            "streams",
            f"port {number} of the receiver does not accept connections: {trouble}",
            "check receiver.stream_port (usually 8001), and any firewall",
        )
    else:
        yield good("streams", f"port {number} of the receiver accepts connections")
    try:
        relayed = await context.openwebif.relayed_services()
    except ReceiverError as error:
        yield note("relay", f"its list of services cannot be read: {error}")
        return
    relay_port = context.settings.receiver.relay_port
    if not relayed:
        return
    users = "1 service uses" if len(relayed) == 1 else f"{len(relayed)} services use"
    if trouble := await _refusal(host, relay_port):
        yield bad(
            "relay",
            f"{users} the stream relay, but port {relay_port} does not accept connections: "
            f"{trouble}",
            "start the softcam on the receiver, or correct receiver.relay_port",
        )
    else:
        yield good("relay", f"{users} the stream relay, on port {relay_port}")


def _doing(about: About, *, in_standby: bool, is_recording: bool) -> str:
    words = ["in standby" if in_standby else "on"]
    if is_recording:
        words.append("recording")
    if about.tuners:
        busy = sum(not tuner.idle for tuner in about.tuners)
        words.append(f"{busy} of {len(about.tuners)} tuners in use")
    return f" ({', '.join(words)})"


def _generation(about: About) -> list[Finding]:
    version = about.web_interface_version
    match = re.search(r"(\d+)\.(\d+)", version)
    if match is None:
        return [note("web interface", "its version is unknown")]
    number = (int(match[1]), int(match[2]))
    if number < (1, 3):
        advice = "update the image or OpenWebif on the receiver to 1.3.5 or newer"
        return [bad("web interface", f"{version} is too old", advice)]
    if number < (2, 0):
        advice = "update OpenWebif if channels need a stream relay"
        text = f"{version} is an older generation, without a list of services for a stream relay"
        return [note("web interface", text, advice)]
    return [good("web interface", version)]


async def _playable(openwebif: OpenWebif, bouquet: ListedService) -> list[ListedService]:
    entries = await openwebif.services(bouquet)
    return [entry for entry in entries if entry.reference.is_dvb_service]


async def _refusal(host: str, port: int) -> str | None:
    """Return why a connection fails, or None when it succeeds."""
    try:
        async with asyncio.timeout(3):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return why_no_connection(error)
    writer.transport.abort()
    return None
