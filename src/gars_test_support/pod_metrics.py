"""The metrics API of Kubernetes (metrics.k8s.io), with numbers that a test sets: what an autoscaler asks."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gars_test_support.control_plane import ControlPlane

_GROUP = "metrics.k8s.io"
_PATH = f"/apis/{_GROUP}/v1beta1"
_NAMESPACE = "kube-system"


class PodMetrics:
    """Usage of all pods of a cluster; ``millicores`` is what each container uses of a processor."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.millicores = 0

    def answer(self, target: str) -> dict[str, Any] | None:
        """Return the answer to a request of the API server; None for a path that is not served."""
        path = urlsplit(target)
        if path.path == _PATH:
            kinds = [{"name": "pods", "namespaced": True, "kind": "PodMetrics", "singularName": "", "verbs": ["list"]}]
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": path.path[6:], "resources": kinds}
        if not path.path.startswith(f"{_PATH}/"):
            return None  # the API server asks for a description of the API, too
        query = {name: values[0] for name, values in parse_qs(path.query).items()}
        pods = self.plane.objects(f"/api/v1{path.path.removeprefix(_PATH)}", **query)
        usage = {"cpu": f"{self.millicores}m", "memory": "100Mi"}
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        items = [
            {
                "metadata": {name: pod["metadata"][name] for name in ("name", "namespace", "labels")},
                "timestamp": now,
                "window": "1s",
                "containers": [{"name": one["name"], "usage": usage} for one in pod["spec"]["containers"]],
            }
            for pod in pods
            if pod["status"]["phase"] == "Running"
        ]
        return {"kind": "PodMetricsList", "apiVersion": f"{_GROUP}/v1beta1", "metadata": {}, "items": items}


@contextmanager
def pod_metrics(plane: ControlPlane) -> Iterator[PodMetrics]:
    """Serve the metrics API and register it with the API server until the end."""
    metrics = PodMetrics(plane)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = metrics.answer(self.path)
            body = json.dumps(answer).encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*plane.certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    service, registration = f"/api/v1/namespaces/{_NAMESPACE}/services", "/apis/apiregistration.k8s.io/v1/apiservices"
    name = f"v1beta1.{_GROUP}"
    try:
        plane.create(service, {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "pod-metrics"},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        }).raise_for_status()  # fmt: skip
        plane.create(registration, {
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name},
            "spec": {
                "group": _GROUP, "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
                "service": {"namespace": _NAMESPACE, "name": "pod-metrics", "port": server.server_port},
                "insecureSkipTLSVerify": True,
            },
        }).raise_for_status()  # fmt: skip
        plane.wait(lambda: plane.client.get(_PATH).status_code == 200, "the metrics API to be registered")
        yield metrics
    finally:
        plane.client.delete(f"{registration}/{name}")
        plane.client.delete(f"{service}/pod-metrics")
        server.shutdown()
        thread.join()
        server.server_close()
