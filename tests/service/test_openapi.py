"""The service keeps to its OpenAPI document, whatever it is sent."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.harness.ports import free_address
from tests.harness.transcoder import Transcoder

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = ROOT / "docs" / "reference" / "transcoder-openapi.json"
CLIP = ROOT / "xg2g" / "simulator" / "clips" / "four-radio.ts"
TOKEN = "swordfish"

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
    unsupported_method,
]


@schemathesis.serializer("video/mp2t")
def _stream(_: object, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


schema = schemathesis.openapi.from_path(DOCUMENT)
numbers = count()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the real service, with a token."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "token").write_text(TOKEN)
    flags = ("--token-file", folder / "token", "--max-remuxers", "5000", "--body-timeout", "2s")
    with Transcoder(free_address(), *flags, folder=folder) as service:
        yield service.address.url
        assert service.stop() == 0
    assert "defect" not in service.log.text()


@pytest.fixture(scope="module")
def client(service: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=service, headers=headers) as client:
        yield client


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_every_response_is_described_by_the_document(
    case: "Case[Any]", client: httpx.Client
) -> None:
    # Every other request is for a remuxer that is there, or the deeper code is never met.
    opened = None
    if "id" in case.path_parameters and next(numbers) % 2:
        opened = client.post("/v1/remuxers").json()["id"]
        case.path_parameters["id"] = opened
    case.call_and_validate(
        base_url=str(client.base_url),
        headers={"Authorization": f"Bearer {TOKEN}"},
        checks=CHECKS,
    )
    if opened is not None:
        assert client.delete(f"/v1/remuxers/{opened}").status_code in (204, 404)


def test_afterwards_no_remuxer_is_left_and_a_stream_is_converted(client: httpx.Client) -> None:
    opened = client.get("/v1").json()["open_remuxers"]
    remuxer = client.post("/v1/remuxers").headers["Location"]
    output = client.post(f"{remuxer}/process?seq=0", content=CLIP.read_bytes()).content
    assert len(output) > 100_000
    assert client.get(remuxer).json()["bytes_out"] == len(output)
    assert client.delete(remuxer).status_code == 204
    assert client.get("/v1").json()["open_remuxers"] == opened
