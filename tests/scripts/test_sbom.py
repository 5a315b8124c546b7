"""The bill of materials of a release names what NOTICE names, with versions."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "sbom.py"


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    command = (sys.executable, SCRIPT, "1.2.3")
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def names(bill: dict[str, Any], kind: str) -> set[str]:
    return {c["name"] for c in bill["components"] if c["purl"].startswith(f"pkg:{kind}/")}


def noticed(heading: str) -> set[str]:
    part = (ROOT / "NOTICE").read_text().partition(heading)[2].partition("\n\n")[0]
    return set(re.findall(r"^  ([^:\s]+):", part, re.MULTILINE))


def test_it_is_of_the_version_that_is_asked_for(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert bill["metadata"]["component"]["version"] == "1.2.3"


def test_it_names_every_crate_package_and_codec_that_notice_names(bill: dict[str, Any]) -> None:
    # Cargo's metadata, from which NOTICE is made, has an optional crate that is not linked.
    assert noticed("Rust crates that are linked in") - {"zlib-rs"} == names(bill, "cargo")
    assert noticed("Python packages that are installed") <= names(bill, "pypi")
    assert noticed("Packages that are in the web page") == names(bill, "npm")
    assert names(bill, "generic") == {"ffmpeg"}


def test_every_component_has_a_version_and_is_named_once(bill: dict[str, Any]) -> None:
    urls = [component["purl"] for component in bill["components"]]
    assert len(urls) == len(set(urls)) > 100
    assert [url for url in urls if not re.fullmatch(r"pkg:\w+/[^@]+@\d[^@]*", url)] == []
    assert set(bill["dependencies"][0]["dependsOn"]) == set(urls)


def test_without_a_version_it_says_what_to_give() -> None:
    result = subprocess.run((sys.executable, SCRIPT), capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, "usage: scripts/sbom.py VERSION\n")
