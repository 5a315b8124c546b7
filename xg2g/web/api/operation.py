"""An operation of the API: declared once, for the route as well as for the document."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...store.database import StoreError
from ..http.access import access_of
from ..http.refusals import problem
from .kept_answer import kept_answer
from .messages import said_of
from .models import NoQuery, Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    path: str
    """Below /api/v1, with its parameters in braces."""
    handler: Callable[..., Awaitable[BaseModel | Response]]
    """Takes the request and the checked query."""
    summary: str
    answer: type[BaseModel] | None
    """None for an answer without content."""
    method: str = "GET"
    status: int = 200
    query: type[Query] = NoQuery
    is_kept: bool = False
    """Whether a client keeps the answer and asks whether it is current. What tells of the moment
    is never kept."""
    refusals: Mapping[int, str] = field(default_factory=dict)
    """Status -> when, beside those of access and query."""

    @property
    def changes(self) -> bool:
        """Whether it changes something, and so takes the token."""
        return self.method != "GET"

    def route(self) -> Route:
        """The route of this operation."""
        return Route(self.path, self._respond, methods=[self.method], name=self.name)

    @property
    def name(self) -> str:
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
        if self.is_kept:
            return await kept_answer(request, body, "application/json")
        headers = {"Cache-Control": "no-store"}
        return Response(body, self.status, headers, "application/json")


def _explained(error: ValidationError) -> str:
    """The first mistake in a query, on one line."""
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "query"
    if first["type"] == "extra_forbidden":
        return f"{_printable(name)}: there is no such parameter"
    value = f'"{_printable(str(first["input"]))}"'
    return f"{_printable(name)}: {said_of(value, first)}"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:64])
