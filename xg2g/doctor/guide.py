"""The channels' programme guide and logos."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from xg2g.receiver.errors import ReceiverError

from .check import CheckContext, Finding, good, note, skipped

_LOGOS = 5
_GUIDE_MINUTES = 14 * 24 * 60


async def picons(context: CheckContext) -> AsyncIterator[Finding]:
    """Check that the receiver has logos for its channels."""
    if context.openwebif is None or not context.services:
        yield skipped("logos", "no channel was found")
        return
    asked = context.services[:_LOGOS]
    try:
        found = [service for service in asked if await context.openwebif.picon(service)]
    except ReceiverError as error:
        yield note("logos", str(error))
        return
    text = f"{len(found)} of the first {len(asked)} channels have a logo"
    if found:
        yield good("logos", text, found=len(found))
    else:
        advice = "install a picon package on the receiver"
        yield note("logos", text, advice, found=0)


async def guide(context: CheckContext) -> AsyncIterator[Finding]:
    """Check how many days of guide the receiver has."""
    service = context.channel
    if context.openwebif is None or service is None:
        yield skipped("guide", "no channel was found")
        return
    now = datetime.now(UTC)
    count, until = 0, now
    try:
        async for event in context.openwebif.service_events(
            service, begin=now, minutes=_GUIDE_MINUTES
        ):
            count += 1
            until = max(until, event.begin + event.duration)
    except ReceiverError as error:
        yield note("guide", f"{service.name}: {error}")
        return
    days = (until - now).total_seconds() / 86400
    text = f"{service.name}: {count} programmes, {days:.1f} days ahead"
    if count == 0:
        yield note(
            "guide",
            f"{service.name} has no guide on the receiver",
            "the receiver reads a channel's guide while it is tuned to it: watch the channel for a "
            "minute, or set up EPGImport or EPGRefresh on the receiver",
        )
    elif days < 1:
        advice = "watch the channel for a minute; some broadcasters send no more"
        yield note("guide", text, advice, programmes=count, days=days)
    else:
        yield good("guide", text, programmes=count, days=days)
