"""What died is started again, what was stopped is not, and units start what the command line understands."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer

from gars.config import from_environment
from gars.entrypoints.cli import stack
from gars.entrypoints.cli.app import app as cli
from gars.runtime.progress import Progress
from gars.stack.daemon import Daemon
from gars.stack.engine import Engine, Process, StackError
from gars.stack.running import Running
from gars.stack.watch import watch
from gars_test_support.patience import until

UNITS = sorted((Path(__file__).parents[3] / "deploy" / "systemd").glob("*.service"))
LASTS = "print('on', flush=True); import time; time.sleep(600)"


class Lasting(Engine):
    """A process that does nothing; ``work`` is what an engine's job is to it."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder=folder / name)
        self.name = name
        self.work = True
        self.refusals = 0

    def is_installed(self) -> bool:
        return True

    def install(self, progress: Progress) -> None:
        pass

    def prepare(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StackError("the disk is full", hint="free space")

    def finish(self) -> None:
        self.work = True

    def ended(self) -> str | None:
        return None if self.work else "the job has ended"

    def processes(self) -> Sequence[Process]:
        return [Process(name=self.name, command=[sys.executable, "-c", LASTS], ports=[], problem=lambda: None)]


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[list[Running]]:
    running = [Running(Lasting(tmp_path, name)) for name in ("one", "two")]
    for part in running:
        part.up()
    yield running
    for part in running:
        part.down()


def kill(daemon: Daemon) -> None:
    """Without waiting for its end: the next one may be there before."""
    assert daemon.pid is not None
    os.kill(daemon.pid, signal.SIGKILL)


@contextmanager
def watching(parts: Sequence[Running]) -> Iterator[list[str]]:
    stop, messages = threading.Event(), list[str]()
    thread = threading.Thread(target=watch, args=(parts, stop), kwargs={"look_s": 0.01})
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("gars.stack.watch")
    logger.addHandler(handler)
    thread.start()
    try:
        yield messages
    finally:
        stop.set()
        thread.join()
        logger.removeHandler(handler)


def test_what_dies_is_started_again_and_the_others_are_left_alone(parts: list[Running]) -> None:
    one, two = (part.daemon(part.engine.name) for part in parts)
    pids = one.pid, two.pid
    with watching(parts) as messages:
        kill(one)
        until(lambda: messages == ["one does not run: starting it again", "one is back"])
    assert one.pid not in (None, pids[0])
    assert two.pid == pids[1]


def test_work_that_ended_goes_on_in_the_same_process(parts: list[Running]) -> None:
    engine = parts[0].engine
    assert isinstance(engine, Lasting)
    pid = parts[0].daemon("one").pid
    with watching(parts) as messages:
        engine.work = False
        until(lambda: "one is back" in messages)
    assert messages[0] == "the job has ended: starting it again"
    assert parts[0].daemon("one").pid == pid


def test_one_that_does_not_start_is_tried_again(parts: list[Running]) -> None:
    engine = parts[0].engine
    assert isinstance(engine, Lasting)
    engine.refusals = 2
    with watching(parts) as messages:
        kill(parts[0].daemon("one"))
        until(lambda: "one is back" in messages)
    full = "one did not start, next try in 0 s: the disk is full (free space)"
    assert messages == ["one does not run: starting it again", full] * 2 + [
        "one does not run: starting it again",
        "one is back",
    ]


def test_what_another_command_stopped_stays_down(parts: list[Running]) -> None:
    with watching(parts) as messages:
        Running(parts[0].engine).down()
        kill(parts[1].daemon("two"))
        until(lambda: "two is back" in messages)
    assert not [line for line in messages if line.startswith("one")]
    assert parts[0].daemon("one").pid is None
    parts[0].up()
    assert parts[0].gone() is None
    kill(parts[0].daemon("one"))
    until(lambda: parts[0].gone() == "one does not run")


def test_it_logs_as_every_process_does(parts: list[Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``gars stack up --watch``: one object a line, with time, level and process."""
    written, root = io.StringIO(), logging.getLogger()
    before = root.handlers[:], root.level, [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    monkeypatch.setattr(sys, "stderr", written)
    killed: list[str] = []

    def attack() -> None:
        until(lambda: "watching" in written.getvalue())
        kill(parts[0].daemon("one"))
        until(lambda: "one is back" in written.getvalue())
        killed.append("one")
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=attack)
    thread.start()
    try:
        stack._watch([part.engine for part in parts], from_environment({"GARS_LOG_FORMAT": "json"}, home=tmp_path))
    finally:
        thread.join()
        root.handlers[:], level, handlers = before
        root.setLevel(level)
        signal.signal(signal.SIGINT, handlers[0])
        signal.signal(signal.SIGTERM, handlers[1])
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("info", "watching; Ctrl-C stops everything"),
        ("warning", "one does not run: starting it again"),
        ("warning", "one is back"),
        ("info", "stopped two"),
        ("info", "stopped one"),
    ]
    assert killed
    assert all(line["process"] == "stack" and line["time"].endswith("Z") for line in lines)


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_start_what_the_command_line_understands(unit: Path) -> None:
    (line,) = re.findall(r"(?m)^ExecStart=/opt/gars/bin/gars (.+)$", unit.read_text())
    command: Any = typer.main.get_command(cli)
    words = line.split()
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context(unit.name, words)
    assert "Restart=on-failure" in unit.read_text()


def test_the_service_is_sandboxed(tmp_path: Path) -> None:
    unit = (UNITS[0].parent / "gars.service").read_text()
    for line in ("ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "StateDirectory=gars"):
        assert f"\n{line}\n" in unit
    assert int(re.findall(r"(?m)^LimitNOFILE=(\d+)$", unit)[0]) >= 16_384
    analyze = shutil.which("systemd-analyze")
    if analyze is not None:
        command = [analyze, "security", "--offline=true", "--threshold=20", str(UNITS[0].parent / "gars.service")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-200:]  # the exposure is 2.0 of 10 at most


def test_there_are_units() -> None:
    assert [unit.name for unit in UNITS] == ["gars-stack.service", "gars.service"]
