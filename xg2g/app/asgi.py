"""The daemon's ASGI application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from ..metrics.middleware import MetricsMiddleware
from ..web.api import page as api_page
from ..web.api import routes as api
from ..web.channel_failure import is_stream_path
from ..web.gateway import Gateway
from ..web.http.cross_origin import CrossOrigin
from ..web.http.host_guard import HostGuard
from ..web.http.methods import Options
from ..web.http.refusals import Refused, on_http_exception, on_refused
from ..web.http.target import RequestTarget
from ..web.routes import (
    addresses,
    hdhomerun,
    hls,
    live,
    logos,
    monitoring,
    playlists,
    web_page,
    xmltv,
)
from .collectors import GatewayCollector
from .loop_watch import LoopWatch

__all__ = ["ROUTES", "Gateway", "create_app"]

PLAYED: tuple[BaseRoute, ...] = (
    # First: a low-latency player sends ten requests a second.
    *hls.ROUTES,
    *playlists.ROUTES,
    *xmltv.ROUTES,
    *logos.ROUTES,
    *live.ROUTES,
    *hdhomerun.PLAYED,
)
"""Routes for players, which web pages may use as well."""

ROUTES: tuple[BaseRoute, ...] = (
    *web_page.ROUTES,
    *addresses.ROUTES,
    *PLAYED,
    *hdhomerun.ROUTES,
    *monitoring.ROUTES,
    *api_page.ROUTES,
    *api.ROUTES,
    *live.BY_REFERENCE,
)
"""Every path of the daemon."""


def create_app(gateway: Gateway) -> Starlette:
    """Return the application; its lifespan runs the gateway's background tasks."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tasks = {
            asyncio.create_task(gateway.refresher.run()),
            asyncio.create_task(gateway.readiness.run()),
            asyncio.create_task(LoopWatch(gateway.metrics).run()),
        }
        yield
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    app = Starlette(
        lifespan=lifespan,
        routes=ROUTES,
        exception_handlers={Refused: on_refused, HTTPException: on_http_exception},
    )
    # No redirects for a slash: they lead to the host that the request names.
    app.router.redirect_slashes = False
    # From the innermost to the outermost.
    app.add_middleware(Options, routes=ROUTES)
    app.add_middleware(CrossOrigin, origins=gateway.origins, played=PLAYED, api=api.ROUTES)
    app.add_middleware(HostGuard, hosts=gateway.hosts, is_stream=is_stream_path)
    app.add_middleware(RequestTarget)
    app.add_middleware(MetricsMiddleware, metrics=gateway.metrics)
    gateway.metrics.registry.register(GatewayCollector(gateway))
    app.state.gateway = gateway
    return app
