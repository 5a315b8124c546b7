"""The API's description, for people."""

import json
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..gateway import base_url, gateway_of
from ..pages.html import Element, tag
from ..pages.rendering import page
from .operations import openapi

_LONGEST_WORDS = 12
"""Allowed values of a field that are listed."""


async def _page(request: Request) -> Response:
    base, described = base_url(request), openapi()
    return page(f"{gateway_of(request).name}: API", *_body(base, described))


def _body(base: str, described: Mapping[str, Any]) -> Iterator[Element]:
    yield tag("h1", "API")
    yield tag(
        "p",
        f"{described['info']['description']} Answers are JSON. A refusal is JSON, too (RFC 9457): ",
        "its detail says what to do. Programs read the same as ",
        tag("a", "openapi.json", href=f"{base}/openapi.json"),
        ".",
    )
    schemas = described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield _operation(base, method.upper(), path, operation)
    yield tag("h2", "Answers")
    for name, schema in schemas.items():
        if "properties" in schema:
            yield _schema(name, schema)
    yield tag("footer", tag("a", "Back", href=f"{base}/"), class_="dim")


def _operation(base: str, method: str, path: str, operation: Mapping[str, Any]) -> Element:
    url = f"{base}{path}"
    takes_token = {} not in operation["security"]
    command = ["curl"]
    if method != "GET":
        command += ["-X", method]
    if takes_token:
        command += ["-H", "Authorization: Bearer TOKEN"]
    may_open = method == "GET" and "{" not in path
    content = [
        tag("h3", f"{method} {path}"),
        tag("p", operation["summary"], class_="dim"),
        tag("code", " ".join(map(quote, [*command, url]))),
    ]
    if may_open:
        content.append(tag("p", tag("a", "Show the answer", href=url)))
    if operation["parameters"]:
        content.append(_table(map(_parameter, operation["parameters"])))
    answers = sorted(operation["responses"].items())
    content.append(
        tag(
            "details",
            tag("summary", "Statuses"),
            _table((status, _answer(answer)) for status, answer in answers),
        )
    )
    return tag("div", *content, class_="card")


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, str]:
    said = [parameter.get("description", ""), f"({_type(parameter['schema'])})"]
    return parameter["name"], " ".join(filter(None, said))


def _answer(answer: Mapping[str, Any]) -> str:
    schemas = [_type(each["schema"]) for each in answer.get("content", {}).values()]
    return f"{answer['description']} ({schemas[0]})" if schemas else answer["description"]


def _schema(name: str, schema: Mapping[str, Any]) -> Element:
    rows = (
        (field, " ".join(filter(None, [each.get("description", ""), f"({_type(each)})"])))
        for field, each in schema["properties"].items()
    )
    said = [tag("p", schema["description"], class_="dim")] if "description" in schema else []
    return tag("div", tag("h3", name), *said, _table(rows), class_="card", id=name)


def _table(rows: "Iterator[tuple[str, str]] | map[tuple[str, str]]") -> Element:
    cells = (tag("tr", tag("td", tag("b", name)), tag("td", said)) for name, said in rows)
    return tag("table", *cells)


def _type(schema: Mapping[str, Any]) -> str:
    """Name a schema's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(json.dumps(each) for each in schema["enum"][:_LONGEST_WORDS])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format", schema.get("type", "anything")))


ROUTES: list[BaseRoute] = [Route("/api", _page)]
