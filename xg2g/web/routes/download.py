"""A body that is made while it is sent."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.requests import Request
from starlette.types import Send

STALL_S = 10
"""The longest that a client may take nothing."""
TOTAL_S = 900
"""The longest that a client may take. The state of the store that is held meanwhile makes its file
grow with everything that is written."""


class StalledError(Exception):
    """The client takes nothing, or too little."""


async def send_all(
    request: Request,
    send: Send,
    pieces: AsyncGenerator[bytes, None],
    *,
    total_s: float = TOTAL_S,
) -> None:
    """Send the body, each piece made when the one before has left. Raises `StalledError`."""
    try:
        async with asyncio.timeout(total_s), aclosing(pieces):
            async for piece in pieces:
                if await request.is_disconnected():
                    return
                async with asyncio.timeout(STALL_S):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
    except TimeoutError as error:
        raise StalledError("the client takes too long") from error
    await send({"type": "http.response.body", "body": b"", "more_body": False})
