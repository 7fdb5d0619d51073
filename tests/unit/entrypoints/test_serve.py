"""``gars serve`` as a command: what it refuses, and that it says how to mend it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import webbrowser
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from gars.config import from_environment
from gars.domain.errors import InvalidInputError
from gars.entrypoints.api.server import refuse_open
from gars.entrypoints.cli.serve import open_in_browser
from gars_test_support.server import ServerProcess

GARS = [sys.executable, "-c", "from gars.entrypoints.cli.app import main; main()", "serve"]
FAKE = ["--engine-factory", "gars.testing.engine:make"]


def refused(*options: str) -> str:
    done = subprocess.run([*GARS, *options], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_machines_are_kept_out(host: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        refuse_open(host, "")
    assert f"{host} can be reached from other machines" in caught.value.message
    assert "set GARS_SERVICE_TOKEN" in (caught.value.hint or "")
    refuse_open(host, "a long random word")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_this_machine_is_let_in(host: str) -> None:
    refuse_open(host, "")


def test_a_host_that_is_none() -> None:
    with pytest.raises(InvalidInputError, match="cannot listen on 'no such host'"):
        refuse_open("no such host", "")


def test_the_page_is_opened_in_the_browser_that_is_set(tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    os.mkfifo(opened)  # reading waits for the browser
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    browser.chmod(0o755)
    command = [*GARS, "--port", "0", "--home", str(tmp_path / "home"), "--open", *FAKE]
    server = ServerProcess(command, environment={"BROWSER": f"{browser} %s"})
    try:
        assert opened.read_text() == server.address
    finally:
        server.stop()


def test_where_no_browser_can_be_opened_the_address_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    open_in_browser(Console(stderr=True), from_environment({}), "http://127.0.0.1:8000")
    assert "no browser could be opened here; the page is on http://127.0.0.1:8000" in capsys.readouterr().err


def test_refusals(tmp_path: Path) -> None:
    home = ["--home", str(tmp_path)]
    message = refused("--host", "0.0.0.0", *home)
    assert "0.0.0.0 can be reached from other machines" in message
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = refused("--port", str(port), *home, *FAKE)
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in message
        assert f"gars serve --port {port + 1}" in message
    assert "gars serve clicks has no page to open" in refused("clicks", "--open", *home)
    message = refused("--port", "0", *home)
    assert f"there is no trained model in {tmp_path / 'models'}" in message
    assert "gars train" in message
    (tmp_path / "models" / "current").mkdir(parents=True)
    message = refused("--port", "0", *home)
    assert "half-written" in message
    assert "gars train" in message
    assert "give module:function" in refused("--port", "0", *home, "--engine-factory", "gars:nothing")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    server = ServerProcess([*GARS, "--home", str(tmp_path), "--port", "0", *FAKE])
    address = server.address
    before = httpx.get(f"{address}/?user_id=42").json()
    assert httpx.post(f"{address}/clicks", json={"user_id": 42, "anime_id": 1}).status_code == 202
    after = httpx.get(f"{address}/?user_id=42").json()
    assert after != before
    message = refused("--home", str(tmp_path), "--port", "0", *FAKE)
    assert f"another gars serve (process {server.process.pid}) uses {tmp_path}" in message
    with httpx.stream("GET", f"{address}/api/v1/users/42/events") as page:  # an open page does not hold it up
        lines = page.iter_lines()
        assert next(lines) == "retry: 1000"
        assert server.stop(number) == 0
        assert "event: hello" in list(lines)
    assert server.output.endswith("stopped\n")

    again = ServerProcess([*GARS, "--home", str(tmp_path), "--port", "0", *FAKE])
    assert httpx.get(f"{again.address}/?user_id=42").json() == after, "a restart loses nothing"
    assert again.stop() == 0
