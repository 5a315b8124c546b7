"""The OpenAPI document, generated from the operations and the models."""

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel  # noqa: TC002
from pydantic.json_schema import models_json_schema

from ..http.refusals import MEDIA_TYPE, Problem
from .operation import Operation

_REFERENCE = "#/components/schemas/{model}"


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the operations."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        methods = paths.setdefault(f"/api/v1{operation.path}", {})
        methods[operation.method.lower()] = _described(operation)
    answers = [operation.answer for operation in operations if operation.answer]
    models: list[type[BaseModel]] = [*answers, Problem]
    _, schemas = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_REFERENCE
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "xg2g",
            "version": version("xg2g"),
            "description": "Status, channels, guide and streams of xg2g. Players use other URLs.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Value of `server.token`. If no token is set, requests from "
                    "the same computer need none, and others are refused.",
                }
            },
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    body: dict[str, Any] = {"description": operation.summary}
    if operation.answer:
        reference = {"$ref": _REFERENCE.format(model=operation.answer.__name__)}
        body["content"] = {"application/json": {"schema": reference}}
    responses = {str(operation.status): body}
    refusals = {
        400: "Invalid query",
        401: "Missing or wrong token",
        403: "No token is set, and the request comes from another computer",
        429: "Too many wrong tokens from this address",
        503: "The database cannot be read, or the lineup has not been read yet",
        **operation.refusals,
    }
    for status, when in sorted(refusals.items()):
        responses[str(status)] = _refusal(status, when)
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "security": [{"token": []}] if operation.changes else [{}, {"token": []}],
        "parameters": [*_in_path(operation), *_in_query(operation)],
        "responses": responses,
    }


def _refusal(status: int, when: str) -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(model=Problem.__name__)}
    described: dict[str, Any] = {
        "description": when,
        "content": {MEDIA_TYPE: {"schema": schema}},
    }
    headers = {
        HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate", {"type": "string"}),
        HTTPStatus.CONFLICT: ("Retry-After", {"type": "integer"}),
        HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After", {"type": "integer"}),
    }
    if status in headers:
        name, kind = headers[HTTPStatus(status)]
        described["headers"] = {name: {"schema": kind}}
    return described


def _in_path(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _in_query(operation: Operation) -> Iterator[dict[str, Any]]:
    schema = operation.query.model_json_schema(by_alias=True)
    for name, described in schema["properties"].items() if "properties" in schema else ():
        yield {
            "name": name,
            "in": "query",
            "required": False,
            "description": " ".join(described["description"].split()),
            "schema": _without_null(described),
        }


def _without_null(described: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter's values, without null."""
    kept = {k: v for k, v in described.items() if k not in ("anyOf", "title", "description")}
    for choice in described.get("anyOf", ()):
        if choice != {"type": "null"}:
            kept |= choice
    return {k: v for k, v in kept.items() if v is not None}
