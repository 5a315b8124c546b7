"""The icon that browsers ask for, whatever page they show."""

from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

_DAY_S: Final = 24 * 3600


async def _icon(request: Request) -> Response:
    icon = files(__package__).joinpath("favicon.ico").read_bytes()
    headers = {"Cache-Control": f"max-age={_DAY_S}"}
    return Response(icon, media_type="image/vnd.microsoft.icon", headers=headers)


ROUTES: list[BaseRoute] = [Route("/favicon.ico", _icon)]
