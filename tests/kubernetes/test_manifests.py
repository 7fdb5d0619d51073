"""The manifests in a namespace that admits restricted pods only: admission, budgets, upgrades, drains, deletion.

Processes of pods do not run: kwok sets their status. What is tested is what the control plane does with the objects.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from itertools import product
from typing import Any

import pytest

from gars_test_support.control_plane import CommandError, ControlPlane, Object, is_ready
from gars_test_support.network_policies import Peer, allows, selects
from gars_test_support.pod_metrics import ListMetrics, PodMetrics, list_metrics
from gars_test_support.release import AUTOSCALED, NAME, PART_OF, RESTRICTED, Release, ready_addresses

PAIRS = {"api": 2, "clicks": 2, "recall": 2, "rank": 2, "web": 2, "history": 2, "taskmanager": 2}
PODS = {**PAIRS, "jobmanager": 1, "feature-job": 1}
JOBS = {"prepare", "publish"}
SERVICES = {"api", "clicks", "recall", "rank", "web", "jobmanager"}
LIST_METRICS = {
    "api": "gars_lists_per_second",
    **dict.fromkeys(("recall", "rank"), "gars_stage_lists_per_second"),
}
"""Of deploy/monitoring/adapter.yaml."""
BROKEN = "broken"
"""The version of an image that never answers (stages.yaml)."""


def names(objects: list[Object]) -> set[str]:
    return {one["metadata"]["name"] for one in objects}


def selected(pods: list[Object], selector: Object) -> set[str]:
    return names([pod for pod in pods if selects(selector, pod["metadata"]["labels"])])


def lasting_pods(release: Release) -> list[Object]:
    """Pods of Deployments."""
    return [pod for pod in release.objects("api/v1", "pods") if pod["metadata"]["labels"][NAME] not in JOBS]


def test_every_object_is_accepted_and_a_second_time_unchanged(empty: Release) -> None:
    results = empty.apply()
    assert len(results) == len(empty.rendered())
    assert set(results.values()) == {"created"}
    empty.wait_settled()
    budgets = _generations(empty)
    assert _changed(empty.apply()) == {}
    assert _generations(empty) == budgets == dict.fromkeys(PAIRS, 1)
    assert set(empty.apply("--server-side", "--dry-run=server", "--force-conflicts").values()) == {
        "serverside-applied (server dry run)"
    }
    print(f"{len(results)} objects")


def _changed(results: dict[str, str]) -> dict[str, str]:
    """Return the results that are not ``unchanged``, but for budgets: kubectl always sends their selector."""
    return {
        name: result
        for name, result in results.items()
        if result != "unchanged" and not name.startswith("poddisruption")
    }


def _generations(release: Release) -> dict[str, int]:
    """Return how many specifications each budget has had."""
    budgets = release.objects("apis/policy/v1", "poddisruptionbudgets")
    return {one["metadata"]["name"]: one["metadata"]["generation"] for one in budgets}


def test_every_pod_is_admitted_and_bound(running: Release) -> None:
    pods = running.objects("api/v1", "pods")
    assert Counter(pod["metadata"]["labels"][NAME] for pod in pods) == {**PODS, **dict.fromkeys(JOBS, 1)}
    assert all(pod["spec"]["nodeName"] for pod in pods)
    warnings = running.objects("api/v1", "events", fieldSelector="type=Warning")
    refused = [one["message"] for one in warnings if one["reason"] == "FailedCreate"]
    assert not refused


def test_pods_of_a_pair_are_on_two_nodes(running: Release) -> None:
    for name in PAIRS:
        assert len({pod["spec"]["nodeName"] for pod in running.pods(name)}) == 2, name


def test_the_namespace_refuses_pods_that_are_not_restricted(running: Release) -> None:
    """Or what the others show would be worth nothing."""
    pod: Object = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plain"},
        "spec": {"containers": [{"name": "plain", "image": "plain"}]},
    }  # fmt: skip
    answer = running.plane.create(running.path("api/v1", "pods"), pod)
    assert answer.status_code == 403
    assert "violates PodSecurity" in answer.json()["message"]
    label = f"{next(iter(RESTRICTED))}=restricted"
    assert "violate" not in running.plane.kubectl(
        "label", "namespace", running.namespace, label, "--overwrite", "--dry-run=server"
    )


def test_the_quota_counts_what_the_pods_ask_for(running: Release) -> None:
    (quota,) = running.objects("api/v1", "resourcequotas")
    used = quota["status"]["used"]
    assert int(used["pods"]) == sum(PODS.values())
    print(f"quota: {used}")
    pod = {"containers": [{"name": "greedy", "image": "greedy"}]}
    answer = running.plane.create(
        running.path("api/v1", "pods"), {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "greedy"}, "spec": pod}
    )
    assert answer.status_code == 403


def test_what_pods_refer_to_is_there(running: Release) -> None:
    configurations, secrets = (
        {one["metadata"]["name"]: set(one["data"]) for one in running.objects("api/v1", kinds)}
        for kinds in ("configmaps", "secrets")
    )
    claims = {
        one["metadata"]["name"]: one["status"]["phase"] for one in running.objects("api/v1", "persistentvolumeclaims")
    }
    accounts = names(running.objects("api/v1", "serviceaccounts"))
    for pod in running.objects("api/v1", "pods"):
        spec = pod["spec"]
        assert spec["serviceAccountName"] in accounts
        for container in spec["containers"]:
            for source in container.get("envFrom", []):
                assert source["configMapRef"]["name"] in configurations
            for variable in container.get("env", []):
                if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
                    assert reference["key"] in secrets[reference["name"]]
        for volume in spec["volumes"]:
            if "persistentVolumeClaim" in volume:
                assert claims[volume["persistentVolumeClaim"]["claimName"]] == "Bound"
            elif "secret" in volume:
                assert {item["key"] for item in volume["secret"]["items"]} <= secrets[volume["secret"]["secretName"]]
            else:
                assert set(volume) == {"name", "emptyDir"}


def test_each_pod_has_the_budget_of_its_service(running: Release) -> None:
    pods = lasting_pods(running)
    budgets = {one["metadata"]["name"]: one for one in running.objects("apis/policy/v1", "poddisruptionbudgets")}
    assert set(budgets) == set(PAIRS)
    for name, budget in budgets.items():
        assert selected(pods, budget["spec"]["selector"]) == names(running.pods(name))
        assert _budget(running, name) == (2, 2, 1, 1), name


def _budget(release: Release, name: str) -> tuple[int, int, int, int]:
    """Return the pods that a budget counts, those healthy, those it keeps, and how many may be evicted."""
    status = release.plane.read(f"{release.path('apis/policy/v1', 'poddisruptionbudgets')}/{name}")["status"]
    return status["expectedPods"], status["currentHealthy"], status["desiredHealthy"], status["disruptionsAllowed"]


def test_services_select_their_pods(running: Release) -> None:
    assert names(running.objects("api/v1", "services")) == SERVICES
    addresses = ready_addresses(running)
    for name in SERVICES:
        assert addresses[name] == running.addresses(name)
        assert len(addresses[name]) == PODS[name]
    for one in running.objects("apis/discovery.k8s.io/v1", "endpointslices"):
        name = one["metadata"]["labels"]["kubernetes.io/service-name"]
        container = running.pods(name)[0]["spec"]["containers"][0]
        assert [port["port"] for port in one["ports"]] == [port["containerPort"] for port in container["ports"]]


def test_policies_allow_what_services_need(running: Release) -> None:
    policies = running.objects("apis/networking.k8s.io/v1", "networkpolicies")
    peers = {pod["metadata"]["labels"][NAME]: _peer(pod) for pod in running.objects("api/v1", "pods")}
    allowed = {
        (source, target)
        for source, target in product(peers, SERVICES)
        if allows(policies, peers[source], peers[target], peers[target].ports["http"])
    }
    assert allowed == {
        ("web", "api"), ("api", "recall"), ("api", "rank"), ("rank", "recall"),
        ("taskmanager", "jobmanager"), ("feature-job", "jobmanager"),
        *product(peers, ("web", "clicks")),
    }  # fmt: skip


def _peer(pod: Object) -> Peer:
    ports = {one["name"]: one["containerPort"] for one in pod["spec"]["containers"][0].get("ports", [])}
    return Peer(pod["metadata"]["labels"], pod["metadata"]["namespace"], ports=ports)


def test_autoscalers_follow_load_and_apply_leaves_their_number(fresh: Release, metrics: PodMetrics) -> None:
    metrics.millicores = 350  # 70 % of the request: as it should be
    fresh.plane.wait(lambda: _scalers(fresh) == dict.fromkeys(AUTOSCALED, (70, 2)), "autoscalers to see usage")
    metrics.millicores = 700
    fresh.plane.wait(lambda: all(pods >= 4 for _, pods in _scalers(fresh).values()), "more pods")
    metrics.millicores = 350
    fresh.wait_settled()
    before = {name: pods for name, (_, pods) in _scalers(fresh).items()}
    assert all(4 <= pods <= 10 for pods in before.values())
    assert _changed(fresh.apply()) == {}
    assert {name: fresh.deployments()[name]["spec"]["replicas"] for name in AUTOSCALED} == before
    print(f"pods at 140 % of the request: {before}")


def _scalers(release: Release) -> dict[str, tuple[int, int]]:
    """Return of each autoscaler the usage it sees, percent of the request, and the number of pods it wants."""
    scalers = release.objects("apis/autoscaling/v2", "horizontalpodautoscalers")
    for one in scalers:
        conditions = {found["type"]: found for found in one["status"].get("conditions", [])}
        reason = conditions.get("ScalingActive", {}).get("reason")
        assert reason not in ("AmbiguousSelector", "InvalidSelector", "FailedGetScale"), conditions
    return {
        one["metadata"]["name"]: (_percent(one["status"]), one["status"].get("desiredReplicas", 0)) for one in scalers
    }


def _percent(status: Object) -> int:
    """Return the usage that an autoscaler saw; 0 if it could read none, which it reports without a resource."""
    seen = [one["resource"]["current"] for one in status.get("currentMetrics") or [] if "resource" in one]
    return sum(one.get("averageUtilization", 0) for one in seen)


def test_autoscalers_follow_lists_a_second(by_lists: Release, metrics: PodMetrics) -> None:
    metrics.millicores = 100  # 20 % of the request: two pods
    targets = _targets(by_lists)
    assert set(targets) == set(LIST_METRICS)
    with list_metrics(by_lists.plane, LIST_METRICS) as made:
        _scale(by_lists, made, targets, 5)
        _scale(by_lists, made, targets, 2)


def _scale(release: Release, made: ListMetrics, targets: dict[str, float], pods: int) -> None:
    """Make as many lists a second as so many pods should, and wait until there are so many."""
    made.lists = {name: pods * target for name, target in targets.items()}
    expected = {**dict.fromkeys(targets, pods), "clicks": 2}
    release.plane.wait(lambda: _wanted(release) == expected, f"{expected} pods for {made.lists} lists a second")
    release.wait_settled()


def test_without_lists_a_second_autoscalers_add_pods_and_remove_none(by_lists: Release, metrics: PodMetrics) -> None:
    metrics.millicores = 700
    by_lists.plane.wait(lambda: all(pods >= 4 for pods in _wanted(by_lists).values()), "more pods")
    metrics.millicores = 100
    by_lists.plane.wait(lambda: _wanted(by_lists)["clicks"] == 2, "clicks, which needs no lists a second, to shrink")
    by_lists.plane.wait(
        lambda: all(_active(by_lists)[name] == ("False", "FailedGetPodsMetric") for name in LIST_METRICS), "the error"
    )
    assert all(_wanted(by_lists)[name] >= 4 for name in LIST_METRICS)
    by_lists.change({"components": []})
    by_lists.apply()
    by_lists.plane.wait(lambda: _wanted(by_lists) == dict.fromkeys(AUTOSCALED, 2), "fewer pods by processor time")


def _targets(release: Release) -> dict[str, float]:
    """Return how many lists a second a pod should make, of each autoscaler that counts them."""
    return {
        one["metadata"]["name"]: float(metric["pods"]["target"]["averageValue"])
        for one in release.objects("apis/autoscaling/v2", "horizontalpodautoscalers")
        for metric in one["spec"]["metrics"]
        if metric["type"] == "Pods"
    }


def _wanted(release: Release) -> dict[str, int]:
    """Return how many pods each autoscaler wants."""
    return {name: pods for name, (_, pods) in _scalers(release).items()}


def _active(release: Release) -> dict[str, tuple[str, str]]:
    """Return of each autoscaler whether it can compute a number of pods, and the reason."""
    return {
        one["metadata"]["name"]: (condition["status"], condition["reason"])
        for one in release.objects("apis/autoscaling/v2", "horizontalpodautoscalers")
        for condition in one["status"]["conditions"]
        if condition["type"] == "ScalingActive"
    }


def test_an_upgrade_keeps_two_pods_of_each_service(fresh: Release) -> None:
    fresh.plane.kubectl("delete", "jobs", "--all", "--namespace", fresh.namespace)
    fresh.set_tag("next")
    with fresh.least_available() as least:
        results = fresh.apply()
        fresh.wait_settled()
    assert _changed(results) == {
        **{f"deployment.apps/{name}": "configured" for name in PODS},
        **{f"job.batch/{name}": "created" for name in JOBS},
    }
    images = {pod["spec"]["containers"][0]["image"] for pod in lasting_pods(fresh)}
    assert {image.rpartition(":")[2] for image in images} == {"next"}
    print(f"least addresses during the upgrade: {least}")
    assert {name: least[name] for name in SERVICES & set(PAIRS)} == dict.fromkeys(SERVICES & set(PAIRS), 2)


def test_a_version_that_never_answers_replaces_nothing(fresh: Release) -> None:
    good = ready_addresses(fresh)
    fresh.plane.kubectl("delete", "jobs", "--all", "--namespace", fresh.namespace)
    fresh.set_tag(BROKEN)
    fresh.apply()
    fresh.plane.wait(
        lambda: all(
            any(_tag(pod) == BROKEN and pod["status"]["phase"] == "Running" for pod in fresh.pods(name))
            for name in AUTOSCALED
        ),
        "pods of the new version",
    )
    for name in AUTOSCALED:
        assert ready_addresses(fresh)[name] == good[name]
        with pytest.raises(CommandError, match="timed out"):
            fresh.plane.kubectl(
                "rollout", "status", f"deployment/{name}", "--namespace", fresh.namespace, "--timeout=1s"
            )
        fresh.plane.kubectl("rollout", "undo", f"deployment/{name}", "--namespace", fresh.namespace)
    fresh.plane.wait(
        lambda: all(_tag(pod) != BROKEN for name in AUTOSCALED for pod in fresh.pods(name)), "the way back"
    )
    for name in AUTOSCALED:
        assert ready_addresses(fresh)[name] == good[name]


def _tag(pod: Object) -> str:
    image: str = pod["spec"]["containers"][0]["image"]
    return image.rpartition(":")[2]


def test_another_address_replaces_the_pods(fresh: Release) -> None:
    fresh.plane.kubectl("delete", "jobs", "--all", "--namespace", fresh.namespace)
    settings = fresh.folder.parent / "kubernetes" / "config.env"
    settings.write_text(settings.read_text().replace("GARS_TRACE_SHARE=1", "GARS_TRACE_SHARE=0.5"))
    with fresh.least_available() as least:
        results = fresh.apply()
        fresh.wait_settled()
    replaced = {name for name, result in _changed(results).items() if result == "configured"}
    assert replaced == {f"deployment.apps/{name}" for name in (*AUTOSCALED, "history")}
    assert min(least[name] for name in AUTOSCALED) == 2


def test_budgets_refuse_to_evict_the_last_pod(fresh: Release) -> None:
    for name in PAIRS:
        first, second = fresh.pods(name)
        assert fresh.evict(first) == 201
        assert fresh.evict(second) == 429, name
    fresh.wait_settled()
    for name in PAIRS:
        assert fresh.evict(fresh.pods(name)[0]) == 201


def test_nodes_are_drained_one_after_another(fresh: Release) -> None:
    nodes = sorted(names(fresh.plane.objects("/api/v1/nodes")))
    for node in nodes:
        with ExitStack() as later, fresh.least_available() as least:
            later.callback(fresh.plane.kubectl, "uncordon", node)
            before = [pod for pod in lasting_pods(fresh) if pod["spec"].get("nodeName") == node]
            fresh.plane.kubectl("drain", node, "--delete-emptydir-data", "--timeout=120s")
            # a pod that replaces one of them may have no node yet
            assert not [pod for pod in lasting_pods(fresh) if pod["spec"].get("nodeName") == node]
            fresh.wait_settled()
        print(f"{node}: {len(before)} pods evicted, least addresses {least}")
        assert min(least[name] for name in SERVICES & set(PAIRS)) >= 1


def test_pods_that_never_answered_do_not_block_a_drain(empty: Release) -> None:
    """A first installation without a model: no pod of the api is ever ready, and the node can be drained."""
    empty.set_tag(BROKEN)
    empty.apply()
    empty.plane.wait(
        lambda: all(
            len(pods := empty.pods(name)) == 2 and all(pod["status"].get("podIP") for pod in pods)
            for name in AUTOSCALED
        ),
        "pods to start",
    )
    (node, *_) = (pod["spec"]["nodeName"] for pod in empty.pods("api"))
    try:
        empty.plane.kubectl("drain", node, "--delete-emptydir-data", "--timeout=60s")
    finally:
        empty.plane.kubectl("uncordon", node)
    assert not any(is_ready(pod) for pod in empty.pods("api"))


def test_deletion_leaves_what_was_made_by_hand(fresh: Release) -> None:
    plane = fresh.plane
    plane.kubectl("delete", "--kustomize", str(fresh.folder), "--timeout=120s")
    left = _everything(plane, fresh)
    plane.wait(lambda: not fresh.objects("api/v1", "pods"), "the pods to end")
    assert left == {"secrets/gars", "resourcequotas/quota"}
    assert not plane.objects("/api/v1/namespaces/default/pods", labelSelector=PART_OF)


def _everything(plane: ControlPlane, release: Release) -> set[str]:
    """Return the objects of a namespace, but those of the cluster itself, pods that end, and events."""
    own = {"events", "events.events.k8s.io", "pods", "podmetrics.metrics.k8s.io", "leases.coordination.k8s.io"}
    kinds = plane.kubectl("api-resources", "--namespaced", "--verbs=list", "--output=name").split()
    found: dict[str, Any] = {}
    for kind in set(kinds) - own:
        found[kind] = plane.kubectl("get", kind, "--namespace", release.namespace, "--output=name").split()
    of_cluster = {"configmap/kube-root-ca.crt", "serviceaccount/default"}
    return {f"{kind}/{one.partition('/')[2]}" for kind, all_ in found.items() for one in all_ if one not in of_cluster}
