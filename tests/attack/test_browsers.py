"""Pages of other sites in a browser on this machine: by DNS rebinding, by another port, by forms and frames.

A real server without tokens; the requests are those a browser sends.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gars.bootstrap import VERSION
from gars.domain.errors import InvalidInputError
from gars.entrypoints.edge.origins import Origins
from gars_test_support.server import ServerProcess

SERVE = "import typer; from gars.entrypoints.cli.serve import serve; typer.run(serve)"
ENGINE = ["--engine-factory", "gars.testing.engine:make"]
CLICK = {"user_id": "7", "anime_id": 1}
FOREIGN = [
    "http://evil.example",
    "https://evil.example",
    "http://127.0.0.1:5999",
    "http://localhost",
    "null",
    "file://",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    home = tmp_path_factory.mktemp("home")
    environment = {"GARS_ALLOWED_HOSTS": "gars.example.org,tls.example.org:8443", "GARS_ADMIN_TOKEN": "a" * 16}
    running = ServerProcess(
        [sys.executable, "-c", SERVE, "--home", str(home), "--port", "0", *ENGINE], environment=environment
    )
    yield running
    assert running.stop() == 0, running.output


@pytest.fixture
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.address, timeout=60, trust_env=False) as client:
        yield client


def routes(http: httpx.Client) -> list[tuple[str, str]]:
    """Every route of the service, with something in place of its parameters."""
    paths: dict[str, dict[str, Any]] = http.get("/docs/openapi.json").json()["paths"]
    return [
        (method.upper(), path.replace("{user_id}", "7").replace("{anime_id}", "1"))
        for path, methods in paths.items()
        for method in methods
    ]


def test_no_route_answers_to_a_foreign_name(http: httpx.Client) -> None:
    refused = 0
    hosts = ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "0x7f.1", "[::")
    for method, path in [*routes(http), ("GET", "/"), ("GET", "/assets/x"), ("GET", "/docs"), ("GET", "/nowhere")]:
        for host in hosts:
            answer = http.request(method, path, headers={"Host": host})
            assert (answer.status_code, answer.json()["error"]["code"]) == (421, "wrong_host"), (method, path, host)
            refused += 1
    print(f"{refused} requests under a foreign name, {refused} refused")
    assert refused > 200


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "LOCALHOST.", "127.0.0.1", "127.9.9.9:80", "[::1]:8000"])
def test_loopback_names_are_ours(http: httpx.Client, host: str) -> None:
    assert http.get("/api/v1/about", headers={"Host": host}).json()["version"] == VERSION


def test_configured_names_are_ours(http: httpx.Client) -> None:
    for host in ("gars.example.org", "gars.example.org:444", "tls.example.org:8443"):
        assert http.get("/api/v1/about", headers={"Host": host}).status_code == 200, host


def test_no_write_and_no_read_for_a_foreign_page(http: httpx.Client) -> None:
    """Also of another port of this machine, which a browser calls the same site."""
    refused = 0
    for method, path in routes(http):
        for headers in (
            *({"Origin": origin} for origin in FOREIGN),
            *({"Origin": origin, "Sec-Fetch-Site": "same-site"} for origin in FOREIGN),
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        ):
            answer = http.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden"), (method, path, headers)
            refused += 1
    print(f"{refused} requests of foreign pages, {refused} refused")
    assert http.get("/api/v1/users/7").json()["known"] is False


def test_the_page_itself_and_programs_go_on(http: httpx.Client, server: ServerProcess) -> None:
    own = {"Origin": server.address, "Sec-Fetch-Site": "same-origin"}
    assert http.post("/clicks", json=CLICK, headers=own).status_code == 202
    assert http.post("/clicks", json=CLICK).status_code == 202
    assert http.get("/api/v1/users/7", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    typed = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert http.get("/", headers=typed).status_code == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert http.get("/anime/1", headers=link).status_code == 200, "a link on another site leads to the page"
    assert http.get("/api/v1/users/7", headers=link).status_code == 403
    proxied = {"Host": "localhost:5173", "Origin": "http://localhost:5173", "Sec-Fetch-Site": "same-origin"}
    assert http.post("/clicks", json=CLICK, headers=proxied).status_code == 202, "the development server of the page"
    behind_tls = {"Host": "gars.example.org", "Origin": "https://gars.example.org", "Sec-Fetch-Site": "same-origin"}
    assert http.post("/clicks", json=CLICK, headers=behind_tls).status_code == 202
    with http.stream("GET", "/api/v1/users/7/events", headers=own) as stream:
        assert next(stream.iter_lines()) == "retry: 1000"


@pytest.mark.parametrize("sent", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "*/*"])
def test_json_is_sent_as_json(http: httpx.Client, sent: str | None) -> None:
    body = b'{"user_id": "8", "anime_id": 1}'
    for route in ("/clicks", "/api/v1/interactions", "/api/v1/groups/recommendations"):
        answer = http.post(route, content=body, headers={} if sent is None else {"Content-Type": sent})
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "not_json"), route
    assert http.post("/clicks", content=body, headers={"Content-Type": "application/json; charset=utf-8"}).is_success


def test_ids_of_requests(http: httpx.Client) -> None:
    first, again = http.get("/api/v1/about"), http.get("/api/v1/about")
    assert first.headers["x-request-id"] != again.headers["x-request-id"]
    failed = http.get("/api/v1/anime/99999999")
    assert failed.json()["error"]["request_id"] == failed.headers["x-request-id"]
    given = http.get("/api/v1/about", headers={"X-Request-Id": "of-a-proxy.17"})
    assert given.headers["x-request-id"] == "of-a-proxy.17", "a trusted proxy may name it"
    for wrong in ("short", "with space!", "a" * 65):
        assert http.get("/api/v1/about", headers={"X-Request-Id": wrong}).headers["x-request-id"] != wrong


def test_what_a_setting_cannot_mean() -> None:
    for wrong in ("http://gars.example.org", "a:b", "name/path"):
        with pytest.raises(InvalidInputError, match="GARS_ALLOWED_HOSTS"):
            Origins([wrong])


def test_names_below_a_name_and_any_name_with_tokens() -> None:
    below = Origins(["*.example.org"])
    assert below.refusal("GET", "/", {b"host": b"a.example.org"}) is None
    assert below.refusal("GET", "/", {b"host": b"aexample.org"}) is not None
    tokens = Origins([], any_host=True)
    assert tokens.refusal("GET", "/", {b"host": b"gars.example.net"}) is None
    assert Origins(["gars.example.net"], any_host=True).refusal("GET", "/", {b"host": b"evil.example"}) is not None


@pytest.mark.parametrize("part", ["clicks", "recall", "rank"])
def test_the_other_services_check_the_same(tmp_path: Path, part: str) -> None:
    home = ["--home", str(tmp_path), "--port", "0", *ENGINE]
    settings = {"GARS_EVENT_LOG": "kafka://127.0.0.1:1/gars", "GARS_STATE_STORE": "redis://127.0.0.1:1/0"}
    running = ServerProcess([sys.executable, "-c", SERVE, part, *home], environment=settings)
    with httpx.Client(base_url=running.address, timeout=60, trust_env=False) as http:
        live = "/api/v1/health/live"
        assert http.get(live).status_code == 200
        assert http.get(live, headers={"Host": "evil.example"}).status_code == 421
        assert http.get(live, headers={"Origin": "http://127.0.0.1:1"}).status_code == 403
        write = "/clicks" if part == "clicks" else f"/api/v1/{part}"
        assert http.post(write, content=b"x", headers={"Origin": "http://evil.example"}).status_code == 403
        assert http.post(write, content=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
        assert http.head(live).status_code == 200
    assert running.stop() == 0, running.output
