"""Clients that hold what they were given: silent sockets, bodies that never end, requests that never let go.

Real sockets against a real server that is allowed 256 descriptors less than what the attack takes. Counts are printed.
"""

from __future__ import annotations

import asyncio
import gzip
import resource
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from gars_test_support.server import ServerProcess

SERVE = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
import typer
from gars.entrypoints.cli.serve import serve
typer.run(serve)
"""
DEADLINE_S = 60.0
ATTACK = 1_500
"""Silent sockets: more than the soft limit of 1,024 descriptors that most systems give."""
HEAD = b"GET /api/v1/health/live HTTP/1.1\r\nHost: localhost\r\n"
HALF = b"POST /clicks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"


def serve(home: Path, **environment: str) -> ServerProcess:
    command = [sys.executable, "-c", SERVE, "--home", str(home), "--port", "0"]
    return ServerProcess([*command, "--engine-factory", "gars.testing.engine:make"], environment=environment)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    limits = {"GARS_HEADER_TIMEOUT_MS": "3000", "GARS_BODY_TIMEOUT_MS": "3000"}
    running = serve(tmp_path_factory.mktemp("home"), **limits)
    yield running
    assert running.stop() == 0, running.output


def connect(server: ServerProcess, sent: bytes = b"") -> socket.socket:
    host, _, port = server.address.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=DEADLINE_S)
    if sent:
        connection.sendall(sent)
    return connection


def read_to_the_end(connection: socket.socket) -> bytes:
    """Everything until the server closes; raises ``TimeoutError`` if it does not within the deadline."""
    received = b""
    with connection, suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            received += piece
    return received


def get(server: ServerProcess, path: str) -> httpx.Response:
    return httpx.get(server.address + path, timeout=DEADLINE_S, trust_env=False)


def failures(server: ServerProcess) -> list[str]:
    return [line for line in get(server, "/metrics").text.splitlines() if 'status="5' in line]


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * ATTACK:
        pytest.skip(f"this system allows {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * ATTACK), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_descriptors")
def test_silent_sockets_stop_nothing_and_are_closed(server: ServerProcess) -> None:
    silent = [connect(server) for _ in range(ATTACK)]
    try:
        assert get(server, "/api/v1/health/live").status_code == 200
        assert all(read_to_the_end(connection) == b"" for connection in silent)
    finally:
        for connection in silent:
            connection.close()
    print(f"{ATTACK} silent sockets: other requests were answered, {ATTACK} closed by the server")


@pytest.mark.parametrize(
    "sent",
    [b"", b"G", HEAD, HEAD + b"\r\n"],
    ids=["nothing", "one byte", "half a header", "one request and then nothing"],
)
def test_a_header_that_does_not_come_is_not_waited_for(server: ServerProcess, sent: bytes) -> None:
    answer = read_to_the_end(connect(server, sent))
    assert answer.startswith(b"HTTP/1.1 200") if sent.endswith(b"\r\n\r\n") else not answer.startswith(b"HTTP/1.1 200")


def test_a_header_that_drips_is_not_waited_for(server: ServerProcess) -> None:
    connection, begun = connect(server, b"GET / HTTP/1.1\r\nHost: localhost\r\n"), time.monotonic()
    connection.settimeout(0.1)
    while time.monotonic() - begun < DEADLINE_S:
        try:
            connection.sendall(b"X: y\r\n")
            if not connection.recv(1024):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    else:
        pytest.fail("a header is read for ever")
    connection.close()


@pytest.mark.parametrize("path", ["/clicks", "/api/v1/interactions", "/api/v1/lists/import?user_id=7"])
@pytest.mark.parametrize("framing", ["Content-Length: 900", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_come_is_408(server: ServerProcess, path: str, framing: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{framing}\r\n\r\n"
    answer = read_to_the_end(connect(server, head.encode() + b"1\r\n{\r\n"))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"too_slow"' in answer


def test_a_body_that_drips_ends(server: ServerProcess) -> None:
    """A byte now and then is no pause, but too slow on the whole."""
    connection, begun = connect(server, HALF), time.monotonic()
    connection.settimeout(0.2)
    answer = b""
    while time.monotonic() - begun < DEADLINE_S and not answer:
        try:
            connection.sendall(b" ")
            answer = connection.recv(65_536)
        except TimeoutError:
            continue
    connection.close()
    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "body",
    [b"zz\r\n{}\r\n", b"5\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n", b"ffffffffffffffffff\r\n{}\r\n", b"2\r\n{}X"],
    ids=["no number", "too short", "negative", "too large", "no end"],
)
def test_chunks_that_are_none(server: ServerProcess, body: bytes) -> None:
    head = b"POST /clicks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    before = failures(server)
    answer = read_to_the_end(connect(server, head + b"Transfer-Encoding: chunked\r\n\r\n" + body))
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 408 "))
    assert failures(server) == before


def test_clients_that_leave_are_no_failures_of_the_service(server: ServerProcess) -> None:
    left = 50
    before = failures(server)
    for _ in range(left):
        connect(server, HALF).close()
    begun = time.monotonic()
    counted = 0.0
    while counted < left and time.monotonic() - begun < DEADLINE_S:
        for line in get(server, "/metrics").text.splitlines():
            if line.startswith('gars_http_requests_total{method="POST",route="/clicks",status="400"}'):
                counted = float(line.rpartition(" ")[2])
    assert failures(server) == before
    print(f"{left} clients left in the middle of a body: {counted:.0f} counted as 400, {len(before)} failures before")
    assert counted >= left


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1",
        b"GET /?" + b"a=b&" * 15_000 + b" HTTP/1.1",
        b"GET /%00 HTTP/1.1",
        b"GET /assets/%00 HTTP/1.1",
        b"GET /assets/" + b"a" * 30_000 + b" HTTP/1.1",
        b"GET /api/v1/users/%ff%00 HTTP/1.1",
        b"GET /api/v1/users/%zz HTTP/1.1",
        b"GET * HTTP/1.1",
        b"GET http://evil.example/api/v1/about HTTP/1.1",
        b"FOO / HTTP/1.1",
        b"GET / HTTP/9.9",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0",
    ],
    ids=lambda line: str(line[:30]),
)
def test_odd_request_lines_are_answered_or_closed(server: ServerProcess, request_line: bytes) -> None:
    before = failures(server)
    connection = connect(server)
    with suppress(OSError):  # the server may have closed the connection
        connection.sendall(request_line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = read_to_the_end(connection)
    assert not answer.startswith(b"HTTP/1.1 5")
    assert failures(server) == before


@pytest.mark.parametrize(
    "headers",
    [b"Content-Length: -1", b"Content-Length: 1\r\nContent-Length: 2", b"Host: evil.example", b"X: " + b"y" * 500_000,
     b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"X\x00: y", b"Content-Length: 99999999999999999999999"],
    ids=lambda headers: str(headers[:30]),
)  # fmt: skip
def test_odd_headers_are_the_clients_fault(server: ServerProcess, headers: bytes) -> None:
    before = failures(server)
    connection = connect(server)
    with suppress(OSError):
        connection.sendall(b"POST /clicks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers + b"\r\n\r\n")
    answer = read_to_the_end(connection)
    assert answer[9:10] in (b"4", b"")
    assert failures(server) == before


def test_imports_do_not_hold_up_health(server: ServerProcess) -> None:
    """110,000 empty members of gzip took a minute each, in threads that health checks needed too."""
    bomb = gzip.compress(b"") * 110_000
    for _ in range(8):
        url = f"{server.address}/api/v1/lists/import?user_id=7"
        answer = httpx.post(url, content=bomb, timeout=DEADLINE_S, trust_env=False)
        assert "more than 1,000 members" in answer.json()["error"]["message"]
    assert get(server, "/api/v1/health/ready").json()["checks"]["log"] == "ok"


def test_head_wherever_get_is(server: ServerProcess) -> None:
    paths: dict[str, Any] = get(server, "/docs/openapi.json").json()["paths"]
    asked = 0
    with httpx.Client(base_url=server.address, timeout=DEADLINE_S, trust_env=False) as http:
        for path, methods in paths.items():
            filled = path.replace("{user_id}", "7").replace("{anime_id}", "1")
            head = http.head(filled)
            assert head.content == b""
            if "get" not in methods:
                assert head.status_code == 405, path
            elif not path.endswith("/events"):
                answer = http.get(filled)
                assert head.status_code == answer.status_code, path
                assert head.headers["content-type"] == answer.headers["content-type"], path
            else:
                assert head.status_code == 200
            asked += 1
        assert http.head("/").status_code == 200
    print(f"HEAD of {asked} routes")


@pytest.mark.parametrize("held", [HALF, b"", b"GET / HTTP/1.1\r\n"], ids=["half a body", "nothing", "half a header"])
def test_a_stop_has_a_deadline(tmp_path: Path, held: bytes) -> None:
    running = serve(tmp_path, GARS_STOP_TIMEOUT_MS="500")
    connection = connect(running, held)
    assert get(running, "/api/v1/health/live").status_code == 200
    assert running.stop() == 0, running.output
    connection.close()


def test_an_overloaded_service_refuses_soon(tmp_path: Path, overload: Callable[[ServerProcess], list[int]]) -> None:
    running = serve(tmp_path, GARS_QUEUE_BUDGET_MS="1", GARS_LIST_CACHE="0")
    statuses = overload(running)
    print(f"{len(statuses)} lists at once: {statuses.count(200)} made, {statuses.count(503)} refused")
    assert set(statuses) == {200, 503}
    assert get(running, "/api/v1/users/a/recommendations").status_code == 200, "soon after it is as before"
    assert running.stop() == 0, running.output


@pytest.fixture
def overload() -> Callable[[ServerProcess], list[int]]:
    async def ask(server: ServerProcess) -> list[int]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=server.address, timeout=DEADLINE_S, trust_env=False, limits=limits
        ) as http:
            lists = [http.get(f"/api/v1/users/u{number}/recommendations") for number in range(300)]
            answers = await asyncio.gather(*lists)
        refused = [answer for answer in answers if answer.status_code == 503]
        assert all(answer.headers["retry-after"] == "1" for answer in refused)
        assert {answer.json()["error"]["code"] for answer in refused} <= {"overloaded"}
        return [answer.status_code for answer in answers]

    return lambda server: asyncio.run(ask(server))
