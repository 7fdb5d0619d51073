"""Health, headers, errors of routes, the page, the documentation."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from gars.bootstrap import Service
from gars.entrypoints.api import page
from gars.entrypoints.api.app import create_app
from gars.entrypoints.api.security import HEADERS

Client = Any
CLICK = {"user_id": "7", "anime_id": 1}


@contextmanager
def held_by_another_process(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


def test_health(client: Client) -> None:
    assert client.get("/api/v1/health/live").json() == {"status": "ok"}
    answer = client.get("/api/v1/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "checks": {"model": "ok", "log": "ok", "state": "ok"},
        "warnings": {},
    }


def test_a_locked_database(client: Client, service: Service, tmp_path: Path) -> None:
    with held_by_another_process(tmp_path / "gars.sqlite"):
        answer = client.post("/clicks", json=CLICK)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        error = answer.json()["error"]
        assert error["code"] == "storage"
        assert re.search(r"cannot write .*gars\.sqlite: database is locked", error["message"])
        assert "another process holds the database" in error["hint"]
        ready = client.get("/api/v1/health/ready")
        assert ready.status_code == 503
        assert ready.json()["status"] == "degraded"
        assert "database is locked" in ready.json()["checks"]["log"]
        assert client.get("/api/v1/health/live").status_code == 200
        assert client.get("/api/v1/users/7/recommendations").status_code == 200, "reading goes on"
    assert client.post("/clicks", json=CLICK).json()["versions"] == {"7": 1}
    assert client.get("/api/v1/health/ready").json()["status"] == "ready"


def test_a_full_disk(client: Client, service: Service, tmp_path: Path) -> None:
    client.post("/clicks", json=CLICK)
    database: Any = vars(service.log)["_database"]
    with database.write() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    vars(database)["_writer"].execute(f"PRAGMA max_page_count={pages}").fetchall()
    many = [{**CLICK, "kind": "click", "event_id": f"{i:0>128}"} for i in range(200)]
    answer = client.post("/api/v1/interactions", json={"events": many})
    assert answer.status_code == 503
    assert "disk is full" in answer.json()["error"]["message"]
    assert "free space; nothing that was acknowledged is lost" in answer.json()["error"]["hint"]
    ready = client.get("/api/v1/health/ready").json()
    assert ready["status"] == "degraded"
    assert "disk is full" in ready["checks"]["log"]
    vars(database)["_writer"].execute("PRAGMA max_page_count=1000000").fetchall()
    assert client.post("/api/v1/interactions", json={"events": many}).json()["versions"] == {"7": 201}
    assert client.get("/api/v1/health/ready").json()["status"] == "ready"


@pytest.mark.parametrize(
    ("route", "status"),
    [
        ("/", 200),
        ("/anime/5", 200),
        ("/api/v1/users/7", 200),
        ("/api/v1/nothing", 404),
        ("/assets/none.js", 404),
        ("/api/v1/users/7/recommendations?k=0", 400),
        ("/docs", 200),
        ("/docs/openapi.json", 200),
    ],
)
def test_security_headers_on_everything(client: Client, route: str, status: int) -> None:
    answer = client.get(route)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_unknown_routes_and_methods(client: Client) -> None:
    for answer in (
        client.get("/api/v1/nothing"),
        client.get("/api/v2/users"),
        client.get("/api/v1/anime/five"),
    ):
        assert answer.status_code == 404, answer.url
        assert answer.json()["error"]["code"] == "not_found"
        assert answer.json()["error"]["hint"] == "the routes are listed at /docs"
    wrong = client.delete("/api/v1/genres")
    assert wrong.status_code == 405
    assert wrong.json()["error"]["hint"] == "the routes and their methods are listed at /docs"


def test_no_parameter_is_silently_dropped(client: Client) -> None:
    error = client.get("/api/v1/genres?k=3").json()["error"]
    assert error["message"] == "no such parameter: k"
    assert error["hint"] == "this route takes no parameters"
    assert client.get("/sim?anime_id=1&k=3").json()["error"]["hint"] == "this route takes anime_id"


def test_failure_is_reported_without_its_details(
    client: Client, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise RuntimeError("secret")

    vars(service.engine)["similar_ids"] = broken
    answer = client.get("/api/v1/anime/1/similar")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    (record,) = [record for record in caplog.records if record.message == "a request failed"]
    assert vars(record)["route"] == "/api/v1/anime/{anime_id}/similar", "the route, not the path"
    assert "secret" in caplog.text


class TestPage:
    def test_not_built(self, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(page, "FOLDER", tmp_path)
        for route in ("/", "/anime/5", "/search"):
            answer = client.get(route)
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
            assert "make page" in answer.text

    def test_built(self, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "index.html").write_text("<title>built</title>")
        monkeypatch.setattr(page, "FOLDER", tmp_path)
        for route in ("/", "/anime/999999", "/search"):
            assert client.get(route).text == "<title>built</title>"
            assert client.get(route).headers["cache-control"] == "no-cache"


def test_docs_page_loads_nothing_from_elsewhere(client: Client) -> None:
    html = client.get("/docs").text
    assert "/api/v1/users/{user_id}/recommendations" in html
    assert "http://" not in html
    assert "https://" not in html
    assert "<script" not in html


def test_every_route_is_documented(client: Client) -> None:
    schema = client.get("/docs/openapi.json").json()
    operations = [
        (path, method, operation) for path, methods in schema["paths"].items() for method, operation in methods.items()
    ]
    assert len(operations) >= 17
    for path, method, operation in operations:
        assert operation["summary"], path
        assert operation["description"], path
        failures = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert "400" in failures, (path, method)
        for status, answer in failures.items():
            content = answer["content"]["application/json"]
            name = content["schema"]["$ref"].rpartition("/")[2]
            assert name == ("ReadyBody" if path.endswith("/ready") and status == "503" else "ErrorBody"), path
            if name == "ErrorBody":
                (example,) = content["examples"].values()
                assert list(example["value"]["error"]) == ["code", "message", "hint"]


def test_the_manual_names_every_route(client: Client) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    for path in client.get("/docs/openapi.json").json()["paths"]:
        assert f"{path}`" in manual or f"{path}?" in manual, path


def test_files_of_the_page(service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "page" / "assets").mkdir(parents=True)
    (tmp_path / "page" / "assets" / "main.js").write_text("let x")
    (tmp_path / "page" / "index.html").write_text("<title>built</title>")
    monkeypatch.setattr(page, "FOLDER", tmp_path / "page")
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        answer = client.get("/assets/main.js")
        assert (answer.status_code, answer.text) == (200, "let x")
        assert "javascript" in answer.headers["content-type"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for route in ("/assets/none.js", "/assets/..%2findex.html", "/assets/%2e%2e/%2e%2e/gars.sqlite"):
            assert client.get(route).status_code == 404, route


def test_page_files_are_sent_compressed_and_cached(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assets = tmp_path / "page" / "assets"
    assets.mkdir(parents=True)
    for name, content in {"main-Ab3_x-9z.js": b"plain", "main-Ab3_x-9z.js.br": b"brotli", "early.js": b"theme"}.items():
        (assets / name).write_bytes(content)
    (assets / "main-Ab3_x-9z.js.gz").write_bytes(gzip.compress(b"plain"))
    monkeypatch.setattr(page, "FOLDER", tmp_path / "page")
    with TestClient(create_app(service), raise_server_exceptions=False) as client:

        def get(name: str, accept: str, **headers: str) -> Any:
            return client.get(f"/assets/{name}", headers={"accept-encoding": accept, **headers})

        with client.stream("GET", "/assets/main-Ab3_x-9z.js", headers={"accept-encoding": "gzip, br"}) as brotli:
            assert b"".join(brotli.iter_raw()) == b"brotli"
            assert brotli.headers["content-encoding"] == "br"
            assert "javascript" in brotli.headers["content-type"]
        assert brotli.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert brotli.headers["vary"].lower() == "accept-encoding"
        assert get("main-Ab3_x-9z.js", "gzip").headers["content-encoding"] == "gzip"
        assert get("main-Ab3_x-9z.js", "gzip").text == "plain"
        plain = get("main-Ab3_x-9z.js", "br;q=0, identity")
        assert (plain.text, plain.headers.get("content-encoding")) == ("plain", None)
        unhashed = get("early.js", "gzip, br")
        assert (unhashed.text, unhashed.headers["cache-control"]) == ("theme", "no-cache")
        again = get("early.js", "gzip, br", **{"if-none-match": unhashed.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        (assets / "early.js").write_bytes(b"another theme")
        assert get("early.js", "gzip, br", **{"if-none-match": unhashed.headers["etag"]}).text == "another theme"


def test_json_is_compressed_from_a_kilobyte_on(client: Client) -> None:
    route = "/api/v1/anime/trending?k=20"
    accepted = {"accept-encoding": "gzip"}
    with client.stream("GET", route, headers=accepted) as long:
        sent = b"".join(long.iter_raw())
    plain = client.get(route, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert (long.headers["content-encoding"], long.headers["vary"]) == ("gzip", "accept-encoding")
    assert int(long.headers["content-length"]) == len(sent) < len(plain.content) / 2
    unpacked = json.loads(gzip.decompress(sent))
    assert unpacked == plain.json()
    short = client.get("/api/v1/health/live", headers=accepted)
    assert "content-encoding" not in short.headers
