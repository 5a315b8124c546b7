"""Writes the lists of crates, Python packages and packages of the web page at the end of NOTICE.

With `--check` it writes nothing and fails when the lists are stale.
"""

import json
import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
NOTICE = ROOT / "NOTICE"
CRATES = "Rust crates that are linked in\n"
PACKAGES = "Python packages that are installed beside it; the single executable holds them\n"
PAGE = "Packages that are in the web page; licenses.txt beside it holds their texts\n"
PLATFORM = "x86_64-unknown-linux-gnu"


def crates() -> list[str]:
    """The crates that the library and the service link, with their licences."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--features=service"]
    command += ["--filter-platform", PLATFORM]
    graph = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in graph["packages"]}
    nodes = {node["id"]: node for node in graph["resolve"]["nodes"]}
    waiting = [key for key, package in packages.items() if package["name"] == "xg2g-transcoder"]
    linked: set[str] = set()
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            key = dependency["pkg"]
            is_normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            is_macro = any("proc-macro" in target["kind"] for target in packages[key]["targets"])
            if is_normal and not is_macro and key not in linked:
                linked.add(key)
                waiting.append(key)
    return [f"{packages[key]['name']}: {packages[key]['license']}" for key in linked]


def python_packages() -> list[str]:
    """What requirements/runtime.txt puts on Linux, with the licences."""
    text = (ROOT / "requirements" / "runtime.txt").read_text()
    lines = re.findall(r"^(\S+==.+) \\$", text, re.MULTILINE)
    wanted = [
        requirement.name
        for requirement in map(Requirement, lines)
        if requirement.marker is None or requirement.marker.evaluate({"sys_platform": "linux"})
    ]
    return [f"{name}: {_python_licence(name)}" for name in wanted]


def _python_licence(name: str) -> str:
    fields = metadata(name)
    if "License-Expression" in fields:
        return fields["License-Expression"]
    classifiers = fields.get_all("Classifier") or []
    named = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")]
    return ", ".join(named) or fields["License"].splitlines()[0]


def page_packages() -> list[str]:
    """What page/build.mjs bundles: the locked dependencies, but for the bundler."""
    packages = json.loads((ROOT / "page" / "package-lock.json").read_text())["packages"]
    return [
        f"{name}: {packages[f'node_modules/{name}']['license']}"
        for name in packages[""]["dependencies"]
        if name != "esbuild"
    ]


def main() -> int:
    old = NOTICE.read_text()
    new = old.partition(CRATES)[0] + CRATES + _listed(crates())
    new += "\n" + PACKAGES + _listed(python_packages())
    new += "\n" + PAGE + _listed(page_packages())
    if new == old:
        return 0
    if "--check" in sys.argv[1:]:
        sys.stderr.write("NOTICE does not list what is linked today: run make fix\n")
        return 1
    NOTICE.write_text(new)
    return 0


def _listed(lines: list[str]) -> str:
    return "".join(f"  {line}\n" for line in sorted(lines))


if __name__ == "__main__":
    sys.exit(main())
