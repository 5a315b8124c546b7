"""Both protocols by which media servers find a tuner, run together."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from ..errors import UserError
from .discovery import TunerInfo, answer_discovery
from .documents import Device
from .ssdp import Advertisement, advertise_ssdp

log = structlog.get_logger()


@asynccontextmanager
async def advertise_tuner(
    device: Callable[[], Device], *, host: str, port: int
) -> AsyncIterator[None]:
    """Let media servers find `device` while the context is open; its documents are served at
    address `host` and `port`.

    A protocol that does not work here, for example because another tuner program holds its port,
    is logged and left out.
    """

    def tuner_info() -> TunerInfo:
        current = device()
        return TunerInfo(
            device_id=current.identity.device_id,
            auth=current.identity.auth,
            tuners=current.tuners,
            port=port,
        )

    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(answer_discovery(host, tuner_info))
        except UserError as error:
            log.warning(str(error))
        advertisement = Advertisement(device().identity.udn, port)
        await stack.enter_async_context(advertise_ssdp(advertisement, host))
        yield
        # The sockets send the remaining datagrams in the next turn of the event loop.
        await asyncio.sleep(0)
