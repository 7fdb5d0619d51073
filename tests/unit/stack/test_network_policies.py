"""Each connection that the services need is allowed by the manifests' policies, and no other one."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from gars.stack.deploy import deploy_folder
from gars_test_support.network_policies import Peer, Policy, allows, selects

DEPLOY = deploy_folder("kubernetes").parent
OBJECTS: list[dict[str, Any]] = [
    one
    for path in sorted(Path(DEPLOY / "kubernetes").glob("*.yaml"))
    for one in yaml.safe_load_all(path.read_text())
    if one is not None
]
POLICIES: list[Policy] = [
    {**one, "metadata": {**one["metadata"], "namespace": "gars"}} for one in OBJECTS if one["kind"] == "NetworkPolicy"
]
PODS = {
    one["metadata"]["name"]: Peer(one["spec"]["template"]["metadata"]["labels"], "gars")
    for one in OBJECTS
    if one["kind"] in ("Deployment", "Job")
}
OTHERS = {
    "a pod of the namespace": Peer({"app": "other"}, "gars"),
    "a pod of another namespace": Peer({"app.kubernetes.io/name": "api"}, "other"),
    "an ingress controller": Peer({}, "ingress", {"kubernetes.io/metadata.name": "ingress"}),
    "a node": Peer({}, ""),
}
PROMETHEUS = Peer({}, "monitoring", {"kubernetes.io/metadata.name": "monitoring"})
FLINK = range(1024, 65536, 509)
"""Some of the ports that Flink may choose."""
NEEDED = {
    ("web", "api", 8000),
    ("api", "recall", 8000),
    ("api", "rank", 8000),
    ("rank", "recall", 8000),
    *(("feature-job", "jobmanager", port) for port in (8081, *FLINK)),
    *(("taskmanager", "jobmanager", port) for port in (6123, 8081, *FLINK)),
    *(("jobmanager", "taskmanager", port) for port in (6122, *FLINK)),
    *(("taskmanager", "taskmanager", port) for port in FLINK),
}
PUBLIC = {("web", 8080), ("clicks", 8000)}
"""Reached by anyone: the page and the place for events."""
PORTS = (80, 6122, 6123, 8000, 8080, 8081)


def connections() -> set[tuple[str, str, int]]:
    return {
        (source, target, port)
        for (source, peer), (target, pod), port in product({**PODS, **OTHERS}.items(), PODS.items(), PORTS)
        if allows(POLICIES, peer, pod, port)
    }


def test_what_is_needed_is_allowed() -> None:
    assert not [one for one in NEEDED if not allows(POLICIES, PODS[one[0]], PODS[one[1]], one[2])]


def test_nothing_else_is_allowed() -> None:
    public = {(source, target, port) for source in {**PODS, **OTHERS} for target, port in PUBLIC}
    any_port = {(source, target, port) for source, target, used in NEEDED if used in FLINK for port in PORTS}
    assert connections() == public | {one for one in NEEDED if one[2] in PORTS} | any_port


def test_services_reach_the_engines() -> None:
    engine = Peer({"app": "kafka"}, "engines", {"kubernetes.io/metadata.name": "engines"})
    for name, port in product(("api", "clicks", "recall", "history", "prepare", "taskmanager"), (9092, 6379, 9042)):
        assert allows(POLICIES, PODS[name], engine, port), name


def test_prometheus_reads_metrics_and_nothing_else() -> None:
    reached = {port for pod, port in product(PODS.values(), PORTS) if allows(POLICIES, PROMETHEUS, pod, port)}
    assert reached == {8000, 8080}
    assert not allows(POLICIES, PROMETHEUS, PODS["jobmanager"], 8081)


def test_needed_connections_are_those_of_the_addresses() -> None:
    """The addresses of compose.yaml and upstream.conf between services are in ``NEEDED``: a new one is noticed."""
    text = (DEPLOY / "compose.yaml").read_text() + (DEPLOY / "web" / "upstream.conf").read_text()
    named = set(re.findall(r"(?:https?://|server )([a-z-]+):(\d+)", text))
    ours = {(name, int(port)) for name, port in named if name in PODS}
    assert ours == {("api", 8000), ("recall", 8000), ("rank", 8000), ("jobmanager", 8081)}
    assert ours <= {(target, port) for _, target, port in NEEDED}


@pytest.mark.parametrize(
    ("selector", "matching"),
    [
        ({}, True),
        ({"matchLabels": {"name": "api"}}, True),
        ({"matchLabels": {"name": "api", "tier": "front"}}, False),
        ({"matchExpressions": [{"key": "name", "operator": "In", "values": ["rank", "api"]}]}, True),
        ({"matchExpressions": [{"key": "name", "operator": "NotIn", "values": ["api"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["front"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, True),
    ],
)
def test_label_selectors(selector: dict[str, Any], matching: bool) -> None:
    assert selects(selector, {"name": "api"}) is matching


def policy(spec: dict[str, Any]) -> Policy:
    return {"metadata": {"namespace": "gars"}, "spec": spec}


@pytest.mark.parametrize(
    ("policies", "allowed"),
    [
        ([], True),
        ([policy({"podSelector": {}})], False),
        ([policy({"podSelector": {}}), policy({"podSelector": {}, "ingress": [{}]})], True),
        ([policy({"podSelector": {}, "ingress": [{"ports": [{"port": "http"}]}]})], True),
        ([policy({"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]})], False),
        ([policy({"podSelector": {}, "ingress": [{"ports": [{"port": 8000, "protocol": "UDP"}]}]})], False),
        ([policy({"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]})], False),
        ([policy({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]})], True),
        ([policy({"podSelector": {}, "policyTypes": ["Egress"]})], True),
        ([{**policy({"podSelector": {}, "policyTypes": ["Egress"]}), "metadata": {"namespace": "other"}}], False),
    ],
)
def test_rules_of_policies(policies: list[Policy], allowed: bool) -> None:
    target = Peer({"name": "api"}, "gars", ports={"http": 8000})
    assert allows(policies, Peer({"name": "web"}, "other"), target, 8000) is allowed
