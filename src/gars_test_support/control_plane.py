"""The control plane of Kubernetes as processes of this machine: etcd, API server, controllers, scheduler, kwok.

No container runs: kwok sets the status of pods as a node would. All servers listen on the loopback.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gars.runtime.free_ports import free_ports
from gars_test_support.patience import until

Object = dict[str, Any]
"""A Kubernetes object as JSON."""

ADMINISTRATOR = "administrator"
SERVICES_CIDR = "198.18.0.0/17"
"""Addresses for tests, which no network uses."""
_PODS_CIDR = "198.18.128.1/17"
_GROUPS = {
    ADMINISTRATOR: "system:masters",
    "kwok": "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
}
"""Users and their groups; the token of each is its name."""
_PATIENCE_S = 180.0
_STOP_S = 20.0


class CommandError(Exception):
    """A command that failed; the text is what it printed."""


@dataclass(frozen=True)
class ControlPlane:
    """A running control plane."""

    folder: Path
    programs: Path
    port: int
    client: httpx.Client
    """Of the administrator."""

    @property
    def certificate(self) -> tuple[Path, Path]:
        """Certificate and key for servers on the loopback: those of the API server."""
        return self.folder / "certificates" / "apiserver.crt", self.folder / "certificates" / "apiserver.key"

    def kubectl(self, *arguments: str, within_s: float = 180.0) -> str:
        """Run kubectl as the administrator and return what it printed; raises ``CommandError``."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.folder / f"{ADMINISTRATOR}.json"),
        }
        done = subprocess.run(
            [str(self.programs / "kubectl"), *arguments],
            env=environment, capture_output=True, text=True, check=False, timeout=within_s,
        )  # fmt: skip
        if done.returncode != 0:
            raise CommandError(f"kubectl {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def objects(self, path: str, **query: str) -> list[Object]:
        """Return the objects of a collection, such as ``/api/v1/namespaces/gars/pods``."""
        answer = self.client.get(path, params=query)
        answer.raise_for_status()
        items: list[Object] = answer.json()["items"]
        return items

    def read(self, path: str) -> Object:
        """Return one object."""
        answer = self.client.get(path)
        answer.raise_for_status()
        body: Object = answer.json()
        return body

    def create(self, path: str, content: Mapping[str, Any]) -> httpx.Response:
        """Create an object in a collection; a refusal is the answer, not an error."""
        return self.client.post(path, json=content)

    def version(self, path: str) -> str:
        """Return the version of a collection as it is now, for ``changes``."""
        listed = self.read(path)
        version: str = listed["metadata"]["resourceVersion"]
        return version

    def changes(self, path: str, since: str) -> list[tuple[str, Object]]:
        """Return all changes of a collection since a version, in order: ADDED, MODIFIED or DELETED, and the object.

        The API server remembers the changes of the last minute at least; raises ``CommandError`` if it forgot some.
        """
        query = {"watch": "1", "resourceVersion": since, "timeoutSeconds": "1"}
        with self.client.stream("GET", path, params=query) as answer:
            answer.raise_for_status()
            events = [json.loads(line) for line in answer.iter_lines()]
        if errors := [event["object"] for event in events if event["type"] == "ERROR"]:
            raise CommandError(f"changes of {path} since {since}: {errors[0]}")
        return [(event["type"], event["object"]) for event in events]

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds; a request that fails is a condition that does not hold."""

        def holds() -> bool:
            with suppress(httpx.HTTPError):
                return condition()
            return False

        until(holds, what, within_s=_PATIENCE_S, pause_s=0.1)


@contextmanager
def control_plane(folder: Path, programs: Path, stages: Path, nodes: Sequence[str]) -> Iterator[ControlPlane]:
    """Start a control plane with nodes that kwok plays by the stages of a file; stop it at the end.

    Logs and data are in ``folder``. Raises ``AssertionError`` if a part does not become ready.
    """
    store, peers, port, controllers, scheduler = free_ports(5)
    certificates = folder / "certificates"
    certificates.mkdir(parents=True)
    tokens = folder / "tokens.csv"
    tokens.write_text("".join(f'{name},{name},{name},"{group}"\n' for name, group in _GROUPS.items()))
    key = folder / "accounts.key"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    with ExitStack() as running:

        def start(name: str, *flags: str, **options: object) -> None:
            given = [f"--{option.replace('_', '-')}={value}" for option, value in options.items()]
            running.enter_context(_process(folder / f"{name}.log", [str(programs / name), *flags, *given]))

        start(
            "etcd",
            data_dir=folder / "etcd",
            listen_client_urls=f"http://127.0.0.1:{store}",
            advertise_client_urls=f"http://127.0.0.1:{store}",
            listen_peer_urls=f"http://127.0.0.1:{peers}",
            initial_advertise_peer_urls=f"http://127.0.0.1:{peers}",
            initial_cluster=f"default=http://127.0.0.1:{peers}",
        )
        start(
            "kube-apiserver",
            etcd_servers=f"http://127.0.0.1:{store}",
            bind_address="127.0.0.1",
            advertise_address="127.0.0.1",
            secure_port=port,
            cert_dir=certificates,
            token_auth_file=tokens,
            authorization_mode="RBAC",
            service_account_key_file=key,
            service_account_signing_key_file=key,
            service_account_issuer="https://kubernetes.default.svc",
            service_cluster_ip_range=SERVICES_CIDR,
            endpoint_reconciler_type="none",
            # it needs a newer etcd than Debian's: watches of kwok would end, and begin again after half a minute
            feature_gates="WatchList=false",
        )
        certificate = certificates / "apiserver.crt"
        until(certificate.is_file, "the certificate of the API server", within_s=_PATIENCE_S)
        for name in _GROUPS:
            _write_kubeconfig(folder / f"{name}.json", port, certificate, name)
        client = running.enter_context(
            httpx.Client(
                base_url=f"https://127.0.0.1:{port}",
                headers={"Authorization": f"Bearer {ADMINISTRATOR}"},
                verify=ssl.create_default_context(cafile=str(certificate)),
                timeout=60,
                trust_env=False,
            )
        )
        plane = ControlPlane(folder, programs, port, client)
        plane.wait(lambda: client.get("/readyz").status_code == 200, "the API server to be ready")
        start(
            "kube-controller-manager",
            "--use-service-account-credentials",
            kubeconfig=folder / "system:kube-controller-manager.json",
            bind_address="127.0.0.1",
            secure_port=controllers,
            cert_dir=folder / "controllers",
            leader_elect="false",
            service_account_private_key_file=key,
            root_ca_file=certificate,
            node_monitor_grace_period="300s",
            # by default autoscalers wait for minutes
            horizontal_pod_autoscaler_sync_period="2s",
            horizontal_pod_autoscaler_initial_readiness_delay="1s",
            horizontal_pod_autoscaler_cpu_initialization_period="1s",
        )
        start(
            "kube-scheduler",
            kubeconfig=folder / "system:kube-scheduler.json",
            bind_address="127.0.0.1",
            secure_port=scheduler,
            cert_dir=folder / "scheduler",
            leader_elect="false",
        )
        start(
            "kwok",
            "--manage-all-nodes",
            kubeconfig=folder / "kwok.json",
            config=stages,
            cidr=_PODS_CIDR,
            # no leases: on a busy machine they expire, and kwok then leaves the pods of a node alone
            node_lease_duration_seconds=0,
        )
        for name in nodes:
            plane.create("/api/v1/nodes", _node(name)).raise_for_status()
        plane.wait(lambda: sum(map(is_ready, plane.objects("/api/v1/nodes"))) == len(nodes), "the nodes to be ready")
        yield plane


def is_ready(content: Object) -> bool:
    """Return true if a node or a pod is ready, and not being deleted."""
    conditions = {one["type"]: one["status"] for one in content.get("status", {}).get("conditions", [])}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in content["metadata"]


def _node(name: str) -> Object:
    size = {"cpu": "8", "memory": "32Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "status": {"allocatable": size, "capacity": size},
    }


def _write_kubeconfig(file: Path, port: int, certificate: Path, user: str) -> None:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "test",
                "cluster": {"server": f"https://127.0.0.1:{port}", "certificate-authority": str(certificate)},
            }
        ],
        "users": [{"name": user, "user": {"token": user}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
        "current-context": "test",
    }
    file.write_text(json.dumps(content))


@contextmanager
def _process(log: Path, command: list[str]) -> Iterator[None]:
    """Run a program in the background; its output goes to a log file."""
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=log.parent)
        try:
            yield
        finally:
            code = process.poll()
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    assert code is None, f"{command[0]} ended by itself with {code}: see {log}"
