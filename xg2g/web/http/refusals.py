"""Refusals that programs read (RFC 9457)."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """Why a request was refused."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str = "about:blank"
    title: str
    """The status in words."""
    status: int
    detail: str
    """One line for a user: what is wrong, and what to do about it."""


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that is refused."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail).model_dump()
    return Response(json.dumps(body), status, {**(headers or {})}, MEDIA_TYPE)


def speaks_of_problems(request: Request) -> bool:
    """Whether who asks reads them: a program that uses the API."""
    return request.url.path.startswith("/api/")
