"""Why the receiver refused a stream: its answer is the same for every reason."""

import asyncio
from collections.abc import Iterable

from .errors import NoTunerError, ReceiverError, UnknownServiceError
from .openwebif import ListedService, OpenWebif

_PATIENCE_S = 3.0
"""For the answers: a viewer waits."""


async def refusal_reason(
    receiver: OpenWebif, service: ListedService, streaming: Iterable[ListedService] = ()
) -> NoTunerError | UnknownServiceError | None:
    """Ask, after a refusal, whether tuners are missing or the service is.

    `streaming` are services that the receiver is known to stream: if giving one up would make room,
    tuners are what is missing. Without that, a receiver that uses any is taken to lack one. None
    when it does not say, or not soon.
    """
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await _ask(receiver, service, streaming)
    except (ReceiverError, TimeoutError):
        return None


async def _ask(
    receiver: OpenWebif, service: ListedService, streaming: Iterable[ListedService]
) -> NoTunerError | UnknownServiceError:
    if await receiver.playable(service):
        return NoTunerError("the receiver had no free tuner just now; it has one again")
    for other in streaming:
        if await receiver.playable(service, instead_of=other):
            return NoTunerError("all tuners of the receiver are in use")
    status = await receiver.status()
    uses = {
        "records": status.is_recording,
        "streams": status.is_streaming,
        "shows television": not status.in_standby,
    }
    if used := [use for use, is_so in uses.items() if is_so]:
        return NoTunerError(f"the receiver has no free tuner for this service: it {used[0]}")
    return UnknownServiceError(
        "the receiver cannot tune to this service although no tuner is in use: it is not in "
        "its list any more, or no tuner is connected to its satellite"
    )
