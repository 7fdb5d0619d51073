"""The script that keeps the feature job running in containers, with a Flink that loses its jobs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gars.stack.deploy import deploy_folder
from gars_test_support.patience import until

SUBMIT = deploy_folder("flink") / "submit.sh"


class Flink:
    """A stand-in for a JobManager; its command ``flink`` records its arguments and fails the first time."""

    def __init__(self, folder: Path) -> None:
        self.jobs: list[str] = []
        self.asked = 0
        self.calls = folder / "calls"
        self.calls.touch()
        command = folder / "bin" / "flink"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\necho "$@" >> {self.calls}\n[ "$(wc -l < {self.calls})" -gt 1 ]\n')
        command.chmod(0o755)
        (folder / "bin" / "python").symlink_to(sys.executable)
        flink = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                flink.asked += 1
                self.send_response(200)
                self.end_headers()
                jobs = [{"id": str(number), "status": status} for number, status in enumerate(flink.jobs)]
                self.wfile.write(json.dumps({"jobs": jobs}).encode())

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def submissions(self) -> list[str]:
        return self.calls.read_text().splitlines()

    def looked_again(self) -> None:
        """Wait until it has looked twice more: what it saw the first time it has acted on."""
        seen = self.asked
        until(lambda: self.asked > seen + 1)


@pytest.fixture
def flink(tmp_path: Path) -> Iterator[Flink]:
    running = Flink(tmp_path)
    yield running
    running.server.shutdown()
    running.thread.join()
    running.server.server_close()


@pytest.fixture
def script(flink: Flink, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    variables = {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "FLINK_REST": f"http://127.0.0.1:{flink.server.server_port}",
        "FLINK_DATA": str(tmp_path / "data"),
        "LOOK_S": "0.1",
        "GARS_TRACES": "http://collector:4318",
    }
    with subprocess.Popen(["sh", str(SUBMIT), "--brokers", "kafka:9092"], env={**os.environ, **variables}) as running:
        yield running
        running.kill()


def snapshot(folder: Path, name: str, *, at: int) -> str:
    metadata = folder / "data" / name / "_metadata"
    metadata.parent.mkdir(parents=True)
    metadata.touch()
    os.utime(metadata, (at, at))
    return f"file://{metadata.parent}"


def test_it_is_submitted_whenever_there_is_none(flink: Flink, script: subprocess.Popen[bytes], tmp_path: Path) -> None:
    until(lambda: len(flink.submissions) >= 2)  # not taken the first time
    flink.jobs = ["RUNNING"]
    flink.looked_again()
    count = len(flink.submissions)
    flink.looked_again()
    assert len(flink.submissions) == count
    words = f"run --detached --jobmanager 127.0.0.1:{flink.server.server_port}"
    job = "--pyFiles /opt/gars.zip --pyModule gars.entrypoints.feature_job --brokers kafka:9092 --traces http://collector:4318"
    assert set(flink.submissions) == {f"{words} {job}"}
    snapshot(tmp_path, "savepoints/first", at=100)
    newest = snapshot(tmp_path, "checkpoints/abc/chk-7", at=300)
    snapshot(tmp_path, "checkpoints/abc/chk-6", at=200)
    flink.jobs = ["FAILED", "CANCELED"]
    until(lambda: len(flink.submissions) > count)
    flink.jobs = ["FAILED", "RESTARTING"]
    assert flink.submissions[-1] == f"{words} --fromSavepoint {newest} {job}"
    script.send_signal(signal.SIGTERM)
    assert script.wait(60) == 0
