"""The manifests of deploy/kubernetes, applied to a namespace of a control plane with the documented overlay."""

from __future__ import annotations

import re
import secrets
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from gars.stack.deploy import deploy_folder
from gars_test_support.control_plane import ControlPlane, Object, is_ready

NAME = "app.kubernetes.io/name"
PART_OF = "app.kubernetes.io/part-of=gars"
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
AUTOSCALED = frozenset({"api", "clicks", "recall", "rank"})
_CLAIMS = ("gars-home", "gars-flink")


@dataclass
class Release:
    """A namespace and the overlay that is applied to it."""

    plane: ControlPlane
    namespace: str
    folder: Path
    """Of the overlay."""

    def apply(self, *options: str) -> dict[str, str]:
        """Apply the overlay; return objects (``deployment.apps/api``) and their results (``created``).

        A warning is an error.
        """
        printed = self.plane.kubectl("apply", "--kustomize", str(self.folder), "--warnings-as-errors", *options)
        return dict(line.split(" ", 1) for line in printed.splitlines())

    def set_tag(self, tag: str) -> None:
        """Let the overlay name another version of all images."""
        images = yaml.safe_load((self.folder / "kustomization.yaml").read_text())["images"]
        self.change({"images": [image | {"newTag": tag} for image in images]})

    def change(self, fields: Object) -> None:
        """Set fields of the overlay, which is not applied."""
        file = self.folder / "kustomization.yaml"
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | fields))

    def rendered(self) -> list[Object]:
        """Return the objects as kustomize makes them."""
        return list(yaml.safe_load_all(self.plane.kubectl("kustomize", str(self.folder))))

    def objects(self, group: str, kinds: str, **query: str) -> list[Object]:
        """Return all objects of a kind, such as ``api/v1`` and ``pods``."""
        return self.plane.objects(self.path(group, kinds), **query)

    def path(self, group: str, kinds: str) -> str:
        """Return the path of a collection of the namespace."""
        return f"/{group}/namespaces/{self.namespace}/{kinds}"

    def pods(self, name: str) -> list[Object]:
        """Return the pods of a Deployment or a Job."""
        return self.objects("api/v1", "pods", labelSelector=f"{NAME}={name}")

    def addresses(self, name: str) -> set[str]:
        """Return the addresses of the ready pods of a Deployment."""
        return {pod["status"]["podIP"] for pod in self.pods(name) if is_ready(pod)}

    def deployments(self) -> dict[str, Object]:
        """Return the Deployments by name."""
        return {one["metadata"]["name"]: one for one in self.objects("apis/apps/v1", "deployments")}

    def wanted(self) -> dict[str, int]:
        """Return how many pods each Deployment should have."""
        return {
            name: max(one["spec"]["replicas"], 2 if name in AUTOSCALED else 1)
            for name, one in self.deployments().items()
        }

    def is_settled(self) -> bool:
        """Return true if each Deployment has its pods, all ready and of the newest version, and no other ones."""
        deployments = self.deployments()
        wanted = self.wanted()
        ready = Counter(pod["metadata"]["labels"][NAME] for pod in self.objects("api/v1", "pods") if is_ready(pod))
        return all(
            one["metadata"]["generation"] == one["status"].get("observedGeneration")
            and one["status"].get("updatedReplicas", 0) == wanted[name]
            and one["status"].get("replicas", 0) == one["status"].get("availableReplicas", 0) == wanted[name]
            and ready[name] == wanted[name]
            for name, one in deployments.items()
        )

    def wait_settled(self) -> None:
        """Wait until ``is_settled``, the addresses of Services are those of the pods, and the Jobs are complete."""
        self.plane.wait(self.is_settled, f"the pods of {self.namespace}")
        self.plane.wait(
            lambda: all(found == self.addresses(name) for name, found in ready_addresses(self).items()),
            f"the addresses of {self.namespace}",
        )
        self.plane.wait(
            lambda: all(job["status"].get("succeeded") == 1 for job in self.objects("apis/batch/v1", "jobs")),
            f"the Jobs of {self.namespace}",
        )

    def evict(self, pod: Object) -> int:
        """Ask for the eviction of a pod as ``kubectl drain`` does; return 201, or 429 where a budget forbids it."""
        name = pod["metadata"]["name"]
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": self.namespace},
        }
        return self.plane.create(f"{self.path('api/v1', 'pods')}/{name}/eviction", eviction).status_code

    @contextmanager
    def least_available(self) -> Iterator[dict[str, int]]:
        """Fill a dictionary, at the end, with the least number of ready addresses each Service had in between."""
        path = self.path("apis/discovery.k8s.io/v1", "endpointslices")
        before = self.plane.read(path)
        least: dict[str, int] = {}
        yield least
        slices = {one["metadata"]["name"]: one for one in before["items"]}
        least.update({service: len(found) for service, found in _by_service(slices.values()).items()})
        for kind, one in self.plane.changes(path, before["metadata"]["resourceVersion"]):
            if kind == "DELETED":
                del slices[one["metadata"]["name"]]
            else:
                slices[one["metadata"]["name"]] = one
            addresses = _by_service(slices.values())
            for service in least:
                least[service] = min(least[service], len(addresses.get(service, ())))


def ready_addresses(release: Release) -> dict[str, set[str]]:
    """Return the addresses of ready pods by Service."""
    return _by_service(release.objects("apis/discovery.k8s.io/v1", "endpointslices"))


def _by_service(slices: Iterable[Object]) -> dict[str, set[str]]:
    """Return the addresses of ready endpoints by Service; a Service whose endpoints are not ready has none."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in slices:
        addresses = found[one["metadata"]["labels"]["kubernetes.io/service-name"]]
        for endpoint in one["endpoints"] or ():
            if endpoint["conditions"]["ready"]:
                addresses.update(endpoint["addresses"])
    return dict(found)


def documented_yaml(document: Path, field: str) -> Object:
    """Return the only block of YAML of a document that has a field."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)
    (found,) = (one for one in map(yaml.safe_load, blocks) if field in one)
    content: Object = found
    return content


@contextmanager
def released(plane: ControlPlane, namespace: str, folder: Path, document: Path) -> Iterator[Release]:
    """Create a namespace that admits restricted pods only, with a quota, secret and volumes; remove it at the end.

    The documented overlay lies in ``folder``, for this namespace; it has not been applied.
    """
    overlay = folder / "overlay"
    shutil.copytree(deploy_folder("kubernetes"), folder / "kubernetes")
    overlay.mkdir()
    content = documented_yaml(document, "resources") | {"namespace": namespace}
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(content))
    release = Release(plane, namespace, overlay)
    try:
        plane.create(
            "/api/v1/namespaces",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": RESTRICTED}},
        ).raise_for_status()
        plane.create(release.path("api/v1", "resourcequotas"), _quota()).raise_for_status()
        _create_secret(release, folder / "tombstone.key")
        for claim in _CLAIMS:
            plane.create("/api/v1/persistentvolumes", _volume(namespace, claim, folder / claim)).raise_for_status()
        yield release
    finally:
        _remove(plane, namespace)


def _remove(plane: ControlPlane, namespace: str) -> None:
    plane.client.delete(f"/api/v1/namespaces/{namespace}")
    for claim in _CLAIMS:
        plane.client.delete(f"/api/v1/persistentvolumes/{namespace}.{claim}")
    plane.wait(
        lambda: plane.client.get(f"/api/v1/namespaces/{namespace}").status_code == 404, f"{namespace} to be deleted"
    )


def _create_secret(release: Release, key: Path) -> None:
    """Create the secret by the documented command."""
    key.write_bytes(secrets.token_bytes(32))
    release.plane.kubectl(
        "--namespace", release.namespace, "create", "secret", "generic", "gars",
        f"--from-literal=service-token={secrets.token_hex(32)}", f"--from-file=tombstone-key={key}",
    )  # fmt: skip


def _quota() -> Object:
    """Return a quota that admits only pods which request processor time and memory and limit their memory."""
    hard = {"requests.cpu": "40", "requests.memory": "80Gi", "limits.memory": "120Gi", "pods": "100"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota"}, "spec": {"hard": hard}}


def _volume(namespace: str, claim: str, folder: Path) -> Object:
    """Return a volume for one claim, which many nodes may write."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{namespace}.{claim}"},
        "spec": {
            "capacity": {"storage": "20Gi"},
            "accessModes": ["ReadWriteMany"],
            "hostPath": {"path": str(folder)},
            "claimRef": {"namespace": namespace, "name": claim},
            "persistentVolumeReclaimPolicy": "Retain",
        },
    }
