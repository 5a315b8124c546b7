"""The daemon's ASGI application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette

from .gateway import Gateway
from .refresher import Refresher
from .routes import guide, hdhomerun, live, logos, operations, playlists
from .routes.selection import Refused, refused

__all__ = ["Gateway", "create_app"]


def create_app(gateway: Gateway, refresher: Refresher) -> Starlette:
    """Make the application; `refresher` runs as long as it does."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        refreshing = asyncio.create_task(refresher.run())
        yield
        refreshing.cancel()
        await asyncio.wait({refreshing})

    app = Starlette(
        lifespan=lifespan,
        routes=[
            *playlists.ROUTES,
            *guide.ROUTES,
            *logos.ROUTES,
            *live.ROUTES,
            *hdhomerun.ROUTES,
            *operations.ROUTES,
            *live.ANY_PATH,
        ],
        exception_handlers={Refused: refused},
    )
    app.state.gateway = gateway
    return app
