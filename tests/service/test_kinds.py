"""One table of errors runs from the library through the service to the daemon."""

import json
import re
from pathlib import Path

from xg2g_backends.errors import KINDS

REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference"
NEVER_SENT = {"OutputTooSmall"}


def _written() -> dict[str, int]:
    page = (REFERENCE / "transcoder-http.md").read_text()
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", page, re.MULTILINE)
    return {kind: int(status) for status, kind in rows}


def test_the_page_lists_every_kind_of_the_service() -> None:
    document = json.loads((REFERENCE / "transcoder-openapi.json").read_text())
    kinds = set(document["components"]["schemas"]["Kind"]["enum"])
    assert set(_written()) == kinds - NEVER_SENT


def test_the_kinds_of_the_library_have_the_same_status_there_and_in_the_daemon() -> None:
    written = _written()
    for kind, exception in KINDS.values():
        if kind not in NEVER_SENT:
            assert written[kind] == exception.http_status, kind
