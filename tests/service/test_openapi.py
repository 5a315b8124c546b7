"""The service keeps to its OpenAPI document, whatever it is sent."""

import subprocess
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

ROOT = Path(__file__).parent.parent.parent
EXECUTABLE = ROOT / "target" / "release" / "xg2g-transcoder"
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
    assert EXECUTABLE.exists(), "make build makes it"
    folder = tmp_path_factory.mktemp("service")
    (folder / "token").write_text(TOKEN)
    log = folder / "log"
    flags = ["--listen", "127.0.0.1:0", "--token-file", str(folder / "token")]
    flags += ["--max-remuxers", "5000", "--body-timeout", "2s", "--log-format", "json"]
    with log.open("w") as errors, subprocess.Popen([EXECUTABLE, *flags], stderr=errors) as process:
        while '"address":"' not in log.read_text():
            assert process.poll() is None, log.read_text()
        yield log.read_text().partition('"address":"')[2].partition('"')[0]
        process.terminate()
        assert process.wait() == 0
    assert "defect" not in log.read_text()


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
def test_every_answer_is_one_that_the_document_describes(
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


def test_afterwards_nothing_is_left_and_a_stream_is_converted(client: httpx.Client) -> None:
    opened = client.get("/v1").json()["open_remuxers"]
    remuxer = client.post("/v1/remuxers").headers["Location"]
    output = client.post(f"{remuxer}/process?seq=0", content=CLIP.read_bytes()).content
    assert len(output) > 100_000
    assert client.get(remuxer).json()["bytes_out"] == len(output)
    assert client.delete(remuxer).status_code == 204
    assert client.get("/v1").json()["open_remuxers"] == opened
