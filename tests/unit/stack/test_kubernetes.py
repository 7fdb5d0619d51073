"""The manifests start what the compose file starts, confined and with probes. Nothing here asks a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gars.config import from_environment
from gars.stack.deploy import deploy_folder
from gars.stack.services import COMMANDS

FOLDER = deploy_folder("kubernetes")
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
OBJECTS: list[dict[str, Any]] = [
    one for name in KUSTOMIZATION["resources"] for one in yaml.safe_load_all((FOLDER / name).read_text())
]
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER.parent / "compose.yaml").read_text())["services"]
NAME = "app.kubernetes.io/name"


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] == kind}


PODS = {name: one["spec"]["template"] for kind in ("Deployment", "Job") for name, one in of_kind(kind).items()}


def test_every_service_is_there() -> None:
    assert set(of_kind("Deployment")) == {*COMMANDS, "web"}
    assert set(of_kind("Job")) == {"prepare", "publish"}
    assert {path.name for path in Path(FOLDER).glob("*.yaml")} == {"kustomization.yaml", *KUSTOMIZATION["resources"]}


@pytest.mark.parametrize("name", sorted(PODS))
def test_containers_are_started_as_in_compose(name: str) -> None:
    (container,) = PODS[name]["spec"]["containers"]
    here, there = container.get("args") or container.get("command", []), COMPOSE[name]
    assert container["image"] == there["image"]
    assert name == "web" or here == (there["command"] or there["entrypoint"])
    assert container["image"] in {image["name"] for image in KUSTOMIZATION["images"]}


@pytest.mark.parametrize("name", sorted(PODS))
def test_containers_are_confined(name: str) -> None:
    pod = PODS[name]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert set(container["resources"]) == {"requests", "limits"}


@pytest.mark.parametrize("name", sorted(of_kind("Deployment")))
def test_deployments_can_be_upgraded_and_drained(name: str) -> None:
    deployment = of_kind("Deployment")[name]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["replicas"] >= 2
    assert deployment["selector"]["matchLabels"] == {NAME: name}
    assert labels[NAME] == name
    assert of_kind("PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"] == {NAME: name}
    (container,) = deployment["template"]["spec"]["containers"]
    assert {"startupProbe", "livenessProbe"} <= set(container)
    if name == "history":
        return
    assert container["readinessProbe"]["httpGet"]["port"] == "http"
    service = of_kind("Service")[name]["spec"]
    assert service["selector"] == {NAME: name}
    assert service["ports"][0]["port"] == container["ports"][0]["containerPort"]
    assert any(
        policy["spec"]["podSelector"].get("matchLabels") == {NAME: name} for policy in of_kind("NetworkPolicy").values()
    )


def test_addresses_are_settings_and_name_services() -> None:
    given = of_kind("ConfigMap")["gars"]["data"]
    assert {*given, "GARS_SERVICE_TOKEN"} == {*COMPOSE["api"]["environment"], "GARS_LOG_FORMAT"}
    from_environment({**given, "GARS_SERVICE_TOKEN": "a long random word"})
    for name in ("GARS_RECALL", "GARS_RANK"):
        service, _, port = given[name].removeprefix("http://").partition(":")
        assert of_kind("Service")[service]["spec"]["ports"][0]["port"] == int(port)
    upstream = (FOLDER.parent / "web" / "nginx.conf").read_text()
    assert "server api:8000;" in upstream


def test_autoscalers_scale_what_is_there() -> None:
    for name, scaler in of_kind("HorizontalPodAutoscaler").items():
        assert scaler["spec"]["scaleTargetRef"]["name"] == name
        assert name in of_kind("Deployment")
        assert scaler["spec"]["minReplicas"] == of_kind("Deployment")[name]["spec"]["replicas"]
