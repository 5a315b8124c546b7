"""The compose files."""

import re
from functools import reduce
from typing import Any

import pytest
import yaml
from compose_spec import PyOptions

from tests.deploy.programs import DAEMON_VARIABLES, ROOT, TRANSCODER_VARIABLES, takes
from tests.deploy.test_images import STAGES

VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
BASE, TCP = "docker-compose.yml", "docker-compose.tcp.yml"


def _text(name: str) -> str:
    """With the defaults of its variables."""
    return VARIABLE.sub(r"\2", (ROOT / name).read_text())


def _merged(base: Any, over: Any) -> Any:
    """As Compose lays one file over another, in the parts that these use."""
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: _merged(base.get(key), value) for key, value in over.items()}
    if isinstance(base, list) and isinstance(over, list):
        return base + over
    return over


def _services(*names: str) -> dict[str, Any]:
    merged = reduce(_merged, (yaml.safe_load(_text(name)) for name in names))
    return dict(merged["services"])


BOTH = pytest.mark.parametrize("files", [(BASE,), (BASE, TCP)], ids=["socket", "tcp"])


@pytest.mark.parametrize("name", [BASE, TCP])
def test_a_file_is_valid(name: str) -> None:
    PyOptions(apply_merge=True).from_yaml(_text(name)).validate()


@BOTH
def test_every_variable_exists(files: tuple[str, ...]) -> None:
    for name, service in _services(*files).items():
        known = TRANSCODER_VARIABLES if name == "transcoder" else DAEMON_VARIABLES
        assert set(service.get("environment", {})) <= known


@BOTH
def test_every_service_is_shut_off_and_restarted(files: tuple[str, ...]) -> None:
    for service in _services(*files).values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["restart"] == "unless-stopped"
        assert "privileged" not in service
        assert service["build"]["target"] in STAGES


@BOTH
def test_nothing_is_published_but_the_daemon_on_loopback(files: tuple[str, ...]) -> None:
    published = {name: service.get("ports", []) for name, service in _services(*files).items()}
    assert published.pop("daemon") == ["127.0.0.1:8088:8088"]
    assert not any(published.values())


@BOTH
def test_daemon_and_transcoder_name_the_same_place(files: tuple[str, ...]) -> None:
    services = _services(*files)
    daemon, transcoder = services["daemon"]["environment"], services["transcoder"]["environment"]
    scheme, _, place = daemon["XG2G_EXTERNAL_TRANSCODER"].partition("://")
    if scheme == "unix":
        assert transcoder["XG2G_TRANSCODER_LISTEN"] == f"unix:{place}"
        [shared] = {*services["daemon"]["volumes"]} & {*services["transcoder"]["volumes"]}
        assert place.startswith(shared.partition(":")[2])
    else:
        assert place == "transcoder:3000"
        assert transcoder["XG2G_TRANSCODER_LISTEN"] == "0.0.0.0:3000"
        assert transcoder["XG2G_TRANSCODER_ADVERTISE"] == "auto"
        token = daemon["XG2G_EXTERNAL_TRANSCODER_TOKEN_FILE"]
        assert token == transcoder["XG2G_TRANSCODER_TOKEN_FILE"]
        for service in (services["daemon"], services["transcoder"]):
            assert token.removeprefix("/run/secrets/") in service["secrets"]
    assert services["daemon"]["depends_on"]["transcoder"]["condition"] == "service_healthy"


def test_the_demo_is_a_simulated_receiver_where_the_daemon_looks_for_one() -> None:
    services = _services(BASE)
    receiver = services["simulated-receiver"]
    assert receiver["profiles"] == ["demo"]
    assert takes(["xg2g", *receiver["command"]])
    daemon = services["daemon"]
    assert daemon["environment"]["XG2G_RECEIVER"] == "http://simulated-receiver:8080"
    assert {*daemon["networks"]} & {*receiver["networks"]}
    assert "profiles" not in daemon
    assert "profiles" not in services["transcoder"]


def test_the_example_names_what_the_files_read_and_nothing_else() -> None:
    example = (ROOT / ".env.example").read_text()
    offered = set(re.findall(r"^#?(XG2G_\w+)=", example, re.MULTILINE))
    read = set(VARIABLE.findall((ROOT / BASE).read_text() + (ROOT / TCP).read_text()))
    assert offered == {name for name, _ in read}
