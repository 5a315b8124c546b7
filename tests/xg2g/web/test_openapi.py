"""The API follows its OpenAPI document for any request."""

import asyncio
import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.harness.scripted_daemon import REFERENCE, daemon
from tests.harness.stream_server import plays_endlessly
from xg2g.web.http.access import Access, WrongTokens

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parent.parent.parent.parent
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
]
TOKEN = {"Authorization": "Bearer swordfish"}


class Forgiving(WrongTokens):
    """Count that never makes a client wait."""

    def wait_s(self, address: str) -> float:
        return 0


async def test_the_document_is_served_as_it_is_in_the_reference() -> None:
    async with daemon(plays_endlessly) as gateway:
        _, headers, body = await gateway.get("/openapi.json")
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == json.loads((ROOT / "docs/reference/openapi.json").read_text())


async def test_every_answer_is_one_that_the_document_describes() -> None:
    channel = REFERENCE.rstrip(":").replace(":", "_")
    async with daemon(
        plays_endlessly, access=Access("swordfish", wrong_tokens=Forgiving())
    ) as gateway:
        _, writer = await gateway.watch()
        _, _, body = await gateway.get("/openapi.json")
        schema = schemathesis.openapi.from_dict(json.loads(body))
        url = f"http://127.0.0.1:{gateway.port}"

        numbers = count()

        def examine(operation: Any) -> None:
            @given(case=operation.as_strategy())
            @settings(
                max_examples=25,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            )
            def run(case: Any) -> None:
                # What is there has to be met as well as what is not.
                if "channel_id" in case.path_parameters and next(numbers) % 2:
                    case.path_parameters["channel_id"] = channel
                case.call_and_validate(base_url=url, headers=TOKEN, checks=CHECKS)

            run()

        operations = [it.ok() for it in schema.get_all_operations() if isinstance(it, Ok)]
        for operation in operations:
            await asyncio.to_thread(examine, operation)
        assert len(operations) == 10
        writer.close()
