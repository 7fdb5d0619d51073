"""The page and the way to the api through the nginx of the stack, in front of a service with the double of a model."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from gars.entrypoints.api.security import HEADERS
from gars.runtime.free_ports import free_ports
from gars.stack.engine import StackError
from gars.stack.running import Running
from gars.stack.web import PAGE, Web
from gars_test_support.patience import until
from gars_test_support.server import ServerProcess


@pytest.fixture(scope="module")
def api_port() -> int:
    (port,) = free_ports(1)
    return port


def service(home: Path, port: int) -> ServerProcess:
    command = [sys.executable, "-m", "gars.entrypoints.cli", "serve", "--engine-factory", "gars.testing.engine:make"]
    return ServerProcess([*command, "--home", str(home), "--port", str(port)])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, api_port: int) -> Iterator[Running]:
    (port,) = free_ports(1)
    one = Running(Web(folder=tmp_path_factory.mktemp("web"), apis=[f"127.0.0.1:{api_port}"], port=port))
    try:
        one.up()  # the page needs no api
        yield one
    finally:
        one.down()


@pytest.fixture(scope="module")
def web(running: Running) -> str:
    assert isinstance(running.engine, Web)
    return running.engine.url


@pytest.fixture
def api(web: str, api_port: int, tmp_path: Path) -> Iterator[str]:  # the page is there first
    server = service(tmp_path, api_port)
    yield server.address
    server.stop()


def test_every_place_is_the_page_with_the_headers_of_the_api(web: str) -> None:
    for place in ("/", "/anime/5", "/user/somebody", "/apiary"):
        answer = httpx.get(web + place, timeout=60)
        assert answer.status_code == 200
        assert answer.content == (PAGE / "index.html").read_bytes()
        assert answer.headers["Cache-Control"] == "no-cache"
        for name, value in HEADERS.items():
            assert answer.headers.get_list(name) == [value]
        assert answer.headers["Server"] == "nginx"  # and no version


def test_what_the_page_loads_is_kept_by_browsers(web: str) -> None:
    loaded = re.findall(r'(?:src|href)="(/assets/[^"]+)"', (PAGE / "index.html").read_text())
    assert {"/assets/early.js", "/assets/manifest.webmanifest"} < set(loaded)
    for path in loaded:
        answer = httpx.get(web + path, timeout=60)
        assert answer.content == (PAGE / path.lstrip("/")).read_bytes()
        assert answer.headers["Content-Type"].split(";")[0] in (
            "application/javascript",
            "application/manifest+json",
            "image/png",
            "image/svg+xml",
            "text/css",
        )
        hashed = re.search(r"-[\w-]{8}\.\w+$", path) is not None
        assert answer.headers["Cache-Control"] == ("max-age=31536000" if hashed else "no-cache"), path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/assets/nothing.js", "/assets/"):
        assert httpx.get(web + path, timeout=60).status_code in (403, 404), path


def test_click_changes_the_list_and_notifies_the_page(web: str, api: str) -> None:
    events = f"{web}/api/v1/users/fan/events"
    lines: list[str] = []
    with httpx.Client(base_url=web, timeout=60) as client:
        before = client.get("/api/v1/users/fan/recommendations")
        with client.stream("GET", events) as stream:

            def listen() -> None:
                for line in stream.iter_lines():
                    lines.append(line)
                    if line == "event: changed":
                        return

            listener = threading.Thread(target=listen)
            listener.start()
            until(lambda: "event: hello" in lines, "the stream to begin")
            body = {"user_id": "fan", "anime_id": 1, "kind": "like"}
            assert httpx.post(f"{web}/api/v1/interactions", json=body, timeout=60).status_code == 202
            listener.join(60)
            assert "event: changed" in lines
        after = client.get("/api/v1/users/fan/recommendations")
        assert before.status_code == after.status_code == 200
        assert before.json()["items"] != after.json()["items"]
        assert [after.headers.get_list(name) for name in HEADERS] == [[value] for value in HEADERS.values()]
        assert client.get("/docs").status_code == 200
        too_large = client.post("/api/v1/interactions", content=b"x" * 1_000_001)
        assert (too_large.status_code, too_large.json()["error"]["code"]) == (413, "body_too_large")
        not_too_large = client.post("/api/v1/lists/import?user_id=fan", content=b"x" * 2_000_000)
        assert not_too_large.json()["error"]["code"] == "invalid_input"
        written_by_others = client.post("/api/v1/interactions", json=body, headers={"Sec-Fetch-Site": "cross-site"})
        assert written_by_others.status_code == 403
    ids = httpx.get(f"{web}/?user_id=fan", timeout=60)
    assert ids.json() == httpx.get(f"{api}/?user_id=fan", timeout=60).json() != []
    assert httpx.get(f"{api}/api/v1/users/fan/recommendations", timeout=60).json()["items"] == after.json()["items"]


def test_page_is_served_and_reports_that_the_api_is_away(
    running: Running, web: str, api_port: int, tmp_path: Path
) -> None:
    assert httpx.get(web, timeout=60).status_code == 200
    for path in ("/api/v1/health/ready", "/?user_id=fan"):
        answer = httpx.get(web + path, timeout=60)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert set(answer.json()["error"]) == {"code", "message", "hint"}
    assert "fan" not in running.daemon("web").last_lines()  # user ids are not logged
    server = service(tmp_path, api_port)
    try:
        until(lambda: httpx.get(f"{web}/api/v1/health/ready", timeout=60).status_code == 200, "the api to be back")
    finally:
        server.stop()


class Answering(BaseHTTPRequestHandler):
    """An api that starts and ends at once."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


@contextmanager
def answering(port: int) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield
        server.shutdown()
        thread.join()


def test_two_apis_restart_one_after_the_other_and_no_read_fails(tmp_path: Path) -> None:
    """Both have failed within the time for which nginx leaves one alone."""
    port, *ports = free_ports(3)
    web = Running(Web(folder=tmp_path / "web", apis=[f"127.0.0.1:{one}" for one in ports], port=port))
    try:
        web.up()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            for up in ports, ports[:1], ports[1:], ports[:1]:
                with ExitStack() as apis:
                    for one in up:
                        apis.enter_context(answering(one))
                    assert {client.get("/api/v1/anime").status_code for _ in range(6)} == {200}, up
    finally:
        web.down()


def test_its_first_process_killed_it_starts_again(running: Running, web: str) -> None:
    """Its workers outlive it, and hold the port."""
    pid = running.daemon("web").pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: running.gone() is not None)
    running.up()
    assert running.daemon("web").pid != pid
    assert httpx.get(web, timeout=60).status_code == 200


def test_missing_page_or_nginx_has_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = Web(folder=tmp_path / "web", apis=[], page=tmp_path)
    with pytest.raises(StackError, match=r"the page is not built: there is no index\.html in") as caught:
        part.prepare()
    assert caught.value.hint == "make page"
    monkeypatch.setattr("gars.stack.web._nginx", lambda: None)
    with pytest.raises(StackError, match="serves the page by nginx, and there is none") as caught:
        Running(part).up()
    assert caught.value.hint == "apt-get install nginx"
