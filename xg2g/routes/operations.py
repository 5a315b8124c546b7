"""What whoever runs the daemon looks at."""

from importlib.metadata import version

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ..gateway import gateway_of


async def _health(request: Request) -> Response:
    """200 while the process serves, whatever the receiver does: a restart would not mend that."""
    keeper = gateway_of(request).lineup_keeper
    return JSONResponse(
        {
            "status": "ok",
            "version": version("xg2g"),
            "channels": len(keeper.lineup.channels) if keeper.lineup else 0,
            "receiver": _receiver_state(keeper.trouble, has_answered=keeper.read_at_s is not None),
        }
    )


def _receiver_state(trouble: Exception | None, *, has_answered: bool) -> str:
    return str(trouble) if trouble else "ok" if has_answered else "not asked yet"


async def _metrics(request: Request) -> Response:
    gateway = gateway_of(request)
    lineup = gateway.lineup_keeper.lineup
    gateway.metrics.channels.set(len(lineup.channels) if lineup else 0)
    return Response(generate_latest(gateway.metrics.registry), media_type=CONTENT_TYPE_LATEST)


ROUTES: list[BaseRoute] = [
    Route("/healthz", _health),
    Route("/metrics", _metrics),
]
