"""Refusals: a problem for programs (RFC 9457), a page for browsers, one line for players."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ..pages.rendering import page
from .methods import with_options

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """Why a request was refused."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str = "about:blank"
    title: str
    """Name of the status."""
    status: int
    detail: str
    """One line for a user: what is wrong, and how to fix it."""


class Refused(Exception):
    """The request is refused with this status. The text is one line for a user."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = dict(headers or {})


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail).model_dump()
    return Response(json.dumps(body), status, {**(headers or {})}, MEDIA_TYPE)


def wants_problem(request: Request) -> bool:
    """Tell whether the client asks for JSON. No player does."""
    accept = request.headers.get("accept", "").lower()
    return "application/json" in accept or MEDIA_TYPE in accept


def wants_page(request: Request) -> bool:
    """Tell whether the client asks for HTML, as a browser does that shows the answer. No player
    does."""
    return "text/html" in request.headers.get("accept", "").lower()


async def on_refused(request: Request, error: Exception) -> Response:
    """Answer `Refused`: an exception handler of Starlette."""
    assert isinstance(error, Refused)
    if _is_api(request):
        return problem(error.status, str(error), error.headers)
    if wants_page(request):
        title = HTTPStatus(error.status).phrase
        answer = page("refusal.html", title, reason=str(error), status=error.status)
        answer.headers.update(error.headers)
        return answer
    return PlainTextResponse(f"{error}\n", status_code=error.status, headers=error.headers)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Answer an unknown path or method: an exception handler of Starlette."""
    assert isinstance(error, HTTPException)
    headers = with_options(error.headers)
    if _is_api(request):
        detail = f"{error.detail}; /openapi.json lists paths and methods"
        return problem(error.status_code, detail, headers)
    return PlainTextResponse(f"{error.detail}\n", error.status_code, headers)


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")
