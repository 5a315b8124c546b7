"""Why the receiver refused a stream. Its answer does not tell, so its web interface is asked."""

import asyncio
from collections.abc import Iterable

from .errors import NoTunerError, ReceiverError, UnknownServiceError
from .openwebif import ListedService, OpenWebif

_TIME_LIMIT_S = 3.0
"""Limit for all answers, since a viewer waits."""


async def refusal_reason(
    receiver: OpenWebif, service: ListedService, streaming: Iterable[ListedService] = ()
) -> NoTunerError | UnknownServiceError | None:
    """Find out, after a refusal, whether all tuners are in use or the service is unknown.

    `streaming` are services that the receiver is known to stream: if ending one of them would make
    room, all tuners are in use. Otherwise a receiver that uses any tuner is taken to have no free
    one. Returns None when the receiver does not answer in time.
    """
    try:
        async with asyncio.timeout(_TIME_LIMIT_S):
            return await _ask(receiver, service, streaming)
    except (ReceiverError, TimeoutError):
        return None


async def _ask(
    receiver: OpenWebif, service: ListedService, streaming: Iterable[ListedService]
) -> NoTunerError | UnknownServiceError:
    if await receiver.playable(service):
        return NoTunerError(
            "the receiver had no free tuner a moment ago; it has one now, so try again"
        )
    for other in streaming:
        if await receiver.playable(service, instead_of=other):
            return NoTunerError("all tuners of the receiver are in use")
    status = await receiver.status()
    uses = {
        "it is recording": status.is_recording,
        "it is streaming": status.is_streaming,
        "its television is on": not status.in_standby,
    }
    if used := [use for use, is_so in uses.items() if is_so]:
        return NoTunerError(f"the receiver has no free tuner for this service: {used[0]}")
    return UnknownServiceError(
        "the receiver cannot tune to this service although no tuner is in use: the service is no "
        "longer in its list, or no tuner receives its satellite"
    )
