"""Why the receiver refused a stream: its answer is the same for every reason."""

import asyncio
from collections.abc import Iterable

from .errors import NoTunerError, ReceiverError, UnknownServiceError
from .openwebif import ListedService, OpenWebif

_PATIENCE_S = 3.0
"""For the answers: a viewer waits."""


async def why_refused(
    receiver: OpenWebif, service: ListedService, streaming: Iterable[ListedService] = ()
) -> NoTunerError | UnknownServiceError | None:
    """Ask, after a refusal, whether tuners are missing or the service is.

    `streaming` are services that the receiver is known to stream. None when it cannot be told, or
    not soon.
    """
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await _ask(receiver, service, streaming)
    except (ReceiverError, TimeoutError):
        return None


async def _ask(
    receiver: OpenWebif, service: ListedService, streaming: Iterable[ListedService]
) -> NoTunerError | UnknownServiceError | None:
    if await receiver.playable(service):
        return NoTunerError("the receiver had no free tuner just now; it has one again")
    for other in streaming:
        if await receiver.playable(service, instead_of=other):
            return NoTunerError("all tuners of the receiver are in use")
    status = await receiver.status()
    if status.in_standby and not status.is_recording and not status.is_streaming:
        return UnknownServiceError(
            "the receiver cannot tune to this service although no tuner is in use: it is not in "
            "its list any more, or no tuner is connected to its satellite"
        )
    return None
