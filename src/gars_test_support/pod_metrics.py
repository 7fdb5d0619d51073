"""What an autoscaler asks for (metrics.k8s.io, custom.metrics.k8s.io), with numbers that a test sets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

from gars_test_support.aggregated_api import aggregated_api
from gars_test_support.control_plane import ControlPlane, Object

_GROUP = "metrics.k8s.io"
_CUSTOM_GROUP = "custom.metrics.k8s.io"
_VERSION = "v1beta1"
_SERVICE = "app.kubernetes.io/name"


class PodMetrics:
    """Usage of all pods of a cluster; ``millicores`` is what each container uses of a processor."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.millicores = 0

    def answer(self, target: str) -> Object | None:
        """Return the answer to a request of the API server; None for a path that is not served."""
        root = f"/apis/{_GROUP}/{_VERSION}"
        path = urlsplit(target)
        if path.path == root:
            return _resources(_GROUP, {"name": "pods", "kind": "PodMetrics", "verbs": ["list"]})
        if not path.path.startswith(f"{root}/"):
            return None  # the API server asks for a description of the API, too
        usage = {"cpu": f"{self.millicores}m", "memory": "100Mi"}
        items = [
            {
                "metadata": {name: pod["metadata"][name] for name in ("name", "namespace", "labels")},
                "timestamp": _now(),
                "window": "1s",
                "containers": [{"name": one["name"], "usage": usage} for one in pod["spec"]["containers"]],
            }
            for pod in _running(self.plane, path.path.removeprefix(root), path.query)
        ]
        return {"kind": "PodMetricsList", "apiVersion": f"{_GROUP}/{_VERSION}", "metadata": {}, "items": items}


class ListMetrics:
    """Lists a second of all pods of a cluster, as the Prometheus Adapter serves them."""

    def __init__(self, plane: ControlPlane, names: dict[str, str]) -> None:
        """``names`` has the name of the metric of each service; others have none."""
        self.plane = plane
        self.names = names
        self.lists: dict[str, float] = {}
        """Lists a second of each service; its pods have equal shares."""

    def answer(self, target: str) -> Object | None:
        """Return the answer to a request of the API server; None for a path or a metric that is not served."""
        root = f"/apis/{_CUSTOM_GROUP}/{_VERSION}"
        path = urlsplit(target)
        if path.path == root:
            return _resources(
                _CUSTOM_GROUP,
                *(
                    {"name": f"pods/{one}", "kind": "MetricValueList", "verbs": ["get"]}
                    for one in {*self.names.values()}
                ),
            )
        pods_path, _, metric = unquote(path.path).removeprefix(root).partition("/*/")
        if not metric:
            return None
        pods = [
            pod
            for pod in _running(self.plane, pods_path, path.query)
            if self.names.get(pod["metadata"]["labels"][_SERVICE]) == metric
        ]
        if not pods:
            return None
        items = [
            {
                "describedObject": {"kind": "Pod", "apiVersion": "/v1"}
                | {name: pod["metadata"][name] for name in ("name", "namespace")},
                "metricName": metric,
                "timestamp": _now(),
                "value": f"{self.lists[pod['metadata']['labels'][_SERVICE]] / len(pods) * 1000:.0f}m",
            }
            for pod in pods
        ]
        return {"kind": "MetricValueList", "apiVersion": f"{_CUSTOM_GROUP}/{_VERSION}", "metadata": {}, "items": items}


def _resources(group: str, *kinds: Object) -> Object:
    """Return the list of what an API serves."""
    resources = [{"namespaced": True, "singularName": "", **one} for one in kinds]
    return {
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{group}/{_VERSION}", "resources": resources,
    }  # fmt: skip


def _running(plane: ControlPlane, path: str, query: str) -> list[Object]:
    """Return the running pods that a request selects."""
    selectors = {name: values[0] for name, values in parse_qs(query).items() if name == "labelSelector"}
    return [pod for pod in plane.objects(f"/api/v1{path}", **selectors) if pod["status"]["phase"] == "Running"]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def pod_metrics(plane: ControlPlane) -> Iterator[PodMetrics]:
    """Serve the metrics API and register it with the API server until the end."""
    metrics = PodMetrics(plane)
    with aggregated_api(plane, _GROUP, _VERSION, metrics.answer):
        yield metrics


@contextmanager
def list_metrics(plane: ControlPlane, names: dict[str, str]) -> Iterator[ListMetrics]:
    """Serve the custom metrics API and register it with the API server until the end."""
    metrics = ListMetrics(plane, names)
    with aggregated_api(plane, _CUSTOM_GROUP, _VERSION, metrics.answer):
        yield metrics
