"""Check whether a server accepts connections."""

import asyncio

from ..network.failures import why_no_connection

CONNECT_S = 3.0
"""Timeout for a connection; a receiver in the same house answers faster."""
HOLD_S = 0.2
"""Time for which a connection must stay open. A port forwarder (a container engine, SSH) accepts
connections for a server that is gone and closes them at once; a server waits for the request."""


async def port_trouble(host: str, port: int) -> str | None:
    """Connect without sending anything; return why that fails, or None if it works."""
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
