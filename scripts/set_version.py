"""Sets the version in every file that names it: scripts/set_version.py X.Y.Z.

What is unreleased in CHANGELOG.md becomes the section of that version and of today. With `--check`
in place of a version nothing is written, and files that do not name the version of pyproject.toml
are listed.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

NUMBER = r"\d+\.\d+\.\d+(?:-[\w.]+)?"
PLACES = (
    ("pyproject.toml", rf'^version = "({NUMBER})"', 1),
    ("Cargo.toml", rf'^version = "({NUMBER})"', 1),
    ("Cargo.lock", rf'^name = "xg2g-transcoder"\nversion = "({NUMBER})"', 1),
    ("transcoder/fuzz/Cargo.lock", rf'^name = "xg2g-transcoder"\nversion = "({NUMBER})"', 1),
    ("Dockerfile", rf'org\.opencontainers\.image\.version="({NUMBER})"', 2),
    ("deploy/kubernetes/base/kustomization.yaml", rf"newTag: ({NUMBER})", 2),
    ("docs/guide/scaling.md", rf"newTag: ({NUMBER})", 2),
    ("docs/reference/openapi.json", rf'^    "version": "({NUMBER})"', 1),
    ("docs/reference/transcoder-openapi.json", rf'^    "version": "({NUMBER})"', 1),
)
"""A file, what surrounds the version in it, and how often that is there."""


def main() -> None:
    """Set the version, or say where another one stands."""
    if len(sys.argv) != 2 or not re.fullmatch(rf"--check|{NUMBER}", sys.argv[1]):
        sys.exit("usage: scripts/set_version.py X.Y.Z | --check")
    if sys.argv[1] == "--check":
        wrong = list(others())
        if wrong:
            sys.exit("\n".join([*wrong, "set all of them: scripts/set_version.py X.Y.Z"]))
        return
    version = sys.argv[1]
    for name, pattern, _ in PLACES:
        path = Path(name)
        text = path.read_text()
        for match in reversed(list(re.finditer(pattern, text, re.MULTILINE))):
            text = text[: match.start(1)] + version + text[match.end(1) :]
        path.write_text(text)
    changes = Path("CHANGELOG.md")
    heading = f"## {version} - {datetime.now(UTC):%Y-%m-%d}"
    changes.write_text(changes.read_text().replace("## Unreleased\n", f"{heading}\n", 1))


def others() -> Iterator[str]:
    """Yield the files that name another version than pyproject.toml, or none."""
    version = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
    for name, pattern, count in PLACES:
        found = re.findall(pattern, Path(name).read_text(), re.MULTILINE)
        if found != [version] * count:
            yield f"{name}: {', '.join(found) or 'no version'} in place of {version}"
    headings = re.findall(r"^## (\S+)", Path("CHANGELOG.md").read_text(), re.MULTILINE)
    if headings[0] not in ("Unreleased", version):
        yield f"CHANGELOG.md: the newest section is {headings[0]}, the version {version}"


if __name__ == "__main__":
    main()
