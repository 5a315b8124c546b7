"""Writes what is inside xg2g as CycloneDX 1.5: scripts/sbom.py VERSION >FILE.

The crates that are linked in, FFmpeg, which is compiled from source, the Python packages that are
installed beside the wheel, and the packages of the web page; each with its version as locked.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
TREE = ("cargo", "tree", "--locked", "--package", "xg2g-transcoder", "--features", "service")
PLATFORM = ("--target", "x86_64-unknown-linux-gnu")
LINKED = ("--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}|{l}")


def main() -> None:
    """Print the bill of materials of a release."""
    if len(sys.argv) != 2:
        sys.exit("usage: scripts/sbom.py VERSION")
    sys.stdout.write(json.dumps(bill(sys.argv[1]), indent=1) + "\n")


def bill(version: str) -> dict[str, Any]:
    """Return the bill of materials, its components in order, each once."""
    found = [*crates(), *codecs(), *python_packages(), *page_packages()]
    components = {component["bom-ref"]: component for component in found}
    product = {"type": "application", "bom-ref": "xg2g", "name": "xg2g", "version": version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": product},
        "components": [components[key] for key in sorted(components)],
        "dependencies": [{"ref": "xg2g", "dependsOn": sorted(components)}],
    }


def component(kind: str, name: str, version: str, licence: str = "") -> dict[str, Any]:
    """Return a component with its package URL; `licence` is an SPDX expression."""
    # A package URL has the @ of a scope in percent code.
    purl = f"pkg:{kind}/{name.replace('@', '%40')}@{version}"
    named = {"licenses": [{"expression": licence}]} if licence else {}
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    } | named


def crates() -> Iterator[dict[str, Any]]:
    """Yield the crates that the library and the service link on Linux."""
    tree = subprocess.run((*TREE, *PLATFORM, *LINKED), cwd=ROOT, check=True, stdout=subprocess.PIPE)
    for line in tree.stdout.decode().splitlines():
        match = re.match(r"(\S+) v(\S+)[^|]*\|(.*)", line.removesuffix(" (*)"))
        if match and match[1] != "xg2g-transcoder":
            # Cargo once took a slash for OR.
            yield component("cargo", match[1], match[2], re.sub(r" ?/ ?", " OR ", match[3]))


def codecs() -> Iterator[dict[str, Any]]:
    """Yield what scripts/build-codecs.sh compiles."""
    script = (ROOT / "scripts" / "build-codecs.sh").read_text()
    version = re.search(r"^(\d+\.\d+(?:\.\d+)?) [0-9a-f]{64} ", script, re.MULTILINE)
    if version is None:
        raise ValueError("scripts/build-codecs.sh names no version of FFmpeg")
    yield component("generic", "ffmpeg", version[1], "LGPL-2.1-or-later")


def python_packages() -> Iterator[dict[str, Any]]:
    """Yield the locked packages of requirements/runtime.txt."""
    text = (ROOT / "requirements" / "runtime.txt").read_text()
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE):
        yield component("pypi", name, version)


def page_packages() -> Iterator[dict[str, Any]]:
    """Yield the packages that the web page holds; the bundler is none."""
    lock = json.loads((ROOT / "page" / "package-lock.json").read_text())
    packages = lock["packages"]
    for name in packages[""]["dependencies"].keys() - {"esbuild"}:
        package = packages[f"node_modules/{name}"]
        yield component("npm", name, package["version"], package["license"])


if __name__ == "__main__":
    main()
