"""Being found: both ways of discovery, as far as this computer allows them."""

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
    """Be found as `device`, whose documents are at address `host` and `port`, for as long as the
    context is open.

    What does not work, as with another tuner program on this computer, is said in the log.
    """

    def announced() -> TunerInfo:
        current = device()
        return TunerInfo(
            device_id=current.identity.device_id,
            auth=current.identity.auth,
            tuners=current.tuners,
            port=port,
        )

    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(answer_discovery(host, announced))
        except UserError as error:
            log.warning(str(error))
        advertisement = Advertisement(device().identity.udn, port)
        await stack.enter_async_context(advertise_ssdp(advertisement, host))
        yield
        # The sockets send what they still have in the next turn of the loop.
        await asyncio.sleep(0)
