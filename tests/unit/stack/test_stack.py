"""The launcher on small processes: found again, stopped for good, and every way to fail says what to do."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gars.config import from_environment
from gars.domain.errors import InvalidInputError
from gars.entrypoints.cli.app import app as cli
from gars.runtime import free_ports as ports
from gars.runtime.free_ports import answers, free_ports, is_free
from gars.runtime.progress import Progress
from gars.stack import plan, probes, services
from gars.stack.daemon import Daemon, started
from gars.stack.deploy import deploy_folder
from gars.stack.engine import Engine, Process, StackError
from gars.stack.java import Jars, java
from gars.stack.running import Running
from gars_test_support.patience import until

LISTEN = """
import signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    listening.accept()[0].close()
"""
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(600)"
)
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
DIES = "print('no space left'); raise SystemExit(3)"


class Small(Engine):
    """An engine of one process that runs a few lines of Python."""

    name = "small"

    def __init__(self, folder: Path, code: str, *, problem: Callable[[], str | None] | None = None) -> None:
        super().__init__(folder=folder)
        (self.port,) = free_ports(1)
        self._code = code
        self._problem = problem or (lambda: None if answers(self.port) else f"nothing listens on port {self.port}")
        self.calls: list[str] = []

    def is_installed(self) -> bool:
        return True

    def install(self, progress: Progress) -> None:
        self.calls.append("install")

    def prepare(self) -> None:
        self.calls.append("prepare")

    def finish(self) -> None:
        self.calls.append("finish")

    def processes(self) -> Sequence[Process]:
        return [
            Process(
                name=self.name,
                command=[sys.executable, "-c", self._code, str(self.port)],
                ports=[self.port],
                problem=self._problem,
                start_within_s=30,
                stop_within_s=10,
            )
        ]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    engine = Small(tmp_path / "small", LISTEN)
    yield engine
    Running(engine).down()


def test_up_and_down(small: Small) -> None:
    running = Running(small)
    assert running.problem() == "small does not run"
    running.up()
    assert small.calls == ["install", "prepare", "finish"]
    assert running.problem() is None
    assert running.daemon("small").last_lines() == "listening"
    assert running.down()
    assert not running.down()
    assert is_free(small.port)


def test_another_command_finds_it_and_starts_nothing(small: Small) -> None:
    Running(small).up()
    other = Running(small)
    pid = other.daemon("small").pid
    assert pid is not None
    other.up()
    assert other.daemon("small").pid == pid
    assert other.down()


def test_the_pid_of_a_stranger_is_left_alone(tmp_path: Path) -> None:
    def pid_from(content: str) -> int | None:
        (tmp_path / "pid").write_text(content)
        return Daemon("small", tmp_path).pid

    assert pid_from(json.dumps({"pid": os.getpid(), "started": started(os.getpid())})) == os.getpid()
    assert pid_from("half a fi") is None
    assert pid_from(json.dumps({"pid": os.getpid(), "started": "at another time"})) is None
    assert not Daemon("small", tmp_path).stop(patience_s=1)


def test_one_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    daemon = Daemon("small", tmp_path)
    daemon.start([sys.executable, "-c", STUBBORN], environment=os.environ)
    until(lambda: daemon.last_lines() == "on")
    assert daemon.stop(patience_s=0.3)
    assert daemon.pid is None
    assert daemon.exit_code == -signal.SIGKILL


def test_its_children_end_with_it(tmp_path: Path) -> None:
    daemon = Daemon("small", tmp_path)
    daemon.start([sys.executable, "-c", PARENT], environment=os.environ)
    until(lambda: daemon.last_lines().isdigit())
    child = int(daemon.last_lines())
    assert started(child) is not None
    daemon.stop(patience_s=10)
    until(lambda: started(child) is None)


def test_what_one_that_died_left_behind_ends_before_the_next_one_starts(tmp_path: Path) -> None:
    daemon = Daemon("small", tmp_path)
    for end in (daemon.end_orphans, lambda: daemon.stop(patience_s=1)):
        daemon.log.unlink(missing_ok=True)
        daemon.start([sys.executable, "-c", PARENT], environment=os.environ)
        until(lambda: daemon.last_lines().isdigit())
        parent, child = daemon.pid, int(daemon.last_lines())
        assert parent is not None
        os.kill(parent, signal.SIGKILL)
        until(lambda: daemon.pid is None)
        Daemon("small", tmp_path / "elsewhere").end_orphans()
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        shutil.copy(tmp_path / "pid", tmp_path / "elsewhere" / "pid")
        Daemon("small", tmp_path / "elsewhere").end_orphans()  # a group of this number, and not from that folder
        assert started(child) is not None
        end()
        assert started(child) is None


def test_sigkill(tmp_path: Path) -> None:
    daemon = Daemon("small", tmp_path)
    daemon.start([sys.executable, "-c", PARENT], environment=os.environ)
    daemon.kill()
    assert daemon.pid is None


def test_one_that_ends_while_it_starts(tmp_path: Path) -> None:
    with pytest.raises(StackError) as caught:
        Running(Small(tmp_path, DIES)).up()
    assert caught.value.message == "small ended while it started. Its last lines:\nno space left"
    assert caught.value.hint == f"its whole output is in {tmp_path / 'small' / 'log'}"


def test_one_that_does_not_become_healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Small(tmp_path, LISTEN, problem=lambda: "it reads its files")
    process = replace(engine.processes()[0], start_within_s=0.5)
    monkeypatch.setattr(engine, "processes", lambda: [process])
    running = Running(engine)
    with pytest.raises(StackError, match="small is not healthy after 0 s: it reads its files") as caught:
        running.up()
    assert "stop it with: gars stack down" in (caught.value.hint or "")
    assert running.down()


def test_a_port_that_is_taken(small: Small) -> None:
    with closing(socket.create_server(("127.0.0.1", small.port))), pytest.raises(StackError) as caught:
        Running(small).up()
    assert caught.value.message == f"small needs port {small.port}, and something else listens on it"
    assert f"ss -ltnp 'sport = :{small.port}'" in (caught.value.hint or "")


def test_a_command_that_is_not_there(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(name="small", command=["/no/such/server"], ports=[], problem=lambda: None)
    monkeypatch.setattr(small, "processes", lambda: [process])
    with pytest.raises(StackError) as caught:
        Running(small).up()
    assert caught.value.message == "cannot start small: No such file or directory: /no/such/server"
    assert caught.value.hint == "install what it needs with: gars stack install"


def test_java_that_is_missing_or_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(StackError, match="needs Java 17 or newer, and there is none") as caught:
        java()
    assert "apt-get install openjdk-17-jre-headless" in (caught.value.hint or "")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    (tmp_path / "bin" / "java").chmod(0o755)
    with pytest.raises(StackError, match=r"and .*/bin/java is 'openjdk version \"11.0.2\"'"):
        java()


def test_jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jars = Jars("kafka", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(StackError, match="the jars of kafka come by Maven, and there is no mvn") as caught:
        jars.install(_silent())
    assert caught.value.hint == "apt-get install maven"

    failing = tmp_path / "mvn"
    failing.write_text("#!/bin/sh\necho 'Could not find artifact'\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(failing))
    with pytest.raises(StackError, match="Maven could not get the jars of kafka:\nCould not find artifact"):
        jars.install(_silent())
    assert not jars.are_there()

    failing.write_text('#!/bin/sh\nfor last; do :; done\ntouch "${last#-DoutputDirectory=}/kafka.jar"\n')
    jars.install(_silent())
    assert (jars.folder / "kafka.jar").is_file()


def test_brokers_started_together_install_their_jars_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = tmp_path / "calls"
    maven = tmp_path / "bin" / "mvn"
    maven.parent.mkdir()
    script = (
        "#!/bin/sh",
        f"echo called >> {calls}",
        "for last; do :; done",
        'touch "${last#-DoutputDirectory=}/kafka.jar"',
    )
    maven.write_text("\n".join(script) + "\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{maven.parent}:{os.environ['PATH']}")
    ready = threading.Barrier(3)

    def install(_: int) -> bool:
        jars = Jars("kafka", tmp_path / "engines")
        ready.wait(30)
        jars.install(_silent())
        return (jars.folder / "kafka.jar").is_file()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(install, range(3))) == [True] * 3
    assert calls.read_text().count("called") == 1


def _silent() -> Progress:
    from gars.runtime.progress import Silent

    return Silent()


def test_free_ports_are_none_that_the_system_gives_away(monkeypatch: pytest.MonkeyPatch) -> None:
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(given.read_text().split()[0]) if given.exists() else 49_152
    free = free_ports(50)
    assert len(set(free)) == 50
    assert max(free) + ports.BUS < lowest
    monkeypatch.setattr(ports, "_PORTS", free[:3])
    with socket.socket() as taken, socket.socket() as bus:
        taken.bind(("127.0.0.1", free[0]))
        bus.bind(("127.0.0.1", free[1] + ports.BUS))
        assert free_ports(1) == [free[2]]


def test_ports_are_kept(tmp_path: Path) -> None:
    settings = from_environment({}, home=tmp_path)
    assert plan.ports_of(settings) == plan.Ports()
    free = plan.ports_of(settings, free=True)
    assert free != plan.Ports()
    plan.keep_ports(settings, free)
    assert plan.ports_of(settings) == free
    (tmp_path / "stack" / "ports.json").write_text('{"kafka": 1, "of an older version": 2}')
    assert plan.ports_of(settings) == plan.Ports(kafka=1)
    (tmp_path / "stack" / "ports.json").write_text("{")
    with pytest.raises(StackError, match=r"ports.json cannot be read") as caught:
        plan.ports_of(settings)
    assert caught.value.hint == "delete it when nothing of the stack runs"


def test_parts_by_name(tmp_path: Path) -> None:
    stack = plan.stack_of(from_environment({}, home=tmp_path), plan.Ports())
    names = [part.name for part in stack.parts]
    assert len(names) == len(set(names))
    assert [part.name for part in stack.chosen([])] == names
    assert [part.name for part in stack.chosen(["api", "kafka"])] == ["kafka", "api"]
    with pytest.raises(InvalidInputError, match="the stack has no zookeeper") as caught:
        stack.chosen(["zookeeper"])
    assert (caught.value.hint or "").startswith("it has kafka, redis, cassandra")
    from_environment(stack.environment)  # every one is a setting


def test_services_need_a_model(tmp_path: Path) -> None:
    service = services.Service("api", folder=tmp_path / "api", home=tmp_path, environment={}, port=1)
    with pytest.raises(StackError, match="api needs a trained model, and there is none in") as caught:
        service.prepare()
    assert caught.value.hint == "get data and train one with: gars demo --no-serve"


def test_heartbeats(tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    assert probes.beats(heartbeat) == "it has done nothing yet"
    heartbeat.touch()
    assert probes.beats(heartbeat) is None
    os.utime(heartbeat, (0, 0))
    assert (probes.beats(heartbeat) or "").startswith("it has done nothing for ")


class Answer(BaseHTTPRequestHandler):
    """Answers with what the path says."""

    def do_GET(self) -> None:
        status, body = {
            "/well": (200, b"{}"),
            "/ill": (503, b'{"status": "degraded", "checks": {"log": "Kafka is away", "model": "ok"}}'),
            "/starting": (503, b'{"status": "starting", "checks": {}}'),
            "/odd": (502, b"<html>"),
        }[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def test_health_over_http() -> None:
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        try:
            assert probes.http_problem(f"{base}/well") is None
            assert probes.http_problem(f"{base}/ill") == "log: Kafka is away"
            assert probes.http_problem(f"{base}/starting") == "it is starting"
            assert probes.http_problem(f"{base}/odd") == "it answers 502"
        finally:
            server.shutdown()
            thread.join()
    assert (probes.http_problem(f"{base}/well") or "").startswith(f"it does not answer at {base}/well: ")


def test_the_command_line(tmp_path: Path) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["stack", *words, "--home", str(tmp_path)])
        return done.exit_code, done.output + str(done.exception or "")

    code, output = run("status")
    assert code == 1
    assert "does not run" in output
    assert run("down")[0] == 0
    assert "the stack has no process 'zookeeper'" in run("logs", "zookeeper")[1]
    assert "kafka was never started here" in run("logs", "kafka")[1]
    log = tmp_path / "stack" / "kafka" / "kafka" / "log"
    log.parent.mkdir(parents=True)
    log.write_text("one\ntwo\nthree\n")
    assert run("logs", "kafka", "-n", "2") == (0, "two\nthree\n")
    code, output = run("env")
    assert f"export GARS_HOME={tmp_path}" in output
    assert "export GARS_EVENT_LOG=kafka://127.0.0.1:9092/gars" in output


def test_it_runs_as_a_module() -> None:
    done = subprocess.run([*services.GARS, "stack", "--help"], capture_output=True, text=True, check=True)
    assert "status" in done.stdout


def test_the_configurations_are_there() -> None:
    for name in ("kafka", "redis", "cassandra"):
        assert deploy_folder(name).is_dir()
