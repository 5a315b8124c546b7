"""What a command imports: nobody waits for what another command needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.process import environment

CLIP = Path(__file__).parents[3] / "xg2g" / "simulator" / "clips" / "four-radio.ts"

# What the installation itself puts into every interpreter.
ALWAYS = {"_distutils_hack", "__main__", "sitecustomize"}
"""What Python's start imports; Debian's Python has a `sitecustomize`."""
TYPER = {"typer", "annotated_doc", "shellingham"}
# With pydantic typer makes values of arguments.
TYPERS_VALUES = TYPER | {
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
}
# rich looks whether there is an attr.
HELP = TYPERS_VALUES | {"rich", "markdown_it", "mdurl", "pygments", "yaml", "attr"}

Imported = Callable[[str], set[str]]


@pytest.fixture
def imported(tmp_path: Path) -> Imported:
    """Run a program in an interpreter of its own, and tell the modules that it ends with."""

    def run(program: str) -> set[str]:
        listing = tmp_path / "modules"
        tell = "import atexit, pathlib, sys\n@atexit.register\ndef tell():\n"
        tell += f"    pathlib.Path({str(listing)!r}).write_text('\\n'.join(sys.modules))\n"
        done = subprocess.run(
            [sys.executable, "-c", tell + program],
            capture_output=True,
            text=True,
            timeout=60,
            env=environment(),
        )
        assert done.returncode == 0, done.stderr
        return set(listing.read_text().splitlines())

    return run


def command(*arguments: str | Path) -> str:
    words = ["xg2g", *map(str, arguments)]
    return f"sys.argv = {words!r}\nfrom xg2g.cli import main\nmain()"


def strangers(modules: set[str]) -> set[str]:
    """Packages that are neither Python's nor this project's."""
    tops = {name.partition(".")[0] for name in modules} - ALWAYS - sys.stdlib_module_names
    compiled = {name for name in tops if name.startswith("_")}
    return tops - compiled - {"xg2g", "xg2g_backends", "cython_runtime"}


def rooms(modules: set[str], package: str = "xg2g") -> set[str]:
    """What lies at the root of a package, of what was imported."""
    return {name.split(".")[1] for name in modules if name.startswith(f"{package}.")}


def test_the_version_imports_the_library_and_no_settings(imported: Imported) -> None:
    modules = imported(command("--version"))
    assert strangers(modules) <= TYPER
    assert rooms(modules) == {"cli", "errors"}
    assert rooms(modules, "xg2g_backends") == {
        "base",
        "embedded",
        "errors",
        "languages",
    }
    assert "asyncio" not in modules


def test_a_conversion_imports_settings_and_the_backend_that_runs(
    imported: Imported, tmp_path: Path
) -> None:
    modules = imported(command("remux", CLIP, tmp_path / "out.ts", "--tracks", "deu"))
    assert (tmp_path / "out.ts").stat().st_size > 100_000
    assert strangers(modules) <= TYPERS_VALUES | {"yaml"}
    assert rooms(modules) == {"app", "cli", "config", "errors", "network", "receiver"}
    assert {name for name in modules if name.startswith("xg2g.app.")} == {"xg2g.app.backend"}
    external = {name for name in modules if name.startswith("xg2g_backends.external.")}
    assert external == {"xg2g_backends.external.address"}


def test_settings_and_the_commands_that_only_read_them_import_no_pydantic(
    imported: Imported,
) -> None:
    commands = "xg2g.cli.remux, xg2g.cli.remux_file, xg2g.cli.healthcheck, xg2g.app.backend"
    modules = imported(f"import xg2g.config, {commands}\nxg2g.config.load()")
    assert strangers(modules) <= TYPER | {"yaml"}


def test_a_health_check_imports_settings_and_the_standard_library(imported: Imported) -> None:
    ask = "import http.server, threading\n"
    ask += "class Well(http.server.BaseHTTPRequestHandler):\n"
    ask += "    def do_GET(self): self.send_response(200); self.end_headers()\n"
    ask += "    def log_message(self, *_): pass\n"
    ask += "server = http.server.HTTPServer(('127.0.0.1', 0), Well)\n"
    ask += "threading.Thread(target=server.serve_forever, daemon=True).start()\n"
    asked = command("healthcheck").replace("]\n", ", '--port', str(server.server_port)]\n", 1)
    modules = imported(ask + asked)
    assert strangers(modules) <= TYPERS_VALUES | {"yaml"}
    assert "asyncio" not in modules
    assert rooms(modules, "xg2g_backends") <= {"base", "errors", "external", "languages"}


@pytest.mark.parametrize("arguments", [(), ("serve",), ("simulate",), ("demo",), ("doctor",)])
def test_help_imports_no_daemon_and_no_simulated_receiver(
    arguments: tuple[str, ...], imported: Imported
) -> None:
    modules = imported(command(*arguments, "--help"))
    assert strangers(modules) <= HELP
    assert "xg2g.app" not in modules
    assert "xg2g.simulator.receiver" not in modules


def test_the_backends_import_the_standard_library_and_what_is_used(imported: Imported) -> None:
    modules = imported("import xg2g_backends")
    assert rooms(modules, "xg2g_backends") == set()
    modules = imported(f"import xg2g_backends, os\nxg2g_backends.remux({str(CLIP)!r}, os.devnull)")
    assert strangers(modules) == set()
    assert not modules & {"asyncio", "xg2g_backends.external"}
    modules = imported("import xg2g_backends\nxg2g_backends.EmbeddedBackend()")
    assert strangers(modules) == set()
    assert "xg2g_backends.external" not in modules
