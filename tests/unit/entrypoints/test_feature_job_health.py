"""The health check of the feature job's container: not fooled by a job that is restarted again and again."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest
import yaml

from gars.stack.deploy import deploy_folder

NOW = 1_000_000.0


@pytest.fixture(scope="module")
def healthy() -> ModuleType:
    spec = importlib.util.spec_from_file_location("feature_job_healthy", deploy_folder("flink") / "healthy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def answers() -> dict[str, Any]:
    """What Flink answers, by path: a job that is well."""
    return {
        "/jobs": {"jobs": [{"id": "old", "status": "FAILED"}, {"id": "a1", "status": "RUNNING"}]},
        "/jobs/a1": {"vertices": [{"name": "fold", "status": "RUNNING"}, {"name": "write", "status": "RUNNING"}]},
        "/jobs/a1/checkpoints": {"latest": {"completed": {"latest_ack_timestamp": 1000 * (NOW - 5)}}},
    }


@pytest.fixture
def rest(answers: dict[str, Any]) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answers[self.path]).encode())

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_job_that_is_well(healthy: ModuleType, rest: str) -> None:
    assert healthy.job_problem(rest, NOW) is None


@pytest.mark.parametrize(
    ("path", "answer", "problem"),
    [
        ("/jobs", {"jobs": [{"id": "a1", "status": "RESTARTING"}]}, "no job runs"),
        (
            "/jobs/a1",
            {"vertices": [{"name": "fold", "status": "DEPLOYING"}]},
            "these tasks of the job do not run: fold",
        ),
        ("/jobs/a1/checkpoints", {"latest": {"completed": None}}, "the job has completed no checkpoint yet"),
        (
            "/jobs/a1/checkpoints",
            {"latest": {"completed": {"latest_ack_timestamp": 1000 * (NOW - 300)}}},
            "the latest checkpoint was completed 300 s ago",
        ),
    ],
)
def test_a_job_that_is_not(
    healthy: ModuleType, rest: str, answers: dict[str, Any], path: str, answer: dict[str, Any], problem: str
) -> None:
    answers[path] = answer
    assert healthy.job_problem(rest, NOW) == problem


def test_the_container_is_asked_by_it() -> None:
    compose = yaml.safe_load((deploy_folder("flink").parent / "compose.yaml").read_text())
    assert compose["services"]["feature-job"]["healthcheck"]["test"] == ["CMD", "python", "/opt/healthy.py"]
    dockerfile = (deploy_folder("flink").parent / "Dockerfile").read_text()
    assert "COPY deploy/flink/submit.sh deploy/flink/healthy.py /opt/\n" in dockerfile
