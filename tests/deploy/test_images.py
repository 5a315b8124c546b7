"""The Dockerfile, read. scripts/images/try.sh builds and runs it."""

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.deploy.programs import DAEMON_VARIABLES, ROOT, TRANSCODER_VARIABLES, takes

DOCKERFILE = ROOT / "Dockerfile"
IMAGES = ("daemon", "transcoder")


@dataclass
class Stage:
    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [text for name, text in self.steps if name == instruction]

    def last(self, instruction: str) -> str:
        return self.all(instruction)[-1]


def _stages() -> dict[str, Stage]:
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    stages: dict[str, Stage] = {}
    for line in text.replace("\\\n", " ").splitlines():
        name, _, rest = " ".join(line.split()).partition(" ")
        if name == "FROM":
            base, _, stage = rest.partition(" AS ")
            current = stages[stage] = Stage(base)
        elif name and stages:
            current.steps.append((name, rest))
    return stages


STAGES = _stages()


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    result = subprocess.run([hadolint, "--no-color", DOCKERFILE], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "")


def test_bases_are_pinned_to_a_version_and_a_release_of_debian() -> None:
    bases = re.findall(r"^ARG \w+_IMAGE=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert len(bases) == 3
    for base in bases:
        assert re.fullmatch(r"(rust|python):\d+\.\d+-slim-[a-z]+|node:\d+\.\d+-[a-z]+-slim", base)
    used = {stage.base for stage in STAGES.values()} - set(STAGES) - {"scratch"}
    assert all(re.fullmatch(r"\$\{\w+_IMAGE\}", base) for base in used)


def test_rust_of_the_image_is_new_enough() -> None:
    wanted = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"][
        "rust-version"
    ]
    [used] = re.findall(r"rust:([\d.]+)-", DOCKERFILE.read_text())
    assert [int(part) for part in used.split(".")] >= [int(part) for part in wanted.split(".")]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_has_an_unprivileged_user_a_stop_signal_and_a_health_check(image: str) -> None:
    stage = STAGES[image]
    assert stage.last("USER") == "65532:65532"
    assert stage.last("STOPSIGNAL") == "SIGTERM"
    _, _, check = stage.last("HEALTHCHECK").partition(" CMD ")
    command = json.loads(check)
    if command[:2] == ["python", "-m"]:
        assert (ROOT / (command[2].replace(".", "/") + ".py")).exists()
    else:
        assert takes(command)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_holds_no_build_tools_and_no_sources(image: str) -> None:
    stage = STAGES[image]
    assert not [step for step in stage.all("RUN") if re.search(r"apt|pip install|cargo", step)]
    for step in stage.all("COPY"):
        assert step.startswith("--from=") or set(step.split()[:-1]) <= {
            "LICENSE",
            "NOTICE",
            "licenses",
        }


@pytest.mark.parametrize("image", IMAGES)
def test_labels_say_what_an_image_is(image: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    labels = dict(
        re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', STAGES[image].last("LABEL"))
    )
    assert {"title", "description", "licenses", "version"} <= set(labels)
    assert labels["version"] == project["version"]


def test_what_an_image_sets_and_starts_exists() -> None:
    known = {"daemon": DAEMON_VARIABLES, "transcoder": TRANSCODER_VARIABLES}
    for image, variables in known.items():
        given = set(re.findall(r"\b(XG2G_\w+)=", " ".join(STAGES[image].all("ENV"))))
        assert given
        assert given <= variables
    entry, command = (json.loads(STAGES["daemon"].last(name)) for name in ("ENTRYPOINT", "CMD"))
    assert takes(entry + command)


def test_everything_that_is_copied_is_in_the_context() -> None:
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in patterns
    kept = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    for stage in STAGES.values():
        for step in stage.all("COPY"):
            if not step.startswith("--from="):
                for source in step.split()[:-1]:
                    assert source.split("/")[0] in kept, source
                    assert (ROOT / source).exists(), source


def test_the_context_has_all_that_a_wheel_is_built_from() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {"pyproject.toml", "hatch_build.py", project["project"]["readme"], "LICENSE", "NOTICE"}
    copied = {source for step in STAGES["wheel"].all("COPY") for source in step.split()[:-1]}
    assert needed | {"backends", "xg2g", "scripts", "licenses"} <= copied
