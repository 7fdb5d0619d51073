"""The manifests start what the compose file starts, confined and with probes. Nothing here asks a cluster."""

from __future__ import annotations

import re
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
    one
    for name in KUSTOMIZATION["resources"]
    for one in yaml.safe_load_all((FOLDER / name).read_text())
    if one is not None  # a comment
]
CONFIGURATIONS = {
    one["name"]: dict(
        line.split("=", 1)
        for file in one["envs"]
        for line in (FOLDER / file).read_text().splitlines()
        if line and not line.startswith("#")
    )
    for one in KUSTOMIZATION["configMapGenerator"]
}
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER.parent / "compose.yaml").read_text())["services"]
NAME = "app.kubernetes.io/name"
FLINK = {"jobmanager", "taskmanager", "feature-job"}
SINGLE = {"jobmanager", "feature-job"}
"""Deployments of which two pods at once would be wrong."""


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] == kind}


PODS = {name: one["spec"]["template"] for kind in ("Deployment", "Job") for name, one in of_kind(kind).items()}


def test_every_service_is_there() -> None:
    assert set(of_kind("Deployment")) == {*COMMANDS, "web", *FLINK}
    assert set(of_kind("Job")) == {"prepare", "publish"}
    assert {path.name for path in Path(FOLDER).glob("*.yaml")} == {"kustomization.yaml", *KUSTOMIZATION["resources"]}


@pytest.mark.parametrize("name", sorted(PODS))
def test_containers_are_started_as_in_compose(name: str) -> None:
    (container,) = PODS[name]["spec"]["containers"]
    there = COMPOSE[name]
    here = [_expanded(word) for word in container.get("args") or container.get("command", [])]
    if name == "taskmanager":  # any number of them, and a port that probes can ask
        here = ["taskmanager.host=taskmanager" if word == "taskmanager.host=$(POD_IP)" else word for word in here]
        assert here[-2:] == ["-D", f"taskmanager.rpc.port={container['ports'][0]['containerPort']}"]
        here = here[:-2]
    assert container["image"] == there["image"]
    assert name == "web" or here == (there["command"] or there["entrypoint"])
    assert container["image"] in {image["name"] for image in KUSTOMIZATION["images"]}


def _expanded(word: str) -> str:
    """Return a word of a command with the feature job's addresses in it."""
    for name, value in CONFIGURATIONS["gars-feature-job"].items():
        word = word.replace(f"$({name})", value)
    return word


@pytest.mark.parametrize("name", sorted(PODS))
def test_containers_are_confined(name: str) -> None:
    pod = PODS[name]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False  # GARS_PORT of a Service with the name gars is no setting
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert set(container["resources"]) == {"requests", "limits"}


@pytest.mark.parametrize("name", sorted({*of_kind("Deployment")} - SINGLE))
def test_deployments_can_be_upgraded_and_drained(name: str) -> None:
    deployment = of_kind("Deployment")[name]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    # the autoscaler's number, or one that is no less than two
    assert "replicas" not in deployment if name in of_kind("HorizontalPodAutoscaler") else deployment["replicas"] >= 2
    assert deployment["selector"]["matchLabels"] == {NAME: name}
    assert deployment["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    assert labels[NAME] == name
    budget = of_kind("PodDisruptionBudget")[name]["spec"]
    assert budget["selector"]["matchLabels"] == {NAME: name}
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    (container,) = deployment["template"]["spec"]["containers"]
    assert {"startupProbe", "livenessProbe"} <= set(container)
    if name in ("history", "taskmanager"):
        return
    assert container["readinessProbe"]["httpGet"]["port"] == "http"
    assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    service = of_kind("Service")[name]["spec"]
    assert service["selector"] == {NAME: name}
    assert service["ports"][0]["port"] == container["ports"][0]["containerPort"]
    assert any(
        policy["spec"]["podSelector"].get("matchLabels") == {NAME: name} for policy in of_kind("NetworkPolicy").values()
    )


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_there_are_never_two_of_what_must_be_alone(name: str) -> None:
    deployment = of_kind("Deployment")[name]["spec"]
    assert deployment["replicas"] == 1
    assert deployment["strategy"] == {"type": "Recreate"}
    assert deployment["selector"]["matchLabels"] == {NAME: name}
    # a budget for one pod would block each drain
    assert name not in of_kind("PodDisruptionBudget")


@pytest.mark.parametrize("name", sorted(of_kind("Job")))
def test_finished_jobs_are_deleted(name: str) -> None:
    """They cannot be changed: the next apply of another image would fail."""
    assert of_kind("Job")[name]["spec"]["ttlSecondsAfterFinished"] > 0


def test_configurations_are_settings_and_name_services() -> None:
    given = CONFIGURATIONS["gars"]
    assert {*given, "GARS_SERVICE_TOKEN"} == {*COMPOSE["api"]["environment"], "GARS_LOG_FORMAT"}
    settings = from_environment({**given, "GARS_SERVICE_TOKEN": "a long random word"})
    for name in ("GARS_RECALL", "GARS_RANK"):
        service, _, port = given[name].removeprefix("http://").partition(":")
        assert of_kind("Service")[service]["spec"]["ports"][0]["port"] == int(port)
    upstream = (FOLDER.parent / "web" / "upstream.conf").read_text()
    assert "server api:8000 " in upstream
    of_job = CONFIGURATIONS["gars-feature-job"]
    assert f"kafka://{of_job['BROKERS']}/" in settings.event_log
    assert of_job["REDIS"] == settings.state_store
    assert of_job["GARS_TRACES"] == settings.traces


def test_pods_use_the_configurations() -> None:
    used = {
        name: [one["configMapRef"]["name"] for one in pod["spec"]["containers"][0].get("envFrom", [])]
        for name, pod in PODS.items()
    }
    assert used == {
        **{name: ["gars"] for name in (*COMMANDS, "prepare", "publish")},
        "feature-job": ["gars-feature-job"],
        **{name: [] for name in ("jobmanager", "taskmanager", "web")},
    }


def test_flink_shares_its_checkpoints() -> None:
    for name in FLINK:
        volumes = {one["name"]: one for one in PODS[name]["spec"]["volumes"]}
        mounts = {one["mountPath"]: one["name"] for one in PODS[name]["spec"]["containers"][0]["volumeMounts"]}
        assert volumes[mounts["/var/lib/flink"]]["persistentVolumeClaim"] == {"claimName": "gars-flink"}
    assert of_kind("Service")["jobmanager"]["spec"]["clusterIP"] == "None"  # of Flink's own choice of ports


def test_autoscalers_scale_what_is_there() -> None:
    for name, scaler in of_kind("HorizontalPodAutoscaler").items():
        assert scaler["spec"]["scaleTargetRef"]["name"] == name
        assert name in of_kind("Deployment")
        assert scaler["spec"]["minReplicas"] >= 2


def test_autoscalers_by_lists_have_a_metric_of_the_adapter_and_a_measured_target() -> None:
    component = yaml.safe_load((FOLDER / "components" / "lists-per-second" / "kustomization.yaml").read_text())
    rules = yaml.safe_load((FOLDER.parent / "monitoring" / "adapter.yaml").read_text())["rules"]["custom"]
    benchmarks = (FOLDER.parents[1] / "docs" / "benchmarks.md").read_text()
    assert {one["target"]["name"] for one in component["patches"]} == {"api", "recall", "rank"}
    for one in component["patches"]:
        name = one["target"]["name"]
        ((operation, path, metric),) = (patch.values() for patch in yaml.safe_load(one["patch"]))
        assert (operation, path, metric["type"]) == ("add", "/spec/metrics/0", "Pods")
        assert metric["pods"]["metric"]["name"] in {rule["name"]["as"] for rule in rules}
        (at_most,) = re.findall(rf"(?m)^\| {name}: a list.*\| ([\d,]+) lists a processor second", benchmarks)
        (processor,) = of_kind("HorizontalPodAutoscaler")[name]["spec"]["metrics"]
        share = processor["resource"]["target"]["averageUtilization"] / 100
        millicores = PODS[name]["spec"]["containers"][0]["resources"]["requests"]["cpu"].removesuffix("m")
        expected = float(at_most.replace(",", "")) * int(millicores) / 1000 * share
        assert float(metric["pods"]["target"]["averageValue"]) == pytest.approx(expected, rel=0.05)
