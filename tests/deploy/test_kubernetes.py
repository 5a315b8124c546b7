"""The manifests."""

import re
from collections.abc import Iterator
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from tests.deploy.programs import DAEMON_VARIABLES, ROOT, TRANSCODER_VARIABLES
from tests.deploy.test_images import STAGES

FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
NOT_MANIFESTS = {"kustomization.yaml", "prometheus-adapter.yaml"}
VERSIONS = ("1.29", kubernetes_validate.latest_version())


def _objects() -> Iterator[Any]:
    for file in sorted(FOLDER.glob("*.yaml")):
        if file.name not in NOT_MANIFESTS:
            for number, data in enumerate(yaml.safe_load_all(file.read_text())):
                yield pytest.param(data, id=f"{file.stem}-{number}")


def _of_kind(*kinds: str) -> list[Any]:
    return [item.values[0] for item in _objects() if item.values[0]["kind"] in kinds]


def _containers() -> Iterator[tuple[Any, Any]]:
    for workload in _of_kind("Deployment", "StatefulSet"):
        pod = workload["spec"]["template"]["spec"]
        for container in pod["containers"]:
            yield pod, container


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", [*_objects()])
def test_a_manifest_is_what_kubernetes_takes(manifest: Any, version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_every_resource_is_there_and_one_autoscaler_is_chosen() -> None:
    resources = KUSTOMIZATION["resources"]
    assert [name for name in resources if not (FOLDER / name).exists()] == []
    rest = {file.name for file in FOLDER.glob("*.yaml")} - set(resources) - NOT_MANIFESTS
    assert rest == {"transcoder-autoscaler-utilisation.yaml"}


def test_every_variable_exists() -> None:
    for _, container in _containers():
        known = TRANSCODER_VARIABLES if container["name"] == "transcoder" else DAEMON_VARIABLES
        assert {variable["name"] for variable in container["env"]} <= known
    [generator] = KUSTOMIZATION["configMapGenerator"]
    assert {literal.partition("=")[0] for literal in generator["literals"]} <= DAEMON_VARIABLES


def test_pods_meet_the_restricted_standard() -> None:
    for pod, container in _containers():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        user = STAGES[container["image"].removeprefix("xg2g-").replace("xg2g", "daemon")].last(
            "USER"
        )
        assert user == "{runAsUser}:{runAsGroup}".format_map(pod["securityContext"])


def test_services_and_probes_name_ports_and_paths_that_are_served() -> None:
    for _, container in _containers():
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        served = 3000 if container["name"] == "transcoder" else 8088
        assert ports == {"http": served}
        for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
            question = container[probe]["httpGet"]
            assert question["port"] in ports
            assert question["path"] == path
    for service in _of_kind("Service"):
        assert [port["targetPort"] for port in service["spec"]["ports"]] == ["http"]


def test_the_autoscaler_reads_a_metric_that_the_transcoder_exports() -> None:
    source = (ROOT / "transcoder" / "src" / "service" / "metrics.rs").read_text()
    file = FOLDER / "transcoder-autoscaler-utilisation.yaml"
    [metric] = yaml.safe_load(file.read_text())["spec"]["metrics"]
    name = metric["pods"]["metric"]["name"]
    prefix, _, rest = name.partition("xg2g_transcoder_")
    assert prefix == ""
    assert re.search(rf'"{rest}"', source)
    adapter = yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text())
    assert name in adapter["rules"]["custom"][0]["seriesQuery"]


def test_a_pod_that_ends_is_given_the_time_that_its_streams_are() -> None:
    for pod, container in _containers():
        grace = {item["name"]: item.get("value") for item in container["env"]}.get(
            "XG2G_TRANSCODER_SHUTDOWN_GRACE"
        )
        if grace is not None:
            assert pod["terminationGracePeriodSeconds"] > float(grace.removesuffix("s"))


def test_both_read_the_same_token() -> None:
    secrets = {
        volume["secret"]["secretName"]
        for pod, _ in _containers()
        for volume in pod["volumes"]
        if "secret" in volume
    }
    assert secrets == {"xg2g-transcoder-token"}
    assert not _of_kind("Secret"), "a secret is made by whoever installs it"
