"""Whether a server can be connected to."""

import asyncio

from ..network.failures import why_no_connection

CONNECT_S = 3.0
"""A receiver in the same house that takes longer serves nobody."""
HOLD_S = 0.2
"""For which a connection has to stay. What forwards a port (a container engine, SSH) accepts for a
server that is gone, and closes at once; a server waits for the request."""


async def port_trouble(host: str, port: int) -> str | None:
    """Connect and leave, without a word; return why that fails, or None when it does not."""
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return "it does not answer"
    except OSError as error:
        return why_no_connection(error)
    try:
        async with asyncio.timeout(HOLD_S):
            if not await reader.read(1):
                return "it closes connections at once"
    except TimeoutError:
        pass
    except OSError as error:
        return why_no_connection(error)
    finally:
        writer.transport.abort()
    return None
