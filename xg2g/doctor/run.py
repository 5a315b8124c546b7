"""The checks, one after the other. A check is added in `CHECKS`, and nowhere else."""

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
"""In the order in which trouble shows: what fails first explains what fails behind it."""


async def run_checks(
    settings: Settings,
    *,
    channel: str | None = None,
    sample_s: float = 5.0,
    on_check: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[Finding]:
    """Look at everything, and give each finding as it is made.

    `channel` is the name of the one to watch for `sample_s`. Nothing at the receiver is changed; a
    tuner is used for as long as that, if one is free, and given back. `on_check` hears what is
    looked at, one line, before it is.
    """
    async with AsyncExitStack() as stack:
        address = settings.receiver_address() if settings.receiver.url else None
        openwebif = None
        if address is not None:
            openwebif = await stack.enter_async_context(
                OpenWebif(
                    address,
                    connect_timeout_s=settings.receiver.connect_timeout_s,
                    answer_timeout_s=settings.receiver.answer_timeout_s,
                    # What does not work at once is what there is to find.
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
