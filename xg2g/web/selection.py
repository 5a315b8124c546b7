"""Which channels a request is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ..lineup import Channel, Lineup
from ..lineup.naming import unknown
from .gateway import gateway_of
from .http.methods import with_options
from .http.refusals import problem, speaks_of_problems
from .pages.rendering import page, wants_page
from .routes.html import tag

_YES, _NO = {"1", "true", "yes", "only"}, {"0", "false", "no"}


class Refused(Exception):
    """The request is answered with this instead. The text is one line for a user."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Selection:
    """The filters of a request: `bouquet`, a name, and `radio`, yes or no."""

    bouquet: str | None = None
    radio: bool | None = None

    @classmethod
    def of(cls, request: Request) -> Self:
        """Read them. Raises `Refused`."""
        bouquet = request.path_params.get("bouquet") or request.query_params.get("bouquet") or None
        radio = request.query_params.get("radio", "").lower()
        if radio and radio not in _YES | _NO:
            raise Refused(400, "radio is 1 for radio alone, or 0 for none")
        return cls(bouquet, radio in _YES if radio else None)

    @property
    def query(self) -> str:
        """The same filters for another URL: empty, or with its question mark."""
        filters = {"bouquet": self.bouquet, "radio": {True: "1", False: "0"}.get(self.radio)}  # type: ignore[arg-type]
        given = {name: value for name, value in filters.items() if value is not None}
        return f"?{urlencode(given)}" if given else ""

    def channels(self, lineup: Lineup) -> tuple[Channel, ...]:
        """The channels that pass. Raises `Refused` when there is no such bouquet."""
        channels = lineup.select(bouquet=self.bouquet, radio=self.radio)
        if channels is None:
            names = (group.name for group in lineup.groups)
            raise Refused(404, unknown([self.bouquet or ""], names))
        return channels


def lineup_of(request: Request) -> Lineup:
    """The lineup. Raises `Refused` with the reason while there is none."""
    keeper = gateway_of(request).lineup_keeper
    if keeper.lineup is None:
        trouble = keeper.trouble
        text = str(trouble) if trouble else "the lineup is being read; try again in a moment"
        raise Refused(503, text, {"Retry-After": "5"})
    return keeper.lineup


async def refused(request: Request, error: Exception) -> Response:
    """Starlette's handler for `Refused`."""
    assert isinstance(error, Refused)
    if speaks_of_problems(request):
        return problem(error.status, str(error), error.headers)
    if wants_page(request):
        body = (tag("h1", HTTPStatus(error.status).phrase), tag("p", str(error)))
        answer = page(HTTPStatus(error.status).phrase, *body, status=error.status)
        answer.headers.update(error.headers)
        return answer
    return PlainTextResponse(f"{error}\n", status_code=error.status, headers=error.headers)


async def fault(request: Request, error: Exception) -> Response:
    """Starlette's handler for what its router refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)
    headers = with_options(error.headers)
    if speaks_of_problems(request):
        return problem(error.status_code, f"{error.detail}; /openapi.json has it", headers)
    return PlainTextResponse(f"{error.detail}\n", error.status_code, headers)
