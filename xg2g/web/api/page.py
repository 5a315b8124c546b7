"""The API's description for people: /api."""

import json
from collections.abc import Iterable, Iterator, Mapping
from shlex import quote
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..gateway import base_url, gateway_of
from ..pages.rendering import page
from .routes import openapi

_VALUES_SHOWN = 12
"""Allowed values of a field that are listed."""

Schema = Mapping[str, Any]


async def _page(request: Request) -> Response:
    base, document = base_url(request), dict[str, Any](openapi())
    return page(
        "api.html",
        f"{gateway_of(request).name}: API",
        base=base,
        description=document["info"]["description"],
        operations=list(_operations(base, document["paths"])),
        models=[
            {
                "name": name,
                "description": schema.get("description"),
                "fields": _rows(
                    (field, each, each) for field, each in schema["properties"].items()
                ),
            }
            for name, schema in document["components"]["schemas"].items()
            if "properties" in schema
        ],
    )


def _operations(base: str, paths: Mapping[str, Schema]) -> Iterator[dict[str, object]]:
    for path, methods in paths.items():
        for name, operation in methods.items():
            method = name.upper()
            command = ["curl"]
            if method != "GET":
                command += ["-X", method]
            if {} not in operation["security"]:
                command += ["-H", "Authorization: Bearer TOKEN"]
            yield {
                "method": method,
                "path": path,
                "summary": operation["summary"],
                "command": " ".join(map(quote, [*command, f"{base}{path}"])),
                "link": f"{base}{path}" if method == "GET" and "{" not in path else None,
                "parameters": _rows(
                    (each["name"], each, each["schema"]) for each in operation["parameters"]
                ),
                "statuses": _rows(
                    (status, answer, _answer_schema(answer))
                    for status, answer in sorted(operation["responses"].items())
                ),
            }


def _answer_schema(answer: Schema) -> Schema | None:
    """Return the schema of an answer's content; None if it has no content."""
    schemas = [each["schema"] for each in answer.get("content", {}).values()]
    return schemas[0] if schemas else None


def _rows(described: Iterable[tuple[str, Schema, Schema | None]]) -> list[tuple[str, str]]:
    """Return a table's rows: a name, and its description with its type in brackets."""
    rows = []
    for name, it, schema in described:
        kind = f"({_type(schema)})" if schema is not None else ""
        rows.append((name, " ".join(filter(None, [it.get("description", ""), kind]))))
    return rows


def _type(schema: Schema) -> str:
    """Return the name of a schema's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(json.dumps(each) for each in schema["enum"][:_VALUES_SHOWN])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format", schema.get("type", "anything")))


ROUTES: list[BaseRoute] = [Route("/api", _page)]
