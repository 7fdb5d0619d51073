from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from gars.adapters.embedded import database
from gars.bootstrap import Service, open_service
from gars.config import from_environment
from gars.testing.engine import FakeEngine
from gars_test_support.patience import until

Client = Any
SECRET = "a-very-particular-person"
USER = f"/api/v1/users/{SECRET}"


def files_with_secret(folder: Path) -> set[str]:
    return {file.name for file in folder.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()}


def a_day(client: Client) -> None:
    for body in (
        {"anime_id": 1, "kind": "rate", "value": 9},
        {"anime_id": 5114, "kind": "status", "value": "watching"},
        {"anime_id": 1535, "kind": "click", "request_id": "r"},
        {"anime_id": 1535, "kind": "dismiss"},
    ):
        assert client.post("/api/v1/interactions", json={"user_id": SECRET, **body}).status_code == 202


def test_an_export_is_everything_and_comes_back(client: Client, service: Service) -> None:
    a_day(client)
    answer = client.get(f"{USER}/export")
    assert answer.status_code == 200
    assert 'filename="gars-user.json"' in answer.headers["content-disposition"]
    body = answer.json()
    assert (body["gars_export"], body["user_id"]) == (1, SECRET)
    assert body["state"] == {"version": 4, "titles": 3, "ratings": 1, "rating_mean": 9.0, "clicks": 1}
    assert [(one["kind"], one["anime_id"], one["value"]) for one in body["interactions"]] == [
        ("rate", 1, 9),
        ("status", 5114, "watching"),
        ("click", 1535, None),
        ("dismiss", 1535, None),
    ]
    before = service.states.get(SECRET)
    assert client.delete(USER).json() == {"user_id": SECRET, "events": 4, "impressions": 0, "state": True}
    report = client.post(f"/api/v1/lists/import?user_id={SECRET}", content=answer.content).json()
    assert (report["source"], report["events"], report["version"]) == ("export of GARS", 4, 4)
    assert service.states.get(SECRET) == before


def test_unknown_user(client: Client) -> None:
    body = client.get("/api/v1/users/unknown-user/export").json()
    assert (body["interactions"], body["earlier"], body["state"]["version"]) == ([], [], 0)
    nothing = {"user_id": "unknown-user", "events": 0, "impressions": 0, "state": False}
    assert client.delete("/api/v1/users/unknown-user").json() == nothing
    assert "user_id" in client.delete("/api/v1/users/a%00b").json()["error"]["message"]


def test_deleting_leaves_no_bytes(client: Client, service: Service, tmp_path: Path) -> None:
    a_day(client)
    client.post("/clicks", json={"user_id": "other", "anime_id": 1})
    shown = client.get(f"{USER}/recommendations").json()
    assert not shown["cold"]
    exported = client.get(f"{USER}/export").json()["impressions"]
    assert [one["request_id"] for one in exported] == [shown["request_id"]]
    assert [item[0] for item in exported[0]["items"]] == [item["anime"]["anime_id"] for item in shown["items"]]
    assert {"gars.sqlite-wal", "impressions.sqlite-wal"} <= files_with_secret(tmp_path)
    client.get(f"/?user_id={SECRET}")  # its impression may still wait for the disk
    gone = client.delete(USER).json()
    assert (gone["events"], gone["impressions"]) == (4, 2)
    # the service still runs, with its write-ahead logs
    assert files_with_secret(tmp_path) == set()
    assert list(service.impressions.read(user_id=SECRET)) == []
    assert client.get(USER).json()["known"] is False
    assert client.get(f"{USER}/recommendations").json()["cold"] is True
    assert client.get(f"{USER}/history").json()["items"] == []
    assert SECRET not in [user["user_id"] for user in client.get("/api/v1/users").json()["users"]]
    assert client.get("/api/v1/users/other").json()["version"] == 1


def test_a_deletion_is_confirmed_while_its_bytes_cannot_be_erased(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup reads the files: the rows are gone for good, so it is no error; the bytes go a moment later."""
    monkeypatch.setattr(database, "RETRY_S", 0.05)
    a_day(client)
    client.get(f"{USER}/recommendations")
    client.get(f"{USER}/export")  # waits for the impression
    readers = [sqlite3.connect(tmp_path / name) for name in ("gars.sqlite", "impressions.sqlite")]
    for reader in readers:
        reader.execute("BEGIN").execute("SELECT count(*) FROM sqlite_schema").fetchone()
    answer = client.delete(USER)
    assert (answer.status_code, answer.json()["events"], answer.json()["impressions"]) == (200, 4, 1)
    assert client.get(USER).json()["known"] is False
    assert files_with_secret(tmp_path)
    for reader in readers:
        reader.close()
    until(lambda: not files_with_secret(tmp_path), "the bytes were not erased")


def test_deleted_stays_deleted_over_a_restart(client: Client, service: Service, tmp_path: Path) -> None:
    a_day(client)
    client.delete(USER)
    service.close()
    again = open_service(from_environment({}, home=tmp_path), FakeEngine())
    assert again.states.get(SECRET) is None
    again.close()


def test_deleted_user_is_never_shown(client: Client) -> None:
    """Also where the model was trained on their list."""
    client.post("/api/v1/interactions", json={"user_id": "7", "anime_id": 1, "kind": "rate", "value": 9})
    client.post("/api/v1/interactions", json={"user_id": "7", "anime_id": 150, "kind": "rate", "value": 9})
    route = "/api/v1/users/7/similar-users?k=1"
    assert [one["user_id"] for one in client.get(route).json()["items"]] == ["far"]
    client.delete("/api/v1/users/far")
    assert [one["user_id"] for one in client.get(route).json()["items"]] == ["twin"]
    client.delete("/api/v1/users/twin")
    assert client.get(route).json()["items"] == []
