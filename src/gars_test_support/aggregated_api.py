"""An API that a test adds to the API server of Kubernetes: a group of paths, answered on the loopback."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gars_test_support.control_plane import ControlPlane, Object

_NAMESPACE = "kube-system"


@contextmanager
def aggregated_api(
    plane: ControlPlane, group: str, version: str, answer: Callable[[str], Object | None]
) -> Iterator[None]:
    """Serve an API and register it with the API server until the end.

    ``answer`` gets the path of a request with its query, and returns the answer; None for a path that is not served.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = answer(self.path)
            body = json.dumps(content).encode()
            self.send_response(404 if content is None else 200)
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
    services, registrations = f"/api/v1/namespaces/{_NAMESPACE}/services", "/apis/apiregistration.k8s.io/v1/apiservices"
    name, service = f"{version}.{group}", group.replace(".", "-")
    try:
        plane.create(services, {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": service},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        }).raise_for_status()  # fmt: skip
        plane.create(registrations, {
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name},
            "spec": {
                "group": group, "version": version, "groupPriorityMinimum": 100, "versionPriority": 100,
                "service": {"namespace": _NAMESPACE, "name": service, "port": server.server_port},
                "insecureSkipTLSVerify": True,
            },
        }).raise_for_status()  # fmt: skip
        plane.wait(lambda: plane.client.get(f"/apis/{group}/{version}").status_code == 200, f"{name} to be registered")
        yield
    finally:
        plane.client.delete(f"{registrations}/{name}")
        plane.client.delete(f"{services}/{service}")
        server.shutdown()
        thread.join()
        server.server_close()
