"""The manifests."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from tests.deploy.programs import DAEMON_VARIABLES, ROOT, TRANSCODER_VARIABLES
from tests.deploy.test_images import STAGES

FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATIONS = {
    file.parent.name: yaml.safe_load(file.read_text())
    for file in sorted(FOLDER.glob("*/kustomization.yaml"))
}
OVERLAYS = sorted(set(KUSTOMIZATIONS) - {"base"})
NOT_MANIFESTS = {"kustomization.yaml", "prometheus-adapter.yaml"}
VERSIONS = ("1.29", kubernetes_validate.latest_version())


def _objects() -> Iterator[Any]:
    for file in sorted(FOLDER.glob("*/*.yaml")):
        if file.name not in NOT_MANIFESTS:
            for number, data in enumerate(yaml.safe_load_all(file.read_text())):
                yield pytest.param(data, id=f"{file.parent.name}-{file.stem}-{number}")


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


@pytest.mark.parametrize("folder", KUSTOMIZATIONS)
def test_a_folder_applies_all_of_its_files(folder: str) -> None:
    applied = {item for item in KUSTOMIZATIONS[folder]["resources"] if item != "../base"}
    assert applied == {file.name for file in (FOLDER / folder).glob("*.yaml")} - NOT_MANIFESTS


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_says_how_many_transcoders_there_are(overlay: str) -> None:
    found = KUSTOMIZATIONS[overlay]
    assert found["resources"][0] == "../base"
    assert found["namespace"] == KUSTOMIZATIONS["base"]["namespace"]
    [transcoder] = _of_kind("Deployment")
    name = transcoder["metadata"]["name"]
    if "replicas" in found:
        assert [item["name"] for item in found["replicas"]] == [name]
        assert found["replicas"][0]["count"] >= 2
        assert len(found["resources"]) == 1, "an autoscaler would set another number"
    else:
        autoscaler = yaml.safe_load((FOLDER / overlay / found["resources"][1]).read_text())
        assert autoscaler["kind"] == "HorizontalPodAutoscaler"
        assert autoscaler["spec"]["scaleTargetRef"]["name"] == name
        assert autoscaler["spec"]["minReplicas"] >= 2
    assert "replicas" not in transcoder["spec"], "it would undo what an autoscaler has set"


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kustomize_builds_what_kubernetes_takes(overlay: str) -> None:
    built = subprocess.run(
        ["kubectl", "kustomize", FOLDER / overlay], check=True, capture_output=True, text=True
    )
    objects = list(yaml.safe_load_all(built.stdout))
    for item in objects:
        kubernetes_validate.validate(item, VERSIONS[-1], strict=True)
        assert item["kind"] == "Namespace" or item["metadata"]["namespace"] == "xg2g"
    [transcoder] = [item for item in objects if item["kind"] == "Deployment"]
    autoscaled = any(item["kind"] == "HorizontalPodAutoscaler" for item in objects)
    assert autoscaled == ("replicas" not in transcoder["spec"])


def test_every_variable_exists() -> None:
    for _, container in _containers():
        known = TRANSCODER_VARIABLES if container["name"] == "transcoder" else DAEMON_VARIABLES
        assert {variable["name"] for variable in container["env"]} <= known
    [generator] = KUSTOMIZATIONS["base"]["configMapGenerator"]
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
    folder = FOLDER / "autoscaled-by-utilisation"
    [metric] = yaml.safe_load((folder / "transcoder-autoscaler.yaml").read_text())["spec"][
        "metrics"
    ]
    name = metric["pods"]["metric"]["name"]
    prefix, _, rest = name.partition("xg2g_transcoder_")
    assert prefix == ""
    assert re.search(rf'"{rest}"', source)
    adapter = yaml.safe_load((folder / "prometheus-adapter.yaml").read_text())
    assert name in adapter["rules"]["custom"][0]["seriesQuery"]


def test_the_guide_says_at_how_many_streams_the_autoscaler_adds_a_pod() -> None:
    file = FOLDER / "autoscaled-by-utilisation" / "transcoder-autoscaler.yaml"
    autoscaler = yaml.safe_load(file.read_text())["spec"]
    [container] = [it for _, it in _containers() if it["name"] == "transcoder"]
    variables = {item["name"]: item.get("value") for item in container["env"]}
    capacity = autoscaler["minReplicas"] * int(variables["XG2G_TRANSCODER_MAX_REMUXERS"])
    [metric] = autoscaler["metrics"]
    target_milli = int(metric["pods"]["target"]["averageValue"].removesuffix("m"))
    # In thousandths of a stream; a tenth above the target is Kubernetes' default tolerance.
    adds_at = capacity * target_milli * 11 // 10 // 1000 + 1
    guide = " ".join((ROOT / "docs" / "guide" / "scaling.md").read_text().split())
    assert f"starts at {adds_at} streams" in guide
    assert f"room for {capacity - adds_at} more" in guide


def test_a_pod_that_ends_is_given_the_time_that_its_streams_are() -> None:
    for pod, container in _containers():
        grace = {item["name"]: item.get("value") for item in container["env"]}.get(
            "XG2G_TRANSCODER_SHUTDOWN_GRACE"
        )
        if grace is not None:
            assert pod["terminationGracePeriodSeconds"] > float(grace.removesuffix("s"))


def test_the_windows_of_hls_leave_half_of_the_memory_to_the_daemon() -> None:
    """It would be killed with every stream."""
    [daemon] = [container for _, container in _containers() if container["name"] == "daemon"]
    variables = {item["name"]: item["value"] for item in daemon["env"]}
    limit = daemon["resources"]["limits"]["memory"]
    units = {"Mi": 2**20, "Gi": 2**30}
    limit_bytes = int(limit[:-2]) * units[limit[-2:]]
    assert int(variables["XG2G_HLS_MEMORY_BYTES"]) <= limit_bytes / 2


def test_both_read_the_same_token() -> None:
    secrets = {
        volume["secret"]["secretName"]
        for pod, _ in _containers()
        for volume in pod["volumes"]
        if "secret" in volume
    }
    assert secrets == {"xg2g-transcoder-token"}
    assert not _of_kind("Secret"), "a secret is made by whoever installs it"
