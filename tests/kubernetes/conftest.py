"""deploy/kubernetes, applied to a control plane of its own: etcd, API server, controllers, scheduler, kwok's nodes."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from gars_test_support.control_plane import ControlPlane, control_plane
from gars_test_support.pod_metrics import PodMetrics, pod_metrics
from gars_test_support.release import Release, documented_yaml, released

HERE = Path(__file__).parent
_DOCUMENT = HERE.parents[1] / "docs" / "how-to" / "from-one-machine-to-a-cluster.md"
_NODES = ("node-0", "node-1", "node-2")
_BUILD_S = 3600
_NUMBERS = count(1)


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.kubernetes)
            item.add_marker(pytest.mark.timeout(_BUILD_S))


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the programs, which are built if they are not there."""
    begin = time.monotonic()
    done = subprocess.run([str(HERE / "programs.sh")], stdout=subprocess.PIPE, text=True, check=True)
    print(f"programs: {time.monotonic() - begin:.0f} s")
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def plane(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with three nodes."""
    begin = time.monotonic()
    with control_plane(tmp_path_factory.mktemp("plane") / "plane", programs, HERE / "stages.yaml", _NODES) as running:
        print(f"control plane: {time.monotonic() - begin:.0f} s")
        yield running


@pytest.fixture
def empty(plane: ControlPlane, tmp_path: Path) -> Iterator[Release]:
    """A namespace of this test with the documented overlay for it, which has not been applied."""
    with released(plane, f"gars-{next(_NUMBERS)}", tmp_path, _DOCUMENT) as release:
        yield release


@pytest.fixture
def fresh(empty: Release) -> Release:
    """The same, applied, and its pods are ready."""
    empty.apply()
    empty.wait_settled()
    return empty


@pytest.fixture
def by_lists(empty: Release) -> Release:
    """One whose autoscalers also count lists a second, and remove pods without waiting for minutes."""
    at_once = [{"op": "replace", "path": "/spec/behavior/scaleDown/stabilizationWindowSeconds", "value": 0}]
    patches = [{"target": {"kind": "HorizontalPodAutoscaler"}, "patch": json.dumps(at_once)}]
    empty.change({**documented_yaml(_DOCUMENT, "components"), "patches": patches})
    empty.apply()
    empty.wait_settled()
    return empty


@pytest.fixture(scope="session")
def running(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """A release whose pods are ready, for tests that change nothing."""
    with released(plane, "gars", tmp_path_factory.mktemp("gars"), _DOCUMENT) as release:
        release.apply()
        release.wait_settled()
        yield release


@pytest.fixture
def metrics(plane: ControlPlane) -> Iterator[PodMetrics]:
    """What autoscalers are given as the usage of pods."""
    with pod_metrics(plane) as served:
        yield served
