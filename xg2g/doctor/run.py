"""Runs the checks, one after the other. Add a check to `CHECKS`."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

from xg2g.config import Settings
from xg2g.receiver.openwebif import OpenWebif, RequestPolicy

from . import channel, discovery, guide, machine, receiver
from . import machine as transcoding
from .check import CheckContext, Finding

Check = Callable[[CheckContext], AsyncIterator[Finding]]

CHECKS: tuple[Check, ...] = (
    machine.listening,
    machine.port,
    discovery.discovery,
    machine.data,
    transcoding.backend,
    receiver.web_interface,
    receiver.clock,
    receiver.channels,
    receiver.stream_ports,
    channel.stream,
    guide.picons,
    guide.guide,
)
"""In this order a failed check explains the failures after it."""


async def run_checks(
    settings: Settings,
    *,
    channel: str | None = None,
    sample_s: float = 5.0,
    on_check: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[Finding]:
    """Run every check, and yield each finding at once.

    Watches the channel called `channel` for `sample_s` seconds, if a tuner is free. Changes nothing
    on the receiver. Calls `on_check` with a line about each check before it runs.
    """
    async with AsyncExitStack() as stack:
        address = settings.receiver.address() if settings.receiver.url else None
        openwebif = None
        if address is not None:
            openwebif = await stack.enter_async_context(
                OpenWebif(
                    address,
                    connect_timeout_s=settings.receiver.connect_timeout_s,
                    answer_timeout_s=settings.receiver.answer_timeout_s,
                    # A retry would hide a fault.
                    policy=RequestPolicy(attempts=1),
                )
            )
        context = CheckContext(
            settings=settings,
            address=address,
            openwebif=openwebif,
            wanted=channel,
            sample_s=sample_s,
        )
        for check in CHECKS:
            on_check((check.__doc__ or "").partition(".")[0])
            async for finding in check(context):
                yield finding
