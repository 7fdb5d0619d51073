"""Tokens on: every route of the document is called without a token, as the wrong user, and without administration."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from typer.testing import CliRunner

from gars.bootstrap import Service, open_service
from gars.config import from_environment
from gars.entrypoints.api import revoked
from gars.entrypoints.api.app import create_app
from gars.entrypoints.api.revoked import FILE, RevokedTokens
from gars.entrypoints.api.tokens import Tokens
from gars.entrypoints.cli.app import app as app_of_cli
from gars.testing.engine import FakeEngine

Client = Any
SERVICE, ADMIN = "service-secret-word", "admin-secret-word-2"
EVENT = {"anime_id": 1, "kind": "rate", "value": 9}
PUBLIC = {
    "/api/v1/about",
    "/api/v1/anime",
    "/api/v1/anime/{anime_id}",
    "/api/v1/anime/{anime_id}/cover",
    "/api/v1/anime/{anime_id}/similar",
    "/api/v1/anime/atlas",
    "/api/v1/anime/trending",
    "/api/v1/anime/season",
    "/api/v1/anime/calendar",
    "/api/v1/genres",
    "/api/v1/health/live",
    "/api/v1/health/ready",
    "/api/v1/onboarding",
    "/sim",
}
"""What anybody may read. A new route belongs here only if it tells nothing of a user."""
ASKS_ITSELF = {"/api/v1/session"}
BODY_NAMES_THE_USER = {"/api/v1/interactions", "/clicks", "/api/v1/tokens/revoke"}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Service]:
    environment = {"GARS_SERVICE_TOKEN": SERVICE, "GARS_ADMIN_TOKEN": ADMIN, "GARS_RATE_PER_S": "0"}
    service = open_service(from_environment(environment, home=tmp_path), FakeEngine())
    yield service
    service.close()


@pytest.fixture
def app(guarded: Service) -> Litestar:
    return create_app(guarded)


@pytest.fixture
def http(app: Litestar) -> Iterator[Client]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def alice(guarded: Service) -> dict[str, str]:
    return bearer(Tokens(SERVICE).issue("alice", guarded.clock.now() + timedelta(days=1)))


@pytest.fixture
def bob(guarded: Service) -> dict[str, str]:
    return bearer(Tokens(SERVICE).issue("bob", guarded.clock.now() + timedelta(days=1)))


def operations(http: Client) -> list[tuple[str, str, dict[str, Any]]]:
    paths = http.get("/docs/openapi.json").json()["paths"]
    return [(method.upper(), path, about) for path, methods in paths.items() for method, about in methods.items()]


def address(path: str, about: dict[str, Any], user_id: str) -> str:
    query = [p["name"] for p in about.get("parameters", ()) if p["in"] == "query" and p.get("required")]
    filled = path.replace("{user_id}", user_id).replace("{anime_id}", "1").replace("{other_id}", "bob")
    return f"{filled}?{'&'.join(f'{name}={user_id}' for name in query)}" if query else filled


def test_caller_without_token_gets_public_routes_only(http: Client) -> None:
    tried = 0
    for method, path, about in operations(http):
        if path in ASKS_ITSELF:
            continue
        answer = http.request(method, address(path, about, "1"))
        if method == "GET" and path in PUBLIC:
            # the atlas may still be being drawn, and this service fetches no covers; both are public
            answers = {"atlas": (200, 503), "cover": (403,)}.get(path.rpartition("/")[2], (200, 400))
            assert answer.status_code in answers, (method, path, answer.text)
            continue
        tried += 1
        assert answer.status_code == 401, (method, path, answer.text)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"]["code"] == "unauthorized"
    assert tried >= 12


def test_a_user_cannot_touch_another(http: Client, alice: dict[str, str], bob: dict[str, str]) -> None:
    assert http.post("/api/v1/interactions", json={**EVENT, "user_id": "alice"}, headers=alice).status_code == 202
    before = http.get("/api/v1/users/alice/export", headers=alice).json()
    tried = 0
    for method, path, about in operations(http):
        if (method == "GET" and path in PUBLIC) or path in ASKS_ITSELF:
            continue
        answer = http.request(method, address(path, about, "alice"), headers=bob)
        tried += 1
        # a body is read before its users are known
        assert answer.status_code in ((401, 403) if path not in BODY_NAMES_THE_USER else (400,)), (
            method,
            path,
            answer.text,
        )
    assert tried >= 12
    for body in (
        {**EVENT, "user_id": "alice"},
        {"events": [{**EVENT, "user_id": "bob"}, {**EVENT, "user_id": "alice"}]},
    ):
        for on_error in ("abort", "skip"):
            answer = http.post(f"/api/v1/interactions?on_error={on_error}", json=body, headers=bob)
            assert answer.status_code == 403
            assert answer.json()["error"]["message"] == "this token is not for that user"
    assert http.get("/api/v1/users/bob/compare/alice", headers=bob).status_code == 403
    assert http.post("/clicks", json={"user_id": "alice", "anime_id": 1}, headers=bob).status_code == 403
    assert http.get("/?user_id=alice", headers=bob).status_code == 403
    assert http.get("/?user_id=bob&user_id=alice", headers=bob).status_code == 403
    assert http.get("/api/v1/users/alice%2Fexport", headers=bob).status_code in (400, 403, 404)
    after = http.get("/api/v1/users/alice/export", headers=alice).json()
    assert after["interactions"] == before["interactions"] != []
    assert http.get("/api/v1/users/bob", headers=bob).json()["known"] is False, "nothing of the mixed batch was taken"


def test_one_s_own(http: Client, alice: dict[str, str]) -> None:
    assert http.post("/clicks", json={"user_id": "alice", "anime_id": 1}, headers=alice).status_code == 202
    assert len(http.get("/?user_id=alice", headers=alice).json()) == 20
    for part in ("", "/recommendations", "/history", "/similar-users", "/export"):
        assert http.get(f"/api/v1/users/alice{part}", headers=alice).status_code == 200
    answer = http.get("/api/v1/users", headers=alice)
    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "this is not for users"
    assert http.delete("/api/v1/users/alice", headers=alice).status_code == 200


def test_the_service_s_own_program(http: Client) -> None:
    assert http.get("/api/v1/users", headers=bearer(SERVICE)).status_code == 200
    assert http.post("/clicks", json={"user_id": "7", "anime_id": 1}, headers=bearer(SERVICE)).status_code == 202
    response = http.post("/api/v1/users/carol/token?days=3", headers=bearer(SERVICE))
    assert response.headers["cache-control"] == "private, no-store"
    carol = bearer(response.json()["token"])
    assert http.get("/api/v1/users/carol", headers=carol).status_code == 200
    assert http.get("/api/v1/users/alice", headers=carol).status_code == 403
    again = http.post("/api/v1/users/carol/token", headers=carol)
    assert again.json()["error"]["message"] == "a user cannot make tokens"


def test_administration_is_apart(http: Client, alice: dict[str, str]) -> None:
    for headers in ({}, alice, bearer(SERVICE)):
        for method, path in (
            ("GET", "/api/v1/admin/models"),
            ("POST", "/api/v1/admin/models/promote?version=x"),
            ("POST", "/api/v1/admin/models/rollback"),
            ("GET", "/metrics"),
        ):
            answer = http.request(method, path, headers=headers)
            assert answer.status_code == 401
            assert "GARS_ADMIN_TOKEN" in answer.json()["error"]["message"]
    assert http.get("/api/v1/admin/models", headers=bearer(ADMIN)).json() == {"serving": "fake-1", "models": []}
    assert http.get("/metrics", headers=bearer(ADMIN)).status_code == 200
    nothing = http.post("/api/v1/admin/models/promote?version=x", headers=bearer(ADMIN))
    assert nothing.status_code == 409
    assert "0 models match 'x'" in nothing.json()["error"]["message"]
    none = http.post("/api/v1/admin/models/rollback", headers=bearer(ADMIN))
    assert none.json()["error"]["message"] == "no other model has served before"
    assert http.get("/api/v1/users/alice", headers=bearer(ADMIN)).status_code == 403, "operators are not users"


def test_admin_routes_are_closed_without_an_admin_token(client: Client) -> None:
    answer = client.get("/api/v1/admin/models")
    assert answer.status_code == 403
    assert answer.json()["error"]["hint"] == "set GARS_ADMIN_TOKEN, or use gars model"


def test_the_page_and_the_documents_need_nothing(http: Client) -> None:
    for path in ("/", "/anime/5", "/docs", "/docs/openapi.json"):
        assert http.get(path).status_code == 200, path
    assert http.get("/api/v1/nothing").status_code in (401, 404)


def test_a_session_of_a_browser(http: Client, alice: dict[str, str]) -> None:
    assert http.post("/api/v1/session").status_code == 401
    assert http.post("/api/v1/session", headers=bearer(SERVICE)).status_code == 401, "no secret goes into a browser"
    opened = http.post("/api/v1/session", headers=alice)
    assert opened.json() == {"user_id": "alice"}
    cookie = opened.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert http.get("/api/v1/users/alice").status_code == 200
    assert http.get("/api/v1/users/bob").status_code == 403
    http.delete("/api/v1/session")
    assert http.get("/api/v1/users/alice").status_code == 401


def test_open_services_have_no_tokens(client: Client) -> None:
    answer = client.post("/api/v1/users/7/token")
    assert answer.status_code == 403
    assert "GARS_SERVICE_TOKEN" in answer.json()["error"]["message"]
    assert client.post("/api/v1/session").json() == {"user_id": None}


def test_no_secret_in_a_log_or_an_answer(
    guarded: Service, alice: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise RuntimeError("on fire")

    vars(guarded.engine)["similar_ids"] = broken
    guarded.log.close()
    secrets = [SERVICE, ADMIN, alice["Authorization"].split()[1]]
    with (
        caplog.at_level(logging.DEBUG),
        TestClient(create_app(guarded), raise_server_exceptions=False) as http,
    ):
        for secret in [*secrets, "gu1.forged.token"]:
            headers = bearer(secret)
            answers = [
                http.get("/api/v1/anime/1/similar", headers=headers),
                http.post("/clicks", json={"user_id": "alice", "anime_id": 1}, headers=headers),
                http.get("/api/v1/users/bob?k=1", headers=headers),
                http.get("/api/v1/admin/models", headers=headers),
                http.get("/api/v1/health/ready", headers=headers),
            ]
            for text in [caplog.text, *(answer.text for answer in answers)]:
                assert secret not in text
    assert "a request failed" in caplog.text, "negative control: something was logged"
    assert SERVICE not in repr(guarded.settings)
    assert ADMIN not in repr(guarded.settings)


class TestRateLimit:
    @pytest.fixture
    def limited(self, tmp_path: Path) -> Iterator[Service]:
        environment = {"GARS_SERVICE_TOKEN": SERVICE, "GARS_RATE_PER_S": "1", "GARS_RATE_BURST": "3"}
        service = open_service(from_environment(environment, home=tmp_path), FakeEngine())
        yield service
        service.close()

    @staticmethod
    def answers(service: Service, host: str, *requests: tuple[str, dict[str, str]]) -> list[httpx.Response]:
        """Requests one after the other from a machine with this address."""

        async def ask() -> list[httpx.Response]:
            transport = httpx.ASGITransport(cast(Any, create_app(service)), client=(host, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://testserver.local") as http:
                return [await http.get(path, headers=headers) for path, headers in requests]

        return asyncio.run(ask())

    @pytest.mark.parametrize(("host", "is_limited"), [("203.0.113.5", True), ("127.0.0.1", False), ("::1", False)])
    def test_other_machines(self, limited: Service, host: str, is_limited: bool) -> None:
        own: list[tuple[str, dict[str, str]]] = [("/api/v1/users", bearer(SERVICE))] * 6
        *answers, last = self.answers(limited, host, *own, *[("/api/v1/genres", {})] * 12)
        assert {answer.status_code for answer in answers[:6]} == {200}, "the site's own program is not limited"
        assert (last.status_code == 429) is is_limited
        if is_limited:
            assert last.json()["error"]["code"] == "too_many_requests"
            assert "GARS_RATE_PER_S" in last.json()["error"]["hint"]
            assert int(last.headers["retry-after"]) >= 1
            assert last.headers["x-content-type-options"] == "nosniff"

    def test_users_wherever_they_are(self, limited: Service) -> None:
        alice, bob = (bearer(Tokens(SERVICE).issue(name)) for name in ("alice", "bob"))
        requests = [("/api/v1/users/alice", alice)] * 12 + [("/api/v1/users/bob", bob)]
        statuses = [answer.status_code for answer in self.answers(limited, "127.0.0.1", *requests)]
        assert (statuses[0], statuses[-2], statuses[-1]) == (200, 429, 200)


def test_a_revoked_token_is_refused_and_others_of_the_user_stay(http: Client, guarded: Service) -> None:
    tokens = Tokens(SERVICE)
    now = guarded.clock.now()
    lost, kept = (tokens.issue("alice", now + timedelta(days=days)) for days in (1, 2))
    url = "/api/v1/users/alice/history"
    assert http.get(url, headers=bearer(lost)).status_code == 200
    answer = http.post("/api/v1/tokens/revoke", json={"token": lost}, headers=bearer(kept))
    assert (answer.status_code, answer.json()) == (200, {"user_id": "alice"})
    assert http.get(url, headers=bearer(lost)).status_code == 401
    assert http.get(url, headers=bearer(kept)).status_code == 200
    again = http.post("/api/v1/tokens/revoke", json={"token": lost}, headers=bearer(SERVICE))
    assert (again.status_code, again.json()) == (200, {"user_id": None})
    assert lost not in (guarded.settings.home / FILE).read_text()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_is_secure_behind_tls(app: Litestar, alice: dict[str, str], scheme: str) -> None:
    with TestClient(app, base_url=f"{scheme}://gars.example.org") as client:
        cookie = client.post("/api/v1/session", headers=alice).headers["set-cookie"].lower()
    assert ("; secure" in cookie) == (scheme == "https")
    assert "; httponly" in cookie


def test_token_of_another_user_cannot_be_revoked(http: Client, guarded: Service) -> None:
    tokens = Tokens(SERVICE)
    alices, bobs = (tokens.issue(user, guarded.clock.now() + timedelta(days=1)) for user in ("alice", "bob"))
    assert http.post("/api/v1/tokens/revoke", json={"token": alices}, headers=bearer(bobs)).status_code == 403
    assert http.post("/api/v1/tokens/revoke", json={"token": alices}).status_code == 401
    assert http.get("/api/v1/users/alice/history", headers=bearer(alices)).status_code == 200


def test_a_token_revoked_by_another_process_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revoked, "LOOK_S", 0.0)
    here, elsewhere = RevokedTokens(tmp_path), RevokedTokens(tmp_path)
    assert "a" * 32 not in here
    elsewhere.add("a" * 32)
    elsewhere.add("a" * 32)
    assert "a" * 32 in here
    assert len((tmp_path / FILE).read_text().splitlines()) == 1
    with (tmp_path / FILE).open("a") as file:
        file.write('{"token": "bb')  # a line that a crash cut short
    here.add("c" * 32)
    assert "c" * 32 in elsewhere


def test_the_command_revokes_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GARS_SERVICE_TOKEN", SERVICE)
    token = Tokens(SERVICE).issue("alice", datetime.now(UTC) + timedelta(days=1))
    done = CliRunner().invoke(app_of_cli, ["revoke", token, "--home", str(tmp_path)])
    assert (done.exit_code, done.output) == (0, "the token of alice is void\n")
    assert Tokens(SERVICE).digest(token) in RevokedTokens(tmp_path)


def test_forged_tokens_take_no_memory_and_known_ones_expire() -> None:
    tokens = Tokens("a long random word")
    now = datetime.now(UTC)
    known = tokens.issue("alice", now + timedelta(minutes=1))
    assert tokens.caller(known, now).user_id == "alice"
    for forged in (known + "A", "gu1." + "A" * 5_000, "gu1.%%%.0.x", known.replace("gu1", "gu2")):
        assert tokens.caller(forged, now).kind == "anonymous"
    assert tokens._verified.cache_info().currsize == 1
    assert tokens.caller(known, now + timedelta(minutes=2)).kind == "anonymous"
