"""How the launcher configures Flink, and what it understands of what Flink says."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from gars.adapters.kafka.address import KafkaAddress
from gars.runtime.free_ports import free_ports
from gars.stack import flink_environment
from gars.stack.engine import StackError
from gars.stack.flink import Flink
from gars.stack.flink_rest import FlinkRest


@pytest.fixture
def flink(tmp_path: Path) -> Flink:
    return Flink(
        folder=tmp_path / "flink",
        engines=tmp_path / "engines",
        kafka=KafkaAddress("127.0.0.1:9", "gars"),
        redis="redis://127.0.0.1:9/0",
        port=28999,
        rpc_port=28998,
        settings={"execution.checkpointing.interval": "1 s"},
    )


def test_the_configuration(flink: Flink) -> None:
    flink.prepare()
    lines = (flink.folder / "conf" / "config.yaml").read_text().splitlines()
    held = [line.partition(": ") for line in lines if line and not line.startswith("#")]
    names = [name for name, _, _ in held]
    assert len(names) == len(set(names))  # Flink refuses a setting that is there twice
    settings = {name: value for name, _, value in held}
    assert settings["rest.port"] == "28999"
    assert settings["jobmanager.rpc.port"] == "28998"
    assert settings["execution.checkpointing.interval"] == "1 s"
    assert settings["execution.checkpointing.dir"] == (flink.data / "checkpoints").as_uri()
    assert settings["python.execution-mode"] == "thread"
    assert settings["taskmanager.resource-id"] == "taskmanager"
    assert {settings[f"{who}.bind-host"] for who in ("jobmanager", "taskmanager")} == {"127.0.0.1"}


def test_its_processes(flink: Flink) -> None:
    jobmanager, taskmanager = flink.processes()
    assert list(jobmanager.command[1:]) == [jobmanager.command[1], "start-foreground"]
    assert Path(taskmanager.command[1]).name == "taskmanager.sh"
    assert list(jobmanager.ports) == [28999, 28998]
    assert jobmanager.environment["FLINK_CONF_DIR"] == str(flink.folder / "conf")
    bodies = jobmanager.problem()
    assert bodies is not None
    assert bodies.startswith("Flink at http://127.0.0.1:28999 does not answer: ")


def test_the_newest_whole_snapshot(flink: Flink) -> None:
    assert flink.newest_snapshot() is None
    made = [flink.data / "savepoints" / "savepoint-1", flink.data / "checkpoints" / "job" / "chk-7"]
    for number, folder in enumerate(made):
        folder.mkdir(parents=True)
        (folder / "_metadata").touch()
        os.utime(folder / "_metadata", (number, number))
    (flink.data / "checkpoints" / "job" / "chk-8").mkdir()  # was never finished
    assert flink.newest_snapshot() == made[1]


def test_no_python_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flink_environment, "VERSIONS", ("2.7",))
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(StackError, match=r"Flink needs Python 2\.7, and there is none\n.*uv python install 2\.7"):
        flink_environment._python()


def test_a_package_that_cannot_be_had() -> None:
    with pytest.raises(StackError, match=r"could not be made:\nno such package\n.*try it by hand: sh -c"):
        flink_environment._run(["sh", "-c", "echo no such package; exit 1"])


class Answers(http.server.BaseHTTPRequestHandler):
    """Says what a test has put there."""

    bodies: ClassVar[dict[str, object]] = {}

    def do_GET(self) -> None:
        found = self.bodies.get(self.path)
        self.send_response(200 if found is not None else 404)
        self.end_headers()
        self.wfile.write(msgspec.json.encode(found if found is not None else {"errors": ["not found"]}))

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def heartbeat_at(*seconds: float) -> dict[str, object]:
    """What Flink says of its TaskManagers; ``timeSinceLastHeartbeat`` is a moment, whatever its name says."""
    return {"taskmanagers": [{"timeSinceLastHeartbeat": 1000 * one} for one in seconds]}


@pytest.fixture
def rest() -> Iterator[FlinkRest]:
    Answers.bodies = {"/overview": {}, "/taskmanagers": heartbeat_at(100)}
    (port,) = free_ports(1)
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield FlinkRest(f"http://127.0.0.1:{port}")
        server.shutdown()
        thread.join()


def test_taskmanagers(rest: FlinkRest) -> None:
    assert rest.worker_problem() is None
    Answers.bodies["/taskmanagers"] = heartbeat_at()
    assert rest.worker_problem() == "no TaskManager has registered yet"
    del Answers.bodies["/overview"]
    bodies = rest.problem()
    assert bodies is not None
    assert "/overview says 404" in bodies


def test_the_job(rest: FlinkRest) -> None:
    Answers.bodies["/jobs"] = {"jobs": [{"id": "a", "status": "FAILED"}]}
    assert rest.job_problem() == "the job does not run"
    Answers.bodies["/jobs"] = {"jobs": [{"id": "a", "status": "RUNNING"}, {"id": "b", "status": "RESTARTING"}]}
    assert rest.job_problem() == "2 jobs run"
    Answers.bodies["/jobs"] = {"jobs": [{"id": "a", "status": "RUNNING"}]}
    Answers.bodies["/jobs/a"] = {"state": "RUNNING", "vertices": [{"name": "features", "status": "DEPLOYING"}]}
    assert rest.job_problem() == "the job is RUNNING: features is DEPLOYING"
    Answers.bodies["/jobs/a"] = running_since(50)
    assert rest.job_problem() is None


def running_since(seconds: float) -> dict[str, object]:
    task = {"name": "features", "status": "RUNNING", "start-time": 1000 * seconds}
    return {"state": "RUNNING", "vertices": [task]}


def test_what_died_and_was_not_noticed_is_not_well(rest: FlinkRest) -> None:
    """A TaskManager killed a moment ago is registered until its heartbeat is missed, and its tasks "run"."""
    Answers.bodies |= {"/jobs": {"jobs": [{"id": "a", "status": "RUNNING"}]}, "/jobs/a": running_since(50)}
    died_s = 101.0
    assert rest.worker_problem(died_s) == "the TaskManager that is registered is one that died"
    Answers.bodies["/taskmanagers"] = heartbeat_at(102)  # the next one has taken its place
    assert rest.worker_problem(died_s) is None
    assert rest.job_problem(died_s) == "the job's tasks were in a TaskManager that died"
    Answers.bodies["/jobs/a"] = running_since(103)
    assert rest.job_problem(died_s) is None
    Answers.bodies |= {"/jobs/a": running_since(50), "/taskmanagers": heartbeat_at(102, 99)}
    assert rest.job_problem(died_s) is None  # there is another one, where they may be


def test_a_savepoint(rest: FlinkRest) -> None:
    Answers.bodies["/jobs/a/stop"] = {"request-id": "r"}
    Answers.bodies["/jobs/a/savepoints/r"] = {"status": {"id": "COMPLETED"}, "operation": {"location": "file:/s"}}
    assert rest.stop("a", "file:/", within_s=5) == "file:/s"
    Answers.bodies["/jobs/a/savepoints/r"] = {
        "status": {"id": "COMPLETED"},
        "operation": {"failure-cause": {"class": "CheckpointException"}},
    }
    with pytest.raises(StackError, match="Flink made no savepoint: CheckpointException"):
        rest.stop("a", "file:/", within_s=5)
    Answers.bodies["/jobs/a/savepoints/r"] = {"status": {"id": "IN_PROGRESS"}}
    with pytest.raises(StackError, match="Flink made no savepoint: it takes too long"):
        rest.stop("a", "file:/", within_s=0)
