"""An operation of the API, declared once: the route and the document are made of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...store.database import StoreError
from ..http.access import access_of
from ..http.conditional import private_answer
from ..http.refusals import problem
from .queries import NoQuery, Query

_MESSAGES: Mapping[str, str] = {
    "int_parsing": "is not a whole number",
    "int_parsing_size": "is out of range",
    "int_from_float": "is not a whole number",
    "int_type": "is not a whole number",
    "float_parsing": "is not a number",
    "float_type": "is not a number",
    "finite_number": "is not a number",
    "string_too_long": "is too long; use at most {max_length} characters",
    "bool_parsing": "is neither true nor false",
    "bool_type": "is neither true nor false",
    "literal_error": "is invalid; use {expected}",
    "greater_than": "is too small; use more than {gt:g}",
    "greater_than_equal": "is too small; use at least {ge:g}",
    "less_than": "is too big; use less than {lt:g}",
    "datetime_parsing": "is not a time; use 2026-11-24T20:15:00Z",
    "datetime_from_date_parsing": "is not a time; use 2026-11-24T20:15:00Z",
    "timezone_aware": "has no time zone; use 2026-11-24T20:15:00Z",
    "less_than_equal": "is too big; use at most {le:g}",
}
"""What is wrong with a value, by the type of pydantic's error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    path: str
    """Path below /api/v1, with its parameters in braces."""
    handler: Callable[..., Awaitable[BaseModel | Response]]
    """Function of the request and the validated query. Raises `Refused`."""
    summary: str
    """What it does, in a line; verb first."""
    answer: type[BaseModel] | None
    """Model of the answer; None for an answer without content."""
    method: str = "GET"
    status: int = 200
    query: type[Query] = NoQuery
    is_cacheable: bool = False
    """True if a client may keep the answer and ask whether it is current. False for answers about
    the moment, such as who is watching."""
    refusals: Mapping[int, str] = field(default_factory=dict)
    """Reason by status, beside the refusals that every operation has."""

    @property
    def changes(self) -> bool:
        """True if it changes something, which needs the token."""
        return self.method != "GET"

    def route(self) -> Route:
        """Return the route of this operation."""
        return Route(self.path, self._respond, methods=[self.method], name=self.name)

    @property
    def name(self) -> str:
        """Operation id in the document."""
        return self.handler.__name__.strip("_")

    async def _respond(self, request: Request) -> Response:
        if refusal := access_of(request).refusal(request, changes=self.changes):
            return refusal
        try:
            query = self.query.model_validate(dict(request.query_params))
        except ValidationError as error:
            return problem(400, _explained(error))
        try:
            answer = await self.handler(request, query)
        except StoreError as error:
            return problem(503, str(error), {"Retry-After": "5"})
        if isinstance(answer, Response):
            return answer
        body = answer.model_dump_json().encode()
        if self.is_cacheable:
            return await private_answer(request, body, "application/json")
        headers = {"Cache-Control": "no-store"}
        return Response(body, self.status, headers, "application/json")


def _explained(error: ValidationError) -> str:
    """Return the first mistake in a query in one line."""
    first = error.errors(include_url=False)[0]
    name = _printable(str(first["loc"][0]) if first["loc"] else "query")
    if first["type"] == "extra_forbidden":
        return f"{name}: unknown parameter"
    message = _MESSAGES.get(first["type"])
    if message is None:
        text = str(first["msg"])
        return f"{name}: {text[0].lower()}{text[1:]}"
    value = _printable(str(first["input"]))
    limits: Mapping[str, Any] = first.get("ctx", {})
    return f'{name}: "{value}" {message.format(**limits)}'


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:64])
